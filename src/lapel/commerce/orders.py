"""Orders: begin one, let the user decide, follow it to the door. All of it survives a crash."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from lapel.commerce import asking, keys, records, statement, words
from lapel.commerce.asking import Ask
from lapel.commerce.card import card
from lapel.commerce.ceilings import Ceilings
from lapel.commerce.checkout import OrderDraft
from lapel.commerce.consent import Vault, closed
from lapel.commerce.desk import Clock, Desk
from lapel.commerce.driving import Driving
from lapel.commerce.errors import ApprovalError, MandateError, OrderError
from lapel.commerce.guard import Bounds, GuardedMerchants, GuardedPayments
from lapel.commerce.journal import Journal, Listener
from lapel.commerce.journeys import JOURNEYS
from lapel.commerce.order import (
    CHANGEABLE,
    OPEN,
    Approval,
    ApprovalState,
    Decision,
    Evidence,
    Order,
    OrderEvent,
    OrderState,
)
from lapel.commerce.passkeys import Passkeys
from lapel.commerce.policy import Policy
from lapel.commerce.ports import MerchantOrder, Merchants, Payments
from lapel.commerce.quoting import lapse
from lapel.commerce.receipt import Signer
from lapel.commerce.records import Told
from lapel.commerce.request import Request
from lapel.commerce.screening import Takes, refuse_unseen, what_it_takes
from lapel.commerce.settling import answered, awaits_bill, offers
from lapel.commerce.sharing import Share
from lapel.commerce.standing import Standing
from lapel.commerce.tables import TABLES
from lapel.commerce.tracking import apply
from lapel.commerce.trips import ENDS
from lapel.store import Store, Worker

_EARLY = frozenset({OrderState.ESCALATED, OrderState.PLACING, OrderState.TROUBLE})
"""A report about an order in these states says that it is worth looking at its checkout."""
_ENDS = frozenset({"delivered", "merchant_canceled", *ENDS, *JOURNEYS.ends, *TABLES.ends})


class Orders:
    """The only door to orders. All methods are called on the loop that called `start`."""

    def __init__(
        self,
        store: Store,
        merchants: Merchants,
        payments: Payments,
        policy: Policy,
        workflows: Path | str,
        clock: Clock = time.time,
        vault: Vault | None = None,
        worker: Worker | None = None,
    ) -> None:
        """`workflows` is DBOS's file, or the URL of the PostgreSQL that the record stands in.

        Without a `vault` the users' keys are opened with the key beside that file. `worker` is
        this process among several on one PostgreSQL.
        """
        self._store = store
        if vault is None:
            if not isinstance(workflows, Path):
                raise ValueError("beside a database there is no key file: pass a vault")
            vault = Vault.open(workflows.parent)
        self.vault = vault
        self._clock = clock
        self.policy = policy
        self._journal = Journal(store, worker)
        self._share = Share(store, worker, lambda: clock() - policy.track_for_s)
        bounds = Bounds(policy.call_s, self._share.fence)
        self._desk = Desk(
            self._journal,
            GuardedMerchants(merchants, bounds),
            GuardedPayments(payments, bounds),
            policy,
            clock,
            vault,
        )
        self.passkeys = Passkeys(self._journal, clock)
        self.ceilings = Ceilings(self._desk)
        self._driving = Driving(self._desk, self._share, workflows)
        self.standing = Standing(self._desk, self._driving.nudge_anywhere)
        """Limits within which the user is not asked."""
        self.receipt_key_id = ""
        """The thumbprint that receipts of this Lapel are verified with."""

    async def start(self) -> None:
        """Launch the engine and take up every open order where it stands."""
        key = await self._store.write(lambda c: keys.ensure_key(c, "receipt", self._clock()))
        self.receipt_key_id = key.id
        await self._journal.open()
        await self._driving.start(Signer(key))

    async def stop(self) -> None:
        """Leave every order as it stands; `start` of a new `Orders` goes on."""
        await self._journal.close()
        await self._driving.stop()

    async def begin(self, user_id: str, draft: OrderDraft, order_id: str | None = None) -> str:
        """Take an order on; durable on return. The same `order_id` twice is one order."""
        order_id = order_id or f"o_{secrets.token_hex(8)}"
        if not draft.lines or any(line.quantity < 1 for line in draft.lines):
            raise OrderError("there is nothing to order: add a line", code="empty")
        if not 0 < len(order_id) <= 48 or "~" in order_id:
            raise OrderError(f"{order_id!r} is no order id", code="bad_id")
        new = order_id
        at = self._clock()
        engine = self._driving.running()

        def work(connection: sa.Connection) -> bool:
            is_new = records.new_order(connection, new, user_id, draft, at, self._share.owner)
            # Before a merchant is asked: it may read the platform's profile, with the user's key.
            self.vault.ensure(connection, user_id, at)
            if not is_new and records.load(connection, new).user_id != user_id:
                raise OrderError(f"the id {new!r} is taken: use another", code="bad_id")
            return is_new

        if await self._store.write(work):
            await engine.follow(order_id)
        else:
            self._driving.nudge(order_id)
        return order_id

    async def revise(self, order_id: str, draft: OrderDraft) -> None:
        """Replace the cart. An open question is void from this moment, and a new price is asked."""
        if not draft.lines or any(line.quantity < 1 for line in draft.lines):
            raise OrderError("there is nothing left to order: cancel it instead", code="empty")
        at = self._clock()

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            order = self._changeable(connection, order_id)
            if order.merchant_id != draft.merchant_id:
                raise OrderError("another shop needs a new order", code="other_merchant")
            self._void(connection, order, at)
            key = f"{order.revision + 1}:revised"
            told = Told("revised", key, words.REVISED, card(order))
            values = {"revision": order.revision + 1, "draft": records.draft_text(draft)}
            self._share.stir(connection, order_id)
            return None, records.move(connection, order, OrderState.QUOTING, at, told, **values)

        await self._journal.commit(work)
        self._driving.nudge(order_id)

    async def decide(
        self,
        approval_id: str,
        decision: Decision,
        evidence: Evidence,
        *,
        checkout_hash: str,
        user_id: str | None = None,
    ) -> Approval:
        """The user's answer to one question; durable on return, exactly one answer counts.

        `checkout_hash` is the hash of what the user was shown. Raises `ApprovalError`. The same
        answer with the same evidence may be given again.
        """
        at = self._clock()

        def work(
            connection: sa.Connection,
        ) -> tuple[Approval | ApprovalError, list[OrderEvent]]:
            found = records.find_approval(connection, approval_id)
            if found is None:
                raise ApprovalError(f"there is no question {approval_id!r}", code="unknown")
            approval, order = found
            if user_id is not None and approval.user_id != user_id:
                raise ApprovalError("this question is for another user", code="wrong_user")
            if _same_answer(approval, decision, evidence):
                return approval, []
            _refuse_closed(approval)
            self._share.stir(connection, order.id)
            if at >= approval.expires_at and not approval.limit_id:
                expired = ApprovalError("the question has expired: order again", code="expired")
                return expired, lapse(connection, order, approval, at)
            if decision == "refuse":
                return _close(connection, order, approval, ApprovalState.REFUSED, evidence, at)
            if at >= approval.expires_at:
                raise ApprovalError("it is ordered within your limit", code="expired")
            if checkout_hash != approval.checkout_hash:
                raise ApprovalError(
                    "the user was shown another checkout than this", code="hash_mismatch"
                )
            refuse_unseen(connection, self.policy, order, approval, evidence, at)
            decided, events = _close(
                connection, order, approval, ApprovalState.APPROVED, evidence, at
            )
            self._sign(connection, order, decided, at)
            return decided, events

        answer = await self._journal.commit(work)
        if isinstance(answer, ApprovalError):
            raise answer
        self._driving.nudge(answer.order_id)
        return answer

    async def cancel(self, order_id: str) -> None:
        """Drop the order while the user may; once it is being paid it is `too_late`."""
        at = self._clock()

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            order = records.find(connection, order_id)
            if order is not None and order.state is OrderState.CANCELED and not order.receipt:
                return None, []  # with a receipt it was paid for, and given back for a fee
            order = self._changeable(connection, order_id)
            self._void(connection, order, at)
            self._share.stir(connection, order_id)
            told = Told("canceled", f"{order.revision}:canceled", words.CANCELED, card(order))
            return None, records.move(connection, order, OrderState.CANCELED, at, told)

        await self._journal.commit(work)
        self._driving.nudge(order_id)

    async def ask(self, order_id: str, request: Request) -> None:
        """Ask the merchant for something about what it has; durable on return, put to it next.

        What came of it is an event of the order. The same again while it is open is one. Raises
        `OrderError`: `closed` for what cannot be asked now, `asked` while another of its kind is
        open.
        """
        at = self._clock()

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            events = asking.note(connection, records.load(connection, order_id), request, at)
            if events:
                self._share.stir(connection, order_id)
            return None, events

        await self._journal.commit(work)
        self._driving.nudge(order_id)

    async def asks(self, order_id: str) -> list[Ask]:
        """All that the merchant was asked about an order, oldest first, and what came of it."""
        return await self._store.read(lambda c: asking.asks(c, order_id))

    async def answer_substitution(
        self, order_id: str, line_id: str, item_id: str, accept: bool
    ) -> None:
        """The user's yes or no to what a grocer offers for a line; durable, told to it next.

        The first answer counts. Raises `OrderError` (`closed`) when it is not asked any more.
        """
        at = self._clock()

        def work(connection: sa.Connection) -> tuple[None, list[OrderEvent]]:
            order = records.load(connection, order_id)
            offer = next(
                (
                    each
                    for each in offers(connection, order_id)
                    if (each.line_id, each.item_id) == (line_id, item_id)
                ),
                None,
            )
            if offer is not None and offer.accepted is accept:
                return None, []
            asked = offer is not None and offer.accepted is None and not offer.closed
            if offer is None or not asked or not awaits_bill(order):
                raise OrderError("that is not asked any more", code="closed")
            self._share.stir(connection, order_id)
            return None, records.tell(connection, order, at, [answered(order, offer, accept)])

        await self._journal.commit(work)
        self._driving.nudge(order_id)

    async def merchant_reports(self, order: MerchantOrder) -> None:
        """A verified webhook: the merchant's whole order. Repeated or late ones change nothing."""
        at = self._clock()

        def work(connection: sa.Connection) -> tuple[tuple[str, bool], list[OrderEvent]]:
            found = records.at_merchant(connection, order.merchant_id, order.id, order.checkout_id)
            if found is None:
                return ("", False), []
            events = apply(connection, found, order, at)
            early = found.state in _EARLY
            ends = any(event.kind in _ENDS for event in events)
            packed = order.bill is not None and awaits_bill(found)
            if early or ends or packed:
                self._share.stir(connection, found.id)
            return (found.id, early or ends or packed), events

        order_id, matters = await self._journal.commit(work)
        if order_id and order.refunds:
            self._driving.settle(order_id)
        if matters:
            self._driving.nudge(order_id)

    async def get(self, order_id: str) -> Order | None:
        return await self._store.read(lambda c: records.find(c, order_id))

    async def list(self, user_id: str, limit: int = 20) -> list[Order]:
        """The user's orders, newest first."""
        return await self._store.read(lambda c: records.of_user(c, user_id, limit))

    async def events(self, user_id: str | None, after_n: int, limit: int = 100) -> list[OrderEvent]:
        """Events with a larger `n`, oldest first; of all users when `user_id` is None."""
        return await self._store.read(lambda c: records.events_after(c, user_id, after_n, limit))

    async def history(self, order_id: str) -> list[OrderEvent]:
        """Everything that happened to one order, oldest first."""
        return await self._store.read(lambda c: records.events_of(c, order_id))

    async def statement(self, user_id: str) -> str:
        """All receipts of the user in one file that `statement.verify` checks offline."""
        at = self._clock()
        key = await self._store.write(lambda c: keys.ensure_key(c, "receipt", at))
        found = await self._store.read(lambda c: records.receipts(c, user_id))
        return await asyncio.to_thread(statement.make, key, user_id, found, at)

    async def pending_approvals(self, user_id: str) -> list[Approval]:
        """Questions that the user can still answer, oldest first."""
        now = self._clock()
        return await self._store.read(lambda c: records.pending(c, user_id, now))

    async def takes(self, order: Order) -> Takes:
        """What a yes to this takes."""
        checkout = order.checkout
        if checkout is None:
            return "press"
        return await self._store.read(
            lambda c: what_it_takes(c, self.policy, order.user_id, checkout)
        )

    def subscribe(self, callback: Listener) -> Callable[[], None]:
        """Call back on the loop after each commit of an event; the result unsubscribes."""
        return self._journal.subscribe(callback)

    def _changeable(self, connection: sa.Connection, order_id: str) -> Order:
        order = records.find(connection, order_id)
        if order is None:
            raise OrderError(f"there is no order {order_id!r}", code="unknown")
        if order.state in CHANGEABLE:
            return order
        if order.state in OPEN:
            raise OrderError("it is too late to change this order", code="too_late")
        raise OrderError(f"this order is {order.state.value}: begin a new one", code="closed")

    def _void(self, connection: sa.Connection, order: Order, at: float) -> None:
        approval = order.approval
        if approval is not None and approval.state is ApprovalState.PENDING:
            records.close_approval(connection, approval, ApprovalState.VOID, at)

    def _sign(self, connection: sa.Connection, order: Order, given: Approval, at: float) -> None:
        """The mandates of an approval stand exactly when the approval does."""
        if order.checkout is None:
            return
        key = self.vault.ensure(connection, given.user_id, at)
        try:
            signed = closed.close(key, order.checkout, given, valid_s=self.policy.stale_s)
        except MandateError as error:
            raise ApprovalError(error.text, code="hash_mismatch") from error
        closed.keep(connection, given, signed)


def _same_answer(approval: Approval, decision: Decision, evidence: Evidence) -> bool:
    given = ApprovalState.APPROVED if decision == "approve" else ApprovalState.REFUSED
    return approval.state is given and approval.evidence == evidence


def _refuse_closed(approval: Approval) -> None:
    match approval.state:
        case ApprovalState.PENDING:
            return
        case ApprovalState.VOID:
            raise ApprovalError("the order has changed since it was asked", code="void")
        case ApprovalState.LAPSED:
            raise ApprovalError("the question has expired: order again", code="expired")
        case _:
            raise ApprovalError(f"it is {approval.state.value} already", code="already_decided")


def _close(
    connection: sa.Connection,
    order: Order,
    approval: Approval,
    answer: ApprovalState,
    evidence: Evidence,
    at: float,
) -> tuple[Approval, list[OrderEvent]]:
    """The question is answered: the order is paid for next, or is at its end."""
    decided = records.close_approval(connection, approval, answer, at, evidence)
    data = {**card(order), "approval_id": approval.id, "device_name": evidence.device_name}
    if answer is ApprovalState.APPROVED:
        state, text = OrderState.PAYING, words.APPROVED
    else:
        state, text = OrderState.REFUSED, words.REFUSED
    told = Told(answer.value, f"{order.revision}:{answer.value}", text, data)
    return decided, records.move(connection, order, state, at, told)
