"""Where a text comes from, in the types: only the user's own words and records reach an effect.

    Utterance --> Words --> Said  --+
                                    +--> Argument --> whatever has effects
    records ----> Facts --> Known --+
    everything else --> Tainted ---> a screen or a voice, and nowhere else

`Words` cannot be made of anything but the user's own utterance, `Said` of nothing but `Words`,
`Known` of nothing but `Facts`. A function with an effect takes these: then a caller that holds a
menu, an e-mail or the answer of a tool has nothing that it could pass.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import LiteralString, NoReturn


class Source(StrEnum):
    """Where a text came from. Only the user's own words may cause an effect."""

    VOICE = "voice"
    TYPED = "typed"
    OTHER_VOICE = "other_voice"
    CAMERA = "camera"
    MENU = "menu"
    MERCHANT = "merchant"
    EMAIL = "email"
    WEB = "web"
    TOOL = "tool"
    MEMORY = "memory"


USERS_OWN = frozenset({Source.VOICE, Source.TYPED})


class ProvenanceError(TypeError):
    """A text was about to be used for what its source does not allow: a fault of the program."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said or typed, and by whom. `confidence` is the recogniser's, 1.0 for typing."""

    text: str
    source: Source
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Words:
    """The user's own words. Raises `ProvenanceError` for an utterance of anybody else."""

    utterance: Utterance

    def __post_init__(self) -> None:
        if not isinstance(self.utterance, Utterance):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ProvenanceError(f"words come from an utterance, not {type(self.utterance)!r}")
        if self.utterance.source not in USERS_OWN:
            raise ProvenanceError(f"{self.utterance.source!r} is not the user; show it as Tainted")

    @property
    def text(self) -> str:
        return self.utterance.text

    def part(self, start: int, end: int) -> Words:
        """Some of the words, as words of their own."""
        return Words(replace(self.utterance, text=Said(self, start, end).text))

    def said(self, text: str) -> Said | None:
        """Where the user said just this, whatever its case; None if the user did not."""
        start = self.text.lower().find(text.lower())
        if not text or start < 0 or len(self.text.lower()) != len(self.text):
            start = self.text.find(text) if text else -1
        return None if start < 0 else Said(self, start, start + len(text))

    def saying(self, template: LiteralString, /, **arguments: Argument) -> Words:
        """The same wish in a sentence of ours: `{name}` of the template stands for an argument.

        The template is a literal of the program's; what stands in it was said or is on record.
        """
        for name, value in arguments.items():
            if not isinstance(value, (Said, Known)):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ProvenanceError(f"{name} is a {type(value).__name__}, not Said or Known")
        texts = {name: value.text for name, value in arguments.items()}
        return Words(replace(self.utterance, text=template.format(**texts)))


@dataclass(frozen=True, slots=True)
class Said:
    """Characters `start` to `end` of what the user said."""

    words: Words
    start: int
    end: int

    def __post_init__(self) -> None:
        if not isinstance(self.words, Words):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ProvenanceError(f"only the user's words are said, not a {type(self.words)!r}")
        if not 0 <= self.start < self.end <= len(self.words.text):
            raise ProvenanceError(f"nothing was said from {self.start} to {self.end}")

    @property
    def text(self) -> str:
        return self.words.text[self.start : self.end]


class Thing(StrEnum):
    """What the user's records know by an id."""

    MERCHANT = "merchant"
    ITEM = "item"
    ADDRESS = "address"
    CONTACT = "contact"
    SERVICE = "service"
    ORDER = "order"


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is on record: ids by kind, each with the name that it goes by.

    Made by who reads the record. Nothing that a text says gets in here.
    """

    ids: Mapping[Thing, Mapping[str, str]]

    def known(self, kind: Thing, id: str) -> Known:
        """The thing with this id; raises `ProvenanceError` if there is none."""
        return Known(kind, id, self)

    def named(self, kind: Thing, name: Said) -> Known | None:
        """The one thing of that kind that the user has called so; None for none and for several."""
        wanted = name.text.casefold()
        found = [id for id, called in self.ids.get(kind, {}).items() if called.casefold() == wanted]
        return Known(kind, found[0], self) if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Known:
    """A thing of the user's records, by its id."""

    kind: Thing
    id: str
    facts: Facts = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.facts, Facts):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ProvenanceError("known is what stands in the records")
        if self.id not in self.facts.ids.get(self.kind, {}):
            raise ProvenanceError(f"no {self.kind} {self.id!r} is on record")

    @property
    def text(self) -> str:
        """The name that it goes by."""
        return self.facts.ids[self.kind][self.id]


Argument = Said | Known
"""What alone may fill an argument of something that has an effect."""

_TELLS = {
    Source.OTHER_VOICE: "Somebody says",
    Source.CAMERA: "The camera reads",
    Source.MENU: "The menu says",
    Source.MERCHANT: "The shop writes",
    Source.EMAIL: "The e-mail says",
    Source.WEB: "The page says",
    Source.TOOL: "The service answers",
    Source.MEMORY: "It was noted",
}


class Tainted:
    """Text of somebody else's, with its source: it can be shown and asked about, never obeyed.

    It is no `str` and does not turn into one: `str()`, formatting and joining raise.
    """

    __slots__ = ("_text", "source")

    def __init__(self, text: str, source: Source) -> None:
        if source in USERS_OWN:
            raise ProvenanceError("the user's own words are Words")
        self._text = text
        self.source = source

    def shown(self, *, told: bool = True) -> str:
        """For a screen or a voice alone: one line, without what cannot be seen.

        Its source is told before it, unless the place already tells it (`told=False`).
        """
        text = clean(self._text)
        return f'{_TELLS[self.source]}: "{text}"' if told else text

    def __len__(self) -> int:
        return len(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tainted):
            return NotImplemented
        return (self._text, self.source) == (other._text, other.source)

    def __hash__(self) -> int:
        return hash((self._text, self.source))

    def __repr__(self) -> str:
        return f"Tainted({len(self._text)} characters, {self.source!r})"

    def __str__(self) -> NoReturn:
        raise ProvenanceError(f"text from {self.source!r} is shown() or left")

    def __format__(self, spec: str) -> NoReturn:
        raise ProvenanceError(f"text from {self.source!r} is shown() or left")


def clean(text: str) -> str:
    """One line of what can be seen: no control, zero-width or direction characters."""
    seen = (" " if unicodedata.category(x) in _BREAKS else x for x in text)
    kept = (x for x in seen if unicodedata.category(x) not in _UNSEEN)
    return " ".join("".join(kept).split())


_BREAKS = frozenset({"Cc", "Zl", "Zp"})
_UNSEEN = frozenset({"Cf", "Co", "Cs"})
