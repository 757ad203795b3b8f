"""UCP's wire to Lapel's own Checkout and MerchantOrder, checked on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime

import msgspec

from lapel.commerce.checkout import (
    Address,
    Checkout,
    CheckoutLine,
    CheckoutMessage,
    CheckoutStatus,
    DraftLine,
    OrderDraft,
    PaymentTarget,
    Total,
)
from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantAdjustment, MerchantEvent, MerchantOrder, Nonsense
from lapel.services.connectors.ucp.arithmetic import (
    check_checkout,
    check_currency,
    check_line,
    total_of,
)
from lapel.services.connectors.ucp.groceries import (
    bill_of,
    check_asked,
    questions_of,
    weighing_of,
)
from lapel.services.connectors.ucp.journeys import journey_of, journey_status_of
from lapel.services.connectors.ucp.profile import HandlerEntry
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.requests import PICKUP, cheapest, is_same_place
from lapel.services.connectors.ucp.tables import table_of, table_status_of
from lapel.services.connectors.ucp.transfers import transfer_of
from lapel.services.connectors.ucp.trips import status_of, terms_of
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody, LineEntry
from lapel.services.connectors.ucp.wire.fulfillment import Destination, PostalAddress
from lapel.services.connectors.ucp.wire.order import Adjustment, FulfillmentEvent, OrderBody
from lapel.services.urls import check, check_page

TITLE_LIMIT = 120
LINES_LIMIT = 100
EVENTS_LIMIT = 500
_LABELS = {
    "subtotal": "Subtotal",
    "discount": "Discount",
    "items_discount": "Item discounts",
    "fulfillment": "Delivery",
    "tax": "Tax",
    "fee": "Fee",
    "total": "Total",
}
_CANCELLATION = "cancellation"
_STATUSES = frozenset({"pending", "completed", "failed"})
_MINUTES = re.compile(r"(\d{1,3})\s*(?:[-\u2013]|to)?\s*(\d{1,3})?\s*min", re.IGNORECASE)
_LONGEST_ETA = 24 * 60


class BankConfig(msgspec.Struct, frozen=True):
    """Where the bank of a payment handler is, and whom it pays.

    `session`: the payment is delegated as in ACP, for that session alone and until it expires.
    """

    endpoint: str = ""
    payee: str = ""
    capture: str = "exact"
    session: str = ""
    session_expires_at: str = ""


def to_checkout(
    body: CheckoutBody,
    merchant: Merchant,
    pairs: Sequence[DraftLine | None],
    *,
    draft: OrderDraft | None,
    handlers: Sequence[str],
    now_s: float,
) -> Checkout:
    """The checkout with all its sums checked.

    Where `pairs` knows the draft's line for a line, it speaks in the draft's terms, so that what
    was asked and what was answered can be compared and hash alike at all times. The same goes for
    the draft's address and trip, as long as the merchant's are the same.
    """
    if not body.id or len(body.line_items) > LINES_LIMIT:
        raise Nonsense(f"a checkout without an id or with {len(body.line_items)} lines")
    total = check_checkout(body)
    currency = body.currency
    return Checkout(
        merchant_id=merchant.id,
        merchant_name=merchant.name,
        id=body.id,
        status=_status(body.status),
        lines=tuple(
            _line(line, draft, currency) for line, draft in zip(body.line_items, pairs, strict=True)
        ),
        totals=tuple(
            Total(
                entry.type,
                plain(entry.display_text or _LABELS.get(entry.type, entry.type), TITLE_LIMIT),
                Money(entry.amount, currency),
            )
            for entry in body.totals
        ),
        total=Money(total, currency),
        address=_address(body, draft.address if draft and not draft.pickup else None),
        pickup=_is_fetched(body),
        trip=terms_of(body.trip, draft.trip if draft else None, currency),
        transfer=transfer_of(body.transfer),
        journey=journey_of(body.journey, draft.journey if draft else None, currency),
        table=table_of(body.table, draft.table if draft else None, currency),
        payment=_payment(body.ucp.payment_handlers, handlers, merchant),
        messages=tuple(
            CheckoutMessage(x.code, plain(x.content), x.severity or x.type, x.path or "")
            for x in (body.messages or ())[:50]
        ),
        continue_url=_page(body.continue_url, merchant.profile.url),
        order_id=body.order.id if body.order else "",
        eta_minutes=_eta(body, now_s),
        signed=body.signed,
    )


def to_order(body: OrderBody, merchant_id: str, profile_url: str) -> MerchantOrder:
    """The order of the merchant with that profile; its totals must add up."""
    if not body.id:
        raise Nonsense("an order without an id")
    currency = check_currency(body.currency)
    events = (body.fulfillment.events if body.fulfillment else None) or ()
    adjustments = (body.adjustments or ())[:EVENTS_LIMIT]
    nothing_left = not any(line.quantity.total for line in body.line_items)
    canceled = any(event.type == "canceled" for event in events) or any(
        x.type == _CANCELLATION and x.status == "completed" and (nothing_left or not x.line_items)
        for x in adjustments
    )
    total = total_of(body.totals, "the order")
    order = MerchantOrder(
        merchant_id=merchant_id,
        id=body.id,
        checkout_id=body.checkout_id,
        total=Money(total, currency),
        events=tuple(_event(event) for event in events[:EVENTS_LIMIT]),
        permalink=_link(body.permalink_url, profile_url),
        canceled=canceled,
        adjustments=tuple(_adjustment(x, currency) for x in adjustments if x.status in _STATUSES),
        ride=status_of(body),
        bill=bill_of(body, currency),
        questions=questions_of(body, currency),
        journey=journey_status_of(body, merchant_id),
        table=table_status_of(body),
    )
    back = sum(amount.minor for amount in order.refunds)
    if back > total:
        raise Nonsense(f"the order of {total} names refunds of {back}", code="wrong_arithmetic")
    return order


def _adjustment(adjustment: Adjustment, currency: str) -> MerchantAdjustment:
    amounts = [entry.amount for entry in adjustment.totals or () if entry.type == "total"]
    if len(amounts) > 1:
        raise Nonsense(f"adjustment {adjustment.id!r} has {len(amounts)} totals")
    return MerchantAdjustment(
        id=adjustment.id,
        kind=plain(adjustment.type, 64),
        status=adjustment.status,
        amount=Money(amounts[0], currency) if amounts and amounts[0] else None,
        text=plain(adjustment.description or ""),
        lines=tuple((x.id, abs(x.quantity)) for x in (adjustment.line_items or ())[:LINES_LIMIT]),
    )


def _line(line: LineEntry, draft: DraftLine | None, currency: str) -> CheckoutLine:
    if draft is not None:
        check_asked(line, draft)
    return CheckoutLine(
        item_id=draft.item_id if draft else line.item.id,
        title=plain(line.item.title, TITLE_LIMIT),
        quantity=line.quantity,
        unit_price=Money(line.item.price, currency),
        total=Money(check_line(line), currency),
        options=draft.options if draft else tuple(line.modifiers or ()),
        note=draft.note if draft else plain(line.note or "", 200),
        id=line.id if line.groceries else "",
        substitution=line.groceries.substitution if line.groceries else "",
        weighing=weighing_of(line, currency),
        substitution_max=(line.groceries.substitution_max or 0) if line.groceries else 0,
    )


def _link(url: str | None, named_by: str) -> str:
    """A link for the user to follow, or nothing when it is not one that Lapel would follow."""
    if not url:
        return ""
    try:
        return check(url, named_by=named_by)
    except Nonsense:
        return ""


def _page(url: str | None, named_by: str) -> str:
    """A page of the merchant's own for the user to open, or nothing."""
    try:
        return check_page(url, named_by=named_by) if url else ""
    except Nonsense:
        return ""


def _status(text: str) -> CheckoutStatus:
    try:
        return CheckoutStatus(text)
    except ValueError as error:
        raise Nonsense(f"{text!r} is not a status of a UCP checkout") from error


def _address(body: CheckoutBody, asked: Address | None) -> Address:
    destination = _selected_destination(body)
    if asked is not None and (destination is None or is_same_place(destination, asked)):
        return asked
    if destination is None:
        return Address("", "", "", "", "", 0.0, 0.0)
    if destination.address is not None or destination.name:
        return _place(destination)
    return Address(
        label="",
        street=destination.street_address or "",
        city=destination.address_locality or "",
        postal_code=destination.postal_code or "",
        country=destination.address_country or "",
        latitude=destination.latitude or 0.0,
        longitude=destination.longitude or 0.0,
        instructions=destination.instructions or destination.extended_address or "",
    )


def _place(destination: Destination) -> Address:
    """A place of the merchant's, by its name."""
    at = destination.address or PostalAddress()
    return Address(
        label=plain(destination.name or "", TITLE_LIMIT),
        street=plain(at.street_address or "", TITLE_LIMIT),
        city=plain(at.address_locality or "", 80),
        postal_code=plain(at.postal_code or "", 20),
        country=plain(at.address_country or "", 40),
        latitude=0.0,
        longitude=0.0,
    )


def _is_fetched(body: CheckoutBody) -> bool:
    """Whether all of it is to be picked up: one method, and that one."""
    methods = (body.fulfillment.methods if body.fulfillment else None) or ()
    return bool(methods) and all(method.type == PICKUP for method in methods)


def _selected_destination(body: CheckoutBody) -> Destination | None:
    for method in (body.fulfillment.methods if body.fulfillment else None) or ():
        for destination in method.destinations or ():
            if destination.id == method.selected_destination_id:
                return destination
    return None


def _payment(
    offered: dict[str, tuple[HandlerEntry, ...]], known: Sequence[str], merchant: Merchant
) -> PaymentTarget | None:
    """The first handler that Lapel knows, else the first there is, which paying will refuse."""
    names = [name for name in known if offered.get(name)] + [x for x in offered if offered[x]]
    if not names:
        return None
    entry = offered[names[0]][0]
    config = BankConfig()
    if names[0] in known:
        try:
            config = msgspec.json.decode(bytes(entry.config), type=BankConfig)
        except msgspec.DecodeError as error:
            raise Nonsense(f"{merchant.name!r} names no bank in {names[0]!r}") from error
    return PaymentTarget(
        names[0],
        entry.id,
        config.endpoint.rstrip("/"),
        config.payee,
        at_most=config.capture == "at_most",
        session=config.session,
        session_expires_at=config.session_expires_at,
    )


def _eta(body: CheckoutBody, now_s: float) -> int | None:
    """Minutes to the door: what the selected option promises in words, else by its latest time."""
    for method in (body.fulfillment.methods if body.fulfillment else None) or ():
        for group in method.groups or ():
            options = [x for x in group.options or () if x.id == group.selected_option_id]
            option = options[0] if options else cheapest(group) if group.options else None
            if option is None:
                continue
            said = _MINUTES.search(option.description or "")
            if said:
                return int(said.group(2) or said.group(1))
            return _minutes_until(option.latest_fulfillment_time, now_s)
    return None


def _minutes_until(moment: str | None, now_s: float) -> int | None:
    try:
        at_s = datetime.fromisoformat(moment or "").timestamp()
    except (ValueError, OverflowError):
        return None
    minutes = math.ceil((at_s - now_s) / 60)
    return minutes if 0 < minutes <= _LONGEST_ETA else None


def _event(event: FulfillmentEvent) -> MerchantEvent:
    return MerchantEvent(
        id=event.id,
        kind=plain(event.type, 64),
        at=plain(event.occurred_at, 64),
        text=plain(event.description or ""),
        tracking_url=(event.tracking_url or "")[:2048],
    )
