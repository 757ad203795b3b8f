"""A ride company that lies about time and place, each way by a name."""

from __future__ import annotations

from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lapel.commerce import Address, DraftLine, OrderDraft, OrderState, Trip
from services.hostile import Hostile, Json
from services.hostile_buyer import Buyer, Visit
from services.hostile_cases import AGAIN, GIVEN_BACK, ODD, Bend, Ending, once_completed
from services.hostile_front import opened

CAR, PRICE, FEE = "economy", 1810, 400
HOME = Address("home", "Liisankatu 21", "Helsinki", "00170", "FI", 60.1742, 24.953318)
AIRPORT = Address("the airport", "Lentäjäntie 1", "Vantaa", "01530", "FI", 60.3172, 24.9633)
AT = "2027-06-04T06:30:00+03:00"
FREE_UNTIL = "2027-06-04T06:00:00+03:00"
RIDE = Trip("ride", AIRPORT, HOME, pickup_at=AT)
OTHER = Ending(OrderState.FAILED, "another ride than you asked for. Nothing was ordered.")


def point(address: Address) -> Json:
    return {
        "latitude": address.latitude,
        "longitude": address.longitude,
        "street_address": address.street,
    }


class Company(Hostile):
    """Honest until it is bent."""

    def __init__(self) -> None:
        super().__init__()
        self.prices |= {CAR: PRICE}
        self.bend_profile = _drives
        self.more = [
            Route("/rides/{id}/cancel", self._give_up, methods=["POST"]),
            Route("/rides/{id}/pickup", self._put_off, methods=["POST"]),
        ]

    def _priced(self, checkout_id: str, asked: Json) -> Json:
        checkout = super()._priced(checkout_id, asked)
        del checkout["fulfillment"]
        checkout["status"] = "ready_for_complete"
        checkout["totals"] = [
            {"type": "subtotal", "amount": PRICE},
            {"type": "total", "amount": PRICE},
        ]
        checkout["trip"] = {
            **asked["trip"],
            "kind": "ride",
            "duration_minutes": 25,
            "cancellation": {"free_until": FREE_UNTIL, "fee": FEE},
        }
        return checkout

    def told(self, *events: str, **trip: object) -> Json:
        """The order as it stands after these events, with changes to its trip."""
        [order] = self.orders.values()
        order["trip"] = {
            "kind": "ride",
            "status": events[-1] if events else "booked",
            "pickup": point(HOME),
            "destination": point(AIRPORT),
            "pickup_at": AT,
            **trip,
        }
        order["fulfillment"] = {
            "events": [
                {"id": f"e_{n}", "type": kind, "occurred_at": "2027-01-01T00:00:00Z"}
                for n, kind in enumerate(("booked", *events))
            ]
        }
        return order

    async def _give_up(self, request: Request) -> Response:
        async def cancel(_: Json) -> Json:
            return self.canceled(FEE, PRICE - FEE)

        return await self._write(request, cancel)

    async def _put_off(self, request: Request) -> Response:
        async def move(asked: Json) -> Json:
            moved = self.told("pickup_changed", pickup_at=asked["pickup_at"])
            return {**moved, "change": {"applied": True, "difference": 0}}

        return await self._write(request, move)

    def canceled(self, fee: int, back: int) -> Json:
        """The order as canceled: what it keeps and what it has given back."""
        order = self.told("canceled")
        gone: Json = {"id": "a_1", "type": "cancellation", "status": "completed", "fee": fee}
        gone["line_items"] = [{"id": "li_1", "quantity": -1}]
        order["adjustments"] = [gone]
        if back:
            total = [{"type": "total", "amount": -back}]
            refund = {"id": "a_2", "type": "refund", "status": "completed", "totals": total}
            order["adjustments"].append(refund)
        return order


def _drives(profile: Json) -> None:
    profile["ucp"]["capabilities"]["dev.lapel.rides"] = [
        {
            "version": "2026-11-01",
            "extends": ["dev.ucp.shopping.checkout"],
            "config": {"name": "Hostile Cars", "ahead": {"time_zone": "Europe/Helsinki"}},
        }
    ]


@asynccontextmanager
async def company(buyer: Buyer):
    """A new hostile company, met honestly."""
    hostile = Company()
    hostile.bank = f"{buyer.bank.origin}/bank"
    hostile.authorizations = buyer.bank.authorizations
    async with opened(hostile) as front:
        buyer.world.hostile = hostile
        merchant = await buyer.world.meet()
        yield RideVisit(buyer, hostile, front, merchant, len(buyer.bank.authorizations))


class RideVisit(Visit):
    """One ride for later with one hostile company."""

    trip = RIDE

    @property
    def draft(self) -> OrderDraft:
        line = DraftLine(CAR, "Economy ride", 1)
        return OrderDraft(self.merchant.id, (line,), AIRPORT, trip=self.trip)


def trip(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["trip"].update(changes)

    return bend


def terms(**changes: object) -> Bend:
    def bend(checkout: Json) -> None:
        checkout["trip"]["cancellation"].update(changes)

    return bend


def lost(member: str) -> Bend:
    def bend(checkout: Json) -> None:
        del checkout["trip"][member]

    return bend


def silent(checkout: Json) -> None:
    del checkout["trip"]


LATER, SOONER = "2027-06-04T07:30:00+03:00", "2027-06-03T06:30:00+03:00"
QUOTES: dict[str, tuple[Bend, Ending]] = {
    "ride_an_hour_later": (trip(pickup_at=LATER), OTHER),
    "ride_a_minute_later": (trip(pickup_at="2027-06-04T06:31:00+03:00"), OTHER),
    "ride_on_another_day": (trip(pickup_at=SOONER), OTHER),
    "ride_by_the_clock_of_elsewhere": (trip(pickup_at="2027-06-04T06:30:00+02:00"), OTHER),
    "ride_at_once_instead": (lost("pickup_at"), OTHER),
    "ride_without_an_offset": (trip(pickup_at="2027-06-04T06:30:00"), ODD),
    "ride_at_no_time": (trip(pickup_at="at half past six"), ODD),
    "ride_free_until_no_time": (terms(free_until="an hour before"), ODD),
    "ride_to_another_place": (trip(destination=point(HOME)), OTHER),
    "ride_from_another_place": (trip(pickup=point(AIRPORT)), OTHER),
    "ride_that_changes_another": (trip(kind="time", ride_id="ride_1"), OTHER),
    "ride_of_an_unknown_kind": (trip(kind="rocket"), ODD),
    "ride_that_is_not_said": (silent, ODD),
}
"""Done to every checkout from the first on: the user is never asked."""

MEANWHILE: dict[str, tuple[Bend, Ending]] = {
    "pickup_shifted_before_paying": (trip(pickup_at=LATER), OTHER),
    "pickup_lost_before_paying": (lost("pickup_at"), OTHER),
    "free_time_shortened_before_paying": (terms(free_until="2027-01-01T06:00:00+02:00"), AGAIN),
    "fee_of_canceling_raised_before_paying": (terms(fee=PRICE), AGAIN),
}
"""Done to every checkout after the user was asked."""

COMPLETIONS: dict[str, tuple[Bend, Ending]] = {
    "pickup_shifted_when_completed": (once_completed(trip(pickup_at=LATER)), GIVEN_BACK),
    "pickup_lost_when_completed": (once_completed(lost("pickup_at")), GIVEN_BACK),
}
"""Done to the checkout that is completed: the money comes back."""

NOW = {"ride_put_off_that_was_for_now": (trip(pickup_at=AT), OTHER)}
"""Done to a ride that was to begin at once."""

SHIFTED = "pickup_shifted_after_booking"
UNASKED = "canceling_fee_that_nobody_agreed_to"


def names() -> list[str]:
    return [*QUOTES, *MEANWHILE, *COMPLETIONS, *NOW, SHIFTED, UNASKED]
