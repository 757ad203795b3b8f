"""Ordering again what was had before: which order is meant, and what of it there is today."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lapel.brain import CartLine, Frame, Menu, MenuItem, Reorder, ReorderPhrases, Which
from lapel.commerce import DraftLine, Order, OrderDraft, Orders, OrderState

LOOKED_AT = 50
"""Earlier orders in which the usual is looked for."""
_HAD = frozenset({OrderState.PLACED, OrderState.DELIVERED})
NOTHING_YET = "You have not ordered anything yet, so I do not know what you usually have."


@dataclass(frozen=True, slots=True)
class Again:
    """`frame` is the cart to price, or `text` says why there is none; `notes` tell what is gone."""

    frame: Frame | None = None
    text: str = ""
    notes: tuple[str, ...] = ()


class Usual:
    """One user's earlier orders as something to ask for."""

    def __init__(self, user_id: str, orders: Orders, phrases: ReorderPhrases) -> None:
        self._user_id = user_id
        self._orders = orders
        self._phrases = phrases

    async def hear(
        self, text: str, menus: Sequence[Menu], place: Callable[[str], str | None]
    ) -> Again | None:
        """What the words ask to have again; None when they do not, or name what was never had.

        `place` finds one of the user's own address labels by what they call it.
        """
        wish = self._phrases.read(text)
        if wish is None:
            return None
        had = [
            order
            for order in await self._orders.list(self._user_id, LOOKED_AT)
            if order.state in _HAD and order.draft.lines and order.draft.is_cart
        ]
        if not had:
            return Again(text=NOTHING_YET)
        by_id = {menu.merchant_id: menu for menu in menus}
        meant = [order for order in had if _fits(order, wish, by_id.get(order.merchant_id))]
        if not meant:
            # "The usual suspects" is no order; a shop that was named is worth an answer.
            return Again(text=f"You have not ordered from {wish.shop} yet.") if wish.shop else None
        label = place(wish.place) if wish.place else None
        if wish.place and label is None:
            return Again(text=f"I do not know where {wish.place} is.")
        draft = _chosen(meant, wish.which)
        had_at = "" if draft.pickup else draft.address.label
        return _today(draft, label or had_at, menus, text)


def _fits(order: Order, wish: Reorder, menu: Menu | None) -> bool:
    names = (order.merchant_name, *((menu.merchant_name, *menu.aliases) if menu else ()))
    if wish.shop and not any(wish.shop in name.lower() for name in names):
        return False
    if not wish.what:
        return True
    known = {item.id: item for item in menu.items} if menu else {}
    wanted = {wish.what, wish.what.removesuffix("s")}
    named = [line.title.lower() for line in order.draft.lines]
    named += [
        known[line.item_id].category.lower() for line in order.draft.lines if line.item_id in known
    ]
    return any(want in name for want in wanted for name in named)


def _chosen(had: Sequence[Order], which: Which) -> OrderDraft:
    """The newest, or the cart ordered most often; of two as frequent the newer."""
    if which is Which.LAST:
        return had[0].draft
    counts = Counter(_cart(order.draft) for order in had)
    most = max(counts.values())
    return next(order.draft for order in had if counts[_cart(order.draft)] == most)


def _cart(draft: OrderDraft) -> tuple[str, tuple[tuple[str, int, tuple[str, ...], str], ...]]:
    lines = ((x.item_id, x.quantity, tuple(sorted(x.options)), x.note) for x in draft.lines)
    return draft.merchant_id, tuple(sorted(lines))


def _today(draft: OrderDraft, label: str, menus: Sequence[Menu], said: str) -> Again:
    """The cart as far as the shop has it now; without a label the user fetches it again."""
    menu = next((menu for menu in menus if menu.merchant_id == draft.merchant_id), None)
    if menu is None:
        return Again(text="The shop that you had it from cannot be reached now.")
    if not menu.open_now:
        return Again(text=f"{menu.merchant_name} is closed. {menu.opens_text}".strip())
    items = {item.id: item for item in menu.items}
    lines: list[CartLine] = []
    missing: list[str] = []
    for wanted in draft.lines:
        item = items.get(wanted.item_id)
        line = _line(wanted, item) if item is not None and item.available else None
        if line is None:
            missing.append(f"There is no {wanted.title} with all that you had, today.")
        else:
            lines.append(line)
    if not lines:
        return Again(text=" ".join(missing))
    fetched = not label
    frame = Frame(menu.merchant_id, tuple(lines), label or None, said=(said,), pickup=fetched)
    return Again(frame, notes=tuple(missing))


def _line(wanted: DraftLine, item: MenuItem) -> CartLine | None:
    """The line with its options; None when one of them is not to be had any more."""
    chosen: dict[str, tuple[str, ...]] = {}
    left = set(wanted.options)
    for group in item.groups:
        values = tuple(v.id for v in group.values if v.id in left and v.available)
        if values:
            chosen[group.id] = values
            left -= set(values)
        elif group.required and group.default is None:
            return None
    if left:
        return None
    options = tuple(sorted(chosen.items()))
    return CartLine(wanted.item_id, wanted.quantity, options, wanted.note)
