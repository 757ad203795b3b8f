"""A restaurant that lies about times, people, terms and money, each way by a name."""

from __future__ import annotations

from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lapel.commerce import (
    Address,
    DraftLine,
    OrderDraft,
    OrderState,
    Restaurant,
    Table,
    TableTerms,
)
from services.hostile import Hostile, Json
from services.hostile_buyer import Buyer, Visit
from services.hostile_cases import AGAIN, ODD, Bend, Ending, once_completed
from services.hostile_front import opened

ITEM, EACH, PARTY, FEE = "rose.20270604T1900.4.deposit", 1500, 4, 2000
PRICE = EACH * PARTY
ROSE = Restaurant("rose", "Rose", "Mikonkatu 8", "00100", "Helsinki", "FI", "Europe/Helsinki")
TABLE = Table(
    ITEM,
    ROSE,
    "2027-06-04T19:00:00+03:00",
    "2027-06-04T21:00:00+03:00",
    PARTY,
    "deposit",
    EACH,
    TableTerms("2027-06-04T15:00:00+03:00", FEE),
    guest="Anna Virtanen",
)
BACK = f"You got {PRICE // 100} euros back"
GIVEN_BACK = Ending(OrderState.REFUNDED, BACK)
OTHER = Ending(OrderState.FAILED, "another table than you asked for. Nothing was paid.")


def body(table: Table) -> Json:
    """A table on the wire."""
    at = table.restaurant
    return {
        "restaurant": {
            "id": at.id,
            "name": at.name,
            "street_address": at.street,
            "postal_code": at.postal_code,
            "address_locality": at.city,
            "address_country": at.country,
            "latitude": 60.1696,
            "longitude": 24.9447,
            "time_zone": at.zone,
        },
        "begins": table.begins,
        "ends": table.ends,
        "party": table.party,
        "prepaid": table.prepaid,
        "per_person": table.per_person,
        "cancellation": {
            "free_until": table.cancellation.free_until,
            "fee": table.cancellation.fee,
        },
        "action": "book",
        "offer": table.offer_id,
        "guest": table.guest,
    }


class House(Hostile):
    """Honest until it is bent."""

    def __init__(self) -> None:
        super().__init__()
        self.prices |= {ITEM: PRICE}
        self.bend_profile = _seats
        self.terms: tuple[int | None, int] = (None, 0)
        """The fee that it keeps of what is given back, and what goes back."""
        self.more = [Route("/tables/{id}/cancel", self._give_back, methods=["POST"])]

    def _priced(self, checkout_id: str, asked: Json) -> Json:
        checkout = super()._priced(checkout_id, asked)
        del checkout["fulfillment"]
        checkout["status"] = "ready_for_complete"
        checkout["totals"] = [
            {"type": "subtotal", "amount": PRICE},
            {"type": "total", "amount": PRICE},
        ]
        checkout["table"] = body(TABLE)
        return checkout

    def told(self, *events: str, **table: object) -> Json:
        """The order as it stands after these events, with changes to its table."""
        [order] = self.orders.values()
        order["table"] = {**body(TABLE), "status": events[-1], **table}
        order["fulfillment"] = {
            "events": [
                {"id": f"e_{n}", "type": kind, "occurred_at": "2027-01-01T00:00:00Z"}
                for n, kind in enumerate(("confirmed", *events))
            ]
        }
        return order

    async def _give_back(self, request: Request) -> Response:
        async def cancel(_: Json) -> Json:
            return self.canceled(*self.terms)

        return await self._write(request, cancel)

    def canceled(self, fee: int | None, back: int) -> Json:
        """The order as canceled, with what it says that it keeps, after it gave so much back."""
        order = self.told("canceled")
        gone: Json = {"id": "a_1", "type": "cancellation", "status": "completed"}
        gone["line_items"] = [{"id": "li_1", "quantity": -1}]
        if fee is not None:
            gone["fee"] = fee
        order["adjustments"] = [gone]
        if back:
            total = [{"type": "total", "amount": -back}]
            refund = {"id": "a_2", "type": "refund", "status": "completed", "totals": total}
            order["adjustments"].append(refund)
        return order


def _seats(profile: Json) -> None:
    profile["ucp"]["capabilities"]["dev.lapel.tables"] = [
        {"version": "2026-11-01", "extends": ["dev.ucp.shopping.checkout"]}
    ]


@asynccontextmanager
async def house(buyer: Buyer):
    """A new hostile restaurant, met honestly."""
    hostile = House()
    hostile.bank = f"{buyer.bank.origin}/bank"
    hostile.authorizations = buyer.bank.authorizations
    async with opened(hostile) as front:
        buyer.world.hostile = hostile
        merchant = await buyer.world.meet()
        yield TableVisit(buyer, hostile, front, merchant, len(buyer.bank.authorizations))


class TableVisit(Visit):
    """One table with one hostile restaurant."""

    @property
    def draft(self) -> OrderDraft:
        line = DraftLine(ITEM, "Rose, table for 4", 1)
        address = Address("Rose", ROSE.street, ROSE.city, ROSE.postal_code, "FI", 60.1696, 24.9447)
        return OrderDraft(self.merchant.id, (line,), address, table=TABLE)


def table(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["table"].update(changes)

    return bend


def place(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["table"]["restaurant"].update(changes)

    return bend


def terms(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["table"]["cancellation"].update(changes)

    return bend


def total(minor: int) -> Bend:
    """The whole bill, wherever it says a price."""

    def bend(checkout: Json) -> None:
        [line] = checkout["line_items"]
        line["item"]["price"] = minor
        for entry in (*line["totals"], *checkout["totals"]):
            entry["amount"] = minor

    return bend


def both(*bends: Bend) -> Bend:
    def bend(checkout: Json) -> None:
        for each in bends:
            each(checkout)

    return bend


def silent(checkout: Json) -> None:
    del checkout["table"]


_HOUR_LATER = {"begins": "2027-06-04T20:00:00+03:00", "ends": "2027-06-04T22:00:00+03:00"}
_ELSEWHERE = {"begins": "2027-06-04T19:00:00+02:00", "ends": "2027-06-04T21:00:00+02:00"}
_TOMORROW = {"begins": "2027-06-05T19:00:00+03:00", "ends": "2027-06-05T21:00:00+03:00"}

QUOTES: dict[str, tuple[Bend, Ending]] = {
    "table_for_fewer": (table(party=2), OTHER),
    "table_an_hour_later": (table(**_HOUR_LATER), OTHER),
    "table_on_another_day": (table(**_TOMORROW), OTHER),
    "table_by_the_clock_of_elsewhere": (both(place(time_zone="Europe/Berlin"), table(**_ELSEWHERE)), OTHER),
    "table_for_half_the_time": (table(ends="2027-06-04T20:00:00+03:00"), OTHER),
    "table_at_another_restaurant": (place(id="thorn", name="Thorn"), OTHER),
    "table_in_another_street": (place(street_address="Hämeentie 99"), OTHER),
    "table_for_another_guest": (table(guest="Eve Thief"), OTHER),
    "table_of_another_offer": (table(offer="rose.20270604T1900.4.menu"), OTHER),
    "table_whose_deposit_is_a_menu": (table(prepaid="menu", menu="Bread and water"), OTHER),
    "table_whose_canceling_costs_more": (terms(fee=PRICE), OTHER),
    "table_free_for_a_shorter_time": (terms(free_until="2027-01-01T15:00:00+02:00"), OTHER),
    "table_that_changes_something_else": (table(action="change", booking_id="table_1"), OTHER),
    "table_with_a_fee_beside_the_deposit": (total(PRICE + 500), OTHER),
    "table_with_an_offset_of_nowhere": (table(begins="2027-06-04T19:00:00+05:00"), ODD),
    "table_without_an_offset": (table(begins="2027-06-04T19:00:00"), ODD),
    "table_in_a_zone_of_nowhere": (place(time_zone="../../etc/passwd"), ODD),
    "table_that_is_over_before_it_begins": (table(ends="2027-06-04T18:00:00+03:00"), ODD),
    "table_for_nobody": (table(party=0), ODD),
    "table_paid_in_an_unknown_way": (table(prepaid="promise"), ODD),
    "table_for_less_than_nothing": (table(per_person=-1500), ODD),
    "table_with_a_fee_below_nothing": (terms(fee=-100), ODD),
    "table_that_pays_for_canceling": (terms(fee_now=-100), ODD),
    "table_free_until_no_time": (terms(free_until="an hour before"), ODD),
    "table_that_is_not_said": (silent, ODD),
}  # fmt: skip
"""Done to every checkout from the first on: the user is never asked."""

MEANWHILE: dict[str, tuple[Bend, Ending]] = {
    "party_changed_before_paying": (table(party=2), OTHER),
    "time_of_the_table_shifted_before_paying": (table(**_HOUR_LATER), OTHER),
    "restaurant_swapped_before_paying": (place(id="thorn", name="Thorn"), OTHER),
    "cancellation_terms_changed_before_paying": (terms(fee=PRICE), OTHER),
    "deposit_raised_before_paying": (both(table(per_person=EACH + 100), total(PRICE + 400)), AGAIN),
}
"""Done to every checkout after the user was asked."""

COMPLETIONS: dict[str, tuple[Bend, Ending]] = {
    "party_changed_when_completed": (once_completed(table(party=2)), GIVEN_BACK),
    "time_of_the_table_shifted_when_completed": (once_completed(table(**_HOUR_LATER)), GIVEN_BACK),
}
"""Done to the checkout that is completed: the money comes back."""

REFUNDS: dict[str, tuple[int | None, int | None, int, str]] = {
    "table_fee_above_the_agreed_one": (FEE, 3000, PRICE - 3000, "keeps more than its rules allow"),
    "table_refund_that_is_not_sent": (FEE, FEE, 0, "gives back less than it says"),
    "table_fee_that_nobody_agreed_to": (None, FEE, PRICE - FEE, "keeps more than"),
    "table_called_off_without_a_refund": (None, None, 0, "The restaurant cancelled your booking"),
}
"""The fee that was agreed to, the fee it says it keeps, what it says goes back, what is said."""


def names() -> list[str]:
    return [*QUOTES, *MEANWHILE, *COMPLETIONS, *REFUNDS]
