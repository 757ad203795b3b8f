"""Checkouts of a company that sells one thing at a time: one line, and a member that says what.

Rides, journeys and tables are sold like this. Bank and company share one database: the money moves
and the order is placed in one transaction.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, Protocol, Self, TypeVar

from city.bank import ledger
from city.errors import BankRefusal
from city.faults import Fault
from city.replay import Answer
from city.store import Transaction
from city.ucp.company import Verbs
from city.ucp.counter import OPEN, Counter, Session, Sessions, session_json, token_of
from city.ucp.order_book import Placing
from city.ucp.quote import Json, Note
from city.ucp.wire import CompleteRequest
from city.world import World, payee

LIFE_S = 900.0
"""Real seconds that a quote can be completed, and what it is for is kept."""


class Priced(Protocol):
    """What a checkout is for and what it costs."""

    @property
    def total(self) -> int: ...
    def same_price(self, other: Self) -> bool: ...


R = TypeVar("R")
T = TypeVar("T", bound=Priced)


class OneLine(ABC, Generic[R, T]):
    """Checkouts in the table `table`: made, replaced, read, completed, canceled."""

    def __init__(self, table: str, request: type[R], terms: type[T]) -> None:
        self._request = request
        self._sessions = Sessions(table, request, terms, self.lapsed)

    # What a company says of what it sells.

    @abstractmethod
    def price(
        self, counter: Counter, request: R, id: str, until_s: float, operation: str
    ) -> T | Note:
        """What it is and costs now, kept for the checkout `id` until then; or why it is not."""

    @abstractmethod
    def shown(self, counter: Counter, terms: T, surplus: int) -> Json:
        """Currency, lines, totals and the member. `surplus` makes the total wrong on purpose."""

    @abstractmethod
    def dearer(self, terms: T) -> T:
        """The same at a higher price, for the fault that prices rise."""

    @abstractmethod
    def place(self, world: World, tx: Transaction, placing: Placing, terms: T) -> str:
        """Insert the order and what follows from it; gives the order's id."""

    def bought(self, quoted: T, fresh: T) -> T:
        """What is bought when the checkout is completed: what it is now, or what was quoted."""
        return fresh

    def lapsed(self, counter: Counter, id: str) -> None:
        """The checkout is canceled or its time is over: what was kept for it is free."""

    # UCP's verbs.

    def verbs(self, order: Callable[[Counter, str], Answer]) -> Verbs[R]:
        """All of them; `order` answers with an order."""
        return Verbs(
            self._request, self.create, self.read, self.update, self.complete, self.cancel, order
        )

    def create(self, counter: Counter, request: R) -> Answer:
        """Price it. There is no checkout where nothing can be sold."""
        id, expires_s = f"chk_{secrets.token_hex(12)}", counter.world.real_s() + LIFE_S
        terms = self.price(counter, request, id, expires_s, "create")
        if isinstance(terms, Note):
            return counter.refuse(replace(terms, severity="unrecoverable"))
        session = Session(id, OPEN, request, terms, expires_s)
        self._sessions.insert(counter, session)
        return self._show(counter, session, (), 201)

    def read(self, counter: Counter, id: str) -> Answer:
        return self._sessions.read(counter, id, self._show)

    def update(self, counter: Counter, id: str, request: R) -> Answer:
        """Replace everything; a checkout that is settled comes back as it is."""
        session = self._sessions.open(counter, id, self._show)
        if isinstance(session, Answer):
            return session
        terms = self.price(counter, request, id, session.expires_s, "update")
        if isinstance(terms, Note):
            return counter.refuse(terms)
        fresh = replace(session, request=request, terms=terms)
        return self._show(counter, self._sessions.requote(counter, fresh), ())

    def cancel(self, counter: Counter, id: str) -> Answer:
        return self._sessions.drop(counter, id, self._show)

    def complete(self, counter: Counter, id: str, request: CompleteRequest) -> Answer:
        """Take the money and place the order, or do neither and say why."""
        session = self._sessions.open(counter, id, self._show)
        if isinstance(session, Answer):
            return session
        fresh = self.price(counter, session.request, id, session.expires_s, "complete")
        if isinstance(fresh, Note):
            return self._show(counter, session, [fresh])
        terms = self.bought(session.terms, fresh)
        if counter.strikes(Fault.PRICE_RAISE, "complete"):
            terms = self.dearer(terms)
        if not terms.same_price(session.terms):
            text = "the price has changed; confirm the new total"
            changed = self._sessions.requote(counter, replace(session, terms=terms))
            return self._show(counter, changed, [Note("error", "price_changed", text, "$.totals")])
        token = token_of(request)
        if isinstance(token, Note):
            return self._show(counter, session, [token])
        return self._order(counter, replace(session, terms=terms), token)

    def _order(self, counter: Counter, session: Session[R, T], token: str) -> Answer:
        world, tx, platform, slug = counter.world, counter.tx, counter.platform, counter.slug
        total = session.terms.total
        over = counter.strikes(Fault.OVERCHARGE, "complete")
        amount = total + (total // 10 if over else 0)
        try:
            paid = ledger.capture(tx, token, amount, payee(slug), session.id, world.real_s())
        except BankRefusal as error:
            text = f"the bank refused the payment ({error.code}): {error.text}"
            return self._show(
                counter, session, [Note("error", "payment_failed", text, "$.payment")]
            )
        placing = Placing(
            slug, session.id, platform.profile_url, platform.shared, platform.webhook_url, paid.id
        )
        order_id = self.place(world, tx, placing, session.terms)
        return self._show(counter, self._sessions.complete(counter, session, order_id), ())

    def _show(
        self, counter: Counter, session: Session[R, T], notes: Sequence[Note], status: int = 200
    ) -> Answer:
        wrong = session.status == OPEN and not notes and counter.strikes(Fault.WRONG_TOTAL)
        shown = self.shown(counter, session.terms, 100 if wrong else 0)
        return counter.respond(session_json(counter, session, notes, shown), status)
