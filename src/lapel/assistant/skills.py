"""What the assistant can do besides filling a cart: the seam of every further vertical.

A skill reads the user's own words by rules of its own and either claims them, with an `Outcome`, or
leaves them to the next one; what nobody claims goes to the brain's catalogue grammar. So a skill
must claim only what it is sure of: a whole utterance that fits its patterns, or the answer to a
question that it asked itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lapel.brain import Words
from lapel.brain.tools import Request, Tool
from lapel.commerce import Evidence
from lapel.devices import Card, Cue, PositionReported
from lapel.failures import Code


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to tell. `awaited` is the order whose next news is the answer; `notes` go before it.

    `closes` are topics of cues that are done with: their cards are taken down everywhere, and what
    is not told yet of them is not told any more. `failed` is why it could not be done: what can be
    done about that is told with it. `thinks` is what a model is to be asked.
    """

    text: str = ""
    card: Card | None = None
    awaited: str | None = None
    notes: tuple[str, ...] = ()
    repeat: bool = False
    failed: Code | None = None
    closes: tuple[str, ...] = ()
    thinks: Request | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance of the user's own, never of anybody else. `at` is in seconds since 1970.

    `turn` names it for `undo`; `cart_open` is true while a cart is being filled or priced, when an
    ambiguous word ("cancel", "two") is meant for the cart.
    """

    words: Words
    turn: int
    at: float
    cart_open: bool


class Skill(Protocol):
    """One user's dealings with one vertical. Calls come one after the other."""

    async def hear(self, heard: Heard) -> Outcome | None:
        """Act on the words and say what to answer; None leaves them to somebody else."""
        ...

    async def undo(self, turn: int) -> None:
        """Take back what `hear` did for this turn, if anything: the user was still speaking."""
        ...

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """A button of a card was pressed; None when the card is not this skill's."""
        ...

    def hints(self) -> Sequence[str]:
        """Words that the recogniser may expect now."""
        ...


@runtime_checkable
class Follower(Protocol):
    """A skill that wants to know where the user is."""

    async def moved(self, report: PositionReported) -> Sequence[Cue]:
        """What to show and say now; a cue replaces the last one of its topic."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question for consent. `cue` shows exactly what a yes is for, under an approval's topic."""

    id: str
    asked_at: float
    cue: Cue
    limit_id: str = ""
    """Never one: what a skill asks does not answer itself."""


@runtime_checkable
class Asker(Protocol):
    """A skill that does nothing of consequence before a deliberate gesture on a device."""

    async def asked(self) -> Sequence[Asked]:
        """The questions that can still be answered, the oldest first."""
        ...

    async def decided(self, asked: Asked, *, yes: bool, evidence: Evidence) -> Outcome:
        """Do what was agreed to, once, or leave it; what to tell of it."""
        ...


@runtime_checkable
class Tooled(Protocol):
    """A skill that can be chosen by what it does, where its grammar does not fit the words."""

    def tools(self) -> Sequence[Tool]:
        """What it does; the sentence of each is one that `hear` claims."""
        ...


class Teller(Protocol):
    """How a service brings something up by itself, such as a reminder that is due."""

    async def tell(self, user_id: str, cues: Sequence[Cue]) -> None:
        """Durable on return: a cue whose id was told before is not told again."""
        ...
