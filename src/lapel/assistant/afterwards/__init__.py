"""What is said after a failure: try again, another shop, the rest, another address; yes and no."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import msgspec

from lapel.assistant import words
from lapel.assistant.offers import OFFERED, failure_of, repeatable, way_of, without
from lapel.assistant.politeness import is_no, is_yes, plain
from lapel.assistant.skills import Outcome
from lapel.brain import Brain, Frame, Menu, Slot, Source, Understanding, Utterance
from lapel.commerce import Order, OrderDraft, OrderEvent, Orders, OrderState
from lapel.failures import Code, Way

__all__ = ["Afterwards", "Failed", "Wanted"]

KEPT_S = 1800.0
"""So long something that came to nothing can be taken up again by its name."""
FRESH_S = 120.0
"""So long yes, no and a bare name answer what was offered, if nothing else was said since."""
NOBODY_ELSE = "No other shop that is open has all of that. Nothing was ordered."
ALL_RIGHT = "All right."
_WHY = frozenset({"place_failed", "trouble", "merchant_canceled"})
_ENDED = frozenset(
    {
        OrderState.FAILED,
        OrderState.LAPSED,
        OrderState.REFUNDED,
        OrderState.CANCELED,
        OrderState.REFUSED,
    }
)

Wanted = Understanding | OrderDraft | Outcome
"""A cart to be priced, a draft to be asked about again, or an answer."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The order that came to nothing, and how it ended."""

    order: Order
    event: OrderEvent
    code: Code
    item: str

    @property
    def way(self) -> Way:
        return way_of(self.code, self.order.draft, self.item)


@lru_cache
def _phrases() -> dict[str, tuple[str, ...]]:
    data = tomllib.loads(files(__name__).joinpath("en.toml").read_text("utf-8"))
    return {name: tuple(sorted(found, key=len, reverse=True)) for name, found in data.items()}


def says(kind: str, text: str) -> bool:
    """Whether the words are one of the phrases of that kind."""
    return plain(text) in _phrases()[kind]


def why_of(history: Sequence[OrderEvent], event: OrderEvent) -> OrderEvent | None:
    """What came before `event` that says why the order came to nothing."""
    if event.kind != "refunded":
        return None
    before = [x for x in history if x.n < event.n and x.kind in _WHY]
    return before[-1] if before else None


class Afterwards:
    """One user's newest order, once it has come to nothing."""

    def __init__(self, user_id: str, orders: Orders) -> None:
        self._user_id = user_id
        self._orders = orders

    async def failed(self, now: float) -> Failed | None:
        """The newest order, if it ended in a failure not long ago."""
        found = await self._orders.list(self._user_id, limit=1)
        if not found or found[0].state not in _ENDED or found[0].draft.plan:
            return None
        history = await self._orders.history(found[0].id)
        last = next((x for x in reversed(history) if x.text), None)
        if last is None or now - last.at > KEPT_S:
            return None
        code = failure_of(last, why_of(history, last))
        return None if code is None else Failed(found[0], last, *code)

    async def hear(self, text: str, brain: Brain, now: float, heard_at: float) -> Wanted | None:
        """What the words want done about it; None for words about something else.

        `heard_at` is when the user spoke before this.
        """
        kinds = [kind for kind in ("again", "elsewhere", "rest", "fetch") if says(kind, text)]
        fresh_words = is_yes(text) or is_no(text) or _named(text, brain) is not None
        if not kinds and not fresh_words:
            return None
        failed = await self.failed(now)
        if failed is None:
            return None
        fresh = heard_at < failed.event.at and now - failed.event.at < FRESH_S
        offered = fresh and failed.event.kind in OFFERED
        if kinds:
            return self.do(kinds[0], failed, brain)
        if not offered:
            return None
        if is_no(text):
            return Outcome(ALL_RIGHT)
        if is_yes(text):
            return self.do(failed.way.value, failed, brain)
        return self._renamed(text, failed, brain)

    async def pressed(self, topic: str, action: str, brain: Brain, now: float) -> Wanted | None:
        """A button of the card of an order that came to nothing."""
        failed = await self.failed(now)
        if failed is None or topic != f"order:{failed.order.id}":
            return None
        return self.do(action, failed, brain)

    def do(self, kind: str, failed: Failed, brain: Brain) -> Wanted | None:
        """`kind` is an action of a button, a kind of phrase, or a way; None for others."""
        draft = failed.order.draft
        match kind:
            case "again" | "bank" | "limit":
                return self._again(failed.order, brain) if repeatable(draft) else None
            case "elsewhere":
                return self._elsewhere(failed.order, brain) if draft.is_cart else None
            case "rest":
                rest = without(draft, failed.item)
                return self._the_same(rest, failed.order, brain) if rest.lines else None
            case "fetch":
                return self._moved("", failed, brain)
            case _:
                return None

    def _again(self, order: Order, brain: Brain) -> Wanted:
        return self._the_same(order.draft, order, brain)

    def _the_same(self, draft: OrderDraft, order: Order, brain: Brain) -> Wanted:
        """The cart in the talk again, so that it can be changed; else the draft as it was."""
        fresh = msgspec.structs.replace(draft, cart_id="", hold_id="")
        if draft.is_cart and not (draft.codes or draft.fastest):
            menu = next((x for x in brain.menus if x.merchant_id == draft.merchant_id), None)
            found = None if menu is None else _restated(draft, menu, _label(draft), brain)
            if found is not None and _same_options(found, draft):
                return found
        return fresh

    def _elsewhere(self, order: Order, brain: Brain) -> Wanted:
        draft = order.draft
        for menu in brain.menus:
            if menu.merchant_id == draft.merchant_id or not menu.open_now:
                continue
            found = _restated(draft, menu, _label(draft), brain)
            if found is not None:
                return found
        return Outcome(NOBODY_ELSE)

    def _moved(self, label: str, failed: Failed, brain: Brain) -> Wanted | None:
        """The same, brought to another place or fetched."""
        draft = failed.order.draft
        menu = next((x for x in brain.menus if x.merchant_id == draft.merchant_id), None)
        if menu is None or failed.way is not Way.PLACE:
            return None
        return _restated(draft, menu, label, brain)

    def _renamed(self, text: str, failed: Failed, brain: Brain) -> Wanted | None:
        """Another shop or another address by its name."""
        named = _named(text, brain)
        draft = failed.order.draft
        if named is None or not draft.is_cart:
            return None
        if isinstance(named, str):
            return self._moved(named, failed, brain)
        found = _restated(draft, named, _label(draft), brain)
        return found or Outcome(
            f"{named.merchant_name} does not have all of that. Nothing was ordered."
        )


def _named(text: str, brain: Brain) -> Menu | str | None:
    """The shop, or the label of the address, that is all that is named."""
    said = plain(text)
    for lead in ("", *(f"{x} " for x in _phrases()["shop"])):
        name = said.removeprefix(lead) if said.startswith(lead) else ""
        for menu in brain.menus:
            if name and name in (x.lower() for x in (menu.merchant_name, *menu.aliases)):
                return menu
    for lead in (*(f"{x} " for x in _phrases()["place"]), ""):
        if said.startswith(lead):
            label = brain.address_called(said.removeprefix(lead))
            if label is not None:
                return label
    return None


def _label(draft: OrderDraft) -> str:
    return "" if draft.pickup else draft.address.label


def _restated(draft: OrderDraft, menu: Menu, label: str, brain: Brain) -> Understanding | None:
    """The cart as the brain understands it at that shop; None unless that is all of it.

    It goes to the address with this label; without one it is fetched.
    """
    text = f"{words.cart(draft.lines)} from {menu.merchant_name}"
    found = brain.understand(Utterance(text, Source.TYPED), Frame())
    address = found.question is None or found.question.slot is Slot.ADDRESS
    frame = replace(found.frame, address=label or None, pickup=not label, question=None)
    found = replace(found, frame=frame, question=None)
    whole = (
        found.is_order
        and address
        and not found.unknown
        and frame.merchant_id == menu.merchant_id
        and sorted(x.quantity for x in frame.lines) == sorted(x.quantity for x in draft.lines)
    )
    return found if whole else None


def _same_options(found: Understanding, draft: OrderDraft) -> bool:
    """Whether it is the very cart: the same things with the same options chosen."""

    def wanted(item: str, chosen: set[str]) -> tuple[str, tuple[str, ...]]:
        return item, tuple(sorted(chosen))

    had = sorted(wanted(x.item_id, set(x.options)) for x in draft.lines)
    lines = found.frame.lines
    now = sorted(wanted(x.item_id, {v for _, vs in x.options for v in vs}) for x in lines)
    return all(
        item == other and set(chosen) <= set(known)
        for (item, chosen), (other, known) in zip(now, had, strict=True)
    )
