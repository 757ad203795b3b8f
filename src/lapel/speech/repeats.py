"""Cutting the repeats that Whisper adds when it is given less than its 30 seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lapel.speech.scripts import ASCII_SENTENCE_MARKS, SENTENCE_MARKS, units

# Nobody speaks faster than this, in words or in characters of an unspaced script; a text that is
# denser and repeats itself from its first unit was not said that often.
PLAUSIBLE_UNITS_PER_S: Final = 4.5
_RESTART_UNITS: Final = 3
_LOOP_TURNS: Final = 4


def cut_repeats(text: str, audio_s: float) -> str:
    """The text up to the point where it starts again; whole repeats that were said stay.

    "yes yes yes yes yes yes" in one second becomes "yes"; "no no no" in two seconds stays.
    """
    found = units(text)
    words = [unit.text for unit in found]
    keep = _restart(words, audio_s)
    if keep is None:
        keep = _loop_end(words)
    if keep is None:
        return text
    end = found[keep - 1].end
    tail = text[end : found[keep].start]
    mark = tail.lstrip()[:1]
    return text[:end] + (mark if mark and mark in ASCII_SENTENCE_MARKS + SENTENCE_MARKS else "")


def _restart(words: Sequence[str], audio_s: float) -> int | None:
    """The shortest period that explains the whole text; its last unit may have been cut short."""
    count = len(words)
    dense = count > PLAUSIBLE_UNITS_PER_S * max(audio_s, 0.5)
    for period in range(1, count):
        repeated = count - period
        if not _is_periodic(words, period):
            continue
        number = all(word.isdecimal() for word in words[:period])
        if repeated >= _RESTART_UNITS and period >= _RESTART_UNITS and not number:
            return period
        if dense and repeated >= max(period, 2):
            return period
    return None


def _is_periodic(words: Sequence[str], period: int) -> bool:
    last = len(words) - 1
    for at in range(period, len(words)):
        again, first = words[at], words[at - period]
        if again != first and not (at == last and at > period and first.startswith(again)):
            return False
    return True


def _loop_end(words: Sequence[str]) -> int | None:
    """Where a short pattern at the end begins to turn in circles; numbers may do that."""
    count = len(words)
    for period in range(1, 5):
        same = 0
        while same < count - period and words[count - 1 - same] == words[count - 1 - same - period]:
            same += 1
        start = count - same - period
        if same >= period * (_LOOP_TURNS - 1) and not any(
            word.isdecimal() for word in words[start:]
        ):
            return start + period
    return None
