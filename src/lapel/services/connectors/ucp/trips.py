"""The extension `dev.lapel.rides` on UCP's wire: a trip asked for, its terms, how a ride stands."""

from __future__ import annotations

from lapel.commerce.checkout import Address, OrderDraft, Trip, TripKind, TripTerms
from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, Refused, RideStatus
from lapel.commerce.times import seconds
from lapel.services.connectors.ucp.moments import shown
from lapel.services.connectors.ucp.profile import RIDES
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.connectors.ucp.wire.rides import TripBody, TripPlace

_KINDS: dict[str, TripKind] = {
    "ride": "ride",
    "change": "change",
    "time": "time",
    "tip": "tip",
}
_NEAR = 1e-6
"""Degrees: coordinates are repeated by the merchant, not measured again."""
_WORDS = 64


def trip_body(draft: OrderDraft, merchant: Merchant) -> dict[str, object]:
    """The one line and the trip; Refused by a merchant that does not drive."""
    trip = draft.trip
    if trip is None or RIDES not in merchant.profile.capabilities:
        raise Refused(f"{merchant.name} does not offer rides.", code="no_trip")
    asked: dict[str, object] = {}
    if trip.kind in ("ride", "change"):
        asked["destination"] = place_body(trip.destination)
    if trip.kind == "ride" and trip.pickup is not None:
        asked["pickup"] = place_body(trip.pickup)
    if trip.kind != "ride":
        asked["ride_id"] = trip.ride_id
    if trip.kind == "tip":
        asked["tip"] = trip.tip
    if trip.pickup_at:
        asked["pickup_at"] = trip.pickup_at
    lines = [{"item": {"id": line.item_id}, "quantity": line.quantity} for line in draft.lines]
    return {"line_items": lines, "trip": asked}


def place_body(address: Address) -> dict[str, object]:
    """An address as the extension's place. What the user calls it stays here."""
    body: dict[str, object] = {
        "latitude": address.latitude,
        "longitude": address.longitude,
        "street_address": address.street,
        "address_locality": address.city,
        "postal_code": address.postal_code,
        "address_country": address.country,
    }
    if address.instructions:
        body["instructions"] = address.instructions
    return body


def address_of(place: TripPlace) -> Address:
    """A merchant's place as an address; its label is the street."""
    street = plain(place.title or place.street_address or "", 120)
    return Address(
        label=street,
        street=plain(place.street_address or "", 120) or street,
        city=plain(place.address_locality or "", 80),
        postal_code=plain(place.postal_code or "", 20),
        country=plain(place.address_country or "", 40),
        latitude=place.latitude,
        longitude=place.longitude,
        instructions=plain(place.instructions or ""),
    )


def terms_of(body: TripBody | None, asked: Trip | None, currency: str) -> TripTerms | None:
    """The terms, in the words of what was asked as far as it is the same; None without a trip."""
    if body is None:
        if asked is not None:
            raise Nonsense("the merchant prices a ride without saying which", code="trip_changed")
        return None
    kind = _KINDS.get(body.kind)
    if kind is None:
        raise Nonsense(f"{body.kind[:40]!r} is no kind of trip")
    free = body.cancellation
    return TripTerms(
        trip=_trip(kind, body, asked),
        surge_percent=body.surge_percent,
        free_minutes=free.free_minutes if free else 0,
        cancel_fee=Money(free.fee, currency) if free else None,
        pickup_minutes=body.pickup_minutes,
        duration_minutes=body.duration_minutes,
        free_until=shown(free.free_until) if free else "",
    )


def status_of(body: OrderBody) -> RideStatus | None:
    """How the ride of an order stands; None for orders of anything else."""
    trip = body.trip
    if trip is None:
        return None
    driver, terms = trip.driver, trip.cancellation
    fee_now = terms.fee_now if terms else None
    kept = [x.fee for x in body.adjustments or () if x.type == "cancellation" and x.fee]
    return RideStatus(
        status=plain(trip.status, _WORDS),
        driver=plain(driver.name, _WORDS) if driver else "",
        car=plain(driver.car, _WORDS) if driver else "",
        plate=plain(driver.plate, _WORDS) if driver else "",
        eta_minutes=trip.eta_minutes,
        fee_now=None if fee_now is None else Money(fee_now, body.currency),
        fee_kept=Money(kept[0], body.currency) if kept else None,
        pickup_at=shown(trip.pickup_at),
        destination=address_of(trip.destination) if trip.destination else None,
    )


def _trip(kind: TripKind, body: TripBody, asked: Trip | None) -> Trip:
    """`asked` itself when this is what was asked, else what the merchant makes of it."""
    if (
        asked is not None
        and asked.kind == kind
        and asked.ride_id == body.ride_id
        and (kind == "tip" or _is_then(body.pickup_at, asked.pickup_at))
        and (kind in ("tip", "time") or _is_at(body.destination, asked.destination))
        and (kind != "ride" or (asked.pickup is not None and _is_at(body.pickup, asked.pickup)))
    ):
        return asked
    nowhere = Address("", "", "", "", "", 0.0, 0.0)
    return Trip(
        kind=kind,
        destination=address_of(body.destination) if body.destination else nowhere,
        pickup=address_of(body.pickup) if body.pickup else None,
        ride_id=body.ride_id,
        pickup_at=shown(body.pickup_at),
    )


def _is_then(told: str, asked: str) -> bool:
    """The same moment, or no time at all."""
    if not asked or not told:
        return told == asked
    return seconds(shown(told)) == seconds(asked)


def _is_at(place: TripPlace | None, address: Address) -> bool:
    if place is None:
        return False
    north = abs(place.latitude - address.latitude)
    return north < _NEAR and abs(place.longitude - address.longitude) < _NEAR
