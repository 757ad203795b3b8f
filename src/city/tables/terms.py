"""What a table's checkout is for and what it costs, and how it is shown."""

from __future__ import annotations

from datetime import datetime

import msgspec

from city.errors import DataError
from city.faults import Fault
from city.store import Transaction
from city.streets import Streets
from city.tables import sittings
from city.tables.houses import BY_SLUG, CURRENCY, TIME_ZONE, Company, House
from city.tables.offers import FARTHEST, LEAD_S, Offer, by_id
from city.ucp.quote import Json, Note
from city.world import World

LONG_DELAY_MIN = 30
"""A kitchen that is late by so much lets its guests go for nothing."""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """`per_person` is paid for everybody; of a change, less what was `paid` already.

    `holder` is who holds the table until it is paid for. `delay` is in minutes.
    """

    company: str
    offer: str
    action: str
    guest: str
    party: int
    per_person: int
    booking_id: str = ""
    holder: str = ""
    paid: int = 0
    delay: int = 0

    @property
    def total(self) -> int:
        return self.per_person * self.party - self.paid

    def same_price(self, other: Terms) -> bool:
        return (self.offer, self.total, self.per_person) == (
            other.offer,
            other.total,
            other.per_person,
        )


def offer_of(terms: Terms) -> Offer:
    offer = by_id(BY_SLUG[terms.company], terms.offer)
    if offer is None:
        raise DataError(f"offer {terms.offer!r} is gone")
    return offer


def bookable(world: World, offer: Offer) -> bool:
    ahead_s = offer.begins.timestamp() - world.real_s()
    return LEAD_S <= ahead_s <= FARTHEST.total_seconds()


def offered(world: World, company: Company, id: str) -> Offer | Note:
    """The offer with this id, if it can be booked at all."""
    offer = by_id(company, id)
    if offer is None:
        return Note("error", "item_unavailable", "there is no such table", "$.line_items[0]")
    if not bookable(world, offer):
        text = "it is too late or too early to book that"
        return Note("error", "item_unavailable", text, "$.line_items[0]")
    return offer


def sold_out(offer: Offer) -> Note:
    text = f"{offer.house.name} has no table left at that time"
    return Note("error", "sold_out", text, "$.line_items[0]")


def snatched(world: World, tx: Transaction, slug: str, offer: Offer, operation: str) -> None:
    """The fault that somebody else was faster."""
    if world.faults.strike(tx, Fault.SOLD_OUT, slug, operation) is not None:
        sittings.snatch(world, tx, offer)


def fee_now(world: World, terms: Terms, kept: int) -> int:
    """What canceling costs now; `kept` is all that was paid and did not go back."""
    offer = offer_of(terms)
    free = world.real_s() <= offer.free_until.timestamp() or terms.delay >= LONG_DELAY_MIN
    return 0 if free else min(kept, offer.fee)


def stamp(moment: datetime) -> str:
    """RFC 3339 to the minute, with the local offset."""
    return moment.isoformat(timespec="seconds")


def offer_json(streets: Streets, offer: Offer, left: int) -> Json:
    amount = offer.per_person * offer.party
    return {
        "id": offer.id,
        **_offer(streets, offer, offer.per_person),
        "price": {"amount": amount, "currency": CURRENCY},
        "left": left,
    }


def table_json(streets: Streets, terms: Terms) -> Json:
    """The member `table` of checkouts and orders, as far as it is agreed."""
    shown: Json = {
        "action": terms.action,
        "offer": terms.offer,
        **_offer(streets, offer_of(terms), terms.per_person),
        "guest": terms.guest,
    }
    if terms.action == "change":
        shown["booking_id"] = terms.booking_id
    return shown


def line_json(terms: Terms) -> Json:
    house = offer_of(terms).house
    title = f"{house.name}, table for {terms.party}"
    return {
        "id": "li_1",
        "item": {"id": terms.offer, "title": title, "price": terms.total},
        "quantity": 1,
        "totals": [
            {"type": "subtotal", "amount": terms.total},
            {"type": "total", "amount": terms.total},
        ],
    }


def totals_json(terms: Terms, surplus: int = 0) -> list[Json]:
    """`surplus` makes the total wrong on purpose."""
    offer = offer_of(terms)
    label = offer.menu.title if offer.menu else "Deposit"
    if terms.action == "change":
        label = "Difference"
    return [
        {"type": "subtotal", "display_text": label, "amount": terms.total},
        {"type": "total", "display_text": "Total", "amount": terms.total + surplus},
    ]


def _offer(streets: Streets, offer: Offer, per_person: int) -> Json:
    shown: Json = {
        "restaurant": _house(streets, offer.house),
        "begins": stamp(offer.begins),
        "ends": stamp(offer.ends),
        "party": offer.party,
        "prepaid": "menu" if offer.menu else "deposit",
        "per_person": per_person,
        "cancellation": {"free_until": stamp(offer.free_until), "fee": offer.fee},
    }
    if offer.menu:
        shown["menu"] = offer.menu.title
    return shown


def _house(streets: Streets, house: House) -> Json:
    address = house.address(streets)
    return {
        "id": house.id,
        "name": house.name,
        "street_address": str(address),
        "postal_code": address.postal_code or "00100",
        "address_locality": "Helsinki",
        "address_country": "FI",
        "latitude": address.point[0],
        "longitude": address.point[1],
        "time_zone": TIME_ZONE,
        "cuisines": list(house.cuisines),
    }
