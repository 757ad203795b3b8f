"""The extension `dev.lapel.tables` on UCP's wire: tables offered and booked."""

from __future__ import annotations

from lapel.commerce.checkout import Address
from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, TableOffer, TableStatus
from lapel.commerce.table import Prepaid, Restaurant, Table, TableTerms
from lapel.services.connectors.ucp.arithmetic import check_currency
from lapel.services.connectors.ucp.moments import moment, shown
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.wire.order import OrderBody
from lapel.services.connectors.ucp.wire.tables import RestaurantBody, TableBody, TableCancellation

_PREPAID: dict[str, Prepaid] = {"deposit": "deposit", "menu": "menu"}
_WORDS = 80
_STREET = 120


def table_of(body: TableBody | None, asked: Table | None, currency: str) -> Table | None:
    """What a checkout says that is booked; None without a table."""
    check_currency(currency)
    if body is None:
        if asked is not None:
            raise Nonsense("the merchant prices a table without saying which")
        return None
    return _table(body, body.offer)


def offer_of(body: TableBody, merchant: Merchant) -> TableOffer:
    """An offer of a search. Nonsense when its price is not what its people pay."""
    if not body.id or body.price is None:
        raise Nonsense(f"{merchant.name!r} offers a table without id or price")
    price = Money(body.price.amount, check_currency(body.price.currency))
    if price.minor <= 0 or price.minor != body.per_person * body.party:
        raise Nonsense(f"{merchant.name!r}: {body.party} times {body.per_person} is not {price}")
    return TableOffer(
        merchant_id=merchant.id,
        merchant_name=plain(merchant.name, _WORDS),
        table=_table(body, body.id),
        price=price,
        address=_address(body.restaurant),
        cuisines=tuple(plain(x, _WORDS) for x in body.restaurant.cuisines[:10]),
        left=body.left,
    )


def table_status_of(body: OrderBody) -> TableStatus | None:
    """How the booking of an order stands; None for orders of anything else."""
    table = body.table
    if table is None:
        return None
    fee_now = table.cancellation.fee_now
    kept = [x.fee for x in body.adjustments or () if x.type == "cancellation" and x.fee]
    return TableStatus(
        table=_table(table, table.offer),
        status=plain(table.status, _WORDS),
        address=_address(table.restaurant),
        expected_begins=shown(table.expected_begins),
        fee_now=None if fee_now is None else Money(fee_now, body.currency),
        fee_kept=Money(kept[0], body.currency) if kept else None,
    )


def _table(body: TableBody, offer_id: str) -> Table:
    prepaid = _PREPAID.get(body.prepaid)
    if prepaid is None:
        raise Nonsense(f"{body.prepaid[:40]!r} is no way to pay for a table in advance")
    zone = body.restaurant.time_zone
    begins, ends = moment(body.begins, zone), moment(body.ends, zone)
    if ends <= begins:
        raise Nonsense(f"a table at {body.restaurant.name!r} is over before it begins")
    if body.per_person <= 0:
        raise Nonsense(f"a table at {body.restaurant.name!r} for {body.per_person} a person")
    return Table(
        offer_id=offer_id,
        restaurant=_restaurant(body.restaurant),
        begins=begins.isoformat(timespec="seconds"),
        ends=ends.isoformat(timespec="seconds"),
        party=body.party,
        prepaid=prepaid,
        per_person=body.per_person,
        cancellation=_terms(body.cancellation),
        menu=plain(body.menu, _STREET),
        guest=plain(body.guest, _WORDS),
        booking_id=body.booking_id if body.action == "change" else "",
    )


def _terms(body: TableCancellation) -> TableTerms:
    free_until = shown(body.free_until)
    if body.fee < 0 or (body.fee_now or 0) < 0 or not free_until:
        raise Nonsense("a table whose cancellation terms are below nothing or without a time")
    return TableTerms(free_until, body.fee)


def _restaurant(body: RestaurantBody) -> Restaurant:
    return Restaurant(
        id=body.id,
        name=plain(body.name, _WORDS),
        street=plain(body.street_address, _STREET),
        postal_code=plain(body.postal_code, 20),
        city=plain(body.address_locality, _WORDS),
        country=plain(body.address_country, 40),
        zone=body.time_zone,
    )


def _address(body: RestaurantBody) -> Address:
    at = _restaurant(body)
    return Address(
        at.name, at.street, at.city, at.postal_code, at.country, body.latitude, body.longitude
    )
