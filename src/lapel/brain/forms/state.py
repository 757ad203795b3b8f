"""One way to understand the words so far: what the search for the cheapest reading keeps."""

from __future__ import annotations

from lapel.brain.forms.orders import Said


class Link:
    """A list that shares its beginning with others."""

    __slots__ = ("before", "item")

    def __init__(self, item: object, before: Link | None) -> None:
        self.item = item
        self.before = before


def items_of(link: Link | None) -> list[object]:
    found: list[object] = []
    while link is not None:
        found.append(link.item)
        link = link.before
    return found[::-1]


def repeats(before: object, said: Said) -> bool:
    """Whether a value only says again, or less exactly, what was just said."""
    if not isinstance(before, Said) or said.slot != before.slot or said.amount:
        return False
    return set(before.values) <= set(said.values) and before.negative == said.negative


def told(items: list[object], named_at: int) -> tuple[Said, ...]:
    """What was said, without what stood before the name and was said again more exactly."""
    said = [item for item in items if isinstance(item, Said)]
    return tuple(
        item
        for at, item in enumerate(said)
        if at >= named_at
        or len(item.values) == 1
        or not any(x.slot == item.slot and set(x.values) < set(item.values) for x in said[at:])
    )


class State:
    """One way to understand the words so far.

    `forms` are those that the current order can still be, `filled` its slots of one value, `nouns`
    how often it was named (by token span `noun` at last), `core` whether a value names it. Pending
    are `count` (with `weak` for an article), `refused`, `amount` (from token `opens` on). `join` is
    how what follows is joined: "open" after a request, "and", "with", "not", "" for nothing at all.
    `at` is the token that is being read, `unknown` those that mean nothing, `talk` how many phrases
    no order is made of.
    """

    __slots__ = (
        "amount", "at", "content", "core", "cost", "count", "definite", "done", "each", "filled",
        "forms", "join", "last", "named_at", "noun", "nouns", "number", "opens", "refused", "said",
        "shared", "talk", "unknown", "weak",
    )  # fmt: skip

    def __init__(self) -> None:
        self.cost = 0.0
        self.forms = -1
        self.filled = 0
        self.number = 0
        self.nouns = 0
        self.core = False
        self.content = 0
        self.count = 0
        self.weak = False
        self.refused = False
        self.amount = ""
        self.join = "open"
        self.shared = False
        self.each = False
        self.definite = False
        self.last = -1
        self.named_at = 0
        self.at = 0
        self.opens = 0
        self.noun: tuple[int, int] | None = None
        self.unknown: Link | None = None
        self.talk = 0
        self.said: Link | None = None
        self.done: Link | None = None

    def copy(self, cost: float) -> State:
        """The same, dearer."""
        other = State.__new__(State)
        other.cost = self.cost + cost
        other.forms = self.forms
        other.filled = self.filled
        other.number = self.number
        other.nouns = self.nouns
        other.core = self.core
        other.content = self.content
        other.count = self.count
        other.weak = self.weak
        other.refused = self.refused
        other.amount = self.amount
        other.join = self.join
        other.shared = self.shared
        other.each = self.each
        other.definite = self.definite
        other.last = self.last
        other.named_at = self.named_at
        other.at = self.at
        other.opens = self.opens
        other.noun = self.noun
        other.unknown = self.unknown
        other.talk = self.talk
        other.said = self.said
        other.done = self.done
        return other

    def key(self) -> tuple[object, ...]:
        return (
            self.forms, self.filled, self.number, self.nouns, self.core, min(self.content, 2),
            self.count, self.weak, self.refused, self.amount, self.join, self.shared, self.definite,
            self.last, self.each,
        )  # fmt: skip

    @property
    def empty(self) -> bool:
        return not self.content and not self.nouns
