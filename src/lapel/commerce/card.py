"""The data of an event: what a card about the order needs, as plain JSON."""

from __future__ import annotations

from lapel.commerce.checkout import Checkout, CheckoutLine, OrderDraft, Transfer, Trip
from lapel.commerce.money import Money
from lapel.commerce.order import Approval, Order, OrderState
from lapel.commerce.table import Table
from lapel.commerce.words import fetched_at, place


def money(amount: Money) -> dict[str, object]:
    return {"minor": amount.minor, "currency": amount.currency}


def card(order: Order, checkout: Checkout | None = None) -> dict[str, object]:
    """Merchant, lines, totals and address label of the order, priced by `checkout` if given."""
    priced = checkout or order.checkout
    data: dict[str, object] = {
        "merchant_id": order.merchant_id,
        "merchant_name": priced.merchant_name if priced else order.merchant_name,
        "address_label": fetched_at(priced)
        if priced is not None and priced.pickup
        else order.draft.address.label,
        "lines": [],
        "totals": [],
        "total": None,
        "eta_minutes": None,
        "escalated": order.state is OrderState.ESCALATED,
    }
    if order.draft.trip is not None:
        data["trip"] = trip_data(order.draft.trip)
    if order.draft.transfer is not None:
        data["transfer"] = transfer_data(order.draft.transfer)
    if order.draft.journey is not None:
        journey = order.draft.journey
        data["journey"] = {
            "number": journey.number,
            "begins": journey.begins,
            "ends": journey.ends,
        }
    if order.draft.table is not None:
        data["table"] = table_data(order.draft.table)
    if priced is None:
        data["lines"] = [
            {
                "title": line.title,
                "quantity": line.quantity,
                "options": list(line.option_titles),
                "note": line.note,
                "total": None,
            }
            for line in order.draft.lines
        ]
        return data
    data["lines"] = [
        {
            "title": line.title,
            "quantity": line.quantity,
            "options": _option_titles(order.draft, line),
            "note": line.note,
            "total": money(line.total),
        }
        for line in priced.lines
    ]
    data["totals"] = [
        {"kind": total.kind, "label": total.label, "amount": money(total.amount)}
        for total in priced.totals
    ]
    data["total"] = money(priced.total)
    data["eta_minutes"] = priced.eta_minutes
    return data


def table_data(table: Table, expected_begins: str = "") -> dict[str, object]:
    """What a card about it needs; `expected_begins` is when it is ready, if that is later."""
    return {
        "restaurant": table.restaurant.name,
        "street": table.restaurant.street,
        "begins": expected_begins or table.begins,
        "ends": table.ends,
        "party": table.party,
        "menu": table.menu,
    }


def trip_data(trip: Trip) -> dict[str, object]:
    return {
        "kind": trip.kind,
        "pickup": "" if trip.pickup is None else place(trip.pickup),
        "destination": place(trip.destination),
        "pickup_at": trip.pickup_at,
    }


def transfer_data(transfer: Transfer) -> dict[str, object]:
    return {
        "kind": transfer.kind,
        "payee": transfer.payee,
        "name": transfer.name,
        "note": transfer.note,
        "amount": money(transfer.amount),
    }


def approval_card(order: Order, checkout: Checkout, approval: Approval) -> dict[str, object]:
    return {
        **card(order, checkout),
        "approval_id": approval.id,
        "checkout_hash": approval.checkout_hash,
        "payee": approval.payee,
        "asked_at": approval.asked_at,
        "expires_at": approval.expires_at,
        "limit_id": approval.limit_id,
    }


def _option_titles(draft: OrderDraft, line: CheckoutLine) -> list[str]:
    for wanted in draft.lines:
        if wanted.item_id == line.item_id and sorted(wanted.options) == sorted(line.options):
            return list(wanted.option_titles)
    return list(line.options)
