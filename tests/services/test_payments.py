import asyncio
import json

import pytest
import sqlalchemy as sa

from lapel.commerce.checkout import PaymentTarget
from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, PaymentState, Refused, Unreachable
from lapel.services import BankPayments
from lapel.store import schema
from services.hostile import Hostile
from services.shopper import World

pytestmark = pytest.mark.net

FIVE = Money(500, "EUR")


@pytest.fixture
def target(hostile: Hostile) -> PaymentTarget:
    endpoint = f"{hostile.origin}/bank"
    return PaymentTarget("dev.lapel.city.bank", "city_bank", endpoint, "acc_shop")


@pytest.fixture
def bank(world: World, target: PaymentTarget) -> BankPayments:
    return BankPayments(world.store, world.http, sandboxes=[target.endpoint + "/"])


async def test_the_whole_way(world: World, bank: BankPayments, target: PaymentTarget):
    held = await bank.authorize("u_1", target, FIVE, "hash", "k")
    assert (held.token, held.handler_id) == ("tok_1", "city_bank")
    assert await bank.state("u_1", target, held.authorization_id) is PaymentState.AUTHORIZED
    assert await bank.release("u_1", target, held.authorization_id, "r") is PaymentState.VOIDED
    assert await bank.release("u_1", target, held.authorization_id, "r") is PaymentState.VOIDED
    [asked] = [x for x in world.hostile.calls if x[1] == "/bank/authorizations"]
    assert asked[2]["authorization"] == "Bearer sk_1"
    assert json.loads(asked[3]) == {
        "account": "acc_1",
        "amount": 500,
        "currency": "EUR",
        "payee": "acc_shop",
        "handler_id": "city_bank",
        "reference": "hash",
        "expires_s": 3600,
    }


async def test_what_was_captured_is_refunded(
    world: World, bank: BankPayments, target: PaymentTarget
):
    held = await bank.authorize("u_1", target, FIVE, "hash", "k")
    for state in world.hostile.authorizations.values():
        state["state"] = "captured"
    assert await bank.state("u_1", target, held.authorization_id) is PaymentState.CAPTURED
    assert await bank.release("u_1", target, held.authorization_id, "r") is PaymentState.REFUNDED
    assert await bank.release("u_1", target, held.authorization_id, "r") is PaymentState.REFUNDED


async def test_the_same_key_holds_once(world: World, bank: BankPayments, target: PaymentTarget):
    first = await bank.authorize("u_1", target, FIVE, "hash", "k")
    assert await bank.authorize("u_1", target, FIVE, "hash", "k") == first
    assert await bank.authorize("u_1", target, FIVE, "hash", "k2") != first
    assert len(world.hostile.authorizations) == 2


async def test_one_account_a_user_and_bank(world: World, bank: BankPayments, target: PaymentTarget):
    await asyncio.gather(*(bank.authorize("u_1", target, FIVE, "hash", f"k{n}") for n in range(4)))
    assert world.hostile.accounts == 1
    again = BankPayments(world.store, world.http)
    await again.authorize("u_1", target, FIVE, "hash", "later")
    assert world.hostile.accounts == 1


async def test_only_known_banks_are_paid(world: World, target: PaymentTarget):
    strict = BankPayments(world.store, world.http)
    for wanted in (
        target,
        PaymentTarget("com.evil.pay", "x", target.endpoint, "acc_shop"),
        PaymentTarget(target.handler, "x", "http://127.0.0.1:1/bank", "acc_shop"),
    ):
        with pytest.raises(Refused) as refused:
            await strict.authorize("u_1", wanted, FIVE, "hash", "k")
        assert refused.value.code == "unknown_payment_handler"
    assert world.hostile.calls == []


async def test_another_handler_at_a_known_bank_is_refused(
    world: World, bank: BankPayments, target: PaymentTarget
):
    await bank.authorize("u_1", target, FIVE, "hash", "k")
    odd = PaymentTarget("com.evil.pay", "x", target.endpoint, "acc_shop")
    with pytest.raises(Refused) as refused:
        await bank.authorize("u_1", odd, FIVE, "hash", "k2")
    assert refused.value.code == "unknown_payment_handler"


async def test_a_no_of_the_bank(world: World, bank: BankPayments, target: PaymentTarget):
    world.hostile.mischief = "bank_declines"
    with pytest.raises(Refused) as refused:
        await bank.authorize("u_1", target, FIVE, "hash", "k")
    assert refused.value.code == "insufficient_funds"
    assert "not enough money" in refused.value.text


async def test_a_silent_bank(world: World, bank: BankPayments, target: PaymentTarget):
    world.hostile.mischief = "bank_500"
    with pytest.raises(Unreachable):
        await bank.authorize("u_1", target, FIVE, "hash", "k")


@pytest.mark.parametrize("mischief", ["bank_holds_more", "bank_other_payee"])
async def test_a_bank_that_holds_something_else(
    world: World, bank: BankPayments, target: PaymentTarget, mischief: str
):
    world.hostile.mischief = mischief
    with pytest.raises(Nonsense):
        await bank.authorize("u_1", target, FIVE, "hash", "k")


@pytest.mark.parametrize("amount", [0, -500])
async def test_nothing_is_not_paid(bank: BankPayments, target: PaymentTarget, amount: int):
    with pytest.raises(Nonsense):
        await bank.authorize("u_1", target, Money(amount, "EUR"), "hash", "k")


async def test_an_authorization_that_is_not_there(bank: BankPayments, target: PaymentTarget):
    await bank.authorize("u_1", target, FIVE, "hash", "k")
    for ask in (bank.state("u_1", target, "auth_9"), bank.release("u_1", target, "auth_9", "r")):
        with pytest.raises(Refused) as refused:
            await ask
        assert refused.value.code == "unknown_authorization"


async def test_the_wallet_is_kept(world: World, bank: BankPayments, target: PaymentTarget):
    await bank.authorize("u_1", target, FIVE, "hash", "k")
    rows = await world.store.read(lambda at: at.execute(sa.select(schema.wallets)).all())
    assert [tuple(row) for row in rows] == [
        ("u_1", target.endpoint, "dev.lapel.city.bank", "acc_1", "sk_1")
    ]
