"""A sentence about several things, as clauses: what is bought, rides, and who shares the bill.

Every word belongs to a clause. Rides and shares are known by their own grammars; what is left
between them is about goods, and is for the catalogue's grammar to understand or not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lapel.assistant.pay import grammar as pay
from lapel.assistant.rides import grammar as rides

MOST = 5
_JOINTS = re.compile(
    r"(?:\s*,\s*(?:and\s+|then\s+)*|\s+and\s+then\s+|\s+and\s+|\s+then\s+|\s+plus\s+)"
)


@dataclass(frozen=True, slots=True)
class Clauses:
    """`goods` are words for the cart, empty where there are none."""

    goods: str
    rides: tuple[rides.AskRide, ...]
    split: pay.Split | None

    @property
    def count(self) -> int:
        """How many things are bought."""
        return bool(self.goods) + len(self.rides)


def read(text: str) -> Clauses | None:
    """None for a sentence about one thing alone, which is for whoever knows that thing."""
    pieces = [piece for piece in _JOINTS.split(text.strip().rstrip(".!?")) if piece]
    goods: list[str] = []
    asked: list[rides.AskRide] = []
    split: pay.Split | None = None
    at = 0
    while at < len(pieces):
        end, found = _longest(pieces, at)
        match found:
            case rides.AskRide() if not found.price:
                asked.append(found)
            case pay.Split() if split is None:
                split = found
            case _:
                goods.append(pieces[at])
                end = at + 1
        at = end
    parts = bool(goods) + len(asked)
    if len(pieces) > MOST * 2 or (not asked and split is None):
        return None
    if parts == 0 or parts + (split is not None) < 2:
        return None
    return Clauses(" and ".join(goods), tuple(asked), split)


def _longest(pieces: list[str], at: int) -> tuple[int, object]:
    """The most pieces from here that make one clause: "split it with Anna and Ben" is one."""
    for end in range(len(pieces), at, -1):
        said = " and ".join(pieces[at:end])
        share = pay.read(said)
        if isinstance(share, pay.Split) and share.amount is None:
            return end, share
        ride = rides.read(_as_request(said))
        if isinstance(ride, rides.AskRide):
            return end, ride
    return at + 1, None


def _as_request(said: str) -> str:
    """A car to somewhere is a ride, in a sentence about more."""
    return re.sub(
        r"^((?:get me |book |order )?an? )car (?=to |from |home)", r"\1taxi ", said.lower()
    )
