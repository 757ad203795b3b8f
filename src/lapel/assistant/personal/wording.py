"""How moments, durations and what is due are said and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lapel.assistant.personal.language import Words
from lapel.devices import Card, CardAction, CardLine, Cue, CueKind, Pattern
from lapel.services.personal import Due, Kind, Note, Reminder

DONE, SNOOZE = "done", "snooze"
SNOOZE_S = 600.0
LATE_S = 60.0
"""What is told later than this says when it was."""
SHOWN = 12
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
HEARD = 5


def topic_of(reminder_id: str) -> str:
    return f"reminder:{reminder_id}"


class Wording:
    """One language in one time zone."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self._words = words
        self._zone = zone
        self.say = words.say

    def clock(self, at: float) -> str:
        """`6 pm`, `6:30 pm`, `noon`."""
        local = datetime.fromtimestamp(at, self._zone)
        if local.minute == 0 and local.hour % 12 == 0:
            return self.say("noon" if local.hour else "midnight")
        key = ("am" if local.hour < 12 else "pm") + ("_minute" if local.minute else "")
        return self.say(key, hour=local.hour % 12 or 12, minute=f"{local.minute:02}")

    def moment(self, at: float, now: float) -> str:
        """`today at 6 pm`, `tomorrow at noon`, `on Friday at 9 am`, `on 3 May at 9 am`."""
        local, today = (datetime.fromtimestamp(t, self._zone) for t in (at, now))
        clock = self.clock(at)
        ahead = (local.date() - today.date()).days
        if ahead in (0, 1):
            return self.say("tomorrow" if ahead else "today", clock=clock)
        if 1 < ahead < 7:
            weekday = self._words.names("weekdays")[local.weekday()]
            return self.say("on_weekday", weekday=weekday, clock=clock)
        month = self._words.names("months")[local.month - 1]
        return self.say("on_date", day=local.day, month=month, clock=clock)

    def when(self, row: Reminder, now: float) -> str:
        """When it will be told, also where that is again and again."""
        if not row.rule:
            return self.moment(row.due_at, now)
        clock = self.clock(row.due_at)
        fields = dict(part.split("=") for part in row.rule.split(";"))
        days = fields["BYDAY"]
        whole = {
            "MO,TU,WE,TH,FR,SA,SU": "every_day",
            "MO,TU,WE,TH,FR": "every_weekday",
            "SA,SU": "every_weekend",
        }
        if days in whole:
            return self.say(whole[days], clock=clock)
        weekdays = zip(_DAYS, self._words.names("weekdays"), strict=True)
        names = [name for day, name in weekdays if day in days]
        return self.say("every_list", days=self.joined(names), clock=clock)

    def duration(self, seconds: float) -> str:
        """`1 hour and 30 minutes`; the two largest units, and no fractions."""
        whole = max(0, round(seconds))
        parts: list[str] = []
        for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
            count, whole = divmod(whole, size)
            if count:
                parts.append(f"{count} {self.say(unit if count == 1 else unit + 's')}")
        return self.joined(parts[:2]) or f"0 {self.say('seconds')}"

    def joined(self, parts: Sequence[str], by: str = "and") -> str:
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self.say(by)} {parts[-1]}"

    def thing(self, row: Reminder) -> str:
        """A timer by its name, a reminder by its text."""
        if row.kind is Kind.REMINDER:
            return row.text
        return self.say("timer_named", name=row.text) if row.text else self.say("timer")

    def due(self, due: Due) -> Cue:
        """What is brought up when it is due. Its id is the same however often it is composed."""
        row, clock, late = due.reminder, self.clock(due.at), due.late_s > LATE_S
        if row.kind is Kind.TIMER:
            speech = self.say(
                "timer_done_late" if late else "timer_done", what=self.thing(row), clock=clock
            )
        elif not row.text:
            speech = self.say("reminder_due_bare", clock=clock)
        elif late:
            when = self.say("at_clock", clock=clock)
            if due.late_s > 12 * 3600:
                when = self.moment(due.at, due.at + due.late_s)
            speech = self.say("reminder_late", text=row.text, when=when)
        else:
            speech = self.say("reminder_due", text=row.text, clock=clock)
        snooze = self.say("snooze_button", minutes=round(SNOOZE_S / 60))
        return Cue(
            id=f"{topic_of(row.id)}:{round(due.at * 1000)}",
            topic=topic_of(row.id),
            kind=CueKind.NOTICE,
            speech=speech,
            card=Card(
                title=self.say("timer_title" if row.kind is Kind.TIMER else "reminder_title"),
                body=speech,
                actions=(CardAction(DONE, self.say("done_button")), CardAction(SNOOZE, snooze)),
            ),
            haptic=Pattern.LONG if row.kind is Kind.TIMER else Pattern.DOUBLE,
        )

    def reminders(self, rows: Sequence[Reminder], now: float) -> tuple[str, Card]:
        """The next few to be heard, a screenful to be seen."""
        lines = [CardLine(row.text, self.when(row, now)) for row in rows[:SHOWN]]
        heard = [f"{row.text}, {self.when(row, now)}" for row in rows[:HEARD]]
        return self._listed(heard, len(rows)), Card(self.say("reminders_title"), tuple(lines))

    def timers(self, rows: Sequence[Reminder], now: float) -> tuple[str, Card]:
        """What is left on each timer."""
        left = [(row, self.duration(row.due_at - now)) for row in rows]
        said = [
            self.say("timer_left_named", left=span, name=row.text)
            if row.text
            else self.say("timer_left", left=span)
            for row, span in left[:HEARD]
        ]
        lines = tuple(CardLine(self.thing(row), span) for row, span in left[:SHOWN])
        return " ".join(said), Card(self.say("timers_title"), lines)

    def notes(self, found: Sequence[Note]) -> tuple[str, Card]:
        lines = tuple(CardLine(note.text) for note in found[:SHOWN])
        heard = [note.text for note in found[:HEARD]]
        return self._listed(heard, len(found)), Card(self.say("notes_title"), lines)

    def _listed(self, heard: Sequence[str], count: int) -> str:
        rest = count - len(heard)
        more = [self.say("more", count=rest)] if rest else []
        return " ".join(f"{part[:1].upper()}{part[1:]}." for part in [*heard, *more])
