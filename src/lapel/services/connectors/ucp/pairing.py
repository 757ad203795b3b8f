"""Which line of a merchant's cart is which line of the draft."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lapel.commerce.checkout import DraftLine
from lapel.commerce.ports import Nonsense
from lapel.services.connectors.ucp.requests import AskedLine
from lapel.services.connectors.ucp.wire.checkout import LineEntry

Defaults = Callable[[str], frozenset[str] | None]
"""An item's default modifiers, which a merchant may fill in; None where the menu is not known."""

_Key = tuple[str, frozenset[str], str]


def pair(
    lines: Sequence[LineEntry], asked: Sequence[AskedLine], defaults: Defaults
) -> tuple[DraftLine | None, ...]:
    """The draft's line for each line, None for one that was not asked in that quantity.

    A merchant may join or split lines of the same thing, and fill in defaults; nothing else.
    """
    wanted = _merged((_asked_key(line), line.quantity) for line in asked)
    drafts = {_asked_key(line): line.draft for line in asked}
    found: dict[_Key, DraftLine] = {}
    # What has most modifiers chooses first, so that the most exact demand is met first.
    offered = _merged((_key(line), line.quantity) for line in lines)
    for key in sorted(offered, key=lambda key: (-len(key[1]), key not in wanted)):
        match = _match(key, offered[key], wanted, defaults(key[0]))
        if match is not None:
            del wanted[match]
            found[key] = drafts[match]
    return tuple(found.get(_key(line)) for line in lines)


def check(
    lines: Sequence[LineEntry], asked: Sequence[AskedLine], defaults: Defaults
) -> tuple[DraftLine, ...]:
    """The cart is what was asked, no more and no less; Nonsense (`cart_changed`) otherwise."""
    pairs: list[DraftLine] = []
    for line, draft in zip(lines, pair(lines, asked, defaults), strict=True):
        if draft is None:
            raise Nonsense(
                f"the merchant's cart holds {line.quantity} of {line.item.id!r}, not asked so",
                code="cart_changed",
            )
        pairs.append(draft)
    if sum(line.quantity for line in lines) != sum(line.quantity for line in asked):
        raise Nonsense("the merchant left something out of the cart", code="cart_changed")
    return tuple(pairs)


def _match(
    key: _Key, quantity: int, wanted: dict[_Key, int], defaults: frozenset[str] | None
) -> _Key | None:
    item_id, modifiers, note = key
    fitting = [
        other
        for other, wanted_quantity in wanted.items()
        if (other[0], other[2], wanted_quantity) == (item_id, note, quantity)
        and other[1] <= modifiers
        and (defaults is None or modifiers - other[1] <= defaults)
    ]
    return max(fitting, key=lambda other: len(other[1]), default=None)


def _merged(lines: Iterable[tuple[_Key, int]]) -> dict[_Key, int]:
    found: dict[_Key, int] = {}
    for key, quantity in lines:
        found[key] = found.get(key, 0) + quantity
    return found


def _asked_key(line: AskedLine) -> _Key:
    return line.item_id, line.modifiers, line.note


def _key(line: LineEntry) -> _Key:
    return line.item.id, frozenset(line.modifiers or ()), " ".join((line.note or "").split())
