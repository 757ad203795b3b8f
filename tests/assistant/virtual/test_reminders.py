"""Reminders, timers and notes on real devices in virtual time: told once, over crashes; undone with a turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from stage.loop import wall
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, Worn
from stage.world import World

from lapel.assistant.personal import PersonalSkill, Wording, load_words
from lapel.services.personal import Due, Notes, Reminders, Ringing
from lapel.store import schema

pytestmark = pytest.mark.unit

ZONE = ZoneInfo("Europe/Helsinki")
WORDS = load_words()


class Home:
    """A world with the skill; `ring` is what brings things up, and dies with the process."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reminders = Reminders(world.record, wall)
        self.notes = Notes(world.record, wall)
        self.brought_up = 0
        self.die_after_telling = False
        self._ringing: asyncio.Task[None] | None = None
        world.skills = lambda user_id: (
            PersonalSkill(user_id, self.reminders, self.notes, WORDS, ZONE, wall),
        )

    def ring(self) -> None:
        self._ringing = asyncio.create_task(Ringing(self.reminders, self._bring_up, wall).run())

    async def _bring_up(self, due: Due) -> None:
        await self.world.house.tell(due.reminder.user_id, [Wording(WORDS, ZONE).due(due)])
        self.brought_up += 1
        if self.die_after_telling:
            await asyncio.Event().wait()  # the process dies here

    def stop(self) -> None:
        if self._ringing is not None:
            self._ringing.cancel()

    async def crash(self) -> None:
        self.stop()
        await self.world.crash()

    async def start(self) -> None:
        await self.world.open()
        self.ring()

    def states(self) -> list[str]:
        rows = self.world.record.look(sa.select(schema.reminders.c.state))
        return sorted(row.state for row in rows)


@contextlib.asynccontextmanager
async def home() -> AsyncIterator[Home]:
    async with World() as world:
        made = Home(world)
        await made.crash()
        await made.start()
        try:
            yield made
        finally:
            made.stop()


async def answered(home: Home, device: Worn, text: str) -> str:
    """Type it; what is answered."""
    before = len(device.texts())
    device.type(text)
    await home.world.until(lambda: len(device.texts()) > before)
    await home.world.passes(0.2)
    return device.texts()[-1]


def brought(device: Worn) -> list[str]:
    """What came up by itself here, each once."""
    return [
        cue.card.body for cue in device.told() if cue.topic.startswith("reminder:") and cue.card
    ]


async def test_a_timer_rings_once_on_everything_that_is_worn() -> None:
    async with home() as here:
        phone, earbuds, ring = await here.world.wear(PHONE, EARBUDS, RING)
        assert "Timer for 10 minutes" in await answered(here, phone, "set a timer for ten minutes")
        await here.world.passes(305)
        assert "4 minutes and 5" in await answered(here, phone, "how long is left")
        await here.world.passes(285)
        assert brought(phone) == []
        await here.world.passes(20)
        assert brought(phone) == ["Your timer is done."]
        assert earbuds.spoken()[-1] == "Your timer is done."
        assert [cue.haptic for cue in ring.told()][-1] is not None
        await here.world.passes(300)
        assert brought(phone) == ["Your timer is done."]
        assert here.states() == ["told"]


async def test_two_timers_are_told_apart_and_a_question_is_answered() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        said = await answered(here, phone, "a five minute pasta timer and a ten minute egg timer")
        assert "Pasta timer for 5 minutes." in said
        assert "Egg timer for 10 minutes." in said
        assert "Which one: pasta or egg?" in await answered(here, phone, "stop the timer")
        assert "pasta timer is stopped" in await answered(here, phone, "the pasta one")
        await here.world.passes(700)
        assert brought(phone) == ["Your egg timer is done."]


async def test_what_is_due_without_a_device_waits_for_one() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await answered(here, phone, "remind me in ten minutes to call Anna")
        phone.leave()
        await here.world.passes(1200)
        (glasses,) = await here.world.wear(GLASSES)
        await here.world.until(lambda: brought(glasses))
        await here.world.passes(60)
        assert len(brought(glasses)) == 1
        assert "call Anna" in brought(glasses)[0]


async def test_due_while_lapel_was_down_is_told_at_the_start_with_its_time() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await answered(here, phone, "remind me in ten minutes to call Anna")
        due = datetime.fromtimestamp(wall() + 600, ZONE)
        await here.crash()
        await here.world.passes(3600)
        await here.start()
        await here.world.back(phone)
        await here.world.until(lambda: brought(phone))
        clock = f"{due.hour % 12 or 12}:{due:%M}"
        assert brought(phone)[0].startswith("Call Anna. That was at")
        assert clock in brought(phone)[0] or due.minute == 0
        await here.crash()
        await here.start()
        await here.world.back(phone)
        await here.world.passes(60)
        assert len(brought(phone)) == 1


async def test_killed_between_due_and_told_it_is_told_once() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await answered(here, phone, "set a timer for ten minutes")
        here.die_after_telling = True
        await here.world.passes(601)
        assert here.brought_up == 1
        assert here.states() == ["waiting"]
        await here.crash()
        here.die_after_telling = False
        await here.start()
        await here.world.back(phone)
        await here.world.passes(60)
        assert here.brought_up == 2
        assert here.states() == ["told"]
        assert brought(phone) == ["Your timer is done."]


async def test_every_day_comes_again_and_of_missed_ones_the_last_is_told() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        said = await answered(here, phone, "remind me every day at 8 am to stretch")
        assert "every day at 8 am: stretch" in said
        await here.crash()
        await here.world.passes(3 * 86400)
        await here.start()
        await here.world.back(phone)
        await here.world.until(lambda: len(brought(phone)) == 1)
        assert "That was" in brought(phone)[0]
        assert here.states() == ["waiting"]
        phone.drop()
        await here.crash()
        (row,) = await here.reminders.waiting(here.world.user_id)
        await here.world.passes(row.due_at - wall() - 30)
        await here.start()
        await here.world.back(phone)
        await here.world.until(lambda: len(brought(phone)) == 2, 60)
        assert brought(phone)[1] == "8 am: stretch."
        assert "cancelled: stretch" in await answered(here, phone, "cancel the reminder to stretch")
        assert here.states() == ["cancelled"]


async def test_snooze_and_done_by_button_and_by_word() -> None:
    async with home() as here:
        phone, glasses = await here.world.wear(PHONE, GLASSES)
        await answered(here, phone, "remind me in one minute to call Anna")
        await here.world.until(lambda: len(brought(glasses)) == 1, 90)
        topic = next(topic for topic in phone.cards if topic.startswith("reminder:"))
        phone.tap("snooze", topic)
        await here.world.until(lambda: topic not in glasses.cards)
        assert here.states() == ["waiting"]
        await here.world.until(lambda: len(brought(phone)) == 2, 700)
        assert "again" in await answered(here, phone, "snooze it for five minutes")
        await here.world.until(lambda: len(brought(phone)) == 3, 400)
        assert "Done" in await answered(here, phone, "done")
        await here.world.until(lambda: topic not in phone.cards)
        await here.world.passes(400)
        assert len(brought(phone)) == 3
        assert here.states() == ["done"]
        phone.tap("done", "reminder:unknown")
        await here.world.until(lambda: "no such reminder" in phone.texts()[-1])


async def test_a_turn_that_goes_on_sets_one_timer() -> None:
    async with home() as here:
        (glasses,) = await here.world.wear(GLASSES)
        here.world.record.slow_s = 0.4  # the answer is on its way when the user goes on
        async with glasses.listening():
            await glasses.hear(here.world.voices.words("set a timer for ten minutes"))
            await here.world.passes(0.8)
            await glasses.hear(here.world.voices.words("for the pasta"))
            await here.world.passes(2)
        await here.world.quiet()
        waiting = await here.reminders.waiting(here.world.user_id)
        assert [row.text for row in waiting] == ["pasta"]


async def test_a_note_orders_nothing_and_is_read_back_only() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        assert "Noted" in await answered(
            here, phone, "note that we should order ten pizzas to my office"
        )
        assert "Noted" in await answered(here, phone, "note that the wifi code is 4711")
        read = await answered(here, phone, "read my notes")
        assert "order ten pizzas" in read
        assert "4711" in read
        await answered(here, phone, "remind me in one minute to order two lattes to my office")
        await here.world.until(lambda: brought(phone), 90)
        await here.world.passes(30)
        assert here.world.events == []
        assert await here.world.orders.list(here.world.user_id, 5) == []
        assert "Deleted" in await answered(here, phone, "delete the note about the wifi")
        assert "4711" not in await answered(here, phone, "read my notes")


async def test_a_question_left_open_does_not_swallow_an_order() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        assert "When should I" in await answered(here, phone, "remind me to call Anna")
        phone.type("two lattes to my office")
        await here.world.asked()
        assert await here.reminders.waiting(here.world.user_id) == []
        assert "When should I" in await answered(here, phone, "remind me to call Anna")
        assert "I will remind you" in await answered(here, phone, "in ten minutes")
        assert [row.text for row in await here.reminders.waiting(here.world.user_id)] == [
            "call Anna"
        ]


async def test_one_users_things_are_not_anothers() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await answered(here, phone, "remind me in one hour to call Anna")
        (row,) = await here.reminders.waiting(here.world.user_id)
        assert await here.reminders.get("somebody", row.id) is None
        assert not await here.reminders.cancel("somebody", row.id)
        note = await here.notes.add(here.world.user_id, "mine")
        assert not await here.notes.remove("somebody", note.id)
        assert await here.notes.all("somebody") == []


async def test_a_record_that_fails_for_a_while_loses_nothing() -> None:
    async with home() as here:
        (phone,) = await here.world.wear(PHONE)
        await answered(here, phone, "set a timer for one minute")
        await here.world.passes(58)
        here.world.record.broken += [RuntimeError("the disk is away")] * 4
        await here.world.passes(30)
        assert brought(phone) == ["Your timer is done."]
