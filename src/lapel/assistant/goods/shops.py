"""The dialogue about things from stores: found, compared, ordered, sent back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from lapel.assistant.goods import shop_cues, shop_grammar
from lapel.assistant.goods.shop_cues import Clock
from lapel.assistant.goods.shop_grammar import Compare, Find, Pick, Return
from lapel.assistant.goods.tools import SHOP_TOOLS
from lapel.assistant.ordering import (
    NOT_ORDERED,
    Costless,
    Ordering,
    PlacesPort,
    default_place,
    pressed,
    told,
)
from lapel.assistant.politeness import is_no, is_yes
from lapel.assistant.skills import Heard, Outcome
from lapel.brain import Menu, MenuItem
from lapel.brain.tools import Tool
from lapel.commerce import (
    Address,
    DraftLine,
    Money,
    Order,
    OrderDraft,
    Orders,
    OrderState,
    ReturnLine,
    SendBack,
)
from lapel.services.goods import Offer, Ranked, ReturnOffer, rank
from lapel.services.goods.matching import words
from lapel.services.goods.ranking import Wish

KEPT_S = 300.0
"""Offers older than this are asked for again before one is taken."""
KIND = "goods"
LOOKED_AT = 50
COSTLESS = Costless("The shops do not answer.", "Nothing was ordered.")


class ShoppingPort(Protocol):
    """What the skill needs of `services.goods.Shopping`."""

    async def search(self, text: str, to: Address | None) -> list[Offer]: ...
    async def returnable(self, merchant_id: str, order_id: str) -> ReturnOffer: ...


Menus = Callable[[], Awaitable[Sequence[Menu]]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found last, best first."""

    at: float
    offers: tuple[Offer, ...]
    ranked: tuple[Ranked, ...]
    wish: Wish
    said: str


@dataclass(frozen=True, slots=True)
class _SendBack:
    """A return that waits for its yes."""

    at: float
    order: Order
    wanted: SendBack


@dataclass(slots=True)
class ShopSkill:
    """One user's dealings with stores; implements `Skill`."""

    user_id: str
    orders: Orders
    shopping: ShoppingPort
    menus: Menus
    places: PlacesPort
    zone: ZoneInfo
    _found: _Found | None = None
    _back: _SendBack | None = None
    _serial: int = 0
    _ordering: Ordering = field(init=False)

    def __post_init__(self) -> None:
        self._ordering = Ordering(
            self.user_id, self.orders, lambda x: x.kind == KIND, waits=NOT_ORDERED
        )

    def lists(self, at: float) -> bool:
        """Whether offers are shown of which one may still be meant."""
        return self._found is not None and at - self._found.at <= KEPT_S

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a search that finds something, and what is said about what was found."""
        text = heard.words.text
        if self._found is not None and heard.at - self._found.at > KEPT_S:
            self._found = None
        if self._back is not None and heard.at - self._back.at > KEPT_S:
            self._back = None
        return await told(self._heard(text, heard), COSTLESS)

    async def _heard(self, text: str, heard: Heard) -> Outcome | None:
        if self._back is not None and (is_yes(text) or is_no(text)):
            return await self._settle_return(self._back, accept=is_yes(text))
        match shop_grammar.read(text):
            case Find() as wish:
                return await self._find(wish, heard)
            case Compare() if self._found is not None:
                return self._show(self._found)
            case Pick() as pick if self._found is not None and not heard.cart_open:
                return await self._pick(pick, self._found, heard)
            case Return(what=what):
                return await self._ask_return(what, heard)
            case _:
                return await self._ordering.about_waiting(heard)

    async def undo(self, turn: int) -> None:
        """Drop the order that this turn began; one that is paid for already stays."""
        await self._ordering.undo(turn)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """An offer was chosen on its card, or a return agreed to."""
        kind, _, rest = action.partition(":")
        if kind == "return" and self._back is not None:
            return await self._settle_return(self._back, accept=rest == "yes")
        row, found = pressed(action, "shop", self._serial), self._found
        if row is None:
            return None
        if found is None or not 0 <= row < len(found.ranked):
            return Outcome("Those offers are out of date. Ask me again.")
        return await told(self._take(found.ranked[row], found, None), COSTLESS)

    def tools(self) -> Sequence[Tool]:
        return SHOP_TOOLS

    def hints(self) -> Sequence[str]:
        return ("compare", "cheapest", "find me", "return")

    # Finding. -------------------------------------------------------------------------------------

    async def _find(self, wish: Find, heard: Heard) -> Outcome | None:
        """None where nothing is found: somebody else may know what is meant."""
        offers = await self._of_food(wish.what) if wish.compare else []
        if not offers:
            offers = await self.shopping.search(
                wish.what, await default_place(self.places, or_first=True)
            )
        if not offers:
            return Outcome(f"No shop has {wish.what}.") if wish.compare else None
        order: Wish = "fastest" if wish.fastest else "cheapest"
        ranked = rank(offers, order)
        self._serial += 1
        self._found = _Found(heard.at, tuple(offers), tuple(ranked), order, heard.words.text)
        return self._show(self._found)

    def _show(self, found: _Found) -> Outcome:
        when = Clock(found.at, self.zone)
        return Outcome(
            shop_cues.offers_text(found.ranked, found.wish, when),
            shop_cues.offers_card(found.ranked, found.wish, self._serial, when),
        )

    async def _of_food(self, what: str) -> list[Offer]:
        """The same dish at the shops that are open; what a courier costs is known when priced."""
        wanted = set(words(what))
        found: list[Offer] = []
        for menu in await self.menus():
            for item in menu.items if menu.open_now else ():
                names = [set(words(name)) for name in (item.title, *item.aliases, item.category)]
                options = _options(item)
                if item.available and options is not None and any(wanted <= x for x in names):
                    found.append(
                        Offer(
                            menu.merchant_id, menu.merchant_name, item.id, item.title, item.price,
                            options=options,
                        )
                    )  # fmt: skip
        return found

    # Ordering. ------------------------------------------------------------------------------------

    async def _pick(self, pick: Pick, found: _Found, heard: Heard) -> Outcome | None:
        ranked = _picked(pick, found, Clock(found.at, self.zone))
        if ranked is None:
            return Outcome("I have no such offer. Say, for example: the first one.")
        return await self._take(ranked, found, heard)

    async def _take(self, ranked: Ranked, found: _Found, heard: Heard | None) -> Outcome:
        address = await default_place(self.places, or_first=True)
        if address is None:
            return Outcome("Where should it go? Save an address first.")
        offer = ranked.offer
        cheapest = rank([offer])[0].way
        draft = OrderDraft(
            merchant_id=offer.merchant_id,
            lines=(DraftLine(offer.item_id, offer.title, 1, offer.options),),
            address=address,
            said=found.said,
            fastest=ranked.way != cheapest,
            kind=KIND,
        )
        return await self._ordering.begin(draft, heard)

    # Sending back. --------------------------------------------------------------------------------

    async def _ask_return(self, what: str, heard: Heard) -> Outcome | None:
        found = await self._bought(what)
        if found is None:
            return None
        order, title = found
        if order.state is not OrderState.DELIVERED:
            return Outcome(f"{title} is not there yet. It can be sent back once it is.")
        offer = await self.shopping.returnable(order.merchant_id, order.merchant_order_id)
        named = set(words(title))
        lines = [x for x in offer.lines if set(words(x[1])) == named] or [
            x for x in offer.lines if named <= set(words(x[1]))
        ]
        if not lines:
            return Outcome(f"{title} is on its way back already.")
        line_id, title, count, unit = lines[0]
        worth = Money(max(0, unit.minor * count - offer.fee.minor), unit.currency)
        wanted = SendBack((ReturnLine(line_id, count),), offer.fee, title)
        self._back = _SendBack(heard.at, order, wanted)
        text = shop_cues.return_question(
            offer, title, order.merchant_name, worth, _date(offer.until)
        )
        return Outcome(text, shop_cues.return_card(text, order.merchant_name))

    async def _settle_return(self, back: _SendBack, *, accept: bool) -> Outcome:
        self._back = None
        if not accept:
            return Outcome("All right, you keep it.")
        await self.orders.ask(back.order.id, back.wanted)
        return Outcome(f"I am telling {back.order.merchant_name}.")

    async def _bought(self, what: str) -> tuple[Order, str] | None:
        """The newest order of something by that name."""
        wanted = set(words(what))
        for order in await self.orders.list(self.user_id, LOOKED_AT):
            if order.draft.kind != KIND or not order.merchant_order_id:
                continue
            for line in order.draft.lines:
                if wanted and wanted <= set(words(line.title)):
                    return order, line.title
        return None


def _picked(pick: Pick, found: _Found, when: Clock) -> Ranked | None:
    match pick.how:
        case int(index):
            return found.ranked[index] if index < len(found.ranked) else None
        case "shop":
            wanted = set(words(pick.shop))
            return next(
                (x for x in found.ranked if wanted <= set(words(x.offer.merchant_name))), None
            )
        case "cheapest":
            return rank(found.offers)[0]
        case "fastest":
            return rank(found.offers, "fastest")[0]
        case _:
            fast = [
                x
                for x in rank(found.offers, "fastest")
                if x.minutes is not None and when.days(x.minutes) == 0
            ]
            return min(fast, key=lambda x: (x.total.minor, x.minutes or 0), default=None)


def _options(item: MenuItem) -> tuple[str, ...] | None:
    """The choices that a dish comes with by itself; None where one has to be made."""
    chosen: list[str] = []
    for group in item.groups:
        if group.default is not None:
            chosen.append(group.default)
        elif group.required:
            return None
    return tuple(chosen)


def _date(until: str) -> str:
    try:
        day = datetime.fromisoformat(until)
    except ValueError:
        return ""
    return f"{day.day} {day:%B}"
