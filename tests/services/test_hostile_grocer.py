"""A grocer that lies about weights and substitutes keeps nothing that was not agreed to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lapel.commerce import OrderState, verify
from services import hostile_grocer as cases
from services.hostile_buyer import Buyer, lapel
from services.hostile_cases import Bend, Ending, event
from services.hostile_grocer import GrocerVisit, grocer

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("grocer")) as running:
        yield running


def named(found: dict) -> list:
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), id=name)
        for name, value in found.items()
    ]


async def placed(visit: GrocerVisit) -> None:
    order = await visit.begin()
    assert order.state is OrderState.AWAITING_APPROVAL, await visit.said()
    assert order.total is not None
    assert order.total.minor == cases.MOST
    order = await visit.approve()
    assert order.state is OrderState.PLACED, await visit.said()
    assert visit.kept() == 0


async def told(visit: GrocerVisit, kind: str) -> None:
    async with asyncio.timeout(20):
        while kind not in [x.kind for x in await visit.buyer.orders.history(visit.order_id)]:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("bend", named(cases.PRICES))
async def test_weights_and_prices_that_do_not_fit(buyer: Buyer, bend: Bend):
    async with grocer(buyer) as visit:
        visit.hostile.bend = bend
        order = await visit.begin()
        said = await visit.said()
        assert order.state is OrderState.FAILED, said
        assert cases.PRICED_ODDLY.says in said or "something else than you asked for" in said
        assert visit.holds() == []


@pytest.mark.parametrize(("bend", "ending"), named(cases.MEANWHILE))
async def test_a_bound_that_grows_while_the_user_says_yes(buyer: Buyer, bend: Bend, ending: Ending):
    async with grocer(buyer) as visit:
        await visit.begin()
        visit.hostile.bend = bend
        order = await visit.approve()
        assert (order.state, ending.says in await visit.said()) == (ending.state, True)
        assert [hold["state"] for hold in visit.holds()] == ["voided"]
        await buyer.orders.cancel(visit.order_id)


@pytest.mark.parametrize(("bend", "take", "keeps", "says"), named(cases.BILLS))
async def test_a_bill_that_asks_for_more_than_was_agreed(
    buyer: Buyer, bend: Bend, take: int | None, keeps: int, says: str
):
    async with grocer(buyer) as visit:
        await placed(visit)
        report = visit.hostile.pack(bend, take)
        assert await visit.push(report) == ""
        await told(visit, "billed")
        assert visit.kept() in (keeps, keeps - 1)  # a cent may be rounded either way
        said = await visit.said()
        assert says in said, said
        order = await visit.order()
        receipt = verify(order.receipt or "")
        assert receipt.payment.paid is not None
        assert receipt.payment.paid.minor == visit.holds()[0]["captured"] <= cases.MOST


async def test_an_honest_bill_frees_the_rest(buyer: Buyer):
    async with grocer(buyer) as visit:
        await placed(visit)
        assert await visit.push(visit.hostile.pack(cases.honest)) == ""
        await told(visit, "billed")
        assert visit.kept() == cases.HONEST
        assert "It came to 11 euros 66; 2 euros 99 of what was set aside is free" in (
            await visit.said()
        )
        assert "overbilled" not in [
            x.kind for x in await visit.buyer.orders.history(visit.order_id)
        ]


async def test_money_that_is_taken_without_a_bill(buyer: Buyer):
    async with grocer(buyer) as visit:
        await placed(visit)
        order = visit.hostile.pack(cases.honest, cases.MOST)
        order["groceries"] = {"status": "picking"}
        order["fulfillment"] = {"events": [event("delivered")]}
        assert await visit.push(order) == ""
        await told(visit, "billed")
        assert visit.kept() == cases.HONEST  # what its order says is what it may keep
        assert "shows no bill" in await visit.said()


async def test_a_hold_that_runs_out(buyer: Buyer):
    async with grocer(buyer) as visit:
        await placed(visit)
        [hold] = visit.holds()
        hold["state"] = "voided"
        order = visit.hostile.pack(cases.honest, 0)
        hold |= {"state": "voided", "captured": 0}
        assert await visit.push(order) == ""
        await visit.until({OrderState.CANCELED})
        assert "never took its money" in await visit.said()
        assert visit.kept() == 0
