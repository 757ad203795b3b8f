"""Plans on real devices in virtual time: one question, part by part, whole or undone, over crashes anywhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
import pytest
import sqlalchemy as sa
from stage.loop import wall
from stage.shops import HOME, OFFICE
from stage.wearing import PHONE, RING, Worn
from stage.world import BRAIN, World

from lapel.assistant import SavedPlaces
from lapel.assistant.parts import Around, Made
from lapel.assistant.planning.cues import PlanTelling
from lapel.assistant.planning.making import GoodsMaker, PeopleFinder
from lapel.assistant.planning.skill import PlanSkill
from lapel.brain import Brain
from lapel.commerce import (
    DraftLine,
    Money,
    Order,
    OrderDraft,
    Orders,
    OrderState,
    Plan,
    Plans,
    Refused,
    Trip,
)
from lapel.services import Contacts
from lapel.store import schema

pytestmark = pytest.mark.unit

SAID = "order two lattes to my office, a taxi home and split it with Anna"
RIDE, CART = 900, 2 * 490 + 340


@dataclass
class Undoing:
    """Takes rides back for a fee; what a kitchen makes it cannot."""

    fee: int = 0
    undone: list[str] = field(default_factory=list)
    refuses: bool = False

    async def cost(self, order: Order) -> Money | None:
        return Money(self.fee, "EUR") if order.draft.trip is not None else None

    async def undo(self, order: Order, most: Money) -> None:
        if self.refuses:
            raise Refused("The ride is under way already.", code="ride_under_way")
        if order.id not in self.undone:
            self.undone.append(order.id)


class Homeward:
    """A ride home at the only company; implements `Maker`."""

    def reads(self, said: str) -> tuple[str, ...]:
        return ("home",) if said in ("a taxi home", "a ride home") else ()

    async def make(self, wish: str, around: Around) -> Made:
        line = DraftLine("economy", "Economy ride", 1)
        trip = Trip("ride", HOME, OFFICE)
        draft = OrderDraft("lokki", (line,), HOME, around.said, trip=trip)
        return Made("Economy ride to home", draft)


class Home:
    """A world whose user makes plans; they die with the process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.undoing = Undoing()
        self.shared: list[tuple[str, int]] = []
        self.contacts = Contacts(world.record, wall)  # type: ignore[arg-type]
        self._running: asyncio.Task[None] | None = None
        world.plans = self._plans
        world.skills = lambda user_id: (self._skill(user_id),)

    def _plans(self, orders: Orders) -> Plans:
        self.telling = PlanTelling(self._finished)
        self.plans = Plans(self.world.record, orders, self.telling, self.undoing, wall)  # type: ignore[arg-type]
        return self.plans

    async def _finished(self, plan: Plan, total: Money) -> None:
        self.shared.append((plan.memo, total.minor))

    def _skill(self, user_id: str) -> PlanSkill:
        async def brain() -> Brain:
            return BRAIN

        places = SavedPlaces(self.world.record, user_id)
        goods = GoodsMaker(brain, places)
        people = PeopleFinder(user_id, self.contacts)
        return PlanSkill(user_id, self.plans, (Homeward(),), goods, people)

    def run(self) -> None:
        self.telling.teller = self.world.house
        self._running = asyncio.create_task(self.plans.run())

    def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()

    async def restart(self) -> None:
        self.stop()
        await self.world.crash()
        await self.world.open()
        self.run()
        await self.world.back()

    def plan(self) -> Plan:
        (row,) = self.world.record.look(sa.select(schema.plans.c.body))
        return msgspec.json.decode(row.body, type=Plan)

    def state(self) -> str:
        rows = self.world.record.look(sa.select(schema.plans.c.state))
        return rows[0].state if rows else ""

    def topic(self) -> str:
        return f"plan:{self.plan().id}"


@contextlib.asynccontextmanager
async def home() -> AsyncIterator[Home]:
    async with World() as world:
        made = Home(world)
        await world.crash()
        await world.open()
        await made.contacts.save(world.user_id, "Anna K", "@anna", "Anna Korhonen")
        made.run()
        try:
            yield made
        finally:
            made.stop()


async def asked(here: Home, phone: Worn) -> None:
    phone.type(SAID)
    await here.world.until(lambda: here.state() == "asking")
    await here.world.until(lambda: here.topic() in phone.cards)
    await here.world.passes(0.5)


def told(device: Worn, text: str) -> int:
    return sum(text in body for body in device.texts())


async def test_one_question_with_parts_and_total_and_each_part_bought_in_turn() -> None:
    async with home() as here:
        phone, ring = await here.world.wear(PHONE, RING)
        await asked(here, phone)
        (card,) = [body for body in phone.texts() if "One plan" in body]
        assert "Economy ride to home" in card
        assert "Two lattes from Blue Door" in card
        assert str(Money(RIDE + CART, "EUR")) in card
        assert not any("approval:" in topic for topic in phone.cards)
        ring.press()
        await here.world.passes(2)
        assert here.world.street.money_kept() == 0
        phone.tap("approve", here.topic())
        await here.world.until(lambda: here.state() == "done")
        assert here.world.street.money_kept() == RIDE + CART
        placed = [event.order_id for event in here.world.of_kind("placed")]
        assert placed == [part.order_id for part in here.plan().parts]
        approved = [event.order_id for event in here.world.of_kind("approved")]
        paid = [event.kind for event in here.world.events if event.kind in ("placed", "approved")]
        assert paid == ["approved", "placed", "approved", "placed"]
        assert approved == placed
        await here.world.until(lambda: told(phone, "All of your plan is bought."))
        assert [total for _, total in here.shared] == [RIDE + CART]
        orders = await here.world.orders.list(here.world.user_id, 5)
        assert all(order.receipt for order in orders)


async def test_a_part_that_is_cancelled_later_is_told_with_what_it_means() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await asked(here, phone)
        phone.tap("approve", here.topic())
        await here.world.until(lambda: here.state() == "done")
        assert not told(phone, "was a part of your plan.")
        order = await here.world.orders.get(here.plan().parts[1].order_id)
        assert order is not None
        report = here.world.street.report(order.checkout_id, canceled=True)
        await here.world.orders.merchant_reports(report)
        await here.world.until(lambda: told(phone, "Two lattes from Blue Door was a part of"))
        assert told(phone, "The shares that were asked for counted it") == 1


async def test_without_a_price_for_a_part_nothing_is_asked_or_bought() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        here.world.street.set("sold_out", "latte")
        phone.type(SAID)
        await here.world.until(lambda: here.state() == "failed")
        await here.world.until(lambda: told(phone, "Nothing was bought."))
        assert here.world.street.calls("authorize") == 0
        states = {order.state for order in await here.world.orders.list(here.world.user_id, 5)}
        assert states <= {OrderState.FAILED, OrderState.CANCELED}


async def failed_part(here: Home, phone: Worn) -> None:
    """The ride is bought; the kitchen then takes no order."""
    await asked(here, phone)
    here.world.on_event = lambda event: (
        here.world.street.set("refuse:complete", "The kitchen has closed.")
        if event.kind == "placed"
        else None
    )
    phone.tap("approve", here.topic())
    await here.world.until(lambda: here.state() == "choosing", 60)
    await here.world.until(lambda: told(phone, "Keep the rest, or undo all?"))


async def test_what_cannot_be_had_is_told_with_costs_and_the_rest_is_undone() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        here.undoing.fee = 400
        await failed_part(here, phone)
        assert told(phone, "Undoing Economy ride to home costs 4 euros.")
        assert here.undoing.undone == []
        phone.type("undo all")
        await here.world.until(lambda: here.state() == "undone")
        assert len(here.undoing.undone) == 1
        await here.world.until(lambda: told(phone, "Economy ride to home is undone for 4 euros."))
        assert told(phone, "was not bought, and cost nothing.")
        assert here.shared == []


async def test_or_the_rest_is_kept_by_a_button_and_the_bill_of_it_is_shared() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await failed_part(here, phone)
        phone.tap("keep", here.topic())
        await here.world.until(lambda: here.state() == "kept")
        await here.world.until(
            lambda: told(phone, "Economy ride to home stays bought for 9 euros.")
        )
        assert here.undoing.undone == []
        assert [total for _, total in here.shared] == [RIDE]


async def test_nobody_answers_and_what_is_bought_is_kept() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await failed_part(here, phone)
        await here.world.passes(605)
        await here.world.until(lambda: here.state() == "kept")


async def test_what_cannot_be_undone_any_more_is_told_and_stays() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await failed_part(here, phone)
        here.undoing.refuses = True
        phone.tap("undo", here.topic())
        await here.world.until(lambda: here.state() == "undone")
        await here.world.until(
            lambda: told(phone, "cannot be undone: The ride is under way already.")
        )


async def test_no_by_word_by_button_and_by_waiting_buys_nothing() -> None:
    for answer in ("cancel", "refuse", ""):
        async with home() as here:
            (phone,) = await here.world.wear(PHONE)
            await asked(here, phone)
            if answer == "cancel":
                phone.type("cancel")
            elif answer:
                phone.tap("refuse", here.topic())
            else:
                await here.world.passes(65)
            await here.world.until(lambda: here.state() in ("refused", "lapsed"))
            await here.world.passes(5)
            assert here.world.street.calls("authorize") == 0
            assert await here.world.orders.pending_approvals(here.world.user_id) == []


ZOE = "two lattes to my office, a taxi home and split it with Zoe"


async def test_a_name_that_nobody_has_is_asked_about_before_anything_is_priced() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        phone.type(ZOE)
        await here.world.until(lambda: told(phone, "I do not know Zoe."))
        assert here.state() == ""
        phone.type("Anna")
        await here.world.until(lambda: here.state() == "asking")
        assert "Anna Korhonen" in here.plan().note


async def test_or_the_bill_is_not_shared() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        phone.type(ZOE)
        await here.world.until(lambda: told(phone, "shall I leave that out?"))
        phone.type("leave it out")
        await here.world.until(lambda: here.state() == "asking")
        assert here.plan().note == ""


@pytest.mark.parametrize("answer", ["korhonen", "Anna Lind"])
async def test_which_of_two_is_asked_and_the_plan_goes_on(answer: str) -> None:
    async with home() as here:
        await here.contacts.save(here.world.user_id, "Anna L", "@lind", "Anna Lind")
        (phone,) = await here.world.wear(PHONE)
        phone.type(SAID)
        await here.world.until(lambda: told(phone, "Which Anna: Anna Korhonen or Anna Lind?"))
        assert here.state() == ""
        phone.type(answer)
        await here.world.until(lambda: here.state() == "asking")
        meant = "@lind" if "Lind" in answer else "@anna"
        assert meant in here.plan().memo


async def test_what_the_catalogue_asks_is_asked_and_the_plan_goes_on() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        phone.type("two lattes and a taxi home")
        await here.world.until(lambda: told(phone, "Where should it go: office or home?"))
        assert here.state() == ""
        phone.type("my office")
        await here.world.until(lambda: here.state() == "asking")
        assert len(here.plan().parts) == 2


async def test_no_and_time_end_an_open_question_and_other_words_do_not() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        phone.type(ZOE)
        await here.world.until(lambda: told(phone, "I do not know Zoe."))
        phone.type("never mind")
        await here.world.until(lambda: told(phone, "I bought none of it."))
        phone.type("leave it out")
        await here.world.passes(3)
        assert here.state() == ""
        phone.type(ZOE)
        await here.world.until(lambda: told(phone, "I do not know Zoe.") == 2)
        await here.world.passes(200)
        phone.type("leave it out")
        await here.world.passes(3)
        assert here.state() == ""


@pytest.mark.parametrize("at", range(1, 13))
async def test_the_process_dies_after_any_event_and_the_plan_ends_whole(at: int) -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        phone.type(SAID)
        crashed = False
        for _ in range(4000):
            if not crashed and len(here.world.events) >= at:
                crashed = True
                await here.restart()
            if here.state() == "asking" and here.topic() in phone.cards:
                await here.world.passes(0.6)
                phone.tap("approve", here.topic())
            if here.state() not in ("", "pricing", "asking", "buying"):
                break
            await here.world.passes(0.1)
        if here.state() == "lapsed":  # it died before all of its orders were begun
            assert here.world.street.money_kept() == 0
            return
        assert here.state() == "done"
        assert here.world.street.money_kept() == RIDE + CART
        assert len(here.world.street.placed()) == 2
        assert {total for _, total in here.shared} == {RIDE + CART}
        await here.world.until(lambda: told(phone, "All of your plan is bought."))
        assert told(phone, "All of your plan is bought.") == 1
