"""Where a reply may be cut for speaking: the first clause early, then whole sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lapel.speech.scripts import (
    ASCII_CLAUSE_MARKS,
    ASCII_SENTENCE_MARKS,
    CLAUSE_MARKS,
    CLOSERS,
    DASHES,
    SENTENCE_MARKS,
    units,
)

FIRST_UNITS: Final = 3  # a first clause shorter than this sounds cut off on its own
LONGEST_UNITS: Final = 40  # a sentence longer than this is cut at a clause mark

_CLOSED: Final = rf"[{re.escape(CLOSERS)}]*"
# ASCII marks count only before a space, so that 16.40, 14:05 and 1,200 stay whole.
_SENTENCE: Final = re.compile(
    rf"(?:[{ASCII_SENTENCE_MARKS}]+{_CLOSED}(?=\s|$)|[{SENTENCE_MARKS}]+{_CLOSED}|\n+)\s*"
)
_CLAUSE: Final = re.compile(
    rf"(?:[{ASCII_CLAUSE_MARKS}]+{_CLOSED}(?=\s|$)|\s[{DASHES}]+(?=\s)"
    rf"|[{CLAUSE_MARKS}]+{_CLOSED}|\n+)\s*"
)
_ABBREVIATION: Final = re.compile(
    r"(?:^|[\s(])(?:Mr|Mrs|Ms|Dr|Prof|St|No|Nos|vs|approx|[A-Za-z]|[ap]\.m)\.$"
)


def clauses(text: str) -> Iterator[str]:
    """Pieces to speak in order; joined they say the whole text. Empty pieces are left out."""
    rest = text.strip()
    if not rest:
        return
    cut = _first_cut(rest, _CLAUSE, FIRST_UNITS)
    yield rest[:cut].strip()
    rest = rest[cut:].strip()
    while rest:
        cut = _first_cut(rest, _SENTENCE, 1)
        if len(units(rest[:cut])) > LONGEST_UNITS:
            cut = _last_clause(rest[:cut])
        yield rest[:cut].strip()
        rest = rest[cut:].strip()


def _ends_abbreviation(text: str, following: str) -> bool:
    if not _ABBREVIATION.search(text):
        return False
    marks_end_too = text.endswith(".m.") and following[:1].isupper()
    return not marks_end_too


def _first_cut(text: str, pattern: re.Pattern[str], least_units: int) -> int:
    for match in pattern.finditer(text):
        head = text[: match.end()].rstrip()
        if _ends_abbreviation(head, text[match.end() :]):
            continue
        if len(units(head)) >= least_units:
            return match.end()
    return len(text)


def _last_clause(sentence: str) -> int:
    """The last clause mark within the limit; without one, the last unit within it."""
    limit = units(sentence)[LONGEST_UNITS - 1].end
    cuts = [match.end() for match in _CLAUSE.finditer(sentence) if match.end() <= limit + 1]
    return cuts[-1] if cuts else limit
