"""Runs of letters and of words, hashed: what an encoder of meaning overlooks."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from itertools import pairwise

BITS = 13
SIZE = 1 << BITS
_WORD = re.compile(r"\w+")
_SHORTEST, _LONGEST = 2, 4


def letters(text: str) -> Counter[int]:
    """Hashed runs of 2 to 4 letters inside each word, its ends marked by spaces."""
    found: Counter[int] = Counter()
    for word in text.lower().split():
        marked = f" {word} "
        for size in range(_SHORTEST, _LONGEST + 1):
            for start in range(max(1, len(marked) - size + 1)):
                found[_hash(marked[start : start + size])] += 1
    return found


def words(text: str) -> Counter[int]:
    """Hashed words and pairs of words."""
    found = _WORD.findall(text.lower())
    pairs = [f"{a} {b}" for a, b in pairwise(found)]
    return Counter(_hash(x) for x in (*found, *pairs))


def _hash(piece: str) -> int:
    return zlib.crc32(piece.encode()) & (SIZE - 1)
