"""What a grocer brings: what it weighs, what stands in for what is missing, what it all costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from city.clock import stamp_utc
from city.faults import chance
from city.shelves import Shelf
from city.shops import Dish, Shop
from city.store import Transaction
from city.ucp.quote import Json, cost_of, most_grams

LIGHTEST, HEAVIEST = 0.93, 1.10
"""What is weighed comes to so much of what was asked; never more than the tenth above it."""
_STEP_G = 5


class _Total(msgspec.Struct):
    type: str
    amount: int


class _Item(msgspec.Struct):
    id: str
    title: str
    price: int


class _Terms(msgspec.Struct, frozen=True):
    """The member `groceries` of a line that was bought."""

    substitution: str = "none"
    substitution_max: int | None = None
    unit_price: int = 0
    grams: int = 0
    max_grams: int = 0


class OrderedLine(msgspec.Struct):
    """A line as it was bought."""

    id: str
    item: _Item
    quantity: int
    totals: list[_Total]
    groceries: _Terms = _Terms()

    @property
    def most(self) -> int:
        """The most that something else in its place may cost."""
        total = _amount(self.totals, "total")
        limit = self.groceries.substitution_max
        return total if limit is None else min(limit, total)


@dataclass(frozen=True, slots=True)
class Pick:
    """A line that was not on the shelf. `item` is brought instead, `offered` was asked about."""

    line_id: str
    item: str | None
    offered: str | None
    until_s: float | None
    answer: bool | None

    @property
    def is_open(self) -> bool:
        return self.until_s is not None and self.answer is None

    def waits(self, real_s: float) -> bool:
        """Whether an answer still counts at this moment."""
        return self.answer is None and self.until_s is not None and real_s < self.until_s


def lines_of(shown: Sequence[Json]) -> list[OrderedLine]:
    return msgspec.convert(list(shown), list[OrderedLine])


def picks_of(tx: Transaction, order_id: str) -> dict[str, Pick]:
    rows = tx.execute(
        "SELECT line_id, item, offered, until_s, answer FROM picks WHERE order_id = ?", (order_id,)
    ).fetchall()
    return {
        row[0]: Pick(row[0], row[1], row[2], row[3], None if row[4] is None else bool(row[4]))
        for row in rows
    }


def alike(line: OrderedLine, shelf: Shelf) -> Dish | None:
    """What comes nearest to it in price, of the same kind, and costs no more than may be."""
    missing = shelf.shop.dish(line.item.id)
    if missing is None:
        return None
    fitting = [
        dish
        for dish in shelf.shop.dishes.values()
        if dish.like == missing.like
        and dish.id != missing.id
        and not dish.age
        and shelf.left(dish) != 0
        and 0 < instead_cost(line, dish, shelf.price(dish)) <= line.most
    ]
    near = _amount(line.totals, "total")
    return min(
        fitting,
        key=lambda dish: (near - instead_cost(line, dish, shelf.price(dish)), dish.id),
        default=None,
    )


def instead_cost(line: OrderedLine, dish: Dish, price: int) -> int:
    """What `dish` costs in the place of the line: as many of it, or as much by weight."""
    if dish.kilo:
        return cost_of(price, line.groceries.grams or dish.piece_g * line.quantity)
    return price * (1 if line.groceries.grams else line.quantity)


def questions(tx: Transaction, order_id: str, shown: Sequence[Json], shop: Shop) -> list[Json]:
    """What the buyer is asked now, with what would be brought and what all of it would cost."""
    lines = {line.id: line for line in lines_of(shown)}
    asked: list[Json] = []
    for pick in picks_of(tx, order_id).values():
        dish = shop.dish(pick.offered or "")
        if not pick.is_open or dish is None or pick.until_s is None:
            continue
        line = lines[pick.line_id]
        asked.append(
            {
                "line_item_id": line.id,
                "item": {"id": line.item.id, "title": line.item.title},
                "offered": {
                    "id": dish.id,
                    "title": dish.title,
                    "total": instead_cost(line, dish, dish.price),
                },
                "answer_by": stamp_utc(pick.until_s),
            }
        )
    return asked


def bill(
    shown: Sequence[Json], picks: Mapping[str, Pick], shop: Shop, seed: int, number: int
) -> list[Json]:
    """The lines as they are brought and charged."""
    return [
        {**before, **_billed(line, picks.get(line.id), shop, seed, number)}
        for before, line in zip(shown, lines_of(shown), strict=True)
    ]


def final_totals(totals: Sequence[Json], subtotal: int) -> list[Json]:
    """The same fees and delivery as agreed, for other goods."""
    entries = msgspec.convert(list(totals), list[_Total])
    before = _amount(entries, "subtotal")
    total = _amount(entries, "total") - before + subtotal
    change = {"subtotal": subtotal, "total": total}
    return [
        {**shown, "amount": change.get(entry.type, entry.amount)}
        for shown, entry in zip(totals, entries, strict=True)
    ]


def total_of(totals: Sequence[Json]) -> int:
    return _amount(msgspec.convert(list(totals), list[_Total]), "total")


def _billed(line: OrderedLine, pick: Pick | None, shop: Shop, seed: int, number: int) -> Json:
    if pick is not None:
        dish = shop.dish(pick.item or "")
        if dish is None:
            return _line(line.item.id, line.item.title, 0, line.quantity, {"missing": True})
        cost = instead_cost(line, dish, dish.price)
        told: Json = {"instead_of": {"id": line.item.id, "title": line.item.title}}
        if dish.kilo:
            grams = line.groceries.grams or dish.piece_g * line.quantity
            told |= {"unit_price": dish.price, "grams": grams}
        each = cost if dish.kilo or line.groceries.grams else dish.price
        quantity = 1 if dish.kilo else line.quantity
        return _line(dish.id, dish.title, each, quantity, told)
    terms = line.groceries
    if not terms.grams:
        return {"groceries": {}}
    share = LIGHTEST + (HEAVIEST - LIGHTEST) * chance(seed, "weight", number, line.id)
    grams = min(int(terms.grams * share) // _STEP_G * _STEP_G, most_grams(terms.grams))
    grams = max(grams, 1)
    cost = cost_of(terms.unit_price, grams)
    told = {"unit_price": terms.unit_price, "grams": grams}
    return _line(line.item.id, line.item.title, cost, line.quantity, told)


def _line(id: str, title: str, price: int, quantity: int, groceries: Json) -> Json:
    total = price * quantity
    return {
        "item": {"id": id, "title": title, "price": price},
        "quantity": quantity,
        "totals": [{"type": "subtotal", "amount": total}, {"type": "total", "amount": total}],
        "groceries": groceries,
    }


def _amount(totals: Sequence[_Total], kind: str) -> int:
    return next(entry.amount for entry in totals if entry.type == kind)
