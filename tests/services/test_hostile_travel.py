"""An airline that lies about times, names and rules sells nothing that was not agreed to, and keeps nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lapel.commerce import Cancel, Money, OrderState, verify
from services import hostile_travel as cases
from services.hostile_buyer import Buyer, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_travel import FlightVisit, airline

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("airline")) as running:
        yield running


def named(found: dict) -> list:
    return [pytest.param(*value, id=name) for name, value in found.items()]


async def placed(visit: FlightVisit) -> None:
    order = await visit.begin()
    assert order.state is OrderState.AWAITING_APPROVAL, await visit.said()
    order = await visit.approve()
    assert order.state is OrderState.PLACED, await visit.said()


def given_back(fee: int) -> Cancel:
    return Cancel("journey", Money(fee, "EUR"), Money(cases.PRICE - fee, "EUR"))


async def test_an_honest_airline_is_paid_and_its_receipt_says_all(buyer: Buyer):
    async with airline(buyer) as visit:
        await placed(visit)
        await visit.no_wrong_money()
        order = await visit.order()
        assert verify(order.receipt).journey == cases.FLIGHT


@pytest.mark.parametrize(("bend", "ending"), named(cases.QUOTES))
async def test_a_journey_that_is_another(buyer: Buyer, bend: Bend, ending: Ending):
    async with airline(buyer) as visit:
        visit.hostile.bend = bend
        order = await visit.begin()
        said = await visit.said()
        assert (order.state, ending.says in said) == (ending.state, True), said
        assert visit.holds() == []


@pytest.mark.parametrize(("bend", "ending"), named(cases.MEANWHILE))
async def test_a_journey_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Bend, ending: Ending
):
    async with airline(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = bend
        order = await visit.approve()
        said = await visit.said()
        assert (order.state, ending.says in said) == (ending.state, True), said
        assert [hold["state"] for hold in visit.holds()] == ["voided"]
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("agreed", "fee", "back", "says"), named(cases.REFUNDS))
async def test_a_refund_that_is_not_what_was_agreed(
    buyer: Buyer, agreed: int | None, fee: int | None, back: int, says: str
):
    async with airline(buyer) as visit:
        await placed(visit)
        if agreed is None:
            assert await visit.push(visit.hostile.canceled(fee, back)) == ""
        else:
            visit.hostile.terms = (fee, back)
            await buyer.orders.ask(visit.order_id, given_back(agreed))
        order = await visit.until({OrderState.REFUNDED, OrderState.CANCELED})
        said = await visit.said()
        assert (order.state, says in said, cases.BACK in said) == (
            OrderState.REFUNDED, True, True,
        ), said  # fmt: skip
        await visit.no_wrong_money()


async def test_a_refund_by_the_rules_is_believed(buyer: Buyer):
    async with airline(buyer) as visit:
        await placed(visit)
        [hold] = visit.holds()
        hold["refunded"] = cases.PRICE - cases.REFUND_FEE
        visit.hostile.terms = (cases.REFUND_FEE, cases.PRICE - cases.REFUND_FEE)
        await buyer.orders.ask(visit.order_id, given_back(cases.REFUND_FEE))
        order = await visit.until({OrderState.REFUNDED, OrderState.CANCELED})
        assert order.state is OrderState.CANCELED
        assert "It cost 40 euros; you get 49 euros back" in await visit.said()
