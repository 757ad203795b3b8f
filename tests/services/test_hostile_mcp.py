"""The dangerous tricks through MCP: the money is as safe behind tools as behind paths."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lapel.commerce import OrderState
from services import hostile_cases
from services import hostile_mcp as cases
from services.hostile_buyer import Buyer, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_front import Play, Trick
from services.test_hostile import asked, ends, named

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("tools")) as running:
        yield running


async def test_an_honest_order_over_tools(buyer: Buyer):
    async with buyer.shop(cases.behind_tools) as visit:
        await asked(visit)
        assert (await visit.approve()).state is OrderState.PLACED
        assert visit.front.seen[1:] == ["create", "get", "complete"]
        await visit.no_wrong_money()


@pytest.mark.parametrize(("bend", "ending"), named(cases.BENT))
async def test_a_price_that_is_none(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop(cases.behind_tools) as visit:
        visit.hostile.bend = bend
        order = await visit.begin()
        if order.state is OrderState.AWAITING_APPROVAL:
            await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.BENT_MEANWHILE))
async def test_a_checkout_that_changes_meanwhile(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop(cases.behind_tools) as visit:
        await asked(visit)
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named(cases.BENT_COMPLETIONS))
async def test_a_tool_that_completes_something_else(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop(cases.behind_tools) as visit:
        visit.hostile.bend = hostile_cases.once_completed(bend)
        await asked(visit)
        await visit.approve()
        await ends(visit, ending)


@pytest.mark.parametrize(("play", "ending"), named(cases.PRICES))
async def test_what_is_no_answer(buyer: Buyer, play: Play, ending: Ending):
    async with buyer.shop(cases.behind_tools) as visit:
        visit.front.tricks["create"] = Trick(play)
        await visit.begin()
        await ends(visit, ending)


@pytest.mark.parametrize(("trick", "ending"), named(cases.AFTER_THE_MONEY))
async def test_a_completion_whose_answer_is_lost(buyer: Buyer, trick: Trick, ending: Ending):
    async with buyer.shop(cases.behind_tools) as visit:
        await asked(visit)
        visit.front.tricks["complete"] = trick
        await visit.approve()
        await ends(visit, ending)


@pytest.mark.parametrize("play", named(cases.SLOW))
async def test_a_tool_that_takes_for_ever(
    buyer: Buyer, play: Play, monkeypatch: pytest.MonkeyPatch
):
    async with buyer.shop(cases.behind_tools) as visit:
        monkeypatch.setattr(buyer.world.client, "_timeout_s", 0.3)
        visit.front.tricks["create"] = Trick(play)
        await visit.begin()
        await ends(visit, hostile_cases.SILENT)


async def test_of_two_truths_the_structured_one_counts(buyer: Buyer):
    async with buyer.shop(cases.behind_tools) as visit:
        visit.front.tricks["create"] = Trick(cases.message(cases.only_text), times=1)
        order = await visit.begin()
        assert order.total is not None
        assert order.total.minor == 1810
        assert (await visit.approve()).state is OrderState.PLACED
        await visit.no_wrong_money()
