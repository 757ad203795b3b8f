"""A ride company without a wire: what it offers, and what became of the rides that were booked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from lapel.commerce import (
    Address,
    Cancel,
    MerchantOrder,
    Money,
    PutOff,
    Redirect,
    RideStatus,
    Unreachable,
)
from lapel.commerce.request import Request
from lapel.services import RideOffer
from lapel.services.personal import resolve
from lapel.services.rides import Pickup, Redirected
from stage.loop import wall
from stage.shops import Street

ZONE = ZoneInfo("Europe/Helsinki")
STATION = Address("Central Station", "Kaivokatu 1", "Helsinki", "00100", "FI", 60.171, 24.941)


class Company:
    """Two classes at fixed prices; it remembers which ways and times it was asked about."""

    def __init__(self, street: Street | None = None) -> None:
        self.street = street
        if street is not None:
            street.asked_for = self.asked_for
        self.moved: dict[str, str] = {}
        self.elsewhere: dict[str, Address] = {}
        self.fee = 0
        self.dearer = 0
        self.asked: list[tuple[Address, Address]] = []
        self.times: list[str] = []
        self.drivers = True
        self.down = False

    async def estimate(
        self, pickup: Address, destination: Address, at: Pickup | None = None
    ) -> list[RideOffer]:
        self.asked.append((pickup, destination))
        if self.down:
            raise Unreachable("no answer")
        pickup_at = ""
        if at is not None:
            due = at.timestamp() if isinstance(at, datetime) else resolve(at, wall(), ZONE).due_at
            pickup_at = datetime.fromtimestamp(due, ZONE).isoformat(timespec="seconds")
            self.times.append(pickup_at)
        free = 4 if self.drivers and at is None else None
        return [
            RideOffer(
                "lokki",
                "Lokki",
                name.lower(),
                name,
                Money(minor, "EUR"),
                seats,
                0,
                free,
                12,
                pickup_at,
                self.drivers,
            )
            for name, minor, seats in (("Economy", 1240, 4), ("Van", 1890, 6))
        ]

    async def places(self, text: str, limit: int = 5) -> list[Address]:
        return [STATION] if "station" in text else []

    async def zone(self, merchant_id: str) -> ZoneInfo | None:
        return ZONE

    async def look(self, merchant_id: str, ride_id: str) -> MerchantOrder:
        return self.booked(ride_id)

    async def price_destination(
        self, merchant_id: str, ride_id: str, destination: Address
    ) -> Redirected:
        return Redirected(self.booked(ride_id), Money(0, "EUR"), False)

    async def price_pickup(self, merchant_id: str, ride_id: str, pickup_at: str) -> Redirected:
        return Redirected(self.booked(ride_id), Money(self.dearer, "EUR"), False)

    def asked_for(self, ride_id: str, request: Request) -> MerchantOrder:
        match request:
            case Cancel():
                return self.happens(ride_id, canceled=True)
            case PutOff(pickup_at=pickup_at):
                self.moved[ride_id] = pickup_at
                return self.happens(ride_id, "pickup_changed")
            case Redirect(destination=destination):
                self.elsewhere[ride_id] = destination
                return self.booked(ride_id)
            case _:
                raise AssertionError("nobody asks that of a ride company")

    def happens(self, ride_id: str, *kinds: str, canceled: bool = False) -> MerchantOrder:
        """The ride after these events, as a webhook would tell it."""
        assert self.street is not None
        [(checkout_id,)] = self.street.db.execute(
            "select checkout_id from orders where id=?", (ride_id,)
        ).fetchall()
        self.street.report(checkout_id, *kinds, canceled=canceled)
        return self.booked(ride_id)

    def booked(self, ride_id: str) -> MerchantOrder:
        assert self.street is not None
        checkout_id, total, events, canceled = self.street.db.execute(
            "select checkout_id, total, events, canceled from orders where id=?", (ride_id,)
        ).fetchone()
        order = self.street._order(ride_id, checkout_id, total, events.split(), bool(canceled))
        trip = self.street._load(checkout_id).trip
        agreed = "" if trip is None else trip.trip.pickup_at
        driver = "Aada" if "driver_assigned" in events else ""
        status = RideStatus(
            (events.split() or ["booked"])[-1],
            driver,
            "white Toyota" if driver else "",
            "KLU-482" if driver else "",
            4 if driver else None,
            Money(self.fee, "EUR"),
            pickup_at=self.moved.get(ride_id, agreed),
            destination=self.elsewhere.get(ride_id),
        )
        return replace(order, ride=status)
