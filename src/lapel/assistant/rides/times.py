"""Times in words about rides: read as reminders and journeys are, and taken out of the sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lapel.assistant.grammar import tokens_of
from lapel.assistant.personal.language import load_words
from lapel.assistant.personal.reading import answer_duration, answer_when, when_of
from lapel.services.personal import At, Every, When
from lapel.services.rides import Pickup

_ABOUT = re.compile(r"\b(?:around|about|roughly) (?=\d|half |quarter |noon|midnight|[a-z]+$)")
_SHIFT = re.compile(r"^(?:by )?(?P<long>.+?) (?P<way>later|earlier|sooner)$")
_UNTIMED = re.compile(r" (?:later(?: today)?|later on)$")
SOMETIME = At()
"""Later, without a time."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A time, and the words around it. `arrives` is said of when to be there: "by seven"."""

    when: When
    rest: str
    arrives: bool = False


def timed(said: str) -> Iterator[Timed]:
    """The words with each time that may be in them taken out, the longest time first.

    `said` is in lower case. Of rides again and again nothing is made.
    """
    text, _ = tokens_of(_ABOUT.sub("at ", said))
    reading = load_words().grammar.read(text)
    tokens, count = reading.tokens, len(reading.tokens)
    found: list[tuple[int, int, str]] = []
    for start in range(count):
        rule = "when_any" if tokens[start].word == "for" else "when"
        end = reading.prefix(rule, start, count)
        if end > start:
            found.append((start, end, rule))
    for start, end, rule in sorted(found, key=lambda x: (x[0] - x[1], x[0])):
        match = reading.whole(rule, start, end)
        when = None if match is None else when_of(match)
        if when is None or isinstance(when, Every):
            continue
        rest = f"{text[: tokens[start].start]} {text[tokens[end - 1].end :]}"
        arrives = any(token.word == "by" for token in tokens[start:end])
        yield Timed(when, " ".join(rest.split()), arrives)
    if (later := _UNTIMED.search(text)) is not None:
        yield Timed(SOMETIME, text[: later.start()])


def answered(text: str) -> When | None:
    """The whole of `text` as a time; of rides again and again nothing is made."""
    when = answer_when(_ABOUT.sub("at ", text), load_words())
    return None if isinstance(when, Every) else when


def shifted(text: str) -> float | None:
    """`half an hour later` in seconds, below nothing for earlier."""
    match = _SHIFT.match(text)
    lasting = None if match is None else answer_duration(match["long"], load_words())
    if match is None or lasting is None:
        return None
    return lasting if match["way"] == "later" else -lasting


def is_vague(when: Pickup | None) -> bool:
    """Whether a day or a part of it was said, but no time of day."""
    return isinstance(when, At) and when.clock is None


def completed(before: Pickup | None, answer: When) -> When:
    """The answer to "at what time?", on the day that was said before."""
    if not isinstance(before, At) or not isinstance(answer, At):
        return answer
    return At(answer.day or before.day, answer.clock, answer.part or before.part)
