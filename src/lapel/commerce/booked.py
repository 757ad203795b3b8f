"""What is booked for a date, as orders: journeys and tables, from the yes to the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.commerce import fees, records
from lapel.commerce.card import card, money
from lapel.commerce.checkout import OrderDraft
from lapel.commerce.money import Money
from lapel.commerce.order import Order, OrderEvent, OrderState
from lapel.commerce.ports import MerchantEvent, MerchantOrder
from lapel.commerce.records import Told
from lapel.commerce.words import spoken

FOLLOW_S = 24 * 3600.0
"""So long after its end a booking is still followed."""
FAR_S = 36 * 3600.0
LOOK_S = 3600.0
"""How often a company is asked about what begins later than `FAR_S`."""

KEEPS_TOO_MUCH = "The company keeps more than its rules allow, so I ask for all your money back."
GIVES_TOO_LITTLE = "The company gives back less than it says, so I ask for all your money back."
CANCELED = "Your booking is cancelled."
CHANGE_GIVEN_BACK = "The change was made, and the company gave back what it cost."


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of bookings. `events` gives Lapel's name of a merchant's event that is told.

    `overtaken` is no news any more once something came after it; after one of `done` the order is
    over. `canceled` is told when the user gave it back for a fee. `kept` is what the merchant says
    that it kept, `called_off` what is said when it cancels by itself.
    """

    events: Mapping[str, str]
    overtaken: frozenset[str]
    done: frozenset[str]
    canceled: str
    kept: Callable[[MerchantOrder], Money | None]
    told: Callable[[Order, MerchantOrder, str], tuple[str, dict[str, object]]]
    """Words for an event by Lapel's name of it, and what its card needs besides."""
    called_off: str

    @property
    def ends(self) -> frozenset[str]:
        """Kinds of events after which nothing more happens to such an order."""
        return self.done | {self.canceled}


@dataclass(frozen=True, slots=True)
class Cancellation:
    """How it is told: as `event`, with `canceled` in front, where the user gave it back for what
    the merchant says that it `kept`; with `called_off` where the merchant cancels by itself.
    """

    event: str
    kept: Money | None
    canceled: str
    called_off: str


def followed_until(draft: OrderDraft) -> float:
    """Until when such an order is followed at least; 0 for orders of anything else."""
    if draft.journey is not None:
        return draft.journey.arrives.timestamp() + FOLLOW_S
    return 0.0 if draft.table is None else draft.table.leaves.timestamp() + FOLLOW_S


def patience_s(draft: OrderDraft, now: float, usual_s: float) -> float:
    """How long to wait before the company is asked again; long while the date is far away."""
    begins = draft.journey.departs if draft.journey else draft.table.starts if draft.table else None
    far = begins is not None and begins.timestamp() - now > FAR_S
    return max(usual_s, LOOK_S) if far else usual_s


def apply(
    kind: Kind,
    connection: sa.Connection,
    order: Order,
    report: MerchantOrder,
    keys: set[str],
    at: float,
) -> list[OrderEvent]:
    """Write what is new in a report about such an order, or about the change of one."""
    news = _news(kind, order, report, keys)
    if report.canceled:
        over = Cancellation(kind.canceled, kind.kept(report), CANCELED, kind.called_off)
        return cancel(over, connection, order, report, keys, news, at)
    news += fees.adjustments_told(order, report)
    return settle(connection, order, report, news, kind.done, at)


def settle(
    connection: sa.Connection,
    order: Order,
    report: MerchantOrder,
    news: list[Told],
    done: frozenset[str],
    at: float,
) -> list[OrderEvent]:
    """Write what is new, and what comes back; one of `done` ends the order."""
    fees.expect_refunds(connection, order, report, at)
    if any(told.kind in done for told in news):
        return records.move(connection, order, OrderState.DELIVERED, at, *news)
    events = records.tell(connection, order, at, news)
    if events:
        records.touch(connection, order.id, at)
    return events


def canceled(fee: Money, back: Money, said: str = CANCELED) -> str:
    rest = f"you get {spoken(back)} back" if back.minor else "nothing comes back"
    return f"{said} It cost {spoken(fee)}; {rest}."


def cancel(
    over: Cancellation,
    connection: sa.Connection,
    order: Order,
    report: MerchantOrder,
    keys: set[str],
    news: list[Told],
    at: float,
) -> list[OrderEvent]:
    """What was kept is believed only as far as the user agreed to it; else all comes back."""
    kept, most = over.kept, fees.agreed(keys)
    paid = order.total or report.total
    back = sum(amount.minor for amount in report.refunds)
    honest = kept is not None and most is not None and kept.minor <= most
    if kept is not None and kept.minor > 0 and honest and back + kept.minor == paid.minor:
        said = canceled(kept, Money(back, kept.currency), over.canceled)
        told = Told(over.event, "m:canceled", said, {**card(order), "fee": money(kept)})
        fees.expect_refunds(connection, order, report, at)
        return records.move(connection, order, OrderState.CANCELED, at, *news, told)
    if kept is not None and not honest and kept.minor > 0:
        said = KEEPS_TOO_MUCH
    elif kept is not None and kept.minor > 0:
        said = GIVES_TOO_LITTLE
    else:
        said = over.canceled if most is not None else over.called_off
    told = Told("merchant_canceled", "m:canceled", said, card(order))
    return records.move(connection, order, OrderState.REFUNDING, at, *news, told)


def _news(kind: Kind, order: Order, report: MerchantOrder, keys: set[str]) -> list[Told]:
    """What was not told yet, without what has been overtaken since."""
    told: list[Told] = []
    for event in report.events:
        name = kind.events.get(event.kind)
        if name is None:
            continue
        if event.kind == "changed" and order.draft.is_change:
            name = "change_done"
        told.append(_told(kind, order, report, name, event))
    latest = [] if report.canceled else told[-1:]
    return [
        each
        for each in told
        if each.key not in keys and (each.kind not in kind.overtaken or each in latest)
    ]


def _told(kind: Kind, order: Order, report: MerchantOrder, name: str, event: MerchantEvent) -> Told:
    said, about = kind.told(order, report, name)
    data: dict[str, object] = {
        **card(order),
        "merchant_event": event.id,
        "merchant_at": event.at,
        "merchant_text": event.text,
        **about,
    }
    return Told(name, f"m:{name}:{event.id}", said, data)
