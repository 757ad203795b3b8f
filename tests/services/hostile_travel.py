"""An airline that lies about times, names and rules, each way by a name."""

from __future__ import annotations

from contextlib import asynccontextmanager

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lapel.commerce import (
    Address,
    DraftLine,
    FareRules,
    Journey,
    OrderDraft,
    OrderState,
    Stop,
    Traveller,
)
from services.hostile import Hostile, Json
from services.hostile_buyer import Buyer, Visit
from services.hostile_cases import ODD, Bend, Ending
from services.hostile_front import opened

SEAT, PRICE = "TQ431.2027-06-04.standard", 8900
REFUND_FEE = 4000
HEL = Stop("HEL", "Helsinki Vantaa Airport", "Helsinki", "FI", "Europe/Helsinki")
BER = Stop("BER", "Berlin Brandenburg Airport", "Berlin", "DE", "Europe/Berlin")
FLIGHT = Journey(
    "flight",
    SEAT,
    "TQ 431",
    HEL,
    BER,
    "2027-06-04T08:25:00+03:00",
    "2027-06-04T09:20:00+02:00",
    FareRules("Standard", 2500, REFUND_FEE, "2027-06-04T07:25:00+03:00"),
    (Traveller("Anna", "Virtanen"),),
)
OTHER = Ending(OrderState.FAILED, "another journey than you asked for. Nothing was paid.")


def body(journey: Journey) -> Json:
    """A journey on the wire."""
    shown: Json = {
        "kind": journey.kind,
        "number": journey.number,
        "begins": journey.begins,
        "ends": journey.ends,
        "fare": msgspec.to_builtins(journey.fare),
        "action": "book",
        "offer": journey.offer_id,
        "travellers": msgspec.to_builtins(journey.travellers),
    }
    for name, stop in (("from", journey.origin), ("to", journey.destination)):
        if stop is not None:
            place = msgspec.to_builtins(stop)
            shown[name] = {**place, "time_zone": place.pop("zone")}
    return shown


class Airline(Hostile):
    """Honest until it is bent."""

    def __init__(self) -> None:
        super().__init__()
        self.prices |= {SEAT: PRICE}
        self.bend_profile = _flies
        self.terms: tuple[int | None, int] = (None, 0)
        """The fee that it keeps of what is given back, and what goes back."""
        self.more = [Route("/travel/{id}/cancel", self._give_back, methods=["POST"])]

    async def _give_back(self, request: Request) -> Response:
        async def cancel(_: Json) -> Json:
            return self.canceled(*self.terms)

        return await self._write(request, cancel)

    def _priced(self, checkout_id: str, asked: Json) -> Json:
        checkout = super()._priced(checkout_id, asked)
        del checkout["fulfillment"]
        checkout["status"] = "ready_for_complete"
        checkout["totals"] = [
            {"type": "subtotal", "amount": PRICE},
            {"type": "total", "amount": PRICE},
        ]
        checkout["journey"] = body(FLIGHT)
        return checkout

    def canceled(self, fee: int | None, back: int) -> Json:
        """The order as canceled, with what it says that it keeps, after it gave so much back."""
        [order] = self.orders.values()
        gone: Json = {"id": "a_1", "type": "cancellation", "status": "completed"}
        gone["line_items"] = [{"id": "li_1", "quantity": -1}]
        if fee is not None:
            gone["fee"] = fee
        order["adjustments"] = [gone]
        if back:
            total = [{"type": "total", "amount": -back}]
            refund = {"id": "a_2", "type": "refund", "status": "completed", "totals": total}
            order["adjustments"].append(refund)
        order["journey"] = {**body(FLIGHT), "status": "canceled"}
        order["fulfillment"] = {
            "events": [{"id": "e_1", "type": "canceled", "occurred_at": "2027-01-01T00:00:00Z"}]
        }
        return order


def _flies(profile: Json) -> None:
    profile["ucp"]["capabilities"]["dev.lapel.travel"] = [
        {"version": "2026-11-01", "extends": ["dev.ucp.shopping.checkout"]}
    ]


@asynccontextmanager
async def airline(buyer: Buyer):
    """A new hostile airline, met honestly."""
    hostile = Airline()
    hostile.bank = f"{buyer.bank.origin}/bank"
    hostile.authorizations = buyer.bank.authorizations
    async with opened(hostile) as front:
        buyer.world.hostile = hostile
        merchant = await buyer.world.meet()
        yield FlightVisit(buyer, hostile, front, merchant, len(buyer.bank.authorizations))


class FlightVisit(Visit):
    """One flight with one hostile airline."""

    @property
    def draft(self) -> OrderDraft:
        line = DraftLine(SEAT, "TQ 431, Standard", 1)
        address = Address("Berlin", BER.name, "Berlin", "", "DE", 0.0, 0.0)
        return OrderDraft(self.merchant.id, (line,), address, journey=FLIGHT)


def journey(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["journey"].update(changes)

    return bend


def fare(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["journey"]["fare"].update(changes)

    return bend


def place(member: str, **changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["journey"][member].update(changes)

    return bend


def silent(checkout: Json) -> None:
    del checkout["journey"]


_LATER = {"begins": "2027-06-05T08:25:00+03:00", "ends": "2027-06-05T09:20:00+02:00"}

QUOTES: dict[str, tuple[Bend, Ending]] = {
    "journey_on_another_day": (journey(**_LATER), OTHER),
    "journey_an_hour_later": (journey(begins="2027-06-04T09:25:00+03:00", ends="2027-06-04T10:20:00+02:00"), OTHER),
    "journey_of_another_number": (journey(number="TQ 432"), OTHER),
    "journey_to_another_place": (place("to", code="SXF", name="Schoenefeld"), OTHER),
    "journey_for_another_traveller": (journey(travellers=[{"first_name": "Eve", "last_name": "Thief"}]), OTHER),
    "journey_for_nobody": (journey(travellers=[]), OTHER),
    "journey_that_cannot_be_refunded": (fare(refund_fee=None), OTHER),
    "journey_whose_refund_costs_more": (fare(refund_fee=9000), OTHER),
    "journey_that_changes_something_else": (journey(action="change", booking_id="trip_1"), OTHER),
    "journey_with_an_offset_of_nowhere": (journey(begins="2027-06-04T08:25:00+05:00"), ODD),
    "journey_without_an_offset": (journey(begins="2027-06-04T08:25:00"), ODD),
    "journey_in_a_zone_of_nowhere": (place("from", time_zone="../../etc/passwd"), ODD),
    "journey_that_ends_before_it_begins": (journey(ends="2027-06-03T09:20:00+02:00"), ODD),
    "journey_of_an_unknown_kind": (journey(kind="rocket"), ODD),
    "journey_that_is_not_said": (silent, ODD),
    "journey_with_a_fee_below_nothing": (fare(refund_fee=-100), ODD),
}  # fmt: skip
"""Done to every checkout from the first on: the user is never asked."""

MEANWHILE: dict[str, tuple[Bend, Ending]] = {
    "day_changed_before_paying": (journey(**_LATER), OTHER),
    "traveller_changed_before_paying": (
        journey(travellers=[{"first_name": "Eve", "last_name": "Thief"}]), OTHER,
    ),
    "fare_rules_swapped_before_paying": (fare(change_fee=None, refund_fee=None), OTHER),
    "rules_that_end_sooner_before_paying": (fare(until="2027-01-01T07:25:00+02:00"), OTHER),
}  # fmt: skip
"""Done to every checkout after the user was asked."""

BACK = f"You got {PRICE // 100} euros back"
REFUNDS: dict[str, tuple[int | None, int | None, int, str]] = {
    "refund_below_the_rules": (REFUND_FEE, 6000, PRICE - 6000, "keeps more than its rules allow"),
    "refund_below_what_it_says": (REFUND_FEE, REFUND_FEE, 1000, "gives back less than it says"),
    "fee_that_nobody_agreed_to": (None, REFUND_FEE, PRICE - REFUND_FEE, "keeps more than"),
    "canceled_without_a_refund": (None, None, 0, "The company cancelled your booking"),
}
"""The fee that was agreed to, the fee it says it keeps, what it says goes back, what is said."""


def names() -> list[str]:
    return [*QUOTES, *MEANWHILE, *REFUNDS]
