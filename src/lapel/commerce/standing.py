"""Standing limits: set on a screen, revoked by a word, and what is bought within them.

A purchase within a limit is told and not asked. Its question answers itself when the undo window
ends: in one transaction the approval is given, the amount booked on the limit, the closed mandates
signed. Whatever no longer fits at that moment becomes an ordinary question.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import sqlalchemy as sa

from lapel.commerce import limits, records, words
from lapel.commerce.card import card
from lapel.commerce.checkout import Checkout
from lapel.commerce.consent import closed, public_keys
from lapel.commerce.consent.open_mandates import (
    Item,
    LimitTerms,
    Party,
    SetBy,
    sign_open,
    verify_open,
)
from lapel.commerce.desk import Desk, Step
from lapel.commerce.errors import LimitError
from lapel.commerce.limits import LimitState, StandingLimit, Used
from lapel.commerce.money import Money
from lapel.commerce.order import (
    Approval,
    ApprovalState,
    Decision,
    Evidence,
    Order,
    OrderEvent,
    OrderState,
)
from lapel.commerce.records import Told
from lapel.commerce.screening import too_little

MOST_LIMITS = 20
"""Limits that one user has at a time, questions about new ones included."""
T = TypeVar("T")
_Outcome = tuple[T, list[OrderEvent]]


@dataclass(frozen=True, slots=True)
class LimitNow:
    """A limit and what of it is used; it may be live and yet end nothing (`stands` is false)."""

    limit: StandingLimit
    used: Used
    stands: bool


class Standing:
    """The only door to standing limits. `nudge` makes an order look at the record."""

    def __init__(self, desk: Desk, nudge: Callable[[str], None]) -> None:
        self._desk = desk
        self._nudge = nudge

    async def propose(self, user_id: str, terms: LimitTerms) -> StandingLimit:
        """Take down what the user wants to allow; nothing is allowed until they agree on a screen.

        Durable on return. Raises `LimitError`.
        """
        now = self._desk.clock()
        policy = self._desk.policy
        if fault := terms.fault(now):
            raise LimitError(fault, code="bad_terms")
        most = Money(policy.screen_above(terms.currency), terms.currency)
        if most.minor <= 0 or most < terms.most:
            raise LimitError(words.always_asked(most), code="too_large")
        limit = StandingLimit(
            id=f"m_{secrets.token_hex(8)}",
            user_id=user_id,
            state=LimitState.ASKED,
            terms=terms,
            asked_at=now,
            expires_at=now + policy.limit_ask_s,
        )

        def work(connection: sa.Connection) -> _Outcome[None]:
            open_ones = [
                each
                for each in limits.limits_of(
                    connection, user_id, LimitState.ASKED, LimitState.LIVE, most=200
                )
                if each.state is LimitState.LIVE or each.expires_at > now
            ]
            if len(open_ones) >= MOST_LIMITS:
                raise LimitError("there are too many limits: revoke one first", code="too_many")
            limits.insert_limit(connection, limit)
            return None, []

        await self._desk.journal.commit(work)
        return limit

    async def decide(
        self,
        limit_id: str,
        decision: Decision,
        evidence: Evidence,
        *,
        terms_hash: str,
        user_id: str | None = None,
    ) -> StandingLimit:
        """The user's answer; durable on return. Raises `LimitError`.

        Yes takes the button of a device that showed exactly these terms. A limit for the same shops
        takes the place of the one that was there.
        """
        at = self._desk.clock()

        def work(connection: sa.Connection) -> _Outcome[tuple[StandingLimit, list[str]]]:
            limit = _asked_of(connection, limit_id, user_id)
            to = LimitState.LIVE if decision == "approve" else LimitState.REFUSED
            if limit.state is to and limit.evidence == evidence:
                return (limit, []), []
            _refuse_closed(limit, at)
            values: dict[str, object] = {
                "decided_at": at,
                "evidence": records.evidence_text(evidence),
            }
            if to is LimitState.REFUSED:
                return (limits.move_limit(connection, limit, to, **values), []), []
            if terms_hash != limit.terms.hash():
                raise LimitError("the user was shown another limit", code="hash_mismatch")
            little = too_little(
                connection, limit.user_id, evidence, limit.id, terms_hash, words.SETS_LIMIT, at
            )
            if little is not None:
                raise LimitError(little[1], code=little[0])
            replaced, events = self._end_others(connection, limit, at)
            key = self._desk.vault.ensure(connection, limit.user_id, at)
            by = _set_by(limit, evidence)
            signed = sign_open(key, limit.terms, by, at)
            values |= {"key_id": key.id, "mandates": limits.mandates_text(signed)}
            live = limits.move_limit(connection, limit, to, **values)
            return (live, replaced), events

        limit, moved = await self._desk.journal.commit(work)
        for order_id in moved:
            self._nudge(order_id)
        return limit

    async def revoke(self, user_id: str, limit_id: str) -> StandingLimit:
        """End it now; what waits in an undo window is asked about. Takes no authority.

        Raises `LimitError` (`unknown`) for one that is not there or not live.
        """
        at = self._desk.clock()

        def work(connection: sa.Connection) -> _Outcome[tuple[StandingLimit, list[str]]]:
            limit = limits.find_limit(connection, limit_id)
            if limit is None or limit.user_id != user_id:
                raise LimitError(f"there is no limit {limit_id!r}", code="unknown")
            if limit.state in (LimitState.REVOKED, LimitState.REPLACED):
                return (limit, []), []
            if limit.state is LimitState.ASKED:
                return (limits.move_limit(connection, limit, LimitState.REFUSED), []), []
            moved, events = self._end(connection, limit, LimitState.REVOKED, at)
            return (replace(limit, state=LimitState.REVOKED, ended_at=at), moved), events

        limit, moved = await self._desk.journal.commit(work)
        for order_id in moved:
            self._nudge(order_id)
        return limit

    async def live(self, user_id: str) -> list[LimitNow]:
        """The limits that were not revoked, with what is used of them, the newest first."""
        now = self._desk.clock()

        def work(connection: sa.Connection) -> list[LimitNow]:
            keys = [x.id for x in public_keys(connection, user_id, retired_after=now)]
            found = limits.limits_of(connection, user_id, LimitState.LIVE)
            return [
                LimitNow(x, limits.used(connection, x, now), x.stands(now, "".join(keys[-1:])))
                for x in found
            ]

        return await self._desk.journal.read(work)

    async def asked(self, user_id: str) -> list[StandingLimit]:
        """Limits that the user can still agree to."""
        now = self._desk.clock()
        found = await self._desk.journal.read(
            lambda c: limits.limits_of(c, user_id, LimitState.ASKED)
        )
        return [limit for limit in found if limit.expires_at > now]

    async def all(self, user_id: str) -> list[StandingLimit]:
        """Every limit that there ever was, the newest first."""
        return await self._desk.journal.read(lambda c: limits.limits_of(c, user_id, *LimitState))

    async def bought(self, user_id: str, shops: Sequence[Party]) -> list[Item]:
        """What the user has had from these shops: the goods that a limit can name."""

        def work(connection: sa.Connection) -> list[Item]:
            lines = [x for shop in shops for x in records.bought(connection, user_id, shop.id)]
            return list({line.item_id: Item(line.item_id, line.title) for line in lines}.values())

        return await self._desk.journal.read(work)

    async def get(self, limit_id: str) -> StandingLimit | None:
        return await self._desk.journal.read(lambda c: limits.find_limit(c, limit_id))

    def _end_others(
        self, connection: sa.Connection, limit: StandingLimit, at: float
    ) -> tuple[list[str], list[OrderEvent]]:
        """End the limits that the new one takes the place of: those for the same shops."""
        shops = {merchant.id for merchant in limit.terms.merchants}
        moved: list[str] = []
        events: list[OrderEvent] = []
        for other in limits.limits_of(connection, limit.user_id, LimitState.LIVE):
            same = {merchant.id for merchant in other.terms.merchants} == shops
            if same and other.terms.currency == limit.terms.currency:
                orders, told = self._end(connection, other, LimitState.REPLACED, at)
                moved += orders
                events += told
        return moved, events

    def _end(
        self, connection: sa.Connection, limit: StandingLimit, to: LimitState, at: float
    ) -> tuple[list[str], list[OrderEvent]]:
        limits.move_limit(connection, limit, to, ended_at=at)
        moved: list[str] = []
        events: list[OrderEvent] = []
        for approval_id in limits.windows_on(connection, limit.id, limit.user_id):
            found = records.find_approval(connection, approval_id)
            if found is not None:
                approval, order = found
                events += ask_instead(connection, order, approval, at)
                moved.append(order.id)
        return moved, events


def covering(
    connection: sa.Connection, desk: Desk, order: Order, checkout: Checkout, now: float
) -> StandingLimit | None:
    """The limit by which this new price need not be asked about.

    A price that moved after it was agreed to is asked about, and so is what left its limit once.
    """
    if order.state is not OrderState.QUOTING:
        return None
    before = {f"{order.revision - 1}:{kind}" for kind in ("price_changed", "limit_ended")}
    if order.revision and before & records.told_keys(connection, order.id):
        return None
    key = desk.vault.ensure(connection, order.user_id, now)
    return limits.that_covers(connection, desk.policy, order.user_id, checkout, now, key.id)


async def window_ends(desk: Desk, order: Order, approval: Approval) -> Step:
    """Order what nobody undid, if its limit still allows it; else ask."""
    now = desk.clock()

    def work(connection: sa.Connection) -> _Outcome[OrderState]:
        events = _given(connection, desk, order, approval, now)
        if events is not None:
            return OrderState.PAYING, events
        return OrderState.QUOTING, ask_instead(connection, order, approval, now)

    return Step(await desk.journal.commit(work))


def ask_instead(
    connection: sa.Connection, order: Order, approval: Approval, at: float
) -> list[OrderEvent]:
    """The limit does not carry it any more: price it once more, and ask."""
    records.close_approval(connection, approval, ApprovalState.VOID, at)
    data = {**card(order), "approval_id": approval.id, "limit_id": approval.limit_id}
    told = Told("limit_ended", f"{order.revision}:limit_ended", words.LIMIT_ENDED, data)
    revision = order.revision + 1
    return records.move(connection, order, OrderState.QUOTING, at, told, revision=revision)


def _given(
    connection: sa.Connection, desk: Desk, order: Order, approval: Approval, now: float
) -> list[OrderEvent] | None:
    """Give the approval by its limit and book it there; None when the limit does not allow it."""
    checkout = order.checkout
    if checkout is None or now >= approval.expires_at + desk.policy.undo_late_s:
        return None
    key = desk.vault.ensure(connection, order.user_id, now)
    limit = limits.that_covers(
        connection,
        desk.policy,
        order.user_id,
        checkout,
        now,
        key.id,
        besides=approval.id,
        only=approval.limit_id,
    )
    if limit is None or limit.mandates is None:
        return None
    opened = verify_open(limit.mandates, key.public)
    evidence = Evidence("", "", "", closed.WITHIN_LIMIT, now)
    given = records.close_approval(connection, approval, ApprovalState.APPROVED, now, evidence)
    signed = closed.close(
        key,
        checkout,
        given,
        valid_s=desk.policy.stale_s,
        within=opened.hash,
        standing=limit.mandates,
    )
    closed.keep(connection, given, signed)
    limits.book(connection, limit, given, now)
    data = {**card(order), "approval_id": approval.id, "limit_id": limit.id}
    told = Told("approved", f"{order.revision}:approved", words.WITHIN_LIMIT, data)
    return records.move(connection, order, OrderState.PAYING, now, told)


def _asked_of(connection: sa.Connection, limit_id: str, user_id: str | None) -> StandingLimit:
    limit = limits.find_limit(connection, limit_id)
    if limit is None:
        raise LimitError(f"there is no limit {limit_id!r}", code="unknown")
    if user_id is not None and limit.user_id != user_id:
        raise LimitError("this question is for another user", code="wrong_user")
    return limit


def _refuse_closed(limit: StandingLimit, at: float) -> None:
    if limit.state is not LimitState.ASKED:
        raise LimitError(f"it is {limit.state.value} already", code="already_decided")
    if at >= limit.expires_at:
        raise LimitError("that question has expired: ask me again", code="expired")


def _set_by(limit: StandingLimit, evidence: Evidence) -> SetBy:
    return SetBy(
        limit_id=limit.id,
        terms_hash=limit.terms.hash(),
        device_id=evidence.device_id,
        device_name=evidence.device_name,
        device_family=evidence.family,
        gesture=evidence.gesture,
        gesture_at_ms=int(evidence.at * 1000),
        shown_on=evidence.shown_on,
        passkey=evidence.passkey,
    )
