"""The skill that looks back: what was spent, what was ordered, and what was the last thing."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from lapel.assistant import words
from lapel.assistant.grammar import Grammar
from lapel.assistant.history.periods import Period, bounds
from lapel.assistant.ordering import sentence
from lapel.assistant.politeness import whole
from lapel.assistant.skills import Heard, Outcome
from lapel.assistant.words import joined
from lapel.commerce import Books, Money, Order, Orders, OrderState, Spent, spoken, times
from lapel.devices import Card, CardLine

LOOKED_AT = 200
"""So many of the newest orders are looked through."""
_SHOWN = 8
_SAID = 3
_TAKEN = frozenset({OrderState.PLACED, OrderState.DELIVERED})
_AT_HAND = ("how much did i spend", "this week", "this month", "my last order")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked: `spent`, `bought` or `last`."""

    name: str
    period: Period
    shop: str = ""


@lru_cache
def _language() -> tuple[Grammar, frozenset[str]]:
    data = tomllib.loads(files(__package__ or "").joinpath("en.toml").read_text("utf-8"))
    around = data["words"]
    return Grammar(data["rules"], around["not_in_label"]), frozenset(around["strip"])


def wish_of(text: str) -> Wish | None:
    """What the whole of `text` asks of the past; None when it asks something else."""
    grammar, stripped = _language()
    found = whole(grammar.read(text), "command")
    if found is None:
        return None
    said = found.part("period")
    if said is not None:
        period = Period(said.key, int(said.text("n") or 0))
    else:
        period = Period("this_month" if found.key == "spent" else "month")
    shop = found.text("shop").split()
    while shop and shop[0].lower() in stripped:
        shop.pop(0)
    return Wish(found.key, period, " ".join(shop))


class HistorySkill:
    """One user's. Implements `Skill`. It only reads."""

    def __init__(
        self,
        user_id: str,
        orders: Orders,
        books: Books,
        zone: ZoneInfo,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._user_id = user_id
        self._orders = orders
        self._books = books
        self._zone = zone
        self._clock = clock

    async def hear(self, heard: Heard) -> Outcome | None:
        """Answer a question about what was; everything else is left to others."""
        wish = wish_of(heard.words.text)
        match wish:
            case None:
                return None
            case Wish(name="spent"):
                return await self._spent(wish)
            case Wish(name="bought"):
                return await self._bought(wish)
            case _:
                return await self._last()

    async def undo(self, turn: int) -> None:
        """Nothing was done."""

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """It has no buttons."""
        return None

    def hints(self) -> Sequence[str]:
        return _AT_HAND

    async def _spent(self, wish: Wish) -> Outcome:
        since, until = bounds(wish.period, self._clock(), self._zone)
        rows = await self._books.spent(self._user_id, since, until)
        shop = wish.shop.lower()
        rows = [row for row in rows if shop in row.payee.lower()] if shop else rows
        at = f" at {rows[0].payee if rows else wish.shop}" if shop else ""
        if not rows:
            return Outcome(f"You have spent nothing{at} {wish.period.said}.")
        totals = _sums(rows)
        text = f"You have spent {joined([spoken(x) for x in totals])}{at} {wish.period.said}."
        if len({row.payee for row in rows}) > 1 and not shop:
            most = [f"{spoken(row.amount)} at {row.payee}" for row in rows[:_SAID]]
            text += sentence(f" {'Most of it: ' if len(rows) > _SAID else ''}{joined(most)}")
        card = Card(
            f"Spent {wish.period.said}",
            tuple(CardLine(row.payee, str(row.amount)) for row in rows[:_SHOWN]),
            " + ".join(str(total) for total in totals),
            body=_more(len(rows)),
        )
        return Outcome(text, card)

    async def _bought(self, wish: Wish) -> Outcome:
        since, until = bounds(wish.period, self._clock(), self._zone)
        found = [order for order in await self._taken() if since <= order.created_at < until]
        if not found:
            return Outcome(f"You have ordered nothing {wish.period.said}.")
        told = [f"{_what(order)} at {order.merchant_name}" for order in found[:_SAID]]
        more = len(found) - _SAID
        if more > 0:
            told.append(f"{more} more")
        lines = tuple(self._line(order) for order in found[:_SHOWN])
        text = f"You have ordered {joined(told)}, {wish.period.said}."
        return Outcome(text, Card(f"Orders {wish.period.said}", lines, body=_more(len(found))))

    async def _last(self) -> Outcome:
        found = await self._taken()
        if not found:
            return Outcome("You have not ordered anything yet.")
        order = found[0]
        when = self._day(order.created_at)
        cost = f" for {spoken(order.total)}" if order.total else ""
        text = f"Your last order was {_what(order)} at {order.merchant_name}{cost}, {when}."
        return Outcome(text, Card("Your last order", (self._line(order),)))

    async def _taken(self) -> list[Order]:
        orders = await self._orders.list(self._user_id, LOOKED_AT)
        return [order for order in orders if order.state in _TAKEN]

    def _line(self, order: Order) -> CardLine:
        cost = "" if order.total is None else str(order.total)
        what = f"{self._day(order.created_at)}: {_what(order)}, {order.merchant_name}"
        return CardLine(what[0].upper() + what[1:], cost)

    def _day(self, at: float) -> str:
        local, now = (datetime.fromtimestamp(x, self._zone) for x in (at, self._clock()))
        days = (now.date() - local.date()).days
        if days < 2:
            return f"{'yesterday' if days else 'today'} at {times.clock(local)}"
        return f"on {times.day(local)}" + ("" if days < 300 else f" {local.year}")


def _what(order: Order) -> str:
    return words.cart(order.draft.lines)


def _sums(rows: Sequence[Spent]) -> list[Money]:
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.amount.currency] = totals.get(row.amount.currency, 0) + row.amount.minor
    return [Money(minor, currency) for currency, minor in totals.items()]


def _more(count: int) -> str:
    return f"And {count - _SHOWN} more in the console." if count > _SHOWN else ""
