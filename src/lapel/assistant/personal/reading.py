"""From words to requests about reminders, timers and notes, by the grammar of a language alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lapel.assistant.grammar import Found, Reading
from lapel.assistant.personal.language import Words
from lapel.assistant.politeness import spans, whole
from lapel.services.personal import (
    After,
    At,
    Clock,
    Date,
    Every,
    InDays,
    Part,
    Weekday,
    When,
)

SHORTEST_S, LONGEST_S = 1.0, 366 * 86400.0
_DAY_S = 86400


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that is asked for. `name` is the command of the language file."""

    name: str
    text: str = ""
    """A free text, or the name of a timer."""
    when: When | None = None
    seconds: float = 0.0


_TIMED = {"remind", "remind_bare", "wake"}
_LASTING = {"timer_set", "timer_add"}
_JOINED = {"timer_set", "remind", "wake"}
"""Commands of which several can be asked for in one breath."""
_TALK = {"remind", "remind_untimed", "remind_place"}
"""Commands whose free text may turn out to be hearsay."""


def requests(text: str, words: Words) -> list[Request] | None:
    """What the whole of `text` asks for; None when any part of it is something else."""
    reading = words.grammar.read(text)
    for start, end in spans([token.word for token in reading.tokens]):
        several = _several(reading, start, end)
        if several is not None:
            return several
        found = _request(reading, "command", start, end)
        if found is not None:
            return [found]
    return None


def answer_when(text: str, words: Words) -> When | None:
    """`text` as the answer to "when?"."""
    found = whole(words.grammar.read(text), "when_any")
    return None if found is None else when_of(found)


def answer_duration(text: str, words: Words) -> float | None:
    """`text` as the answer to "for how long?", in seconds."""
    reading = words.grammar.read(text)
    for start, end in spans([token.word for token in reading.tokens]):
        for first in (start, start + 1):  # "for ten minutes"
            found = reading.whole("duration", first, end)
            if found is not None:
                return _seconds(found)
    return None


def answer_which(text: str, words: Words) -> str | None:
    """`text` as the answer to "which one?"."""
    found = whole(words.grammar.read(text), "which")
    return None if found is None else found.text("text")


def is_never_mind(text: str, words: Words) -> bool:
    """Whether a question is waved away."""
    return whole(words.grammar.read(text), "never") is not None


def _several(reading: Reading, start: int, end: int) -> list[Request] | None:
    """Two or more requests with an "and" in between; notes are never cut in pieces."""
    for at in range(start + 1, end - 1):
        then = reading.prefix("joint", at, end)
        if then == at:
            continue
        first = _request(reading, "command", start, at)
        if first is None or first.name not in _JOINED:
            continue
        rest = _rest(reading, first, then, end)
        if rest is not None:
            return [first, *rest]
    return None


def _rest(reading: Reading, first: Request, start: int, end: int) -> list[Request] | None:
    more = _several(reading, start, end)
    if more is not None:
        return more
    found = _request(reading, "command", start, end)
    if found is not None and found.name in _JOINED:
        return [found]
    if first.name == "timer_set":
        found = _request(reading, "again", start, end)
        return None if found is None else [found]
    return None


def _request(reading: Reading, rule: str, start: int, end: int) -> Request | None:
    found = reading.whole(rule, start, end)
    if found is None:
        return None
    text = found.text("text") or found.text("label")
    when: When | None = None
    seconds = 0.0
    timed = found.part("when")
    lasting = found.part("duration")
    if timed is not None:
        when = when_of(timed)
    if lasting is not None:
        seconds = _seconds(lasting)
    if found.key in _TIMED and when is None:
        return None
    if found.key in _LASTING and not SHORTEST_S <= seconds <= LONGEST_S:
        return None
    if found.key in _TALK and _hearsay(reading, end):
        return None
    return Request(found.key, text, when, seconds)


def _hearsay(reading: Reading, end: int) -> bool:
    return any(
        reading.whole("hearsay", begin, end) is not None for begin in range(max(0, end - 4), end)
    )


# Durations and times. -------------------------------------------------------------------------


def _seconds(found: Found) -> float:
    """A duration in seconds."""
    spans = [part for name in "abc" if (part := found.part(name)) is not None]
    first = spans[0]
    match found.key:
        case "span_and_half":
            return _span(first) + _unit(first.part("unit")) / 2
        case "halves":
            return (number_of(first.part("number")) + 0.5) * _unit(first.part("unit"))
        case "half":
            return _unit(first) / 2
        case "quarter":
            return _unit(first) / 4
        case "three_quarters":
            return _unit(first) * 3 / 4
        case "couple":
            return _unit(first) * 2
        case _:
            return sum(_span(span) for span in spans)


def _span(found: Found) -> float:
    number = found.part("number")
    return (1.0 if number is None else number_of(number)) * _unit(found.part("unit"))


def _unit(found: Found | None) -> float:
    return 0.0 if found is None else float(found.key)


def number_of(found: Found | None) -> float:
    """A number in words or digits; one where none was said."""
    if found is None:
        return 1.0
    if found.key != "digits":
        return float(found.key)
    return float(found.text("int") or found.text("decimal"))


def when_of(found: Found) -> When | None:
    """The time that a match of `when` or `when_any` means; None for one that does not exist."""
    inner = found.part("when")
    if inner is not None:
        return when_of(inner)
    clock = _clock(found.part("clock"))
    if found.part("clock") is not None and clock is None:
        return None
    part = found.part("part")
    part_of_day = None if part is None else Part(part.key)
    match found.key:
        case "after":
            return _after(_seconds(found.slots["duration"]))  # pyright: ignore[reportArgumentType]
        case "every" | "every_part":
            return Every(tuple(sorted(set(_days(found)))), clock, part_of_day)
        case _:
            return At(_day(found.part("day")), clock, part_of_day)


def _after(seconds: float) -> After | None:
    if not SHORTEST_S <= seconds <= LONGEST_S:
        return None
    if seconds % _DAY_S == 0:  # whole days are meant by the calendar
        return After(days=round(seconds / _DAY_S))
    return After(seconds)


def _days(found: Found) -> Iterator[int]:
    days = found.part("plural") or found.part("day")
    if days is None:  # "every morning"
        yield from range(7)
    elif days.key != "list":
        yield from (int(day) for day in days.key)
    else:
        yield from (int(part.key) for name in "abc" if (part := days.part(name)) is not None)


def _day(found: Found | None) -> InDays | Weekday | Date | None:
    if found is None:
        return None
    match found.key:
        case "today":
            return InDays(0)
        case "tomorrow":
            return InDays(1)
        case "overmorrow":
            return InDays(2)
        case "week":
            return InDays(7)
        case "weekday" | "next_weekday":
            return Weekday(_key(found, "weekday"), found.key == "next_weekday")
        case "month_day":
            return Date(_key(found, "ordinal"))
        case _:
            number = found.text("int")
            day = int(number) if number else _key(found, "ordinal")
            return Date(day, _key(found, "month"))


def _key(found: Found, name: str) -> int:
    part = found.part(name)
    return 0 if part is None else int(part.key)


_QUARTERS = {"half_past": 30, "quarter_past": 15, "quarter_to": -15}


def _clock(found: Found | None) -> Clock | None:
    """The time of day; None for one that does not exist, such as 25:00 or 15 pm."""
    if found is None:
        return None
    half = found.part("half")
    named = None if half is None else half.key
    match found.key:
        case "noon":
            return Clock(12, half="pm")
        case "midnight":
            return Clock(12, half="am")
        case "digits":
            hour, minute = (int(part) for part in found.text("hm").replace(".", ":").split(":"))
            # "06:30" and "18:30" are of 24 hours, "6:30" can be both.
            if named is None and found.text("hm").startswith("0"):
                return _checked(hour, minute, "am" if hour else None)
            return _checked(hour, minute, named)
        case _:
            hour = _key(found, "hour")
            minute = _QUARTERS.get(found.key, _key(found, "minute"))
    if found.key == "to":
        minute = -minute
    if minute < 0:
        hour, minute = hour - 1 or 12, minute + 60
    return _checked(hour, minute, named)


def _checked(hour: int, minute: int, half: str | None) -> Clock | None:
    if minute > 59 or hour > 24 or (half is not None and not 1 <= hour <= 12):
        return None
    return Clock(hour % 24, minute, half)
