"""A restaurant that lies about times, people and terms sells nothing that was not agreed to, and keeps nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lapel.commerce import Money, OrderState, cancellation, ledger, verify
from services import hostile_tables as cases
from services.hostile_buyer import Buyer, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_tables import TableVisit, house

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("house")) as running:
        yield running


def named(found: dict) -> list:
    return [pytest.param(*value, id=name) for name, value in found.items()]


async def placed(visit: TableVisit) -> None:
    order = await visit.begin()
    assert order.state is OrderState.AWAITING_APPROVAL, await visit.said()
    order = await visit.approve()
    assert order.state is OrderState.PLACED, await visit.said()


async def ends(visit: TableVisit, ending: Ending) -> None:
    order, said = await visit.order(), await visit.said()
    assert (order.state, ending.says in said) == (ending.state, True), said


async def stands(buyer: Buyer, order_id: str) -> dict[str, int]:
    """The order's balances once nothing of it is on its way back any more."""
    async with asyncio.timeout(10):
        while True:
            now = await buyer.world.store.read(lambda c: ledger.standing(c, order_id))
            if not now.get(ledger.TRANSIT):
                return now
            await asyncio.sleep(0.01)


async def test_an_honest_restaurant_is_paid_and_its_receipt_says_all(buyer: Buyer):
    async with house(buyer) as visit:
        await placed(visit)
        await visit.no_wrong_money()
        order = await visit.order()
        assert verify(order.receipt).table == cases.TABLE
        assert "Rose, Friday 4 June at seven in the evening, for 4 people" in await visit.said()


@pytest.mark.parametrize(("bend", "ending"), named(cases.QUOTES))
async def test_a_table_that_is_another(buyer: Buyer, bend: Bend, ending: Ending):
    async with house(buyer) as visit:
        visit.hostile.bend = bend
        await visit.begin()
        await ends(visit, ending)
        assert visit.holds() == []


@pytest.mark.parametrize(("bend", "ending"), named(cases.MEANWHILE))
async def test_a_table_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Bend, ending: Ending
):
    async with house(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)
        assert [hold["state"] for hold in visit.holds()] == ["voided"]
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.COMPLETIONS))
async def test_a_table_that_is_completed_as_another(buyer: Buyer, bend: Bend, ending: Ending):
    async with house(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)
        await visit.no_wrong_money()


async def test_a_deposit_that_was_raised_is_asked_about_with_the_new_price(buyer: Buyer):
    async with house(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = cases.MEANWHILE["deposit_raised_before_paying"][0]
        order = await visit.approve()
        assert order.checkout.table.per_person == cases.EACH + 100
        assert order.approval.amount == Money(cases.PRICE + 400, "EUR")
        order = await visit.approve()
        assert order.state is OrderState.PLACED, await visit.said()
        assert verify(order.receipt).table.per_person == cases.EACH + 100


@pytest.mark.parametrize(("agreed", "fee", "back", "says"), named(cases.REFUNDS))
async def test_a_cancellation_that_is_not_what_was_agreed(
    buyer: Buyer, agreed: int | None, fee: int | None, back: int, says: str
):
    async with house(buyer) as visit:
        await placed(visit)
        if agreed is None:
            assert await visit.push(visit.hostile.canceled(fee, back)) == ""
        else:
            visit.hostile.terms = (fee, back)
            terms = cancellation(await visit.order(), Money(agreed, "EUR"))
            await buyer.orders.ask(visit.order_id, terms)
        order = await visit.until({OrderState.REFUNDED, OrderState.CANCELED})
        said = await visit.said()
        assert (order.state, says in said, cases.BACK in said) == (
            OrderState.REFUNDED, True, True,
        ), said  # fmt: skip
        await visit.no_wrong_money()


async def test_a_fee_by_the_terms_is_believed(buyer: Buyer):
    async with house(buyer) as visit:
        await placed(visit)
        [hold] = visit.holds()
        hold["refunded"] = cases.PRICE - cases.FEE
        visit.hostile.terms = (cases.FEE, cases.PRICE - cases.FEE)
        terms = cancellation(await visit.order(), Money(cases.FEE, "EUR"))
        await buyer.orders.ask(visit.order_id, terms)
        order = await visit.until({OrderState.REFUNDED, OrderState.CANCELED})
        assert order.state is OrderState.CANCELED
        assert "It cost 20 euros; you get 40 euros back" in await visit.said()
        kept = await stands(buyer, visit.order_id)
        assert kept[ledger.SPENT + visit.merchant.id] == cases.FEE
        assert kept[ledger.AVAILABLE] == -cases.FEE


async def test_an_evening_is_told_step_by_step_and_ends(buyer: Buyer):
    async with house(buyer) as visit:
        await placed(visit)
        late = {"expected_begins": "2027-06-04T19:45:00+03:00"}
        free = {"cancellation": {**cases.body(cases.TABLE)["cancellation"], "fee_now": 0}}
        assert await visit.push(visit.hostile.told("delayed", **late, **free)) == ""
        said = await visit.said()
        assert (
            "45 minutes late: it is ready at a quarter to eight in the evening. You may cancel it for nothing."
            in said
        )
        for report in (("delayed", "reminder"), ("delayed", "reminder", "seated")):
            assert await visit.push(visit.hostile.told(*report, **late)) == ""
            assert await visit.push(visit.hostile.told(*report, **late)) == ""
        said = await visit.said()
        assert (
            said.count("Rose expects you at a quarter to eight in the evening, Mikonkatu 8.") == 1
        )
        assert said.count("Your table at Rose is ready.") == 1
        done = visit.hostile.told("delayed", "reminder", "seated", "ended", **late)
        assert await visit.push(done) == ""
        assert (await visit.order()).state is OrderState.DELIVERED
        await visit.no_wrong_money()


async def test_who_did_not_come_is_told_so(buyer: Buyer):
    async with house(buyer) as visit:
        await placed(visit)
        assert await visit.push(visit.hostile.told("reminder", "no_show")) == ""
        order, said = await visit.order(), await visit.said()
        assert order.state is OrderState.DELIVERED
        assert "Rose says that nobody came, and keeps what was paid." in said
        assert "expects you" not in said


async def test_a_restaurant_that_moves_the_booking_is_told_of(buyer: Buyer):
    async with house(buyer) as visit:
        await placed(visit)
        later = {"begins": "2027-06-04T20:00:00+03:00", "ends": "2027-06-04T22:00:00+03:00"}
        assert await visit.push(visit.hostile.told("changed", **later)) == ""
        assert (
            "table for 4 people at Rose on Friday 4 June at eight in the evening now"
            in await visit.said()
        )
