"""The extension `dev.lapel.travel` on UCP's wire: journeys offered and booked."""

from __future__ import annotations

from lapel.commerce.journey import FareRules, Journey, JourneyKind, Stop, Traveller
from lapel.commerce.money import Money
from lapel.commerce.ports import JourneyOffer, JourneyStatus, Nonsense
from lapel.services.connectors.ucp.arithmetic import check_currency
from lapel.services.connectors.ucp.moments import moment, shown
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.connectors.ucp.wire.travel import JourneyBody, JourneyFare, JourneyPlace

_KINDS: dict[str, JourneyKind] = {"flight": "flight", "train": "train", "stay": "stay"}
_WORDS = 80
MOST_CHOICES = 5


def journey_of(body: JourneyBody | None, asked: Journey | None, currency: str) -> Journey | None:
    """What a checkout says that is bought; None without a journey."""
    check_currency(currency)
    if body is None:
        if asked is not None:
            raise Nonsense("the merchant prices a journey without saying which")
        return None
    return _journey(body, body.offer, body.booking_id if body.action == "change" else "")


def offer_of(body: JourneyBody, merchant: Merchant) -> JourneyOffer:
    """An offer of a search. Nonsense when its times do not fit its places."""
    if not body.id or body.price is None or body.price.amount <= 0:
        raise Nonsense(f"{merchant.name!r} offers a journey without id or price")
    price = Money(body.price.amount, check_currency(body.price.currency))
    return JourneyOffer(
        merchant_id=merchant.id,
        merchant_name=plain(merchant.name, _WORDS),
        journey=_journey(body, body.id, ""),
        price=price,
        left=body.left,
    )


def journey_status_of(body: OrderBody, merchant_id: str) -> JourneyStatus | None:
    """How the booking of an order stands; None for orders of anything else."""
    journey = body.journey
    if journey is None:
        return None
    kept = [x.fee for x in body.adjustments or () if x.type == "cancellation" and x.fee]
    choices = journey.choices[:MOST_CHOICES]
    return JourneyStatus(
        journey=_journey(
            journey, journey.offer, journey.booking_id if journey.action == "change" else ""
        ),
        status=plain(journey.status, _WORDS),
        expected_begins=shown(journey.expected_begins),
        expected_ends=shown(journey.expected_ends),
        refund_now=_money(journey.refund_now, body.currency),
        change_fee=_money(journey.change_fee_now, body.currency),
        fee_kept=Money(kept[0], body.currency) if kept else None,
        choices=tuple(_choice(each, merchant_id, body.currency) for each in choices),
    )


def _choice(body: JourneyBody, merchant_id: str, currency: str) -> JourneyOffer:
    amount = body.price.amount if body.price else 0
    return JourneyOffer(
        merchant_id=merchant_id,
        merchant_name="",
        journey=_journey(body, body.id, ""),
        price=Money(amount, currency),
        left=body.left,
    )


def _journey(body: JourneyBody, offer_id: str, booking_id: str) -> Journey:
    kind = _KINDS.get(body.kind)
    if kind is None:
        raise Nonsense(f"{body.kind[:40]!r} is no kind of journey")
    if (body.origin is None) != (kind == "stay"):
        raise Nonsense(f"a {kind} with a wrong place to begin at")
    destination = _stop(body.destination)
    origin = None if body.origin is None else _stop(body.origin)
    begins = moment(body.begins, (origin or destination).zone)
    ends = moment(body.ends, destination.zone)
    if ends <= begins:
        raise Nonsense(f"journey {body.number!r} ends before it begins")
    return Journey(
        kind=kind,
        offer_id=offer_id,
        number=plain(body.number, _WORDS),
        origin=origin,
        destination=destination,
        begins=begins.isoformat(timespec="seconds"),
        ends=ends.isoformat(timespec="seconds"),
        fare=_rules(body.fare),
        travellers=tuple(
            Traveller(plain(x.first_name, _WORDS), plain(x.last_name, _WORDS))
            for x in body.travellers
        ),
        booking_id=booking_id,
    )


def _stop(place: JourneyPlace) -> Stop:
    return Stop(
        code=plain(place.code, _WORDS),
        name=plain(place.name, _WORDS),
        city=plain(place.city, _WORDS) or plain(place.name, _WORDS),
        country=plain(place.country, _WORDS),
        zone=place.time_zone,
    )


def _rules(fare: JourneyFare) -> FareRules:
    fees = (fare.change_fee, fare.refund_fee)
    if any(fee is not None and fee < 0 for fee in fees):
        raise Nonsense(f"the fare {fare.title!r} has a fee below nothing")
    until = shown(fare.until)
    if not until and fees != (None, None):
        raise Nonsense(f"the fare {fare.title!r} does not say until when its rules count")
    return FareRules(plain(fare.title, _WORDS), *fees, until)


def _money(amount: int | None, currency: str) -> Money | None:
    return None if amount is None else Money(amount, currency)
