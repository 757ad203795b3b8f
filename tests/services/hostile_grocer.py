"""A grocer that lies about weights and substitutes, each way by a name."""

from __future__ import annotations

import copy
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response

from lapel.commerce import DraftLine, OrderDraft
from services.hostile import Hostile, Json
from services.hostile_buyer import Buyer, Visit
from services.hostile_cases import AGAIN, ODD, Bend, Ending
from services.hostile_front import opened
from services.shopper import OFFICE

APPLES, JUICE, BREAD = "apples", "juice", "bread"
MOST, DELIVERY = 1465, 290
"""What the cart costs at most: 548 for apples, 229, twice 199, and the courier."""


class Grocer(Hostile):
    """Honest, weighing 1,000 g of the 2,000 g that were asked, until it is bent."""

    def __init__(self) -> None:
        super().__init__()
        self.prices |= {APPLES: 249, JUICE: 229, BREAD: 199}
        self.bend_profile = _weighs
        self.answered: list[Json] = []

    def _handlers(self) -> Json:
        handlers = super()._handlers()
        handlers["dev.lapel.city.bank"][0]["config"]["capture"] = "at_most"
        return handlers

    def _priced(self, checkout_id: str, body: Json) -> Json:
        checkout = super()._priced(checkout_id, body)
        for line, asked in zip(checkout["line_items"], body["line_items"], strict=True):
            terms = dict(asked["groceries"])
            if "grams" in terms:
                terms |= {"unit_price": 249, "max_grams": terms["grams"] * 11 // 10}
                terms["estimate"] = cost(249, terms["grams"])
                line["item"]["price"] = cost(249, terms["max_grams"])
            line["groceries"] = terms
        self.sum(checkout)
        return checkout

    async def _complete(self, request: Request) -> Response:
        async def complete(body: Json) -> Json:
            checkout = self.checkouts[request.path_params["id"]]
            order_id = f"ord_{len(self.orders) + 1}"
            self.orders[order_id] = self.order(order_id, checkout, groceries={"status": "picking"})
            checkout["status"] = "completed"
            checkout["order"] = {"id": order_id, "permalink_url": f"{self.origin}/o/{order_id}"}
            return checkout

        return await self._write(request, complete)

    def pack(self, bend: Bend, take: int | None = None) -> Json:
        """The bill, bent; takes what it says, or `take`, as far as the bank lets it."""
        [order] = self.orders.values()
        apples, juice, bread = order["line_items"]
        bill(apples, cost(249, 1000), grams=1000, unit_price=249)
        bill(juice, 229)
        bill(bread, 398)
        order["groceries"] = {"status": "packed"}
        order["totals"] = sums(order)
        bend(order)
        hold = list(self.authorizations.values())[-1]
        asked = order["totals"][-1]["amount"] if take is None else take
        hold |= {"state": "captured", "captured": min(asked, hold["amount"]), "refunded": 0}
        return order


def _weighs(profile: Json) -> None:
    profile["ucp"]["capabilities"]["dev.lapel.groceries"] = [
        {"version": "2026-11-01", "extends": ["dev.ucp.shopping.checkout"]}
    ]


def cost(unit_price: int, grams: int) -> int:
    return (unit_price * grams + 500) // 1000


def bill(line: Json, total: int, **groceries: object) -> None:
    line["totals"] = [{"type": "total", "amount": total}]
    line["groceries"] = groceries


def sums(order: Json, fee: int = 0) -> list[Json]:
    goods = sum(line["totals"][0]["amount"] for line in order["line_items"])
    totals = [{"type": "subtotal", "amount": goods}, {"type": "fulfillment", "amount": DELIVERY}]
    if fee:
        totals.append({"type": "fee", "amount": fee})
    return [*totals, {"type": "total", "amount": goods + DELIVERY + fee}]


@asynccontextmanager
async def grocer(buyer: Buyer):
    """A new hostile grocer, met honestly, and a cart of three lines there."""
    hostile = Grocer()
    hostile.bank = f"{buyer.bank.origin}/bank"
    hostile.authorizations = buyer.bank.authorizations
    async with opened(hostile) as front:
        buyer.world.hostile = hostile
        merchant = await buyer.world.meet()
        yield GrocerVisit(buyer, hostile, front, merchant, len(buyer.bank.authorizations))


class GrocerVisit(Visit):
    """One order of groceries at one hostile grocer."""

    @property
    def draft(self) -> OrderDraft:
        lines = (
            DraftLine(APPLES, "Apples", 1, grams=2000, substitution="similar"),
            DraftLine(JUICE, "Juice", 1, substitution="ask"),
            DraftLine(BREAD, "Bread", 2, substitution="none"),
        )
        return OrderDraft(self.merchant.id, lines, OFFICE, kind="groceries")

    def kept(self) -> int:
        """What the grocer has in the end."""
        [hold] = self.holds()
        return hold.get("captured", 0) - hold.get("refunded", 0)


# What may be done to a price. ---------------------------------------------------------------------


def terms(index: int, **changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["line_items"][index]["groceries"].update(changes)

    return bend


def above_its_weight(checkout: Json) -> None:
    checkout["line_items"][0]["item"]["price"] += 100
    Hostile.sum(checkout)


def heavier(checkout: Json) -> None:
    line = checkout["line_items"][0]
    line["groceries"]["max_grams"] = 2600
    line["item"]["price"] = cost(249, 2600)
    Hostile.sum(checkout)


PRICES: dict[str, Bend] = {
    "weight_of_the_quote_changed": terms(0, grams=1900, estimate=cost(249, 1900)),
    "greatest_weight_below_the_weight": terms(0, max_grams=1500),
    "price_above_its_greatest_weight": above_its_weight,
    "estimate_that_is_not_its_weight": terms(0, estimate=300),
    "kilogram_for_nothing": terms(0, unit_price=0),
    "weighs_what_is_sold_by_the_piece": terms(2, grams=500, max_grams=550, unit_price=398),
    "substitution_that_was_not_allowed": terms(2, substitution="similar"),
    "substitution_bound_of_its_own": terms(0, substitution_max=500),
}
"""Done to every checkout from the first on; the user is never asked."""

MEANWHILE: dict[str, tuple[Bend, Ending]] = {
    "greatest_weight_raised_before_paying": (heavier, AGAIN)
}
"""Done to every checkout after the user was asked."""

PRICED_ODDLY = ODD


# What may be done to a bill. ----------------------------------------------------------------------


def billed(index: int, total: int, **groceries: object) -> Bend:
    def bend(order: Json) -> None:
        bill(order["line_items"][index], total, **groceries)
        order["totals"] = sums(order)

    return bend


def instead(index: int, item: str, total: int) -> Bend:
    def bend(order: Json) -> None:
        order["line_items"][index]["item"] = {"id": item, "title": item.title(), "price": total}
        billed(index, total)(order)

    return bend


def added(order: Json) -> None:
    caviar = copy.deepcopy(order["line_items"][1])
    caviar |= {"id": "li_9", "item": {"id": "caviar", "title": "Caviar", "price": 250}}
    bill(caviar, 250)
    order["line_items"].append(caviar)
    order["totals"] = sums(order)


def twice(order: Json) -> None:
    order["line_items"].append(copy.deepcopy(order["line_items"][1]))
    order["totals"] = sums(order)


def fee(order: Json) -> None:
    order["totals"] = sums(order, fee=50)


def honest(order: Json) -> None:
    pass


def in_dollars(order: Json) -> None:
    order["currency"] = "USD"


HONEST = 249 + 229 + 398 + DELIVERY
_BACK = "more than you agreed to"

BILLS: dict[str, tuple[Bend, int | None, int, str]] = {
    "weighed_above_the_bound": (billed(0, 623, grams=2500, unit_price=249), None, MOST, "14 euros 65"),
    "weighed_dearer_than_its_weight": (
        billed(0, 548, grams=1500, unit_price=249), None, HONEST - 249 + 375, _BACK,
    ),
    "price_of_a_kilogram_raised": (
        billed(0, 538, grams=1800, unit_price=299), None, HONEST - 249 + 449, _BACK,
    ),
    "piece_dearer_than_agreed": (billed(2, 500), None, HONEST, _BACK),
    "substitute_where_none_was_allowed": (instead(2, "cake", 398), None, HONEST - 398, _BACK),
    "substitute_that_nobody_said_yes_to": (instead(1, "cola", 229), None, HONEST - 229, _BACK),
    "substitute_dearer_than_what_it_stands_for": (
        instead(0, "pears", 600), None, HONEST - 249 + 548, "",
    ),
    "missing_but_charged": (billed(2, 398, missing=True), None, HONEST - 398, _BACK),
    "line_added_to_the_bill": (added, None, HONEST, _BACK),
    "line_billed_twice": (twice, None, HONEST, _BACK),
    "fee_added_to_the_bill": (fee, None, HONEST, _BACK),
    "takes_more_than_its_bill": (honest, MOST, HONEST, _BACK),
    "bill_in_another_currency": (in_dollars, None, 0, _BACK),
}  # fmt: skip
"""How the bill is bent, what is taken (None: what it says), what may be kept, what is said."""

ALONE = ("takes_it_all_and_shows_no_bill", "hold_that_runs_out_unused")


def names() -> list[str]:
    return [*PRICES, *MEANWHILE, *BILLS, *ALONE]
