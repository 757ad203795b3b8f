"""From a time as it is said to a moment: days, clocks without am or pm, recurrences.

What is said is a `When`; `resolve` finds the moment that it means now. A clock time that is skipped
in spring is moved on by the skipped hour, one that comes twice in autumn means the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from dateutil.rrule import rrulestr
from dateutil.tz import resolve_imaginary

from lapel.failures import Code

FARTHEST = timedelta(days=5 * 366)
"""Nothing is kept for later than this."""
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class AlreadyPast(Exception):
    """The moment that was named lies behind, or too far ahead."""

    code: Code = "already_past"


class Part(StrEnum):
    """A part of the day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"
    NIGHT = "night"


_USUAL = {Part.MORNING: 9, Part.AFTERNOON: 15, Part.EVENING: 19, Part.NIGHT: 21}
"""The hour that a part of the day means when none is said."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as it was said; `half` is 'am', 'pm' or None where it was not said."""

    hour: int
    minute: int = 0
    half: str | None = None

    @property
    def open(self) -> bool:
        """Whether it can mean two times of a day."""
        return self.half is None and 1 <= self.hour <= 12

    @property
    def fixed(self) -> int:
        """The hour of 24 that is meant; only for a clock that is not open."""
        if self.half is None:
            return self.hour
        return self.hour % 12 + (12 if self.half == "pm" else 0)


@dataclass(frozen=True, slots=True)
class InDays:
    """Today is 0, tomorrow 1."""

    days: int


@dataclass(frozen=True, slots=True)
class Weekday:
    """The coming one; Monday is 0. `next` means not today even if today is one."""

    day: int
    next: bool = False


@dataclass(frozen=True, slots=True)
class Date:
    """A day of a month; without a month the coming one that has such a day."""

    day: int
    month: int | None = None


Day = InDays | Weekday | Date


@dataclass(frozen=True, slots=True)
class After:
    """So long from now: `days` on the calendar, then `seconds`."""

    seconds: float = 0.0
    days: int = 0


@dataclass(frozen=True, slots=True)
class At:
    day: Day | None = None
    clock: Clock | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, on these days of the week (Monday is 0)."""

    days: tuple[int, ...]
    clock: Clock | None = None
    part: Part | None = None


When = After | At | Every


@dataclass(frozen=True, slots=True)
class Moment:
    """`due_at` in seconds since 1970; `rule` is an RFC 5545 recurrence in local time, or empty."""

    due_at: float
    rule: str = ""


def resolve(said: When, now: float, zone: ZoneInfo) -> Moment:
    """The moment that `said` means at `now` in `zone`. Raises AlreadyPast."""
    match said:
        case After(seconds=seconds, days=days):
            local = datetime.fromtimestamp(now, zone)
            due = now if days == 0 else _instant(_naive(local) + timedelta(days=days), zone)
            moment = Moment(due + seconds)
        case At():
            moment = Moment(_at(said, datetime.fromtimestamp(now, zone), zone))
        case Every():
            moment = _every(said, now, zone)
    if not now < moment.due_at <= now + FARTHEST.total_seconds():
        raise AlreadyPast("the moment lies behind, or more than five years ahead")
    return moment


def next_occurrence(rule: str, after: float, zone: ZoneInfo) -> float:
    """The first moment of the recurrence that is later than `after`."""
    local = _naive(datetime.fromtimestamp(after, zone))
    # One day earlier: around a change of the clock local times are not in order.
    start = (local - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    for candidate in rrulestr(rule, dtstart=start):
        instant = _instant(candidate, zone)
        if instant > after:
            return instant
    raise AlreadyPast(f"the recurrence {rule!r} has no later moment")  # pragma: no cover


def _every(said: Every, now: float, zone: ZoneInfo) -> Moment:
    clock = said.clock or Clock(_USUAL[said.part or Part.MORNING], half=None)
    hour = _USUAL[said.part or Part.MORNING] if said.clock is None else _hour(clock, said.part)
    days = ",".join(_DAYS[day] for day in said.days)
    rule = f"FREQ=WEEKLY;BYDAY={days};BYHOUR={hour};BYMINUTE={clock.minute};BYSECOND=0"
    return Moment(next_occurrence(rule, now, zone), rule)


def _at(said: At, now: datetime, zone: ZoneInfo) -> float:
    if said.day is None and said.clock is not None and said.part is None:
        return _next_clock(said.clock, now, zone)
    for day in _candidates(said, _naive(now).date()):
        due = _on(day, said, now, zone)
        if due > now.timestamp():
            return due
    raise AlreadyPast("that has already passed")


def _candidates(said: At, today: date) -> Iterator[date]:
    """The days that can be meant, the likeliest first."""
    match said.day:
        case None:
            yield from (today, today + timedelta(days=1))
        case InDays(days=days):
            yield today + timedelta(days=days)
        case Weekday(day=day, next=later):
            ahead = (day - today.weekday()) % 7 or (7 if later else 0)
            yield from (today + timedelta(days=ahead), today + timedelta(days=ahead + 7))
        case Date(day=day, month=month):
            yield from _dates(day, month, today)


def _dates(day: int, month: int | None, today: date) -> Iterator[date]:
    step = relativedelta(months=1) if month is None else relativedelta(years=1)
    first = date(today.year, month or today.month, 1)
    for ahead in range(13):
        begin = first + step * ahead
        try:
            found = begin.replace(day=day)
        except ValueError:  # 31 April, 29 February
            continue
        if found >= today:
            yield found


def _on(day: date, said: At, now: datetime, zone: ZoneInfo) -> float:
    """The moment on `day`; a clock that can mean two times of today means the one ahead."""
    if said.clock is None:
        return _local(day, _USUAL[said.part or Part.MORNING], 0, zone)
    if said.clock.open and said.part is None and day == now.date():
        for half in ("am", "pm"):
            due = _local(day, Clock(said.clock.hour, half=half).fixed, said.clock.minute, zone)
            if due > now.timestamp():
                return due
    hour = _hour(said.clock, said.part)
    if said.part is Part.NIGHT and hour < 5:  # "tonight at one" is after midnight
        day += timedelta(days=1)
    return _local(day, hour, said.clock.minute, zone)


def _hour(clock: Clock, part: Part | None) -> int:
    """The hour of 24 on a day that is not today."""
    if not clock.open:
        return clock.fixed
    twelve = clock.hour % 12
    match part:
        case Part.MORNING:
            return twelve
        case Part.AFTERNOON | Part.EVENING:
            return twelve + 12
        case Part.NIGHT:
            return twelve + 12 if twelve >= 5 else twelve
        case None:
            return twelve + 12 if twelve < 7 else twelve


def _next_clock(clock: Clock, now: datetime, zone: ZoneInfo) -> float:
    """The next such time; the small hours are meant only by somebody who is up in the night."""
    hours = [clock.fixed] if not clock.open else [clock.hour % 12, clock.hour % 12 + 12]
    if clock.open and 1 <= clock.hour % 12 <= 5 and 5 <= now.hour < 22:
        hours = hours[1:]
    today = _naive(now).date()
    due = [
        _local(today + timedelta(days=ahead), hour, clock.minute, zone)
        for ahead in (0, 1)
        for hour in hours
    ]
    return min(moment for moment in due if moment > now.timestamp())


def _local(day: date, hour: int, minute: int, zone: ZoneInfo) -> float:
    return _instant(datetime(day.year, day.month, day.day, hour, minute), zone)


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None, fold=0)


def _instant(local: datetime, zone: ZoneInfo) -> float:
    return resolve_imaginary(local.replace(tzinfo=zone)).astimezone(UTC).timestamp()
