"""A merchant that lies in every way we could think of: no wrong money moves, and the user is told how it ends."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from lapel.commerce import Nonsense, Order, OrderState, Unreachable
from lapel.services import open_http
from lapel.services.fetch import fetch
from lapel.services.urls import check
from services import hostile_cases as cases
from services import hostile_grocer, hostile_mcp, hostile_rides, hostile_tables, hostile_travel
from services.hostile import Json
from services.hostile_buyer import Buyer, Visit, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_front import Play, Trick

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("hostile")) as running:
        yield running


def named(found: dict) -> list:
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), id=name)
        for name, value in found.items()
    ]


async def ends(visit: Visit, ending: Ending) -> None:
    """As the case says it must: the state, the last words, and the money where it belongs."""
    order = await visit.order()
    said = await visit.said()
    assert (order.state, ending.says in said) == (ending.state, True), (order.state, said)
    await visit.no_wrong_money()
    if order.state is OrderState.AWAITING_APPROVAL:
        await visit.buyer.orders.cancel(visit.order_id)


async def asked(visit: Visit) -> Order:
    order = await visit.begin()
    assert order.state is OrderState.AWAITING_APPROVAL, await visit.said()
    return order


@pytest.mark.parametrize(("bend", "ending"), named(cases.QUOTES))
async def test_a_price_that_is_none(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop() as visit:
        visit.hostile.bend = bend
        order = await visit.begin()
        if order.state is OrderState.AWAITING_APPROVAL:
            order = await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.MEANWHILE))
async def test_a_checkout_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Bend, ending: Ending
):
    async with buyer.shop() as visit:
        await asked(visit)
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.COMPLETIONS))
async def test_a_merchant_that_completes_something_else(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop() as visit:
        visit.hostile.bend = cases.once_completed(bend)
        await asked(visit)
        await visit.approve()
        await ends(visit, ending)


@pytest.mark.parametrize(("play", "ending"), named(cases.WIRE))
async def test_bytes_that_are_no_answer(buyer: Buyer, play: Play, ending: Ending):
    async with buyer.shop() as visit:
        visit.front.tricks["create"] = Trick(play)
        await visit.begin()
        await ends(visit, ending)


@pytest.mark.parametrize(("trick", "ending"), named(cases.AFTER_THE_MONEY))
async def test_a_completion_whose_answer_is_lost(buyer: Buyer, trick: Trick, ending: Ending):
    async with buyer.shop() as visit:
        await asked(visit)
        visit.front.tricks["complete"] = trick
        await visit.approve()
        await ends(visit, ending)


@pytest.mark.parametrize("play", named(cases.SLOW))
async def test_a_price_that_takes_for_ever(
    buyer: Buyer, play: Play, monkeypatch: pytest.MonkeyPatch
):
    async with buyer.shop() as visit:
        monkeypatch.setattr(buyer.world.client, "_timeout_s", 0.3)
        visit.front.tricks["create"] = Trick(play)
        await visit.begin()
        await ends(visit, cases.SILENT)


@pytest.mark.parametrize("play", named(cases.SLOW))
async def test_a_completion_that_takes_for_ever(
    buyer: Buyer, play: Play, monkeypatch: pytest.MonkeyPatch
):
    async with buyer.shop() as visit:
        await asked(visit)
        monkeypatch.setattr(buyer.world.client, "_timeout_s", 0.3)
        visit.front.tricks["complete"] = Trick(play, effect=False)
        await visit.approve()
        await ends(visit, cases.FREED)


@pytest.mark.parametrize("bend", named(cases.SIGNATURES))
async def test_a_signature_that_proves_nothing(buyer: Buyer, bend: cases.BendHeaders):
    async with buyer.shop() as visit:
        await asked(visit)
        await buyer.world.merchants.get_checkout(
            visit.merchant.id, (await visit.order()).checkout_id
        )
        visit.hostile.bend_answer = bend
        await visit.approve()
        await ends(visit, cases.FREED)
        assert "complete" not in visit.front.seen


@pytest.mark.parametrize("bend", named(cases.KEYS))
async def test_keys_that_prove_nothing(buyer: Buyer, bend: Callable[[Visit], None]):
    async with buyer.shop() as visit:
        await asked(visit)
        bend(visit)
        await visit.approve()
        await ends(visit, cases.FREED)
        assert "complete" not in visit.front.seen


@pytest.mark.parametrize(("bend", "ending"), named(cases.PROFILES))
async def test_a_profile_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Callable[[Visit], None], ending: Ending
):
    async with buyer.shop() as visit:
        await asked(visit)
        bend(visit)
        buyer.world.clock.now += 3600
        await visit.approve()
        await ends(visit, ending)
        assert "profile" in visit.front.seen[1:]


@pytest.mark.parametrize(("bend", "code", "ending"), named(cases.WEBHOOKS))
async def test_a_webhook_that_is_not_to_be_believed(
    buyer: Buyer, bend: cases.Push, code: str, ending: Ending
):
    async with buyer.shop() as visit:
        await asked(visit)
        await visit.approve()
        before = await visit.said()
        assert await bend(visit) == code
        await ends(visit, ending)
        if ending is cases.UNTOUCHED:
            assert await visit.said() == before


@pytest.mark.parametrize(("reports", "ending"), named(cases.REPORTS))
async def test_an_order_that_tells_something_odd(
    buyer: Buyer, reports: Callable[[Visit, Json], list[Json]], ending: Ending
):
    async with buyer.shop() as visit:
        await asked(visit)
        await visit.approve()
        [order] = visit.hostile.orders.values()
        for report in reports(visit, order):
            assert await visit.push(report) == ""
        await visit.until({ending.state})
        await ends(visit, ending)


async def test_two_orders_with_one_number(buyer: Buyer):
    async with buyer.shop() as visit:
        await asked(visit)
        await visit.approve()
        visit.before = len(buyer.bank.authorizations)
        visit.hostile.orders.clear()  # the next one gets the number of the first
        await asked(visit)
        await visit.approve()
        await ends(visit, cases.SAME_NUMBER)


async def test_a_webhook_for_an_order_of_another_merchant(buyer: Buyer):
    async with buyer.shop() as mine, buyer.shop() as thief:
        await asked(mine)
        await mine.approve()
        [order] = mine.hostile.orders.values()
        before = await mine.said()
        gone = {**order, "fulfillment": {"events": [cases.event("canceled")]}}
        assert await thief.push(gone) == ""  # well signed by the thief, and about nothing of theirs
        assert await mine.said() == before
        await ends(mine, cases.UNTOUCHED)


@pytest.mark.parametrize("addresses", named(cases.INSIDE))
async def test_a_name_that_leads_inside(buyer: Buyer, addresses: list[str]):
    async with buyer.shop() as visit:
        port = visit.front.origin.rpartition(":")[2]
        buyer.resolved["shop.example"] = addresses
        seen = len(visit.front.seen)
        with pytest.raises(Nonsense) as refused:
            await buyer.world.food.add_merchant(f"https://shop.example:{port}")
        assert refused.value.code == "unsafe_url"
        assert len(visit.front.seen) == seen


async def test_a_name_is_looked_up_once_and_that_address_is_called(buyer: Buyer):
    """A second look-up could answer otherwise, so there is none."""
    asked_for: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked_for.append(host)
        return ["192.0.2.1"] if len(asked_for) > 1 else ["127.0.0.1"]

    async with open_http(rebinding) as http:
        with pytest.raises(Nonsense):
            await fetch(http, "GET", "https://shop.example/")
    assert asked_for == ["shop.example"]


@pytest.mark.parametrize("url", cases.DISGUISED)
async def test_an_address_in_disguise(buyer: Buyer, url: str):
    """Numbers that only a resolver takes for an address; asked of the real one."""
    async with open_http() as http:
        with pytest.raises((Nonsense, Unreachable)) as refused:
            await fetch(http, "GET", check(url))
        if isinstance(refused.value, Nonsense):
            assert refused.value.code == "unsafe_url"


@pytest.mark.parametrize("url", cases.TRACKING)
async def test_a_courier_s_page_that_leads_elsewhere(buyer: Buyer, url: str):
    async with buyer.shop() as visit:
        assert await buyer.world.food.track(visit.merchant.id, url) is None
        assert visit.front.seen == ["profile"]


async def test_there_are_that_many_ways(request: pytest.FixtureRequest):
    """Each by its name; the page that lists them is held to this."""
    names = [
        *cases.names(),
        *hostile_mcp.names(),
        *hostile_grocer.names(),
        *hostile_travel.names(),
        *hostile_rides.names(),
        *hostile_tables.names(),
    ]
    assert len(names) >= 60
    assert len(names) == len(set(names))
    page = Path(__file__).parents[2] / "docs" / "conformance.md"
    listed = page.read_text("utf-8").partition("## The hostile merchant")[2]
    assert set(re.findall(r"`([a-z0-9_]{4,})`", listed.partition("\n## ")[0])) == set(names)
