"""A small grammar of whole utterances, written as data: how a skill claims words for certain.

A rule is a list of templates under keys; the first template that fits the whole text wins.

    "remind me {when} (to|about|) {text}"

Words stand for themselves, `(a|b|)` is a choice (the empty one means: or nothing), `{when}` is what
the rule `when` fits (as much as possible), `{from:place}` gives it a name of its own. Slots that
are not rules: `text` (one word or more, as few as possible), `label` (one to four words), `int`
(digits), `decimal` (2.5), `hm` (18:30). A rule must not begin with itself. Matching is exact and
deterministic; there is no guessing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MOST_TOKENS = 80
"""A longer utterance fits nothing: nobody says that much to ask for one thing."""
LABEL_WORDS = 4

_TOKEN = re.compile(r"\d{1,2}[:.]\d\d(?!\d)|\d+\.\d+|\d+(?:st|nd|rd|th)\b|\d+|[^\W\d_]['\w]*", re.I)
_HALF_DAY = re.compile(r"\b([ap])\.\s?m\b\.?", re.IGNORECASE)
_DIGITS = {
    "int": re.compile(r"[0-9]{1,6}"),
    "decimal": re.compile(r"[0-9]{1,6}\.[0-9]+"),
    "hm": re.compile(r"[0-9]{1,2}[:.][0-9]{2}"),
}
_SLOT = re.compile(r"\{(?:(?P<name>\w+):)?(?P<rule>\w+)\}")
_PIECE = re.compile(r"\{[^}]*\}|[(|)]|[^\s(){}|]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A word in lower case, and where it stands in the text as it was said."""

    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule fitted: the key of its template and what its slots hold."""

    key: str
    slots: Mapping[str, Found | str] = field(default_factory=dict[str, "Found | str"])

    def text(self, name: str) -> str:
        """The words of a slot, as they were said; empty where there is no such slot."""
        value = self.slots.get(name, "")
        return value if isinstance(value, str) else value.key

    def part(self, name: str) -> Found | None:
        value = self.slots.get(name)
        return value if isinstance(value, Found) else None


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    rule: str


@dataclass(frozen=True, slots=True)
class _Choice:
    options: tuple[tuple[_Part, ...], ...]


_Part = str | _Slot | _Choice
_Bound = dict[str, "Found | str"]


def tokens_of(text: str) -> tuple[str, list[Token]]:
    """The text with its apostrophes and half-days made plain, and its words."""
    plain = _HALF_DAY.sub(r"\1m", text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    found = [Token(m.group().lower(), *m.span()) for m in _TOKEN.finditer(plain)]
    return plain, found


class Grammar:
    """Rules, ready to be matched; read-only and shared."""

    def __init__(
        self, rules: Mapping[str, Mapping[str, Sequence[str]]], not_in_label: Sequence[str] = ()
    ) -> None:
        self.not_in_label = frozenset(not_in_label)
        self._rules: dict[str, list[tuple[str, tuple[_Part, ...]]]] = {
            name: [(key, _parse(text)) for key, texts in keyed.items() for text in texts]
            for name, keyed in rules.items()
        }
        known = {*self._rules, "text", "label", *_DIGITS}
        for name, templates in self._rules.items():
            for _, parts in templates:
                missing = set(_slots(parts)) - known
                if missing:
                    raise ValueError(f"the rule {name!r} has slots without rules: {missing}")

    def match(self, rule: str, text: str) -> Found | None:
        """What the rule makes of the whole text, or None."""
        plain, tokens = tokens_of(text)
        return Reading(self, plain, tokens).whole(rule, 0, len(tokens))

    def read(self, text: str) -> Reading:
        """For matching pieces of one text."""
        return Reading(self, *tokens_of(text))

    def templates(self, rule: str) -> list[tuple[str, tuple[_Part, ...]]] | None:
        return self._rules.get(rule)


class Reading:
    """One text being matched. Remembers what each rule fitted at each place."""

    def __init__(self, grammar: Grammar, text: str, tokens: list[Token]) -> None:
        self._grammar = grammar
        self._text = text
        self.tokens = tokens
        self._known: dict[tuple[str, int], list[tuple[int, Found]]] = {}

    def whole(self, rule: str, start: int, end: int) -> Found | None:
        """The first template of `rule` that fits exactly the tokens from `start` to `end`."""
        if not start < end or len(self.tokens) > MOST_TOKENS:
            return None
        for key, parts in self._grammar.templates(rule) or ():
            for stop, bound in self._parts(parts, 0, start, end):
                if stop == end:
                    return Found(key, bound)
        return None

    def prefix(self, rule: str, start: int, end: int) -> int:
        """Where the longest fit of `rule` that begins at `start` ends; `start` without one."""
        ends = [stop for stop, _ in self._rule(rule, start) if stop <= end]
        return max(ends, default=start)

    def said(self, start: int, end: int) -> str:
        """The words between two tokens, as they were said."""
        return self._text[self.tokens[start].start : self.tokens[end - 1].end]

    def _parts(
        self, parts: tuple[_Part, ...], index: int, at: int, end: int
    ) -> Iterator[tuple[int, _Bound]]:
        if index == len(parts):
            yield at, {}
            return
        match parts[index]:
            case str() as word:
                if at < end and self.tokens[at].word == word:
                    yield from self._parts(parts, index + 1, at + 1, end)
            case _Choice(options=options):
                for option in options:
                    yield from self._parts((*option, *parts[index + 1 :]), 0, at, end)
            case _Slot(name=name, rule=rule):
                for stop, value in self._slot(rule, at, end):
                    for last, bound in self._parts(parts, index + 1, stop, end):
                        yield last, {name: value, **bound}

    def _slot(self, rule: str, at: int, end: int) -> Iterator[tuple[int, Found | str]]:
        match rule:
            case "text":
                for stop in range(at + 1, end + 1):
                    yield stop, self.said(at, stop)
            case "label":
                for stop in range(at + 1, min(end, at + LABEL_WORDS) + 1):
                    if self.tokens[stop - 1].word in self._grammar.not_in_label:
                        return
                    yield stop, self.said(at, stop)
            case "int" | "decimal" | "hm":
                if at < end and _DIGITS[rule].fullmatch(self.tokens[at].word):
                    yield at + 1, self.tokens[at].word
            case _:
                for stop, found in self._rule(rule, at):
                    if stop <= end:
                        yield stop, found

    def _rule(self, rule: str, at: int) -> list[tuple[int, Found]]:
        """Every end that the rule can have from `at`, the farthest first, by its first template."""
        known = self._known.get((rule, at))
        if known is None:
            fits: dict[int, Found] = {}
            for key, parts in self._grammar.templates(rule) or ():
                for stop, bound in self._parts(parts, 0, at, len(self.tokens)):
                    if stop > at:
                        fits.setdefault(stop, Found(key, bound))
            known = self._known[rule, at] = sorted(
                fits.items(), key=lambda fit: fit[0], reverse=True
            )
        return known


def _parse(template: str) -> tuple[_Part, ...]:
    pieces = _PIECE.findall(template)
    parts, rest = _sequence(pieces, 0)
    if rest != len(pieces):
        raise ValueError(f"the template {template!r} has a bracket too many")
    return parts


def _sequence(pieces: list[str], at: int) -> tuple[tuple[_Part, ...], int]:
    parts: list[_Part] = []
    while at < len(pieces) and pieces[at] not in "|)":
        piece = pieces[at]
        if piece == "(":
            choice, at = _choice(pieces, at + 1)
            parts.append(choice)
            continue
        slot = _SLOT.fullmatch(piece)
        parts.append(piece if slot is None else _Slot(slot["name"] or slot["rule"], slot["rule"]))
        at += 1
    return tuple(parts), at


def _choice(pieces: list[str], at: int) -> tuple[_Choice, int]:
    options: list[tuple[_Part, ...]] = []
    while True:
        option, at = _sequence(pieces, at)
        options.append(option)
        if at == len(pieces):
            raise ValueError(f"a bracket is not closed in {' '.join(pieces)!r}")
        at += 1
        if pieces[at - 1] == ")":
            return _Choice(tuple(options)), at


def _slots(parts: tuple[_Part, ...]) -> Iterator[str]:
    for part in parts:
        match part:
            case _Slot(rule=rule):
                yield rule
            case _Choice(options=options):
                for option in options:
                    yield from _slots(option)
            case _:
                pass
