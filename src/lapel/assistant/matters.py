"""What waits in an assistant's inbox: one kind for each matter that is handled in its turn."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.brain.tools import Thought
from lapel.devices import GestureMade, Link, PositionReported
from lapel.turns import Interpret


@dataclass(frozen=True, slots=True)
class Undone:
    """The user went on: what this turn did to the cart is taken back, a later turn holds it."""

    turn: int


@dataclass(frozen=True, slots=True)
class Began:
    pass


@dataclass(frozen=True, slots=True)
class Joined:
    """A device has joined or come back, was put on or taken off."""

    link: Link


@dataclass(frozen=True, slots=True)
class Left:
    link: Link


@dataclass(frozen=True, slots=True)
class Acted:
    link: Link
    cue_id: str


@dataclass(frozen=True, slots=True)
class Gestured:
    """`at` is when it came, `back_s` how long after its device had joined or come back."""

    link: Link
    made: GestureMade
    at: float
    back_s: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A device has said where it is."""

    report: PositionReported


@dataclass(frozen=True, slots=True)
class OrdersMoved:
    pass


@dataclass(frozen=True, slots=True)
class Listens:
    """A microphone was opened: the recogniser wants the words of today's menus."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Somebody wrote cues into the outbox: they are to be told."""


@dataclass(frozen=True, slots=True)
class QuoteIsSlow:
    order_id: str


@dataclass(frozen=True, slots=True)
class ThinkingIsSlow:
    """The user has to hear that it is being thought about."""

    wanted: Interpret


@dataclass(frozen=True, slots=True)
class ThoughtOver:
    """What a model made of words that nobody understood."""

    wanted: Interpret
    thought: Thought


Matter = (
    Interpret
    | Began
    | Undone
    | Joined
    | Left
    | Acted
    | OrdersMoved
    | Moved
    | Kept
    | QuoteIsSlow
    | ThinkingIsSlow
    | ThoughtOver
    | Listens
    | Gestured
)
