"""Orders, approvals and events as rows: every function works inside the caller's transaction.

Two rules keep a repeated step harmless. A change of state names the state and the revision that it
starts from, and is refused with `Moved` when the order is elsewhere. An event has a key, and the
same key is written once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from lapel.commerce.checkout import Checkout, CheckoutLine, OrderDraft, PaymentTarget
from lapel.commerce.errors import CommerceError
from lapel.commerce.money import Money
from lapel.commerce.order import (
    OPEN,
    Approval,
    ApprovalState,
    Evidence,
    Order,
    OrderEvent,
    OrderState,
)
from lapel.store import insert, is_live, schema

_Row = sa.RowMapping
_LATELY = 100
"""Orders at one merchant that are looked through for what was bought there."""

# Made here, once: msgspec learns a type at its first use, and two threads that both come first in
# that have crashed the process.
_draft_of = msgspec.json.Decoder(OrderDraft).decode
_checkout_of = msgspec.json.Decoder(Checkout).decode
_evidence_of = msgspec.json.Decoder(Evidence).decode
_data_of = msgspec.json.Decoder(dict[str, Any]).decode


class Moved(CommerceError):
    """The order is no longer where the caller read it: read it again."""

    code = "moved"


@dataclass(frozen=True, slots=True)
class Told:
    """An event to be written: `key` makes it once an order."""

    kind: str
    key: str
    text: str
    data: Mapping[str, object]


def new_order(
    connection: sa.Connection,
    order_id: str,
    user_id: str,
    draft: OrderDraft,
    at: float,
    owner: int | None = None,
) -> bool:
    """Write a new order; False when one with this id is there already."""
    row = connection.execute(
        insert(connection, schema.orders)
        .values(
            id=order_id,
            user_id=user_id,
            merchant_id=draft.merchant_id,
            merchant_name="",
            state=OrderState.QUOTING.value,
            revision=0,
            draft=_text(draft),
            created_at=at,
            updated_at=at,
            owner=owner,
        )
        .on_conflict_do_nothing(index_elements=["id"])
        .returning(schema.orders.c.id)
    ).first()
    return row is not None


def find(connection: sa.Connection, order_id: str) -> Order | None:
    row = connection.execute(sa.select(schema.orders).where(schema.orders.c.id == order_id))
    found = row.mappings().first()
    return _order(connection, found) if found else None


def load(connection: sa.Connection, order_id: str) -> Order:
    order = find(connection, order_id)
    if order is None:
        raise Moved(f"there is no order {order_id!r}")
    return order


def of_user(connection: sa.Connection, user_id: str, limit: int) -> list[Order]:
    """The user's orders, newest first."""
    rows = connection.execute(
        sa.select(schema.orders)
        .where(schema.orders.c.user_id == user_id)
        .order_by(schema.orders.c.created_at.desc(), schema.orders.c.id.desc())
        .limit(limit)
    )
    return [_order(connection, row) for row in rows.mappings().all()]


def open_orders(
    connection: sa.Connection, placed_since: float, owner: int | None = None
) -> list[str]:
    """Ids of the orders in which something may still happen by itself, or of one owner's."""
    orders = schema.orders.c
    query = sa.select(orders.id).where(_is_followed(placed_since)).order_by(orders.created_at)
    if owner is not None:
        query = query.where(orders.owner == owner)
    return list(connection.scalars(query))


def _is_followed(placed_since: float) -> sa.ColumnElement[bool]:
    """Each side has its range in the index: orders that are long done are not read."""
    orders, placed = schema.orders.c, OrderState.PLACED.value
    others = [state.value for state in OPEN if state is not OrderState.PLACED]
    recent = orders.updated_at >= placed_since
    # A grocer may bring the order before it has said what it came to.
    unbilled = sa.and_(orders.receipt.is_(None), orders.authorization_id.is_not(None))
    return sa.or_(
        orders.state.in_(others),
        sa.and_(orders.state == placed, recent),
        sa.and_(orders.state == OrderState.DELIVERED.value, recent, unbilled),
        orders.asked == 1,
    )


def owner_of(connection: sa.Connection, order_id: str) -> tuple[int | None, bool]:
    """The epoch of the worker that drives the order, and whether it lives."""
    orders = schema.orders.c
    row = connection.execute(
        sa.select(orders.owner, is_live(orders.owner)).where(orders.id == order_id)
    ).first()
    return (None, False) if row is None else (row[0], bool(row[1]))


def claim(connection: sa.Connection, order_id: str, owner: int) -> bool:
    """Give `owner` an order whose owner is no more; whether it has it now."""
    orders = schema.orders.c
    connection.execute(
        sa.update(schema.orders)
        .where(orders.id == order_id, sa.not_(is_live(orders.owner)))
        .values(owner=owner)
    )
    return owner_of(connection, order_id)[0] == owner


def inherit(connection: sa.Connection, placed_since: float, owner: int) -> None:
    """Give `owner` the open orders of those who are no more, and those that nobody has."""
    orders = schema.orders.c
    connection.execute(
        sa.update(schema.orders)
        .where(_is_followed(placed_since))
        .where(sa.or_(orders.owner.is_(None), sa.not_(is_live(orders.owner))))
        .values(owner=owner)
    )


def at_merchant(
    connection: sa.Connection, merchant_id: str, merchant_order_id: str, checkout_id: str
) -> Order | None:
    """The order behind a merchant's order, or behind its checkout while it has no number.

    A report that names the number of one order and the checkout of another is about neither.
    """
    orders = schema.orders.c
    number, checkout = orders.merchant_order_id, orders.checkout_id
    for value, column, other, also in (
        (merchant_order_id, number, checkout, checkout_id),
        (checkout_id, checkout, number, merchant_order_id),
    ):
        if value:
            agrees = sa.true() if not also else sa.or_(other.is_(None), other == also)
            rows = connection.execute(
                sa.select(schema.orders).where(
                    orders.merchant_id == merchant_id, column == value, agrees
                )
            )
            if found := rows.mappings().first():
                return _order(connection, found)
    return None


def is_taken(
    connection: sa.Connection, merchant_id: str, merchant_order_id: str, order_id: str
) -> bool:
    """Whether the merchant's number belongs to another order than this one."""
    orders = schema.orders.c
    found = connection.scalar(
        sa.select(orders.id).where(
            orders.merchant_id == merchant_id,
            orders.merchant_order_id == merchant_order_id,
            orders.id != order_id,
        )
    )
    return found is not None


def last_receipt(connection: sa.Connection, user_id: str) -> str | None:
    """The user's newest receipt: the one that was written last."""
    # By the events' own user: found from the end, not among all that there are.
    return connection.execute(
        _receipts()
        .where(schema.order_events.c.user_id == user_id)
        .order_by(schema.order_events.c.n.desc())
        .limit(1)
    ).scalar()


def receipts(connection: sa.Connection, user_id: str) -> list[str]:
    """All of the user's receipts in the order of their chain, the oldest first."""
    orders, events = schema.orders.c, schema.order_events.c
    found = _receipts().where(orders.user_id == user_id)
    grouped = found.group_by(orders.id, orders.receipt).order_by(sa.func.max(events.n))
    return list(connection.scalars(grouped))


def _receipts() -> sa.Select[Any]:
    """Receipts with the events that wrote each: the order was placed, or billed later."""
    orders, events = schema.orders.c, schema.order_events.c
    return (
        sa.select(orders.receipt)
        .join(schema.order_events, events.order_id == orders.id)
        .where(events.kind.in_(["placed", "billed"]), orders.receipt.is_not(None))
    )


def last_paid(connection: sa.Connection, user_id: str, merchant_id: str) -> PaymentTarget | None:
    """Where the user's newest order that this merchant took was paid to."""
    text = connection.scalar(_sold(user_id, merchant_id).limit(1))
    return _checkout_of(text).payment if text else None


def bought(connection: sa.Connection, user_id: str, merchant_id: str) -> list[CheckoutLine]:
    """What this merchant sold to the user, the newest first."""
    texts = connection.scalars(_sold(user_id, merchant_id).limit(_LATELY))
    return [line for text in texts for line in _checkout_of(text).lines]


def _sold(user_id: str, merchant_id: str) -> sa.Select[Any]:
    """The carts of the user's orders that this merchant took, the newest first."""
    orders = schema.orders.c
    return (
        sa.select(orders.checkout)
        .where(
            orders.user_id == user_id,
            orders.merchant_id == merchant_id,
            orders.receipt.is_not(None),
        )
        .order_by(orders.created_at.desc(), orders.id.desc())
    )


def has_paid(connection: sa.Connection, user_id: str, checkout: Checkout) -> bool:
    """Whether the user has paid into the same account at the same bank before."""
    now = checkout.payment
    if now is None:
        return False
    orders, approvals = schema.orders.c, schema.approvals.c
    text = connection.execute(
        sa.select(orders.checkout)
        .join(schema.approvals, approvals.order_id == orders.id)
        .where(
            orders.user_id == user_id,
            orders.merchant_id == checkout.merchant_id,
            orders.receipt.is_not(None),
            approvals.payee == now.payee,
            approvals.state == ApprovalState.APPROVED.value,
        )
        .order_by(orders.created_at.desc(), orders.id.desc())
        .limit(1)
    ).scalar()
    before = _checkout_of(text).payment if text else None
    return before is not None and (before.handler, before.endpoint, before.payee) == (
        now.handler,
        now.endpoint,
        now.payee,
    )


def move(
    connection: sa.Connection,
    order: Order,
    to: OrderState,
    at: float,
    *told: Told,
    **values: object,
) -> list[OrderEvent]:
    """Take the order from where it was read to another state, and tell of it; else `Moved`."""
    orders = schema.orders.c
    result = connection.execute(
        sa.update(schema.orders)
        .where(
            orders.id == order.id,
            orders.state == order.state.value,
            orders.revision == order.revision,
        )
        .values(state=to.value, updated_at=at, **values)
    )
    if result.rowcount != 1:
        raise Moved(f"order {order.id!r} is no longer {order.state.value}")
    return tell(connection, order, at, told)


def remember_checkout(connection: sa.Connection, order_id: str, checkout_id: str) -> None:
    """Keep the merchant's checkout id of a round that was overtaken, so that the next reuses it."""
    orders = schema.orders.c
    connection.execute(
        sa.update(schema.orders)
        .where(orders.id == order_id, orders.checkout_id.is_(None))
        .values(checkout_id=checkout_id)
    )


def redraft(connection: sa.Connection, order: Order, draft: OrderDraft) -> None:
    """Keep what a booking is for since it was changed; the checkout stays as it was agreed."""
    connection.execute(
        sa.update(schema.orders).where(schema.orders.c.id == order.id).values(draft=_text(draft))
    )


def set_asked(connection: sa.Connection, order_id: str, *, asked: bool) -> None:
    """Whether the merchant still has to answer something about it."""
    connection.execute(
        sa.update(schema.orders)
        .where(schema.orders.c.id == order_id)
        .values(asked=1 if asked else None)
    )


def touch(connection: sa.Connection, order_id: str, at: float) -> None:
    connection.execute(
        sa.update(schema.orders).where(schema.orders.c.id == order_id).values(updated_at=at)
    )


def tell(
    connection: sa.Connection, order: Order, at: float, told: Iterable[Told]
) -> list[OrderEvent]:
    """Write events that are not written yet, and return those."""
    new: list[OrderEvent] = []
    for entry in told:
        data = {"order_id": order.id, **entry.data}
        row = connection.execute(
            insert(connection, schema.order_events)
            .values(
                order_id=order.id,
                user_id=order.user_id,
                kind=entry.kind,
                key=key_text(entry.key),
                at=at,
                text=entry.text,
                data=_text(data),
            )
            .on_conflict_do_nothing(index_elements=["order_id", "key"])
            .returning(schema.order_events.c.n)
        ).first()
        if row is not None:
            event = OrderEvent(row.n, order.id, order.user_id, entry.kind, at, entry.text, data)
            new.append(event)
    return new


def told_keys(connection: sa.Connection, order_id: str) -> set[str]:
    events = schema.order_events.c
    rows = connection.execute(sa.select(events.key).where(events.order_id == order_id))
    return set(rows.scalars())


def last_event(connection: sa.Connection) -> int:
    """The number of the newest event of all; 0 before there is one."""
    return connection.scalar(sa.select(sa.func.max(schema.order_events.c.n))) or 0


def events_after(
    connection: sa.Connection, user_id: str | None, after_n: int, limit: int
) -> list[OrderEvent]:
    events = schema.order_events.c
    query = sa.select(schema.order_events).where(events.n > after_n).order_by(events.n).limit(limit)
    if user_id is not None:
        query = query.where(events.user_id == user_id)
    return _events(connection, query)


def events_of(connection: sa.Connection, order_id: str) -> list[OrderEvent]:
    events = schema.order_events.c
    query = sa.select(schema.order_events).where(events.order_id == order_id).order_by(events.n)
    return _events(connection, query)


def _events(connection: sa.Connection, query: sa.Select[Any]) -> list[OrderEvent]:
    return [
        OrderEvent(
            row["n"],
            row["order_id"],
            row["user_id"],
            row["kind"],
            row["at"],
            row["text"],
            _data_of(row["data"]),
        )
        for row in connection.execute(query).mappings()
    ]


def approval_id(order_id: str, revision: int) -> str:
    """There is at most one question in a round of pricing."""
    return f"a_{order_id}_{revision}"


def ask(connection: sa.Connection, approval: Approval) -> None:
    connection.execute(
        sa.insert(schema.approvals).values(
            id=approval.id,
            order_id=approval.order_id,
            user_id=approval.user_id,
            checkout_hash=approval.checkout_hash,
            amount_minor=approval.amount.minor,
            currency=approval.amount.currency,
            payee=approval.payee,
            state=approval.state.value,
            asked_at=approval.asked_at,
            expires_at=approval.expires_at,
            limit_id=approval.limit_id or None,
        )
    )


def close_approval(
    connection: sa.Connection,
    approval: Approval,
    to: ApprovalState,
    at: float,
    evidence: Evidence | None = None,
) -> Approval:
    """Take an approval from where it was read to another state; else `Moved`."""
    result = connection.execute(
        sa.update(schema.approvals)
        .where(
            schema.approvals.c.id == approval.id,
            schema.approvals.c.state == approval.state.value,
        )
        .values(
            state=to.value,
            decided_at=at if evidence else schema.approvals.c.decided_at,
            evidence=_text(evidence) if evidence else schema.approvals.c.evidence,
        )
    )
    if result.rowcount != 1:
        raise Moved(f"approval {approval.id!r} is no longer {approval.state.value}")
    if evidence is None:
        return replace(approval, state=to)
    return replace(approval, state=to, decided_at=at, evidence=evidence)


def find_approval(connection: sa.Connection, approval_id: str) -> tuple[Approval, Order] | None:
    """An approval by its id, with its order."""
    row = (
        connection.execute(sa.select(schema.approvals).where(schema.approvals.c.id == approval_id))
        .mappings()
        .first()
    )
    if row is None:
        return None
    order = load(connection, row["order_id"])
    return _approval(row, order.merchant_name, order.draft), order


def pending(connection: sa.Connection, user_id: str, now: float) -> list[Approval]:
    approvals = schema.approvals.c
    rows = connection.execute(
        sa.select(schema.approvals)
        .where(
            approvals.user_id == user_id,
            approvals.state == ApprovalState.PENDING.value,
            approvals.expires_at > now,
        )
        .order_by(approvals.asked_at)
    )
    found: list[Approval] = []
    for row in rows.mappings().all():
        order = load(connection, row["order_id"])
        if order.draft.plan:
            continue  # its plan asks for it
        found.append(_approval(row, order.merchant_name, order.draft))
    return found


def _order(connection: sa.Connection, row: _Row) -> Order:
    draft = _draft_of(row["draft"])
    current = (
        connection.execute(
            sa.select(schema.approvals).where(
                schema.approvals.c.id == approval_id(row["id"], row["revision"])
            )
        )
        .mappings()
        .first()
    )
    minor, currency = row["total_minor"], row["currency"]
    return Order(
        id=row["id"],
        user_id=row["user_id"],
        merchant_id=row["merchant_id"],
        merchant_name=row["merchant_name"],
        state=OrderState(row["state"]),
        revision=row["revision"],
        draft=draft,
        checkout=_checkout_of(row["checkout"]) if row["checkout"] else None,
        checkout_id=row["checkout_id"] or "",
        total=Money(minor, currency) if minor is not None and currency else None,
        approval=_approval(current, row["merchant_name"], draft) if current else None,
        merchant_order_id=row["merchant_order_id"] or "",
        authorization_id=row["authorization_id"] or "",
        receipt=row["receipt"],
        asked=row["asked"] is not None,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _approval(row: _Row, merchant_name: str, draft: OrderDraft) -> Approval:
    return Approval(
        id=row["id"],
        order_id=row["order_id"],
        user_id=row["user_id"],
        checkout_hash=row["checkout_hash"],
        amount=Money(row["amount_minor"], row["currency"]),
        payee=row["payee"],
        merchant_name=merchant_name,
        address_label=draft.address.label,
        asked_at=row["asked_at"],
        expires_at=row["expires_at"],
        state=ApprovalState(row["state"]),
        decided_at=row["decided_at"],
        evidence=_evidence_of(row["evidence"]) if row["evidence"] else None,
        limit_id=row["limit_id"] or "",
    )


def checkout_values(checkout: Checkout) -> dict[str, object]:
    """The columns that follow from a checkout."""
    return {
        "checkout": _text(checkout),
        "checkout_id": checkout.id,
        "merchant_name": checkout.merchant_name,
        "total_minor": checkout.total.minor,
        "currency": checkout.total.currency,
    }


def evidence_text(evidence: Evidence) -> str:
    return _text(evidence)


def draft_text(draft: OrderDraft) -> str:
    return _text(draft)


def key_text(key: str) -> str:
    """The key of an event as it is written down."""
    if len(key) <= 128:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
