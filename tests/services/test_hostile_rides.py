"""A ride company that lies about time and place drives nobody otherwise than was agreed, and keeps nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lapel.commerce import Money, OrderState, PutOff, Trip, cancellation, verify
from services import hostile_rides as cases
from services.hostile_buyer import Buyer, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_rides import RideVisit, company

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("cars")) as running:
        yield running


def named(found: dict) -> list:
    return [pytest.param(*value, id=name) for name, value in found.items()]


async def placed(visit: RideVisit) -> None:
    order = await visit.begin()
    assert order.state is OrderState.AWAITING_APPROVAL, await visit.said()
    order = await visit.approve()
    assert order.state is OrderState.PLACED, await visit.said()


async def ends(visit: RideVisit, ending: Ending) -> None:
    order, said = await visit.order(), await visit.said()
    assert (order.state, ending.says in said) == (ending.state, True), said
    await visit.no_wrong_money()


async def test_an_honest_company_is_paid_and_its_receipt_says_the_time(buyer: Buyer):
    async with company(buyer) as visit:
        await placed(visit)
        await visit.no_wrong_money()
        order = await visit.order()
        ridden = verify(order.receipt).trip
        assert (ridden.pickup_at, ridden.free_until) == (cases.AT, cases.FREE_UNTIL)
        assert "booked for Friday 4 June at 06:30" in await visit.said()


async def test_the_same_moment_by_another_clock_is_the_same(buyer: Buyer):
    async with company(buyer) as visit:
        visit.hostile.bend = cases.trip(pickup_at="2027-06-04T03:30:00Z")
        await placed(visit)
        assert verify((await visit.order()).receipt).trip.pickup_at == cases.AT


@pytest.mark.parametrize(("bend", "ending"), named(cases.QUOTES))
async def test_a_ride_that_is_another(buyer: Buyer, bend: Bend, ending: Ending):
    async with company(buyer) as visit:
        visit.hostile.bend = bend
        await visit.begin()
        await ends(visit, ending)
        assert visit.holds() == []


@pytest.mark.parametrize(("bend", "ending"), named(cases.NOW))
async def test_a_ride_for_now_that_is_put_off(buyer: Buyer, bend: Bend, ending: Ending):
    async with company(buyer) as visit:
        visit.trip = Trip("ride", cases.AIRPORT, cases.HOME)
        visit.hostile.bend = bend
        await visit.begin()
        await ends(visit, ending)


@pytest.mark.parametrize(("bend", "ending"), named(cases.MEANWHILE))
async def test_a_ride_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Bend, ending: Ending
):
    async with company(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)
        assert [hold["state"] for hold in visit.holds()] == ["voided"]
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.COMPLETIONS))
async def test_a_ride_that_is_completed_for_another_time(buyer: Buyer, bend: Bend, ending: Ending):
    async with company(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)


async def test_a_time_that_the_company_shifts_by_itself_is_told_and_not_agreed_to(buyer: Buyer):
    async with company(buyer) as visit:
        await placed(visit)
        shifted = visit.hostile.told("pickup_changed", pickup_at=cases.LATER)
        assert await visit.push(shifted) == ""
        assert await visit.push(shifted) == ""
        said = await visit.said()
        assert said.count("The ride company now says Friday 4 June at 07:30") == 1
        order = await visit.order()
        assert order.draft.trip.pickup_at == cases.AT
        await visit.no_wrong_money()


async def test_a_time_that_the_user_asked_for_is_kept_and_an_old_report_does_not_undo_it(
    buyer: Buyer,
):
    async with company(buyer) as visit:
        await placed(visit)
        await buyer.orders.ask(visit.order_id, PutOff(cases.LATER))
        await visit.until_told("ask_done")
        assert await visit.push(visit.hostile.told("pickup_changed", pickup_at=cases.LATER)) == ""
        assert (await visit.order()).draft.trip.pickup_at == cases.LATER
        assert await visit.push(visit.hostile.told()) == ""
        assert (await visit.order()).draft.trip.pickup_at == cases.LATER
        said = await visit.said()
        assert said.count("Your ride is on Friday 4 June at 07:30 now.") == 1
        assert "now says" not in said
        back = visit.hostile.told("pickup_changed", "pickup_changed", pickup_at=cases.AT)
        assert await visit.push(back) == ""
        assert (await visit.order()).draft.trip.pickup_at == cases.AT


async def test_a_fee_that_nobody_agreed_to_is_asked_back(buyer: Buyer):
    async with company(buyer) as visit:
        await placed(visit)
        report = visit.hostile.canceled(cases.FEE, cases.PRICE - cases.FEE)
        assert await visit.push(report) == ""
        order = await visit.until({OrderState.REFUNDED, OrderState.CANCELED})
        assert order.state is OrderState.REFUNDED
        assert "You got 18 euros 10 back" in await visit.said()
        await visit.no_wrong_money()


async def test_a_fee_that_was_agreed_to_is_believed(buyer: Buyer):
    async with company(buyer) as visit:
        await placed(visit)
        [hold] = visit.holds()
        hold["refunded"] = cases.PRICE - cases.FEE
        kept = Money(cases.FEE, "EUR")
        await buyer.orders.ask(visit.order_id, cancellation(await visit.order(), kept))
        order = await visit.until({OrderState.REFUNDED, OrderState.CANCELED})
        assert order.state is OrderState.CANCELED
        assert "It cost 4 euros; you get 14 euros 10 back" in await visit.said()
