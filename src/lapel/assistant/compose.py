"""Cues for what happens to an order: what is shown, said and felt at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lapel.assistant import words
from lapel.assistant.goods import cues as goods
from lapel.assistant.pay import cues as pay
from lapel.assistant.rides import cues as rides
from lapel.assistant.tables import cues as tables
from lapel.assistant.travel import cues as travel
from lapel.commerce import (
    Approval,
    Checkout,
    Order,
    OrderEvent,
    Takes,
    Transfer,
    fetched_at,
    off,
    table_words,
    unheeded,
)
from lapel.commerce.times import short, spoken_day
from lapel.devices import (
    Card,
    CardAction,
    CardLine,
    CardLink,
    Cue,
    CueKind,
    MapView,
    Pattern,
    Progress,
)
from lapel.devices.cues import PASSKEY_ACTION

HOW: Mapping[Takes, str] = {
    "screen": "Look at your phone for this one, and tap {button} there.",
    "passkey": "Look at your phone for this one, and confirm it with your passkey.",
}
FOOTER: Mapping[Takes, str] = {
    "screen": "Tap {button} on a screen",
    "passkey": "Confirm with your passkey on a screen",
}

SAY_STOP = "Say stop to undo."

STEPS = ("Ordered", "Preparing", "Picked up", "On its way", "Delivered")
STEPS_AT_THE_SHOP = ("Ordered", "Preparing", "Ready", "Picked up")
_AT = {"placed": 1, "preparing": 1, "picked_up": 2, "on_the_way": 3, "late": 3, "delivered": 5}
"""Event kind -> the step that is under way."""
_AT_THE_SHOP = {"placed": 1, "preparing": 1, "ready": 2, "late": 1, "delivered": 4}

_SPOKEN = frozenset(
    {
        "placed", "on_the_way", "delivered", "late", "over_limit", "quote_failed", "refused",
        "lapsed", "canceled", "payment_declined", "price_changed", "limit_ended",
        "place_failed", "refunded", "trouble", "merchant_canceled", "part_refunded",
        "refund_promised", "refund_failed", "refund_overdue", "refund_came", "charged_more",
        "adjusted", "driver_assigned",
        "driver_arriving", "driver_here", "on_trip", "dropped_off", "driver_canceled",
        "ride_canceled", "destination_changed", "pickup_soon", "pickup_shifted", "time_changed",
        "tipped", "billed", "overbilled",
        "substitution_sent", "ready", "journey_delayed", "journey_disrupted", "journey_changed",
        "journey_canceled", "table_soon", "table_delayed", "table_changed", "table_missed",
        "table_canceled",
    }
)  # fmt: skip
"""Kinds worth interrupting somebody's silence for; the others only change the card."""

_HAPTIC = {
    "placed": Pattern.DOUBLE,
    "delivered": Pattern.DOUBLE,
    "ready": Pattern.DOUBLE,
    "payment_declined": Pattern.LONG,
    "place_failed": Pattern.LONG,
    "refunded": Pattern.LONG,
    "trouble": Pattern.LONG,
    "merchant_canceled": Pattern.LONG,
    "driver_here": Pattern.DOUBLE,
    "driver_canceled": Pattern.LONG,
    "pickup_soon": Pattern.DOUBLE,
    "pickup_shifted": Pattern.LONG,
    "journey_delayed": Pattern.LONG,
    "journey_disrupted": Pattern.LONG,
    "table_soon": Pattern.DOUBLE,
    "table_delayed": Pattern.LONG,
}

ADJUSTED = frozenset(
    {
        "part_refunded", "refund_promised", "refund_failed", "refund_overdue", "refund_came",
        "charged_more", "adjusted", "billed", "overbilled", "substitution_sent", "ask_done",
        "ask_refused", "ask_slow", "ask_unanswered",
    }
)  # fmt: skip
"""Kinds that stand beside the order's progress: they do not take its card down."""

_GRAVE = frozenset({"charged_more", "refund_failed", "refund_overdue", "overbilled"})

SILENT = frozenset(
    {
        "quoted", "revised", "approval_needed", "within_limit", "approved", "paid",
        "cancel_asked", "transferred", "substitution_answered", "substitution_closed",
        "return_asked", "change_asked",
    }
)  # fmt: skip
"""Kinds without a cue of their own: an approval says more, or the next step follows at once."""


def step_of(order: Order, kind: str) -> int:
    """The step that is under way after an event of this kind."""
    return _progress_of(order)[1].get(kind, 0)


def _progress_of(order: Order) -> tuple[tuple[str, ...], Mapping[str, int]]:
    """The steps of such an order, and the one that each kind of event has reached."""
    if order.draft.trip is not None:
        return rides.STEPS, rides.AT
    return (STEPS_AT_THE_SHOP, _AT_THE_SHOP) if order.draft.pickup else (STEPS, _AT)


def sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def where_to(order: Order, label: str) -> str:
    """`to your office`, or where it is to be fetched."""
    checkout = order.checkout
    if checkout is not None and checkout.pickup:
        return f"to pick up at {fetched_at(checkout)}"
    transfer, table = order.draft.transfer, order.draft.table
    if transfer is not None:
        return f"to {transfer.name} ({transfer.payee})"
    if table is not None:
        return f"{table_words.title(table)}, {spoken_day(table.starts)}"
    return f"to {words.address(label)}"


def approval_topic(approval_id: str) -> str:
    return f"approval:{approval_id}"


def order_topic(order_id: str) -> str:
    return f"order:{order_id}"


def approval(
    order: Order,
    asked: Approval,
    *,
    now: float,
    how: str,
    notes: Sequence[str] = (),
    takes: Takes = "press",
) -> Cue:
    """The question of a purchase: everything that is agreed to, and how to answer it."""
    checkout = order.checkout
    assert checkout is not None  # an approval is only ever made for a priced cart
    booking = _booking(checkout, now)
    if booking is not None:
        around = [*notes, _how(takes, "Book", how)]
        return _booking_approval(order, asked, booking, now, around, takes)
    if checkout.transfer is not None:
        return _transfer_approval(asked, checkout, checkout.transfer, now, how, takes)
    where = where_to(order, asked.address_label)
    comma = "," if checkout.pickup else ""
    spoken = f"{words.cart(order.draft.lines)} from {asked.merchant_name}{comma} {where}."
    notes = [*notes, *unheeded(checkout, order.draft)]
    how = _how(takes, "Order", how)
    parts = [*notes, sentence(spoken), _price(checkout), how]
    return Cue(
        id=f"{approval_topic(asked.id)}",
        topic=approval_topic(asked.id),
        kind=CueKind.APPROVAL,
        speech=" ".join(part for part in parts if part),
        card=Card(
            title=asked.merchant_name,
            lines=tuple(cart_lines(order)),
            total=_total(checkout),
            body=" ".join([*notes, sentence(where)]),
            footer=_footer(takes, "Order"),
            actions=answers(takes, "Order"),
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, asked.expires_at - now),
    )


def window(order: Order, asked: Approval, *, now: float, notes: Sequence[str] = ()) -> Cue:
    """The notice of a purchase within a standing limit, with the time in which to undo it."""
    checkout = order.checkout
    assert checkout is not None  # as for an approval
    booking = _booking(checkout, now)
    if booking is None:
        where = where_to(order, asked.address_label)
        comma = "," if checkout.pickup else ""
        what = f"{words.cart(order.draft.lines)} from {asked.merchant_name}{comma} {where}"
        price, body = _price(checkout), sentence(where)
    else:
        what, price, body = booking[0].rstrip("."), "", booking[1]
    notes = [*notes, *unheeded(checkout, order.draft)]
    parts = [*notes, f"Ordering {what}.", price, "It is within your limit.", SAY_STOP]
    return Cue(
        id=approval_topic(asked.id),
        topic=approval_topic(asked.id),
        kind=CueKind.NOTICE,
        speech=" ".join(part for part in parts if part),
        card=Card(
            title=asked.merchant_name,
            lines=tuple(cart_lines(order)),
            total=_total(checkout),
            body=" ".join([*notes, f"Within your limit, ordered in a moment. {body}"]),
            footer="Hold to undo",
            actions=(CardAction("refuse", "Undo"),),
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, asked.expires_at - now),
    )


def _booking(checkout: Checkout, now: float) -> tuple[str, str] | None:
    """What is said of a booking, and what stands on its card; None for a cart."""
    if checkout.trip is not None:
        trip = checkout.trip
        return rides.question(checkout, trip, now), rides.way_of(trip, now)
    if checkout.journey is not None:
        journey = checkout.journey
        return travel.question(checkout, journey), travel.body(checkout, journey)
    if checkout.table is not None:
        table = checkout.table
        said = table_words.agreed(table, checkout.total, checkout.merchant_name, now)
        return said, tables.body(checkout, table, now)
    return None


def _booking_approval(
    order: Order,
    asked: Approval,
    texts: tuple[str, str],
    now: float,
    around: Sequence[str],
    takes: Takes,
) -> Cue:
    """The question of a booking: what is said, and what stands on the card."""
    said, body = texts
    *notes, how = around
    return Cue(
        id=approval_topic(asked.id),
        topic=approval_topic(asked.id),
        kind=CueKind.APPROVAL,
        speech=" ".join(part for part in (*notes, said, how) if part),
        card=Card(
            title=asked.merchant_name,
            lines=tuple(cart_lines(order)),
            total=str(asked.amount),
            body=" ".join([*notes, body]),
            footer=_footer(takes, "Book"),
            actions=answers(takes, "Book"),
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, asked.expires_at - now),
    )


def _transfer_approval(
    asked: Approval,
    checkout: Checkout,
    transfer: Transfer,
    now: float,
    how: str,
    takes: Takes,
) -> Cue:
    """Whom, as the bank names them, and how much."""
    how = _how(takes, "Send", how.replace("to order", "to send"))
    return Cue(
        id=approval_topic(asked.id),
        topic=approval_topic(asked.id),
        kind=CueKind.APPROVAL,
        speech=f"{pay.question(checkout, transfer)} {how}",
        card=Card(
            title=f"Send money with {asked.merchant_name}",
            lines=(CardLine(f"To {transfer.name} ({transfer.payee})", str(asked.amount)),),
            total=str(asked.amount),
            body=pay.way_of(transfer),
            footer=_footer(takes, "Send"),
            actions=answers(takes, "Send"),
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, asked.expires_at - now),
    )


def _how(takes: Takes, button: str, how: str) -> str:
    instead = HOW.get(takes)
    return how if instead is None else instead.format(button=button)


def _footer(takes: Takes, button: str) -> str:
    usual = f"Press to {button.lower()}, hold to refuse"
    return FOOTER.get(takes, usual).format(button=button)


def answers(takes: Takes, yes: str) -> tuple[CardAction, ...]:
    """The buttons of a question; `yes` is what the one that agrees is called."""
    agree = CardAction("approve", yes)
    if takes == "passkey":
        agree = CardAction(PASSKEY_ACTION, f"{yes} with passkey")
    return (agree, CardAction("refuse", "Refuse"))


def _progress(order: Order, kind: str) -> Progress | None:
    """How far the order is; a tip, a change, a journey, a table and a transfer have no steps."""
    trip = order.draft.trip
    booked = order.draft.journey is not None or order.draft.table is not None
    if order.draft.transfer is not None or booked:
        return None
    steps, reached = _progress_of(order)
    at = reached.get(kind)
    if at is None or (trip is not None and trip.kind != "ride"):
        return None
    if trip is not None and trip.pickup_at and kind == "placed":
        return None  # nothing is under way before the time of a ride for later
    return Progress(steps, at)


def _price(checkout: Checkout) -> str:
    fee = next((entry for entry in checkout.totals if entry.kind == "fulfillment"), None)
    eta = f", in about {checkout.eta_minutes} minutes" if checkout.eta_minutes else ""
    total = _total(checkout)
    total = total[0].upper() + total[1:]
    if fee is None or fee.amount.minor == 0:
        return f"{total} in total{off(checkout)}{eta}."
    return f"{total} with {fee.amount} for delivery{off(checkout)}{eta}."


def _total(checkout: Checkout) -> str:
    """The price; of what is weighed later, about what and at most what."""
    if not checkout.billed_later:
        return str(checkout.total)
    if checkout.estimate == checkout.total:
        return f"at most {checkout.total}"
    return f"about {checkout.estimate}, at most {checkout.total}"


def escalation_topic(order_id: str) -> str:
    return f"escalation:{order_id}"


def escalation(order: Order, event: OrderEvent, *, now: float, notes: Sequence[str] = ()) -> Cue:
    """The hand-over to the shop's own page: why, the link, and how long there is time for it."""
    url, expires_at = event.data.get("continue_url"), event.data.get("expires_at")
    left = float(expires_at) - now if isinstance(expires_at, int | float) else 0.0
    reason = event.data.get("reason")
    return Cue(
        id=f"{escalation_topic(order.id)}:{event.n}",
        topic=escalation_topic(order.id),
        kind=CueKind.NOTICE,
        speech=" ".join([*notes, event.text]),
        card=Card(
            title=order.merchant_name,
            lines=tuple(cart_lines(order)),
            total=str(order.total) if order.total else "",
            body=f"The shop says: {reason}" if reason else event.text,
            footer="Confirm it on the shop's page",
            link=CardLink(url, "Open the shop's page") if isinstance(url, str) and url else None,
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, left),
    )


def cart_lines(order: Order) -> list[CardLine]:
    """When a ride for later is, items, what the merchant adds; the total stands apart."""
    trip = order.draft.trip
    at = trip.pickup_at if trip is not None else ""
    bought = _bought(order)
    return [CardLine("Pick-up", short(at)), *bought] if at else bought


def _bought(order: Order) -> list[CardLine]:
    if order.checkout is None:
        return [CardLine(f"{entry.quantity} x {entry.title}") for entry in order.draft.lines]
    options = {
        _key(entry.item_id, entry.options): entry.option_titles for entry in order.draft.lines
    }
    shown: list[CardLine] = []
    for entry in order.checkout.lines:
        titles = options.get(_key(entry.item_id, entry.options), ())
        if entry.weighing is not None:
            weighed = f"{entry.title}, about {words.weight(entry.weighing.grams)}"
            shown.append(CardLine(weighed, f"about {entry.weighing.estimate}"))
            continue
        text = f"{entry.quantity} x {entry.title}"
        if titles:
            text += f" ({', '.join(titles)})"
        shown.append(CardLine(text, str(entry.total)))
    for extra in order.checkout.totals:
        if extra.kind not in {"subtotal", "total"} and extra.amount.minor:
            shown.append(CardLine(extra.label or extra.kind, str(extra.amount)))
    return shown


def _key(item_id: str, options: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return item_id, tuple(sorted(options))


def plain(event: OrderEvent) -> Cue:
    """An event in its own words alone, for when nothing better can be made of it."""
    return Cue(
        id=f"{order_topic(event.order_id)}:{event.n}",
        topic=order_topic(event.order_id),
        kind=CueKind.NOTICE,
        speech=event.text,
        card=Card(title="Your order", body=event.text),
    )


def order_step(order: Order, event: OrderEvent) -> Cue | None:
    """What the user is told of one event of an order, or None where nothing is to be told."""
    if event.kind in SILENT:
        return None
    if event.kind == "substitution_asked":
        return goods.substitution(order, event)
    if event.kind in ADJUSTED:
        return _adjustment(order, event) if event.text else None
    progress = _progress(order, event.kind)
    return Cue(
        id=f"{order_topic(order.id)}:{event.n}",
        topic=order_topic(order.id),
        kind=CueKind.NOTICE if progress is None else CueKind.ORDER,
        speech=event.text if event.kind in _SPOKEN else "",
        card=Card(
            title=order.merchant_name,
            lines=tuple(cart_lines(order)),
            total=str(order.total) if order.total else "",
            body=event.text,
            progress=progress,
        ),
        haptic=_HAPTIC.get(event.kind),
    )


def _adjustment(order: Order, event: OrderEvent) -> Cue:
    """What the shop gives back or asks for; the lines of the order would only hide it."""
    topic = f"adjustment:{order.id}:{event.n}"
    return Cue(
        id=topic,
        topic=topic,
        kind=CueKind.NOTICE,
        speech=event.text,
        card=Card(title=order.merchant_name, body=event.text),
        haptic=Pattern.LONG if event.kind in _GRAVE else None,
    )


def receipt(order: Order, event: OrderEvent) -> Cue:
    """The receipt, for screens that show one."""
    return Cue(
        id=f"receipt:{order.id}",
        topic=f"receipt:{order.id}",
        kind=CueKind.RECEIPT,
        card=Card(
            title=f"Receipt, {order.merchant_name}",
            lines=tuple(cart_lines(order)),
            total=str(order.total) if order.total else "",
            body=sentence(where_to(order, order.draft.address.label)),
            footer=f"Order {order.merchant_order_id or order.id}",
        ),
    )


def where(
    order: Order, view: MapView, eta_minutes: int | None, at: int, tick: int, who: str = ""
) -> Cue:
    """The courier on the map; follows the order's card without a sound."""
    about = "" if eta_minutes is None else f"About {eta_minutes} min"
    named = who if order.draft.trip is not None else ""
    return Cue(
        id=f"{order_topic(order.id)}:map:{tick}",
        topic=order_topic(order.id),
        kind=CueKind.ORDER,
        card=Card(
            title=order.merchant_name,
            lines=tuple(cart_lines(order)),
            total=str(order.total) if order.total else "",
            body=". ".join(part for part in (named, about) if part),
            progress=Progress(_progress_of(order)[0], at),
            map=view,
        ),
    )


def reply(cue_id: str, text: str, card: Card | None = None) -> Cue:
    """An answer that needs no order."""
    return Cue(
        id=cue_id,
        topic="reply",
        kind=CueKind.REPLY,
        speech=text,
        card=card or Card(title="Lapel", body=text),
    )
