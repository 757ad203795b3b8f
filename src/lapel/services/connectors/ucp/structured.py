"""The part of Structured Fields (RFC 8941) that signatures need: dictionaries and inner lists."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

Bare = bool | int | str | bytes
"""Tokens and strings are both `str`: nothing here needs to tell them apart."""

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_BOOLEAN = re.compile(r"\?([01])")
_SPACES = re.compile(r" *")
_BLANKS = re.compile(r"[ \t]*")


class StructuredError(ValueError):
    """The text is not a structured field."""


@dataclass(frozen=True, slots=True)
class Item:
    value: Bare
    parameters: tuple[tuple[str, Bare], ...] = ()


@dataclass(frozen=True, slots=True)
class InnerList:
    items: tuple[Item, ...]
    parameters: tuple[tuple[str, Bare], ...] = field(default=())


def parse_dictionary(text: str) -> dict[str, Item | InnerList]:
    """The members by name; a name that comes twice keeps its last value, as the RFC says."""
    scanner = _Scanner(text)
    members: dict[str, Item | InnerList] = {}
    scanner.skip(_SPACES)
    while not scanner.at_end():
        key = scanner.need(_KEY, "a name").group()
        members.pop(key, None)
        members[key] = scanner.member() if scanner.take("=") else scanner.flag()
        scanner.skip(_BLANKS)
        if scanner.at_end():
            break
        scanner.expect(",")
        scanner.skip(_BLANKS)
        if scanner.at_end():
            raise StructuredError("a comma ends the dictionary")
    return members


def write_inner_list(value: InnerList) -> str:
    """The canonical text, which is what a signature covers."""
    items = " ".join(_write_bare(item.value) + _write(item.parameters) for item in value.items)
    return f"({items})" + _write(value.parameters)


def write_bytes(value: bytes) -> str:
    return f":{base64.b64encode(value).decode()}:"


def _write(parameters: tuple[tuple[str, Bare], ...]) -> str:
    return "".join(
        f";{name}" if value is True else f";{name}={_write_bare(value)}"
        for name, value in parameters
    )


def _write_bare(value: Bare) -> str:
    match value:
        case bool():
            return f"?{int(value)}"
        case int():
            return str(value)
        case bytes():
            return write_bytes(value)
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def take(self, letter: str) -> bool:
        if self._text.startswith(letter, self._at):
            self._at += 1
            return True
        return False

    def expect(self, letter: str) -> None:
        if not self.take(letter):
            raise StructuredError(f"expected {letter!r} at character {self._at}")

    def skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def need(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise StructuredError(f"expected {what} at character {self._at}")
        self._at = found.end()
        return found

    def member(self) -> Item | InnerList:
        if not self.take("("):
            return self.item()
        items: list[Item] = []
        while True:
            self.skip(_SPACES)
            if self.take(")"):
                return InnerList(tuple(items), self.parameters())
            if items and self._text[self._at - 1] != " ":
                raise StructuredError(f"expected a space at character {self._at}")
            items.append(self.item())

    def flag(self) -> Item:
        return Item(True, self.parameters())

    def item(self) -> Item:
        return Item(self.bare(), self.parameters())

    def parameters(self) -> tuple[tuple[str, Bare], ...]:
        found: dict[str, Bare] = {}
        while self.take(";"):
            self.skip(_SPACES)
            name = self.need(_KEY, "a parameter's name").group()
            found.pop(name, None)
            found[name] = self.bare() if self.take("=") else True
        return tuple(found.items())

    def bare(self) -> Bare:
        start = self._text[self._at : self._at + 1]
        if start == '"':
            text = self.need(_STRING, "a string").group(1)
            return re.sub(r"\\(.)", r"\1", text)
        if start == ":":
            return self._bytes()
        if start == "?":
            return self.need(_BOOLEAN, "a boolean").group(1) == "1"
        if start.isdigit() or start == "-":
            return int(self.need(_INTEGER, "an integer").group())
        return self.need(_TOKEN, "a value").group()

    def _bytes(self) -> bytes:
        text = self.need(_BYTES, "a byte sequence").group(1)
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise StructuredError(f"not base64 before character {self._at}") from error
