"""A company of services serving one platform at one moment, and its checkout sessions.

Shops have carts and deliveries (`checkouts`); what is booked by the piece needs no more than this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import msgspec

from city.clock import stamp_utc
from city.faults import Fault
from city.replay import Answer
from city.store import Transaction
from city.ucp.checkout_json import order_label
from city.ucp.envelope import answer, failure, metadata, not_found, payment_handlers
from city.ucp.platforms import Platform
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import CHECKOUT, HANDLER_ID
from city.ucp.wire import CompleteRequest
from city.world import World

R = TypeVar("R")
T = TypeVar("T")

OPEN = "ready_for_complete"


@dataclass(frozen=True, slots=True)
class Counter:
    """The company `slug` and a platform, inside a transaction."""

    world: World
    slug: str
    platform: Platform
    tx: Transaction

    def respond(self, body: Json, status: int = 200) -> Answer:
        return answer(self.world.keys[self.slug], body, self.world.real_s(), status)

    def refuse(self, note: Note) -> Answer:
        """There is no resource, and why."""
        shared = self.platform.shared
        return self.respond(failure(self.world, self.slug, shared, CHECKOUT, [note]))

    def missing(self, what: str) -> Answer:
        shared = self.platform.shared
        return self.respond(not_found(self.world, self.slug, shared, CHECKOUT, what))

    def strikes(self, fault: Fault, operation: str | None = None) -> bool:
        return self.world.faults.strike(self.tx, fault, self.slug, operation) is not None


@dataclass(frozen=True, slots=True)
class Session(Generic[R, T]):
    """A checkout: what was asked, and the terms that it was answered with."""

    id: str
    status: str
    request: R
    terms: T
    expires_s: float
    order_id: str | None = None


Show = Callable[[Counter, Session[R, T], Sequence[Note]], Answer]
"""Answers with a session and what is to be said of it."""


class Sessions(Generic[R, T]):
    """The checkouts of one table, whose `request` and `quote` hold these two types.

    `lapsed` is told of a session whose time is over, when that is noticed.
    """

    def __init__(
        self,
        table: str,
        request: type[R],
        terms: type[T],
        lapsed: Callable[[Counter, str], None] = lambda counter, id: None,
    ) -> None:
        self._table = table
        self._request = request
        self._terms = terms
        self._lapsed = lapsed

    def insert(self, counter: Counter, session: Session[R, T]) -> None:
        counter.tx.execute(
            f"INSERT INTO {self._table} VALUES (?, ?, ?, ?, ?, ?, ?, NULL)",
            (
                session.id,
                counter.slug,
                counter.platform.profile_url,
                session.status,
                msgspec.json.encode(session.request).decode(),
                msgspec.json.encode(session.terms).decode(),
                session.expires_s,
            ),
        )

    def load(self, counter: Counter, id: str) -> Session[R, T] | None:
        """The platform's own checkout at this company; canceled when its time is over."""
        row = counter.tx.execute(
            f"SELECT id, status, request, quote, expires_s, order_id FROM {self._table} "
            "WHERE id = ? AND merchant = ? AND platform = ?",
            (id, counter.slug, counter.platform.profile_url),
        ).fetchone()
        if row is None:
            return None
        session = Session(
            row[0],
            row[1],
            msgspec.json.decode(row[2], type=self._request),
            msgspec.json.decode(row[3], type=self._terms),
            row[4],
            row[5],
        )
        if session.status == OPEN and session.expires_s <= counter.world.real_s():
            return self.cancel(counter, session)
        return session

    def open(self, counter: Counter, id: str, show: Show[R, T]) -> Session[R, T] | Answer:
        """The checkout if it can still be changed; else what to answer."""
        session = self.load(counter, id)
        if session is None:
            return counter.missing("Checkout")
        why = settled(session)
        return session if why is None else show(counter, session, [why])

    def read(self, counter: Counter, id: str, show: Show[R, T]) -> Answer:
        session = self.load(counter, id)
        return counter.missing("Checkout") if session is None else show(counter, session, ())

    def drop(self, counter: Counter, id: str, show: Show[R, T]) -> Answer:
        """Cancel it at the platform's word; what is settled is answered as it is."""
        session = self.open(counter, id, show)
        if isinstance(session, Answer):
            return session
        return show(counter, self.cancel(counter, session), ())

    def requote(self, counter: Counter, session: Session[R, T]) -> Session[R, T]:
        """Write another request and other terms."""
        counter.tx.execute(
            f"UPDATE {self._table} SET request = ?, quote = ? WHERE id = ?",
            (
                msgspec.json.encode(session.request).decode(),
                msgspec.json.encode(session.terms).decode(),
                session.id,
            ),
        )
        return session

    def cancel(self, counter: Counter, session: Session[R, T]) -> Session[R, T]:
        sql = f"UPDATE {self._table} SET status = 'canceled' WHERE id = ?"
        counter.tx.execute(sql, (session.id,))
        self._lapsed(counter, session.id)
        return replace(session, status="canceled")

    def complete(self, counter: Counter, session: Session[R, T], order_id: str) -> Session[R, T]:
        sql = f"UPDATE {self._table} SET status = 'completed', order_id = ? WHERE id = ?"
        counter.tx.execute(sql, (order_id, session.id))
        return replace(session, status="completed", order_id=order_id)


def settled(session: Session[R, T]) -> Note | None:
    """Why this checkout cannot be changed any more, or None."""
    match session.status:
        case "completed":
            text = f"checkout is completed; order {session.order_id} was placed"
            return Note("error", "checkout_completed", text)
        case "canceled":
            text = "checkout is canceled or expired; make a new one"
            return Note("error", "checkout_canceled", text)
        case _:
            return None


def token_of(request: CompleteRequest) -> str | Note:
    """The bank's token in a request to complete, or why there is none."""
    instrument = request.chosen()
    if instrument is None or instrument.handler_id != HANDLER_ID or instrument.credential is None:
        text = f"select one instrument of handler {HANDLER_ID!r} with a credential"
        return Note("error", "payment_failed", text, "$.payment")
    return instrument.credential.token


def session_json(
    counter: Counter, session: Session[R, T], notes: Sequence[Note], shown: Json, account: str = ""
) -> Json:
    """The checkout as an answer; `shown` has its lines, its totals and what it is about.

    It is paid into the company's account, or into another `account`.
    """
    world, base = counter.world, counter.world.urls[counter.slug]
    body: Json = {
        "ucp": {
            **metadata(counter.platform.shared, CHECKOUT),
            "payment_handlers": payment_handlers(world, counter.slug, account),
        },
        "id": session.id,
        "status": session.status,
        **shown,
        "messages": [note.json() for note in notes],
        "payment": {"instruments": []},
        "expires_at": stamp_utc(session.expires_s),
        "links": [
            {"type": "terms_of_service", "url": f"{base}/terms"},
            {"type": "privacy_policy", "url": f"{base}/privacy"},
        ],
    }
    if session.order_id is not None:
        body["order"] = {
            "id": session.order_id,
            "label": order_label(session.order_id),
            "permalink_url": f"{base}/o/{session.order_id}",
        }
    return body
