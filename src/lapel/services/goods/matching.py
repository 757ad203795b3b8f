"""Which of a grocer's goods somebody means, and how much of it they want. Pure."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lapel.services.goods.groceries import Good

Unit = Literal["", "pack", "g", "ml"]
MOST_CHOICES = 3
MOST_PIECES = 50
HEAVIEST_G = 20_000
_FEW = 5
"""Pieces that a plural without a number stands for, of what is sold by weight."""
_FEW_MOST_G = 1500
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(kg|g|l|dl|cl|ml)\b")
_PIECES = re.compile(r"(\d+)\s*(?:pieces|rolls|cans|bags|bulbs)\b")
_GRAMS = {"kg": 1000.0, "g": 1.0}
_MILLILITRES = {"l": 1000.0, "dl": 100.0, "cl": 10.0, "ml": 1.0}
_FILLERS = frozenset({"a", "an", "the", "some", "of", "fresh", "good", "nice", "more"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """`amount` counts pieces (unit ``), packs, grams or millilitres; 0 where none was said."""

    text: str
    amount: int = 0
    unit: Unit = ""


@dataclass(frozen=True, slots=True)
class Match:
    """`good` is what is meant; else one of `choices`, or nothing. `sold_out` is meant but gone."""

    good: Good | None = None
    choices: tuple[Good, ...] = ()
    sold_out: Good | None = None


def find(text: str, goods: Sequence[Good]) -> Match:
    """An exact name before one that has all the words, and that before one within the words."""
    wanted = words(text)
    if not wanted:
        return Match()
    names = [(good, [words(name) for name in (good.title, *good.aliases)]) for good in goods]
    asked = set(wanted)
    for found in (
        [good for good, known in names if wanted in known],
        [good for good, known in names if any(asked <= set(name) for name in known)],
        _within(asked, names),
    ):
        if found:
            return _among(found)
    return Match()


def quantity_of(wanted: Wanted, good: Good) -> tuple[int, int]:
    """(how many, how many grams) to order of it; grams are 0 for what is not weighed."""
    if good.by_weight:
        return 1, min(max(_grams(wanted, good), 1), HEAVIEST_G)
    inside = _PIECES.search(good.size)
    match wanted.unit:
        case "g" | "ml":
            count = _packs(wanted, good.size)
        case "" if inside and wanted.amount > 1:
            count = math.ceil(wanted.amount / int(inside[1]))
        case _:
            count = wanted.amount
    return min(max(count, 1), MOST_PIECES), 0


def words(text: str) -> tuple[str, ...]:
    """Its words as they are compared: without case, accents, fillers and the plural."""
    spread = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c for c in spread if not unicodedata.combining(c))
    return tuple(singular(x) for x in re.findall(r"\w+", plain) if x not in _FILLERS)


def singular(word: str) -> str:
    if len(word) < 4 or word.endswith("ss") or not word.endswith("s"):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("oes", "shes", "ches", "xes")):
        return word[:-2]
    return word[:-1]


def _within(asked: set[str], names: Sequence[tuple[Good, list[tuple[str, ...]]]]) -> list[Good]:
    """Goods with a whole name in what was said; the longest such name counts."""
    fits = [
        (max((len(name) for name in known if set(name) <= asked), default=0), good)
        for good, known in names
    ]
    best = max((length for length, _ in fits), default=0)
    return [good for length, good in fits if length == best] if best else []


def _among(found: list[Good]) -> Match:
    there = [good for good in found if good.available]
    if not there:
        return Match(sold_out=found[0])
    if len(there) == 1:
        return Match(there[0])
    near = sorted(there, key=lambda good: (good.price.minor, good.title))
    return Match(choices=tuple(near[:MOST_CHOICES]))


def _grams(wanted: Wanted, good: Good) -> int:
    match wanted.unit:
        case "g":
            return wanted.amount
        case "ml" | "pack":
            return good.piece_grams * max(wanted.amount, 1)
        case _ if wanted.amount:
            return good.piece_grams * wanted.amount
        case _:
            last = wanted.text.split()[-1].casefold() if wanted.text.split() else ""
            few = _FEW if singular(last) != last else 1
            return max(min(good.piece_grams * few, _FEW_MOST_G), good.piece_grams)


def _packs(wanted: Wanted, size: str) -> int:
    found = _SIZE.search(size)
    units = _GRAMS if wanted.unit == "g" else _MILLILITRES
    if found is None or found[2] not in units:
        return 1
    inside = float(found[1].replace(",", ".")) * units[found[2]]
    return math.ceil(wanted.amount / inside - 0.001)
