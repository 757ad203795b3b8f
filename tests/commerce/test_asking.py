"""What a merchant is asked about a placed order: once, however silent it is, and told how it ended."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from commerce_market import EACH, FLIGHT, KEEPS, RIDE, Market, eur
from commerce_town import LATTES
from commerce_world import QUICK, World

import postgres
from lapel.commerce import (
    Cancel,
    Change,
    OrderError,
    OrderState,
    ReturnLine,
    SendBack,
)

pytestmark = pytest.mark.net

PAID = 15000
GIVE_BACK = Cancel("journey", eur(KEEPS), eur(PAID - KEEPS))
ONE = SendBack((ReturnLine("li_0", 1),), eur(0), "the latte")


@asynccontextmanager
async def market(folder, url=None, name: str = "", policy=QUICK):
    world = World(folder, url)
    world.policy, world.worker_name = policy, name
    world.town.db.close()
    world.town = Market(folder / "town.db")
    world.town.set("fee", 0)
    await world.open()
    try:
        yield world
    finally:
        await world.close()


async def delivered(world: World):
    order = await world.placed(LATTES)
    await world.orders.merchant_reports(world.town.report(order.checkout_id, "delivered"))
    await world.state(order.id, OrderState.DELIVERED)
    while world.orders._driving.running().follows(order.id):  # until nobody looks after it
        await asyncio.sleep(0.01)
    return await world.orders.get(order.id)


async def test_a_silent_company_is_asked_again_and_told_of_once(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(FLIGHT)
        world.town.fail("ask", "always down")
        await world.orders.ask(order.id, GIVE_BACK)
        world.skew = 60.0
        slow = await world.event(order.id, "ask_slow")
        assert slow.text.endswith("does not answer yet. I keep asking, and tell you how it ends.")
        world.town.heal()
        await world.event(order.id, "ask_done")
        kinds = await world.kinds(order.id)
        assert kinds[-4:] == ["cancel_asked", "ask_slow", "journey_canceled", "ask_done"]
        world.balanced(KEEPS)
        assert not (await world.orders.get(order.id)).asked


async def test_an_answer_that_was_lost_is_found_with_the_same_key(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(RIDE)
        world.town.fail("ask", "lost")
        world.town.fail("order", "always down")
        paid = order.total.minor
        await world.orders.ask(order.id, Cancel("ride", eur(KEEPS), eur(paid - KEEPS)))
        await world.event(order.id, "ask_done")
        keys = world.town.db.execute("select distinct key from calls where op='ask'").fetchall()
        assert (world.town.calls("ask"), len(keys)) == (2, 1)
        world.balanced(KEEPS)


async def test_a_merchant_that_forgot_the_key_of_what_it_has_done_is_looked_at(tmp_path):
    async with market(tmp_path) as world:
        order = await delivered(world)
        world.town.fail("ask", "lost")
        world.town.set("forgets", 1)
        await world.orders.ask(order.id, ONE)
        await world.event(order.id, "ask_done")
        kinds = await world.kinds(order.id)
        assert kinds[-3:] == ["return_asked", "refund_promised", "ask_done"]
        assert world.town.db.execute("select amount from returns").fetchall() == [(EACH,)]


async def test_a_refusal_is_told_in_the_companys_words_and_ends_the_agreement(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(FLIGHT)
        cheaper = Cancel("journey", eur(KEEPS - 1), eur(PAID - KEEPS + 1))
        await world.orders.ask(order.id, cheaper)
        told = await world.event(order.id, "ask_refused")
        assert told.text == "That is not to be had any more. It is not cancelled."
        assert told.data["code"] == "closed"
        assert [x.state for x in await world.orders.asks(order.id)] == ["refused"]
        await world.orders.ask(order.id, GIVE_BACK)
        await world.event(order.id, "ask_done")
        assert [x.state for x in await world.orders.asks(order.id)] == ["refused", "done"]
        world.balanced(KEEPS)


async def test_a_fee_is_not_believed_after_the_company_has_refused_it(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(RIDE)
        world.town.set("refuses", 1)
        await world.orders.ask(order.id, Cancel("ride", eur(KEEPS), eur(0)))
        await world.event(order.id, "ask_refused")
        await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
        await world.state(order.id, OrderState.REFUNDED)
        world.balanced()


async def test_what_cannot_be_asked_is_said_and_the_same_again_is_one(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(FLIGHT)
        world.town.fail("ask", "always down")
        for wrong in (ONE, Cancel("ride", eur(0), eur(0))):
            with pytest.raises(OrderError) as caught:
                await world.orders.ask(order.id, wrong)
            assert caught.value.code == "closed"
        await world.orders.ask(order.id, GIVE_BACK)
        await world.orders.ask(order.id, GIVE_BACK)
        with pytest.raises(OrderError) as caught:
            await world.orders.ask(order.id, replace_most(GIVE_BACK, KEEPS + 1))
        assert caught.value.code == "asked"
        await world.orders.ask(order.id, Change("journey", "of_2"))  # something else
        kinds = await world.kinds(order.id)
        assert kinds[-2:] == ["cancel_asked", "change_asked"]


def replace_most(request: Cancel, most: int) -> Cancel:
    return Cancel(request.kind, eur(most), request.least)


async def test_a_company_that_never_answers_is_given_up_with_words(tmp_path):
    async with market(tmp_path, policy=replace(QUICK, ask_for_s=600.0)) as world:
        order = await world.placed(FLIGHT)
        world.town.fail("ask", "always down")
        world.town.fail("order", "always down")
        await world.orders.ask(order.id, GIVE_BACK)
        world.skew = 700.0
        await world.event(order.id, "ask_slow")
        called = world.town.calls("ask")
        world.skew = 1300.0
        told = await world.event(order.id, "ask_unanswered")
        assert "did not answer. It is not cancelled. Ask me again" in told.text
        assert world.town.calls("ask") == called  # its key may be forgotten: only looked at
        assert (await world.orders.get(order.id)).state is OrderState.PLACED
        world.balanced(PAID)


async def test_what_ended_otherwise_is_not_asked_for_any_more(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(FLIGHT)
        world.town.fail("ask", "always down")
        await world.orders.ask(order.id, GIVE_BACK)
        calls = world.town.calls("ask")
        await world.orders.merchant_reports(
            replace(world.town.report(order.checkout_id, canceled=True), journey=None)
        )
        await world.state(order.id, OrderState.REFUNDED)
        ended = await world.event(order.id, "ask_done")
        assert ended.text == ""
        assert world.town.calls("ask") <= calls + 1
        world.balanced()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    """Where the record is; on PostgreSQL another worker takes over."""
    if request.param == "sqlite":
        yield None
        return
    with postgres.database(like=request.getfixturevalue("database")) as made:
        postgres.empty(made)  # of what an earlier test left in the one that it is like
        yield made


async def test_a_return_is_carried_on_after_the_process_has_ended(tmp_path, url):
    """The order is over and followed by nobody: the request alone brings it back."""
    async with market(tmp_path, url, "one" if url else "") as world:
        order = await delivered(world)
        world.town.fail("ask", "always down")
        await world.orders.ask(order.id, ONE)
        await world.called("ask")
    async with market(tmp_path, url, "other" if url else "") as world:
        world.town.heal()
        await world.event(order.id, "ask_done")
        assert (await world.kinds(order.id)).count("refund_promised") == 1
        world.town.take_back(order.merchant_order_id)
        await world.orders.merchant_reports(world.town.report(order.checkout_id))
        await world.event(order.id, "part_refunded")
        await world.called("state")
        world.balanced(order.total.minor - EACH)
        assert [x.state for x in await world.orders.asks(order.id)] == ["done"]
