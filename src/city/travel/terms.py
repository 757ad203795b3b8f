"""What a travel checkout is for, what it costs, and what the fare's rules give for a booking."""

from __future__ import annotations

import msgspec

from city.errors import DataError
from city.faults import Fault
from city.store import Transaction
from city.travel import seats
from city.travel.offers import BY_SLUG, CURRENCY, Company, Offer, by_id, nearest_after, priced
from city.travel.wire import Traveller
from city.ucp.quote import Json, Note
from city.world import World

LONG_DELAY_MIN = 180
"""From so much on, a traveller may change or give back for nothing."""
CHOICES = 3


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """`price` is of the journey; of a change, `difference` and `fee` are what is to be paid.

    `holder` is who holds the seat until it is paid for.
    """

    company: str
    offer: str
    action: str
    price: int
    travellers: tuple[Traveller, ...] = ()
    booking_id: str = ""
    holder: str = ""
    difference: int = 0
    fee: int = 0

    @property
    def total(self) -> int:
        return self.price if self.action == "book" else self.difference + self.fee

    def same_price(self, other: Terms) -> bool:
        return (self.offer, self.total, self.price) == (other.offer, other.total, other.price)


def company_of(terms: Terms) -> Company:
    return BY_SLUG[terms.company]


def offer_of(terms: Terms) -> Offer:
    offer = by_id(company_of(terms), terms.offer)
    if offer is None:
        raise DataError(f"offer {terms.offer!r} is gone")
    return offer


def offered(world: World, tx: Transaction, company: Company, id: str) -> Offer | Note:
    """The offer with this id, if it can still be travelled."""
    offer = by_id(company, id)
    if offer is None:
        text = "there is no such journey"
        return Note("error", "item_unavailable", text, "$.line_items[0]")
    if offer.service.begins.timestamp() <= world.real_s():
        text = "that has begun already"
        return Note("error", "item_unavailable", text, "$.line_items[0]")
    return offer


def sold_out(offer: Offer) -> Note:
    text = f"nothing is left of {offer.service.number}, {offer.fare.title}"
    return Note("error", "sold_out", text, "$.line_items[0]")


def snatched(world: World, tx: Transaction, company: Company, offer: Offer, operation: str) -> None:
    """The fault that somebody else was faster."""
    if world.faults.strike(tx, Fault.SOLD_OUT, company.slug, operation) is not None:
        seats.snatch(world, tx, company, offer)


def alternatives(world: World, tx: Transaction, terms: Terms) -> list[Offer]:
    """Later departures on the same way at the same fare, for a traveller who cannot go."""
    company, before = company_of(terms), offer_of(terms)
    found: list[Offer] = []
    for service in nearest_after(company, before.service):
        offer = next(x for x in priced(company, service) if x.fare.id == before.fare.id)
        if seats.left(world, tx, company, offer) and len(found) < CHOICES:
            found.append(offer)
    return found


def is_waived(world: World, tx: Transaction, terms: Terms) -> bool:
    """Whether the company is at fault, so that the fare's rules do not bind the traveller."""
    minutes = seats.delay(tx, company_of(terms), offer_of(terms).service)
    return minutes is None or minutes >= LONG_DELAY_MIN


def change_fee(world: World, tx: Transaction, terms: Terms) -> int | None:
    """What changing costs now besides the difference; None when it is not allowed."""
    if is_waived(world, tx, terms):
        return 0
    offer = offer_of(terms)
    return None if world.real_s() > offer.until.timestamp() else offer.fare.change_fee


def refund(world: World, tx: Transaction, terms: Terms, unrefunded: int) -> int:
    """What giving the booking back brings now; `unrefunded` is all that was paid for it."""
    if is_waived(world, tx, terms):
        return unrefunded
    offer = offer_of(terms)
    if offer.fare.refund_fee is None or world.real_s() > offer.until.timestamp():
        return 0
    return min(unrefunded, max(0, terms.price - offer.fare.refund_fee))


def change(world: World, tx: Transaction, before: Terms, offer: Offer) -> Terms | Note:
    """The terms of travelling with `offer` instead; its total may be nothing, or less."""
    fee = change_fee(world, tx, before)
    if fee is None:
        text = f"the fare {offer_of(before).fare.title} cannot be changed any more"
        return Note("error", "change_not_allowed", text)
    if offer.id == before.offer:
        return Note("error", "nothing_to_change", "that is what is booked already")
    free = is_waived(world, tx, before) and offer.id in {
        each.id for each in alternatives(world, tx, before)
    }
    price = before.price if free else offer.price
    return msgspec.structs.replace(
        before,
        offer=offer.id,
        action="change",
        price=price,
        difference=price - before.price,
        fee=fee,
    )


def journey_json(terms: Terms) -> Json:
    """The member `journey` of checkouts and orders, as far as it is agreed."""
    shown: Json = {"action": terms.action, "offer": terms.offer, **offer_of(terms).json()}
    shown["travellers"] = msgspec.to_builtins(terms.travellers)
    if terms.action == "change":
        shown["booking_id"] = terms.booking_id
    return shown


def line_json(terms: Terms) -> Json:
    price = _goods(terms)
    offer = offer_of(terms)
    title = f"{offer.service.number}, {offer.fare.title}"
    return {
        "id": "li_1",
        "item": {"id": terms.offer, "title": title, "price": price},
        "quantity": 1,
        "totals": [
            {"type": "subtotal", "amount": price},
            {"type": "total", "amount": price},
        ],
    }


def totals_json(terms: Terms, surplus: int = 0) -> list[Json]:
    """`surplus` makes the total wrong on purpose."""
    goods = _goods(terms)
    label = "Fare" if terms.action == "book" else "Difference of fares"
    shown: list[Json] = [{"type": "subtotal", "display_text": label, "amount": goods}]
    if terms.total != goods:
        fee = terms.total - goods
        shown.append({"type": "fee", "display_text": "Change fee", "amount": fee})
    shown.append({"type": "total", "display_text": "Total", "amount": terms.total + surplus})
    return shown


def _goods(terms: Terms) -> int:
    """A fare that is lower than before lessens the fee: no price is below nothing."""
    return terms.price if terms.action == "book" else max(0, terms.difference)


def offer_json(offer: Offer, left: int, price: int | None = None) -> Json:
    amount = offer.price if price is None else price
    return {
        "id": offer.id,
        **offer.json(),
        "price": {"amount": amount, "currency": CURRENCY},
        "left": left,
    }
