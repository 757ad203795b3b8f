"""Open mandates: what they prove, what they refuse, and receipts that lean on them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import msgspec
import pytest
from commerce_town import LATTES
from commerce_world import QUICK, TAP, running

from lapel.commerce import (
    Item,
    LimitTerms,
    MandateError,
    Money,
    OrderState,
    Party,
    ReceiptError,
    verify,
)
from lapel.commerce import keys as signing
from lapel.commerce.consent import verify_checkout, verify_payment
from lapel.commerce.consent.open_mandates import (
    AUDIENCE,
    MOST_PIECES,
    OPEN_CHECKOUT,
    OPEN_PAYMENT,
    OpenMandates,
    SetBy,
    check_within,
    open_mandate_hash,
    sign_open,
    verify_open,
)
from lapel.commerce.consent.sdjwt import issue, present
from lapel.commerce.receipt import Signer

pytestmark = pytest.mark.unit

KEY = signing.new_key()
THIEF = signing.new_key()
AT = 1764000000.0
TERMS = LimitTerms(
    "EUR", 1500, 5000, "week", int(AT) + 86400, (Party("blue", "Blue Door"),), purchases=3
)


def signed(terms: LimitTerms = TERMS, key=KEY, limit_id: str = "m_1") -> OpenMandates:
    by = SetBy(limit_id, terms.hash(), "d", "Phone", "phone", "approve", int(AT * 1000), ("Phone",))
    return sign_open(key, terms, by, AT)


def refusal(mandates: OpenMandates, key=KEY) -> str:
    try:
        verify_open(mandates, key.public)
    except MandateError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"merchants": ()},
        {"purchases": 0},
        {"currency": "JPY", "most_minor": 1, "budget_minor": 7},
        {"currency": "KWD", "most_minor": 1500, "budget_minor": 2000},
        {"period": "day"},
        {"items": (Item("latte", "Iced latte"), Item("mü", "Muffin"))},
        {"merchants": (Party("a", "Äiti & Söhne"), Party("b", "\u96ea"))},
    ],
)
def test_a_signed_limit_reads_as_it_was_agreed_to(changed):
    terms = msgspec.structs.replace(TERMS, **changed)
    opened = verify_open(signed(terms), KEY.public)
    assert (opened.terms, opened.since) == (terms, int(AT))
    assert opened.set_by.shown_on == ("Phone",)


def test_it_is_no_closed_mandate_and_no_bare_token_is_one():
    one = signed()
    common = {"key": KEY.public, "audience": AUDIENCE, "nonce": "m_1", "at": AT + 1}
    with pytest.raises(MandateError) as caught:
        verify_payment(
            one.payment, **common, transaction="", amount=Money(1500, "EUR"), payee="blue"
        )
    assert caught.value.code == "not_terminal"
    with pytest.raises(MandateError) as caught:
        verify_checkout(one.checkout, **common)
    assert caught.value.code == "not_terminal"
    bare = one.payment.rpartition("~")[0] + "~"
    assert refusal(OpenMandates("m_1", one.checkout, bare)) == "not_terminal"


def test_what_is_not_of_this_limit_by_this_key_is_refused():
    one, other = signed(), signed(limit_id="m_2")
    larger = signed(msgspec.structs.replace(TERMS, most_minor=5000))
    elsewhere = signed(msgspec.structs.replace(TERMS, merchants=(Party("red", "Red"),)))
    loose = issue(
        KEY, {"vct": OPEN_CHECKOUT, "constraints": [], "iat": int(AT), "exp": TERMS.valid_until}
    )
    anywhere = present(KEY, loose, (), audience=AUDIENCE, nonce="m_1", at=int(AT))
    shop = present(KEY, loose, (), audience="https://blue.example", nonce="m_1", at=int(AT))
    assert refusal(one) == ""
    assert refusal(larger) == ""
    for mandates, key, code in (
        (signed(key=THIEF), KEY, "wrong_key"),
        (one, THIEF, "wrong_key"),
        (OpenMandates("m_2", one.checkout, one.payment), KEY, "other_nonce"),
        (OpenMandates("m_1", one.checkout, other.payment), KEY, "other_nonce"),
        (OpenMandates("m_1", elsewhere.checkout, one.payment), KEY, "altered"),
        (OpenMandates("m_1", anywhere, one.payment), KEY, "altered"),
        (OpenMandates("m_1", shop, one.payment), KEY, "other_audience"),
        (OpenMandates("m_1", one.payment, one.checkout), KEY, "not_a_mandate"),
        (OpenMandates("m_1", "", ""), KEY, "not_terminal"),
    ):
        assert refusal(mandates, key) == code


@pytest.mark.parametrize(
    ("minor", "currency", "merchant", "after_s", "code"),
    [
        (1500, "EUR", "blue", 10, ""),
        (1, "EUR", "blue", 0, ""),
        (1501, "EUR", "blue", 10, "other_amount"),
        (0, "EUR", "blue", 10, "other_amount"),
        (-5, "EUR", "blue", 10, "other_amount"),
        (100, "USD", "blue", 10, "other_amount"),
        (100, "EUR", "red", 10, "other_payee"),
        (100, "EUR", "blue", -1, "not_yet"),
        (100, "EUR", "blue", 86400, "expired"),
        (100, "EUR", "blue", 86399, ""),
    ],
)
def test_one_purchase_keeps_to_it_or_does_not(minor, currency, merchant, after_s, code):
    opened = verify_open(signed(), KEY.public)
    bought = {"amount": Money(minor, currency), "merchant_id": merchant, "at": AT + after_s}
    bought["lines"] = [("latte", 1)]
    if not code:
        check_within(opened, **bought)
        return
    with pytest.raises(MandateError) as caught:
        check_within(opened, **bought)
    assert caught.value.code == code


LATTE = Item("latte", "Iced latte")
MUFFIN = Item("muffin", "Muffin")


@pytest.mark.parametrize(
    ("items", "lines", "fits"),
    [  # as AP2's own evaluator has it: an empty list is any goods, the quantity a bound
        ((), [("latte", 1)], True),
        ((), [("latte", 2), ("anything", MOST_PIECES - 2)], True),
        ((), [("latte", 2), ("anything", MOST_PIECES - 1)], False),
        ((), [], False),
        ((), [("latte", 0)], False),
        ((LATTE,), [("latte", 3)], True),
        ((LATTE, MUFFIN), [("muffin", 1), ("latte", 1), ("latte", 1)], True),
        ((LATTE,), [("latte", 1), ("muffin", 1)], False),
        ((LATTE,), [("latte", MOST_PIECES + 1)], False),
        ((LATTE,), [("latte", 2), ("muffin", -1)], False),
    ],
)
def test_a_cart_holds_nothing_but_the_goods_of_the_limit(items, lines, fits):
    opened = verify_open(signed(msgspec.structs.replace(TERMS, items=items)), KEY.public)
    bought = {"amount": Money(1, "EUR"), "merchant_id": "blue", "lines": lines, "at": AT}
    if fits:
        check_within(opened, **bought)
        return
    with pytest.raises(MandateError) as caught:
        check_within(opened, **bought)
    assert caught.value.code == "other_checkout"


def claims_of(presentation: str) -> dict:
    return msgspec.json.decode(signing.from_base64url(presentation.split(".")[1]))


@pytest.mark.parametrize("items", [(), (LATTE, MUFFIN)])
def test_the_open_checkout_mandate_is_of_the_schema(items):
    """AP2's `open_checkout_mandate.json`: one `line_items`, whose entries have these three."""
    claims = claims_of(signed(msgspec.structs.replace(TERMS, items=items)).checkout)
    (goods,) = [x for x in claims["constraints"] if x["type"] == "checkout.line_items"]
    (entry,) = goods["items"]
    assert entry == {
        "id": "goods",
        "acceptable_items": [{"id": x.id, "title": x.title} for x in items],
        "quantity": MOST_PIECES,
    }


def as_before(terms: LimitTerms = TERMS, key=KEY) -> OpenMandates:
    """The mandates as they were signed before they had `line_items`."""
    now = signed(terms, key)
    checkout, payment = claims_of(now.checkout), claims_of(now.payment)
    checkout["constraints"] = [
        x for x in checkout["constraints"] if x["type"] != "checkout.line_items"
    ]
    payment["constraints"][0]["conditional_transaction_id"] = open_mandate_hash(checkout)
    by = verify_open(now, key.public).set_by

    def again(claims, vct, **hidden):
        assert claims["vct"] == vct
        body = {name: x for name, x in claims.items() if name not in ("cnf", "_sd", "_sd_alg")}
        issued = issue(key, body, hidden)
        return present(key, issued, hidden, audience=AUDIENCE, nonce="m_1", at=int(AT))

    return OpenMandates(
        "m_1",
        again(checkout, OPEN_CHECKOUT),
        again(payment, OPEN_PAYMENT, risk_data=msgspec.to_builtins(by)),
    )


def test_a_limit_that_was_signed_without_line_items_still_stands():
    opened = verify_open(as_before(), KEY.public)
    assert opened.terms == TERMS
    cart = {"amount": Money(1, "EUR"), "merchant_id": "blue", "at": AT}
    check_within(opened, **cart, lines=[("whatever", 1)])
    named = msgspec.structs.replace(TERMS, items=(LATTE,))
    with pytest.raises(MandateError) as caught:
        verify_open(as_before(named), KEY.public)  # what names goods never was of that form
    assert caught.value.code == "other_evidence"


def test_what_was_agreed_to_before_there_were_goods_has_the_hash_that_it_had():
    assert LimitTerms(
        "EUR", 1500, 5000, "week", 1764000000, (Party("blue", "Blue Door"),)
    ).hash() == ("6a5f7f44e5828f3b65fab7ce71196b544a518f9fcf815a6efae35358df206832")


def test_its_hash_is_over_the_claims_and_not_over_the_signature():
    """Of AP2's conformance vectors: the order of members is nothing, that of lists is something."""
    body = {"vct": OPEN_CHECKOUT, "constraints": [{"type": "a"}, {"type": "b"}], "iat": 1}
    assert open_mandate_hash(dict(reversed(body.items()))) == open_mandate_hash(body)
    turned = body | {"constraints": body["constraints"][::-1]}
    assert open_mandate_hash(turned) != open_mandate_hash(body)
    assert verify_open(signed(), KEY.public).hash == verify_open(signed(), KEY.public).hash


async def test_a_receipt_that_leans_on_another_limit_or_none_proves_nothing(tmp_path, untouched):
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    async with running(tmp_path) as world:
        await world.stop()
        await world.start(replace(QUICK, undo_s=0.05))
        until = int(world.clock()) + 86400
        limit = await world.orders.standing.propose(
            "u_0", LimitTerms("EUR", 2000, 5000, "week", until)
        )
        screen = replace(TAP, gesture="approve", device_name="Phone", shown_on=("Phone",))
        await world.placed()
        await world.orders.standing.decide(
            limit.id, "approve", screen, terms_hash=limit.terms.hash()
        )
        order_id = await world.orders.begin("u_0", LATTES)
        order = await world.state(order_id, OrderState.PLACED)
        receipt = verify(order.receipt)
        user = await world.store.write(lambda c: world.orders.vault.ensure(c, "u_0", 0.0))
    lapel = Signer(signing.new_key())
    wider = signed(msgspec.structs.replace(TERMS, most_minor=5000), user, limit.id)
    for standing, gesture in (
        (None, "within_limit"),
        (receipt.mandates.standing, "press"),
        (wider, "within_limit"),
        (signed(key=THIEF, limit_id=limit.id), "within_limit"),
    ):
        forged = msgspec.structs.replace(
            receipt,
            mandates=msgspec.structs.replace(receipt.mandates, standing=standing),
            consent=msgspec.structs.replace(receipt.consent, gesture=gesture),
            key_id=lapel.key_id,
        )
        with pytest.raises(ReceiptError) as caught:
            verify(lapel.sign(forged))
        assert caught.value.code == "bad_mandate"
    whole = msgspec.structs.replace(receipt, key_id=lapel.key_id)
    assert verify(lapel.sign(whole)).consent.gesture == "within_limit"
