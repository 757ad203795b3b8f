"""The skill of reminders, timers and notes: does what is asked, reads it back, can undo it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar
from zoneinfo import ZoneInfo

from lapel.assistant.grammar import tokens_of
from lapel.assistant.personal.language import Words
from lapel.assistant.personal.reading import (
    Request,
    answer_duration,
    answer_when,
    answer_which,
    is_never_mind,
    requests,
)
from lapel.assistant.personal.tools import TOOLS
from lapel.assistant.personal.wording import DONE, SNOOZE, SNOOZE_S, Wording, topic_of
from lapel.assistant.skills import Heard, Outcome
from lapel.brain.tools import Tool
from lapel.services.personal import (
    After,
    AlreadyPast,
    Kind,
    Moment,
    Note,
    Notes,
    Reminder,
    Reminders,
    TooMany,
    resolve,
)

QUESTION_S = 60.0
"""A question of this skill waits so long for its answer."""
FRESH_S = 900.0
""""Snooze" and "done" mean what was brought up within this time."""
Row = TypeVar("Row", Reminder, Note, Reminder | Note)
_HINTS = ("timer", "reminder", "remind me", "snooze", "note that")
_OF_THE_CART = {"timer_left", "done", "snooze"}
"""Commands that can be meant for an open cart when they name nothing."""


@dataclass(slots=True)
class _Question:
    """What was asked; `about` are the rows or notes that "which one?" chooses from."""

    request: Request
    at: float
    about: tuple[Reminder | Note, ...] = ()


@dataclass(slots=True)
class _Turn:
    """What a turn did, with the way back."""

    number: int
    back: list[Callable[[], Awaitable[object]]] = field(
        default_factory=list[Callable[[], Awaitable[object]]]
    )
    question: _Question | None = None


class PersonalSkill:
    """One user's. Implements `Skill`."""

    def __init__(
        self,
        user_id: str,
        reminders: Reminders,
        notes: Notes,
        words: Words,
        zone: ZoneInfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._user_id = user_id
        self._reminders = reminders
        self._notes = notes
        self._words = words
        self._zone = zone
        self._clock = clock
        self._wording = Wording(words, zone)
        self._say = self._wording.say
        self._question: _Question | None = None
        self._turn = _Turn(-1)

    async def hear(self, heard: Heard) -> Outcome | None:
        """Do what the whole utterance asks for, or answer the question that was asked."""
        question, self._question = self._question, None
        self._turn = _Turn(heard.turn, question=question)
        text = heard.words.text
        asked = requests(text, self._words)
        if question is not None and heard.at - question.at < QUESTION_S:
            outcome = await self._answered(question, text, asked)
            if outcome is not None:
                return outcome
        if asked is None:
            return None
        if heard.cart_open and asked[0].name in _OF_THE_CART and not asked[0].text:
            return None
        outcomes = [await self._do(request) for request in asked]
        if any(outcome is None for outcome in outcomes):
            return None
        done = [outcome for outcome in outcomes if outcome is not None]
        card = done[0].card if len(done) == 1 else None
        closes = tuple(topic for outcome in done for topic in outcome.closes)
        return Outcome(" ".join(outcome.text for outcome in done), card, closes=closes)

    async def undo(self, turn: int) -> None:
        """Take the turn back, in the opposite order."""
        if self._turn.number != turn:
            return
        undone, self._turn = self._turn, _Turn(-1)
        self._question = undone.question
        for back in reversed(undone.back):
            await back()

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """Done or snooze on the card of something that was brought up."""
        kind, _, reminder_id = topic.partition(":")
        if kind != "reminder" or action not in (DONE, SNOOZE):
            return None
        row = await self._reminders.get(self._user_id, reminder_id)
        if row is None:
            return Outcome(self._say("reminder_unknown"), closes=(topic,))
        self._turn = _Turn(-1)
        return await (self._done(row) if action == DONE else self._snooze(row, SNOOZE_S))

    def tools(self) -> Sequence[Tool]:
        return TOOLS

    def hints(self) -> Sequence[str]:
        return _HINTS

    # What is asked for. --------------------------------------------------------------------------

    async def _do(self, request: Request) -> Outcome | None:
        actions: dict[str, Callable[[Request], Awaitable[Outcome | None]]] = {
            "timer_set": self._set_timer,
            "timer_ask": self._ask,
            "timer_left": self._time_left,
            "timer_stop": self._stop_timer,
            "timer_stop_all": self._stop_timers,
            "timer_add": self._lengthen,
            "remind": self._remind,
            "remind_bare": self._remind,
            "wake": self._remind,
            "remind_untimed": self._ask,
            "remind_ask": self._ask,
            "remind_place": self._no_place,
            "remind_list": self._list_reminders,
            "remind_cancel": self._cancel_reminder,
            "remind_cancel_all": self._cancel_reminders,
            "note_add": self._note,
            "note_ask": self._how_to_note,
            "note_list": self._list_notes,
            "note_find": self._find_notes,
            "note_delete": self._delete_note,
            "note_delete_all": self._delete_notes,
            "snooze": self._snooze_last,
            "done": self._done_last,
        }
        try:
            return await actions[request.name](request)
        except AlreadyPast:
            return Outcome(self._say("past"))
        except TooMany:
            return Outcome(self._say("too_many"))

    async def _answered(
        self, question: _Question, text: str, asked: list[Request] | None
    ) -> Outcome | None:
        """The question answered, waved away, or None: the user speaks of something else."""
        request = question.request
        if is_never_mind(text, self._words):
            return Outcome(self._say("never_mind"))
        if question.about:
            if asked is not None:
                return None
            named = answer_which(text, self._words)
            chosen = [] if named is None else _named(named, question.about)
            if len(chosen) != 1:
                return None
            if request.name == "timer_add":
                return await self._do(replace(request, text=chosen[0].text))
            return await self._drop(chosen[0])
        if request.name == "timer_ask":
            seconds = answer_duration(text, self._words)
            made = replace(request, name="timer_set", seconds=seconds or 0.0)
            return await self._do(made) if seconds else None
        when = answer_when(text, self._words)
        return await self._do(replace(request, name="remind", when=when)) if when else None

    async def _ask(self, request: Request) -> Outcome:
        self._question = _Question(request, self._clock())
        asks = "ask_duration" if request.name == "timer_ask" else "ask_when"
        return Outcome(self._say(asks))

    async def _set_timer(self, request: Request) -> Outcome:
        moment = resolve(After(request.seconds), self._clock(), self._zone)
        await self._add(Kind.TIMER, request.text, moment)
        duration = self._wording.duration(request.seconds)
        if not request.text:
            return Outcome(self._say("timer_set", duration=duration))
        return Outcome(self._say("timer_set_named", name=request.text, duration=duration))

    async def _remind(self, request: Request) -> Outcome:
        if request.when is None:
            return await self._ask(request)
        now = self._clock()
        moment = resolve(request.when, now, self._zone)
        text = self._words.alarm if request.name == "wake" else request.text
        row = await self._add(Kind.REMINDER, text, moment)
        when = self._wording.when(row, now)
        key = "reminder_set" if text else "reminder_set_bare"
        return Outcome(self._say(key, when=when, text=text))

    async def _add(self, kind: Kind, text: str, moment: Moment) -> Reminder:
        row = await self._reminders.add(self._user_id, kind, text, moment, self._zone)
        self._turn.back.append(lambda: self._reminders.remove(row.id))
        return row

    async def _no_place(self, _: Request) -> Outcome:
        return Outcome(self._say("reminder_place"))

    async def _time_left(self, request: Request) -> Outcome | None:
        rows = await self._reminders.waiting(self._user_id, Kind.TIMER)
        if not rows:  # "how long?" is more likely about an order then
            return Outcome(self._say("timer_none")) if request.text else None
        named = _named(request.text, rows) if request.text else list(rows)
        text, card = self._wording.timers(named or rows, self._clock())
        return Outcome(text, card)

    async def _stop_timer(self, request: Request) -> Outcome:
        rows = await self._reminders.waiting(self._user_id, Kind.TIMER)
        if not rows and not request.text:
            rang = [row for row in await self._fresh() if row.kind is Kind.TIMER]
            if rang:
                return await self._done(rang[0])
        return await self._drop_one(request, rows, "timer_none")

    async def _stop_timers(self, _: Request) -> Outcome:
        rows = await self._reminders.waiting(self._user_id, Kind.TIMER)
        for row in rows:
            await self._drop(row)
        return Outcome(self._say("timers_stopped" if rows else "timer_none"))

    async def _lengthen(self, request: Request) -> Outcome:
        rows = await self._reminders.waiting(self._user_id, Kind.TIMER)
        found = _named(request.text, rows) if request.text else rows
        if len(found) != 1:
            return Outcome(self._say("timer_none")) if not rows else self._which(request, rows)
        await self._change(replace(found[0], due_at=found[0].due_at + request.seconds), found[0])
        left = found[0].due_at + request.seconds - self._clock()
        return Outcome(self._say("timer_more", left=self._wording.duration(left)))

    async def _list_reminders(self, _: Request) -> Outcome:
        rows = await self._reminders.waiting(self._user_id, Kind.REMINDER)
        if not rows:
            return Outcome(self._say("reminder_none"))
        text, card = self._wording.reminders(rows, self._clock())
        return Outcome(text, card)

    async def _cancel_reminder(self, request: Request) -> Outcome:
        rows = await self._reminders.waiting(self._user_id, Kind.REMINDER)
        if not request.text and len(rows) > 1:  # "that reminder" is the last one that was made
            rows = [max(rows, key=lambda row: row.created_at)]
        return await self._drop_one(request, rows, "reminder_unknown")

    async def _cancel_reminders(self, _: Request) -> Outcome:
        rows = await self._reminders.waiting(self._user_id, Kind.REMINDER)
        for row in rows:
            await self._drop(row)
        return Outcome(self._say("reminders_cancelled" if rows else "reminder_none"))

    async def _note(self, request: Request) -> Outcome:
        note = await self._notes.add(self._user_id, request.text)
        self._turn.back.append(lambda: self._notes.remove(self._user_id, note.id))
        return Outcome(self._say("note_added", text=note.text))

    async def _how_to_note(self, _: Request) -> Outcome:
        return Outcome(self._say("note_how"))

    async def _list_notes(self, _: Request) -> Outcome:
        found = await self._notes.all(self._user_id)
        if not found:
            return Outcome(self._say("note_none"))
        text, card = self._wording.notes(found)
        return Outcome(text, card)

    async def _find_notes(self, request: Request) -> Outcome:
        found = _named(request.text, await self._notes.all(self._user_id))
        if not found:
            return Outcome(self._say("note_unknown"))
        text, card = self._wording.notes(found)
        return Outcome(text, card)

    async def _delete_note(self, request: Request) -> Outcome:
        found = await self._notes.all(self._user_id)
        if not request.text:
            found = found[:1]
        return await self._drop_one(request, found, "note_unknown")

    async def _delete_notes(self, _: Request) -> Outcome:
        found = await self._notes.all(self._user_id)
        for note in found:
            await self._drop(note)
        return Outcome(self._say("notes_deleted" if found else "note_none"))

    async def _snooze_last(self, request: Request) -> Outcome | None:
        fresh = await self._fresh()
        return await self._snooze(fresh[0], request.seconds or SNOOZE_S) if fresh else None

    async def _done_last(self, _: Request) -> Outcome | None:
        fresh = await self._fresh()
        return await self._done(fresh[0]) if fresh else None

    # What is done to one of them. ---------------------------------------------------------------

    async def _fresh(self) -> list[Reminder]:
        return await self._reminders.told(self._user_id, self._clock() - FRESH_S)

    async def _done(self, row: Reminder) -> Outcome:
        # One that comes again is done for this time, not for ever.
        state = "waiting" if row.rule else "done"
        await self._change(replace(row, state=state, told_at=None), row)
        return Outcome(self._say("done"), closes=(topic_of(row.id),))

    async def _snooze(self, row: Reminder, seconds: float) -> Outcome:
        now = self._clock()
        moment = resolve(After(seconds), now, self._zone)
        if row.rule:
            await self._add(row.kind, row.text, moment)
            await self._change(replace(row, told_at=None), row)
        else:
            again = replace(row, due_at=moment.due_at, state="waiting", told_at=None)
            await self._change(again, row)
        when = self._wording.moment(moment.due_at, now)
        return Outcome(self._say("snoozed", when=when), closes=(topic_of(row.id),))

    async def _change(self, new: Reminder, old: Reminder) -> None:
        await self._reminders.put(new)
        self._turn.back.append(lambda: self._reminders.put(old))

    async def _drop_one(
        self, request: Request, rows: Sequence[Reminder | Note], unknown: str
    ) -> Outcome:
        found = _named(request.text, rows) if request.text else list(rows)
        if not found:
            return Outcome(self._say(unknown))
        return await self._drop(found[0]) if len(found) == 1 else self._which(request, found)

    def _which(self, request: Request, rows: Sequence[Reminder | Note]) -> Outcome:
        now = self._clock()
        self._question = _Question(request, now, tuple(rows))
        names = [self._name(row, now) for row in rows[:5]]
        return Outcome(self._say("ask_which", names=self._wording.joined(names, "or")))

    def _name(self, row: Reminder | Note, now: float) -> str:
        if row.text or isinstance(row, Note):
            return row.text
        return self._wording.duration(row.due_at - now)

    async def _drop(self, row: Reminder | Note) -> Outcome:
        if isinstance(row, Note):
            await self._notes.remove(self._user_id, row.id)
            self._turn.back.append(lambda: self._notes.put(row))
            return Outcome(self._say("note_deleted", text=row.text))
        await self._reminders.cancel(self._user_id, row.id)
        self._turn.back.append(lambda: self._reminders.put(row))
        if row.kind is Kind.TIMER:
            return Outcome(self._say("timer_stopped", what=self._wording.thing(row)))
        return Outcome(self._say("reminder_cancelled", text=row.text))


def _named(name: str, rows: Sequence[Row]) -> list[Row]:
    """Those whose text has all the words of `name`, or one whose text is exactly that."""
    wanted = _words(name)
    exact = [row for row in rows if _words(row.text) == wanted]
    return exact or [row for row in rows if set(wanted) <= set(_words(row.text))]


_SMALL = {"the", "a", "an", "my", "to", "about", "of", "at", "for"}


def _words(text: str) -> list[str]:
    return [token.word for token in tokens_of(text)[1] if token.word not in _SMALL]
