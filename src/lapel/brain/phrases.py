"""What a reading consists of: phrases about lines of a cart, before any cart is touched."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lapel.brain.language import Word
from lapel.brain.lexicon import Name


class Mode(StrEnum):
    """What the clause does with the things that it names."""

    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    MAKE = "make"


class Head(StrEnum):
    """What kind of thing a phrase names."""

    ITEM = "item"
    LINE = "line"
    ALL = "all"
    UNKNOWN = "unknown"
    NOTHING = "nothing"


@dataclass(slots=True)
class ValueWord:
    """An option as it was said. `name` is None for words that no catalogue knows."""

    start: int
    end: int
    words: str
    name: Name | None = None
    negative: bool = False
    amount: str = ""
    number: int = 0


@dataclass(slots=True)
class Phrase:
    """An item of the menu, a line of the cart, or bare options, with what was said about it."""

    mode: Mode
    head: Head
    start: int
    end: int
    name: Name | None = None
    rivals: tuple[Name, ...] = ()
    likeness: float = 1.0
    quantity: int | None = None
    article: bool = False
    definite: bool = False
    more: bool = False
    only: bool = False
    again: bool = False
    part: bool = False
    all: bool = False
    ordinal: int = 0
    corrects: bool = False
    instead: bool = False
    values: list[ValueWord] = field(default_factory=list[ValueWord])
    modifiers: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    into: Phrase | None = None
    where: Phrase | None = None

    @property
    def refers(self) -> bool:
        """Names something that is in the cart already."""
        return self.definite or self.part or self.head in {Head.LINE, Head.ALL}


@dataclass(slots=True)
class Reading:
    """All that an utterance says about an order. Unknown words are places in the text."""

    phrases: list[Phrase] = field(default_factory=list[Phrase])
    merchants: tuple[str, ...] = ()
    merchant_marked: bool = False
    merchant_at: tuple[int, int] = (0, 0)
    address: str = ""
    address_marked: bool = False
    address_at: tuple[int, int] = (0, 0)
    unknown_shop: str = ""
    unknown_address: str = ""
    strange: list[str] = field(default_factory=list[str])
    words: set[Word] = field(default_factory=set[Word])
    cancel: bool = False
    instead: bool = False
    cleared: bool = False
    """Opens by cancelling what there is: "cancel that, a mocha"."""
    exchanged: set[int] = field(default_factory=set[int])
    """Where a word of refusal only exchanges one thing for another."""
    restarts: bool = False
    """Opens by taking back what was said before: "no wait"."""

    @property
    def items(self) -> list[Phrase]:
        return [p for p in self.all_phrases if p.head is Head.ITEM]

    @property
    def unknowns(self) -> list[Phrase]:
        return [p for p in self.all_phrases if p.head is Head.UNKNOWN]

    @property
    def all_phrases(self) -> list[Phrase]:
        return [q for p in self.phrases for q in (p, p.into, p.where) if q is not None]
