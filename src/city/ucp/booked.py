"""Bookings for a date of the calendar: paid for, changed, given back, told of; UCP's orders.

Their times are real ones: they happen in real time, whatever the City's own clock says.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Generic, Protocol, TypeVar

import msgspec

from city.bank import ledger
from city.clock import stamp_utc
from city.replay import Answer
from city.store import Database, Transaction
from city.ucp.counter import Counter
from city.ucp.order_book import (
    OrderBook,
    Placed,
    Placing,
    entity_json,
)
from city.ucp.quote import Json, Note
from city.world import World


class BookedTerms(Protocol):
    """What is booked. `action` is `book` or `change`; a change is of the order `booking_id`."""

    @property
    def action(self) -> str: ...
    @property
    def booking_id(self) -> str: ...
    @property
    def total(self) -> int: ...


T = TypeVar("T", bound=BookedTerms)


class Paid(msgspec.Struct):
    """One payment for the booking, by the order that it was made for, and what went back of it."""

    order_id: str
    authorization_id: str
    amount: int
    refunded: int = 0

    @property
    def kept(self) -> int:
        return self.amount - self.refunded


class Contents(msgspec.Struct, Generic[T]):
    """`terms` are of the booking as it is now; lines and totals as this order was bought."""

    terms: T
    line_items: list[Json]
    totals: list[Json]
    payments: list[Paid] = []
    canceled_by: str = ""
    given_back: list[tuple[int, float]] = []
    """Amounts that went back of this order's own payment, and when."""


class NoPlan(msgspec.Struct):
    """What becomes of a booking follows from its date."""


Booking = Placed[Contents[T], NoPlan]
"""A booking, or (its terms say so) the change of one that was paid for."""


class Bookings(ABC, Generic[T]):
    """The tables `orders`, `events` and `steps`; in the last two, `booking_id` is the order's.

    `member` is what the extension calls it; `ends` are the events after which nothing comes.
    """

    def __init__(
        self,
        orders: str,
        events: str,
        steps: str,
        contents: type[Contents[T]],
        *,
        member: str,
        ends: Collection[str],
        currency: str,
    ) -> None:
        self.book = OrderBook(orders, events, "booking_id", contents, NoPlan)
        self.load = self.book.load
        self.over = frozenset({*ends, "canceled"})
        self._steps = steps
        self._member = member
        self._currency = currency

    # What a company says.

    @abstractmethod
    def carrier(self, terms: T) -> str:
        """Its name."""

    @abstractmethod
    def text(self, tx: Transaction, terms: T, kind: str) -> str:
        """What an event says to people."""

    @abstractmethod
    def shown(self, world: World, tx: Transaction, booking: Booking[T]) -> Json:
        """The member: everything that is known of it now."""

    @abstractmethod
    def release(self, tx: Transaction, id: str) -> None:
        """What the booking had is for others again."""

    # What is common to all.

    def insert(
        self, tx: Transaction, prefix: str, placing: Placing, contents: Contents[T], now_s: float
    ) -> tuple[str, Booking[T]]:
        """A new order; gives its id, and the booking that its payment is for."""
        terms = contents.terms
        id = self.book.insert(tx, prefix, placing, contents, now_s)
        booking = self.load(tx, id if terms.action == "book" else terms.booking_id)
        booking.contents.payments.append(Paid(id, placing.authorization_id, terms.total))
        self.book.write(tx, booking, None)
        return id, booking

    def own(self, counter: Counter, id: str) -> Booking[T] | None:
        """The platform's own order at this company, of a booking or of the change of one."""
        return self.book.own(counter.tx, id, counter.slug, counter.platform.profile_url)

    def booking(self, counter: Counter, id: str) -> Booking[T] | None:
        """The platform's own booking at this company; None for the order of a change, too."""
        order = self.own(counter, id)
        return None if order is None or order.contents.terms.action == "change" else order

    def order(self, counter: Counter, id: str) -> Answer:
        """UCP's verb: only who proves which platform it is reads its orders."""
        order = self.own(counter, id)
        if order is None or not counter.platform.signed:
            return counter.missing("Order")
        return self.answer(counter, order.id, [])

    def answer(
        self, counter: Counter, id: str, notes: list[Note], change: Json | None = None
    ) -> Answer:
        """The order as it is now, with what is to be said, and with what a change comes to."""
        body = self.entity(counter.world, counter.tx, self.load(counter.tx, id))
        body["messages"] = [note.json() for note in notes]
        if change is not None:
            body[f"{self._member}_change"] = change
        return counter.respond(body)

    def unrefunded(self, booking: Booking[T]) -> int:
        """All that was paid for it and did not go back."""
        return sum(paid.kept for paid in booking.contents.payments)

    def give_back(self, world: World, tx: Transaction, booking: Booking[T], amount: int) -> None:
        """Refund so much of what was paid, the first payment first; each order tells its part."""
        for paid in booking.contents.payments:
            part = min(amount, paid.kept)
            if part <= 0:
                continue
            ledger.refund(tx, paid.authorization_id, world.real_s(), part, paid.order_id)
            paid.refunded += part
            amount -= part
            own = paid.order_id == booking.id
            order = booking if own else self.load(tx, paid.order_id)
            order.contents.given_back.append((part, world.real_s()))
            if not own:
                self.book.write(tx, order, None)
                self.tell(world, tx, order.id)
        self.book.write(tx, booking, None)

    def cancel(
        self, world: World, tx: Transaction, booking: Booking[T], by: str, back: int
    ) -> None:
        """End the booking and give so much of the money back."""
        self.give_back(world, tx, booking, back)
        booking.contents.canceled_by = by
        self.book.write(tx, booking, None)
        self.release(tx, booking.id)
        tx.execute(f"DELETE FROM {self._steps} WHERE booking_id = ?", (booking.id,))
        self.happen(world, tx, booking.id, "canceled")

    def expect(self, tx: Transaction, id: str, kind: str, due_s: float) -> None:
        """Something will happen to it at that real time, once."""
        tx.execute(f"INSERT OR REPLACE INTO {self._steps} VALUES (?, ?, ?)", (id, kind, due_s))

    def drop(self, tx: Transaction, id: str, *kinds: str) -> None:
        """Something will not happen after all."""
        for kind in kinds:
            sql = f"DELETE FROM {self._steps} WHERE booking_id = ? AND kind = ?"
            tx.execute(sql, (id, kind))

    def due(self, world: World, tx: Transaction) -> tuple[str, str] | None:
        """The booking and the kind of the next thing that is due."""
        return tx.execute(
            f"SELECT booking_id, kind FROM {self._steps} WHERE due_s <= ? "
            "ORDER BY due_s, booking_id LIMIT 1",
            (world.real_s(),),
        ).fetchone()

    def bring_nearer(self, tx: Transaction, seconds: float) -> int:
        """All that will happen does so much sooner; gives how much that is."""
        return tx.execute(f"UPDATE {self._steps} SET due_s = due_s - ?", (seconds,)).rowcount

    def happen(self, world: World, tx: Transaction, id: str, kind: str) -> None:
        """Append an event and queue the webhook that tells it."""
        text = self.text(tx, self.load(tx, id).contents.terms, kind)
        self.book.happen(tx, id, kind, text, world.real_s(), kind)
        self.tell(world, tx, id)

    def tell(self, world: World, tx: Transaction, id: str) -> None:
        self.book.tell(world, tx, id, lambda order: self.entity(world, tx, order))

    def told(self, database: Database, id: str) -> list[tuple[str, float]]:
        """What has happened, for the company's page."""
        with database.transaction() as tx:
            return [(text, at_s) for _, _, text, at_s in self.book.events(tx, id)]

    def entity(self, world: World, tx: Transaction, order: Booking[T]) -> Json:
        """UCP's order with its member."""
        contents = order.contents
        changes = contents.terms.action == "change"
        over = changes or order.status in self.over - {"canceled"}
        kept = sum(paid.kept for paid in contents.payments if paid.order_id == order.id)
        shown: Json = {
            "currency": self._currency,
            "fulfillment": {
                "expectations": [],
                "events": self.book.events_json(
                    tx, order.id, stamp_utc, carrier=self.carrier(contents.terms)
                ),
            },
            "adjustments": self.book.adjustments_json(
                tx, order, contents.canceled_by, kept, contents.given_back
            ),
            "totals": contents.totals,
            self._member: self.shown(world, tx, order),
        }
        return entity_json(world, order, contents.line_items, over=over, shown=shown)
