"""A sentence about several things, as clauses: each for the skill that understands all its words.

Whose a clause is, its own grammar says: that of tables, journeys, rides, groceries or shares. What
is left between them is about goods, and is for the catalogue's grammar to understand or not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lapel.assistant.parts import Maker
from lapel.assistant.pay import grammar as pay

MOST = 6
"""Things in one plan."""
_JOINTS = re.compile(
    r"(?:\s*,\s*(?:and\s+|then\s+)*|\s+and\s+then\s+|\s+and\s+|\s+then\s+|\s+plus\s+)"
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that is wanted, and who makes an order of it."""

    said: str
    maker: Maker
    wish: Any


@dataclass(frozen=True, slots=True)
class Clauses:
    """All but goods in the order in which they were said; `goods` are words for the cart."""

    clauses: tuple[Clause, ...]
    goods: str
    split: pay.Split | None

    @property
    def count(self) -> int:
        """How many things are bought."""
        return len(self.clauses) + bool(self.goods)


def read(text: str, makers: Sequence[Maker]) -> Clauses | None:
    """None for a sentence about one thing alone, which is for whoever knows that thing."""
    pieces = [piece for piece in _JOINTS.split(text.strip().rstrip(".!?")) if piece]
    if len(pieces) > MOST * 2:
        return None
    goods: list[str] = []
    clauses: list[Clause] = []
    split: pay.Split | None = None
    at = 0
    while at < len(pieces):
        end, found = _longest(pieces, at, makers)
        if isinstance(found, pay.Split) and split is None:
            split = found
        elif found and not isinstance(found, pay.Split):
            clauses += found
        else:
            goods.append(pieces[at])
            end = at + 1
        at = end
    whole = Clauses(tuple(clauses), " and ".join(goods), split)
    if whole.count == 0 or whole.count > MOST or (not clauses and split is None):
        return None
    return None if whole.count + (split is not None) < 2 else whole


def _longest(
    pieces: list[str], at: int, makers: Sequence[Maker]
) -> tuple[int, list[Clause] | pay.Split]:
    """The most pieces from here that make one clause: "split it with Anna and Ben" is one."""
    for end in range(len(pieces), at, -1):
        said = " and ".join(pieces[at:end])
        share = pay.read(said)
        if isinstance(share, pay.Split) and share.amount is None:
            return end, share
        for maker in makers:
            wishes = maker.reads(said)
            if wishes:
                return end, [Clause(said, maker, wish) for wish in wishes]
    return at + 1, []
