"""What a skill makes of a clause of a plan: an order, or the question that stands before it.

The order is complete enough to be priced; nothing is begun by making it. What is open is asked as
one question, whose answer makes the wish whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from lapel.commerce import Address, OrderDraft


@dataclass(frozen=True, slots=True)
class Made:
    """A part of a plan. `place` is where it is, `begins` and `ends` when; None where it has none.

    `needs` is the part that it was made for: it is bought after that one, and not without it.
    `begun` is told the id of the order.
    """

    title: str
    draft: OrderDraft
    place: Address | None = None
    begins: datetime | None = None
    ends: datetime | None = None
    needs: Made | None = None
    begun: Callable[[str], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Asks:
    """A question. `read` gives the whole wish for an answer, None for words about something else.

    `choices` are short answers, for buttons; `read` understands each.
    """

    text: str
    read: Callable[[str], Any]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Around:
    """Where a clause stands: the whole sentence, when it was said (seconds since 1970), and the
    parts that are made already.
    """

    said: str
    at: float
    made: Sequence[Made] = ()


class Maker(Protocol):
    """One skill's understanding of clauses. A wish is its own affair."""

    def reads(self, said: str) -> Sequence[Any]:
        """The wishes in a clause, all of whose words must fit; none when it is about other things.

        "A car there and back" are two.
        """
        ...

    async def make(self, wish: Any, around: Around) -> Made | Asks:
        """Raises `Refused` where it cannot be had, `PortError` where nobody answers."""
        ...
