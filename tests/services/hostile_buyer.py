"""All of Lapel that buys, as in the application, with an honest bank: what it does to a merchant's tricks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import sqlalchemy as sa

from lapel.commerce import Evidence, MerchantOrder, Order, OrderDraft, Orders, OrderState, Policy
from lapel.services import (
    BankPayments,
    Merchant,
    RetryingMerchants,
    RetryingPayments,
    WebhookError,
    WebhookInbox,
    open_http,
)
from lapel.store import Store, schema
from services.hostile import Hostile, Json
from services.hostile_front import Front, opened
from services.shopper import Clock, World, build
from serving import serving

QUICK = Policy(
    approval_s=30.0,
    quote_attempts=2,
    place_attempts=3,
    cancel_attempts=1,
    retry_s=0.001,
    retry_most_s=0.002,
    long_retry_s=600.0,
    long_retry_most_s=600.0,
    track_first_s=600.0,
    track_s=600.0,
    track_most_s=600.0,
)
PATIENCE_S = 20.0
TAP = Evidence("d_ring", "Ring", "ring", "press", 1764000000.0)
ENDS = frozenset(
    {
        OrderState.FAILED,
        OrderState.REFUNDED,
        OrderState.REFUSED,
        OrderState.CANCELED,
        OrderState.TROUBLE,
        OrderState.PLACED,
        OrderState.DELIVERED,
    }
)


@dataclass
class Buyer:
    """One running Lapel, its user, and the bank where the user's money is."""

    world: World
    orders: Orders
    bank: Hostile
    inbox: WebhookInbox
    resolved: dict[str, list[str]] = field(default_factory=dict)

    @asynccontextmanager
    async def shop(
        self,
        prepare: Callable[[Hostile], None] = lambda hostile: None,
        kind: type[Hostile] = Hostile,
    ) -> AsyncIterator[Visit]:
        """A new hostile merchant, met honestly. `prepare` may give it more to offer."""
        hostile = kind()
        prepare(hostile)
        hostile.bank = f"{self.bank.origin}/bank"
        hostile.authorizations = self.bank.authorizations
        async with opened(hostile) as front:
            self.world.hostile = hostile
            merchant = await self.world.meet()
            yield Visit(self, hostile, front, merchant, len(self.bank.authorizations))


@dataclass
class Visit:
    """One order at one hostile merchant."""

    buyer: Buyer
    hostile: Hostile
    front: Front
    merchant: Merchant
    before: int
    order_id: str = ""

    @property
    def draft(self) -> OrderDraft:
        return self.buyer.world.draft(self.merchant, *self.hostile.wanted)

    async def order(self) -> Order:
        found = await self.buyer.orders.get(self.order_id)
        assert found is not None
        return found

    async def begin(self) -> Order:
        """Ask for the price; the order once it is asked about or over."""
        self.order_id = await self.buyer.orders.begin("u_1", self.draft)
        return await self.until(ENDS | {OrderState.AWAITING_APPROVAL})

    async def approve(self) -> Order:
        """Say yes to what was shown; the order once it is over, or asked about again."""
        asked = await self.order()
        assert asked.approval is not None
        await self.buyer.orders.decide(
            asked.approval.id, "approve", TAP, checkout_hash=asked.approval.checkout_hash
        )
        return await self.until(ENDS, but=asked.revision)

    async def until(
        self, states: frozenset[OrderState] | set[OrderState], but: int = 10**6
    ) -> Order:
        """The order in one of these states, or asked about again after round `but`."""
        came = asyncio.Event()
        stop = self.buyer.orders.subscribe(lambda _: came.set())
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    came.clear()
                    order = await self.order()
                    again = order.state is OrderState.AWAITING_APPROVAL and order.revision > but
                    if order.state in states or again:
                        return order
                    try:
                        await asyncio.wait_for(came.wait(), 0.05)
                    except TimeoutError:
                        continue
        finally:
            stop()

    async def until_told(self, kind: str) -> None:
        """Until an event of that kind has happened to the order."""
        async with asyncio.timeout(PATIENCE_S):
            while kind not in [x.kind for x in await self.buyer.orders.history(self.order_id)]:
                await asyncio.sleep(0.02)

    async def said(self) -> str:
        """Everything that the user was told, the last sentence last."""
        return " ".join(event.text for event in await self.buyer.orders.history(self.order_id))

    async def push(self, order: Json, **more: object) -> str:
        """Send a webhook as the merchant would; the code of its refusal, or nothing."""
        url = self.buyer.world.profile.webhook_url
        created = int(self.buyer.world.clock())
        given = {"created": created, **more}
        headers, body = self.hostile.webhook(url, order, **given)  # type: ignore[arg-type]
        return await self.receive(headers, body)

    async def receive(self, headers: dict[str, str], body: bytes) -> str:
        async def handle(report: MerchantOrder) -> None:
            await self.buyer.orders.merchant_reports(report)

        try:
            await self.buyer.inbox.receive(headers, body, handle)
        except WebhookError as error:
            return error.code
        return ""

    def holds(self) -> list[Json]:
        """What the bank has held since this visit began."""
        return list(self.buyer.bank.authorizations.values())[self.before :]

    async def no_wrong_money(self) -> None:
        """Nobody has money that was not approved; who has it, has it once, for an order that stands."""
        order = await self.order()
        events = await self.buyer.orders.history(self.order_id)
        agreed = {
            (event.data["total"]["minor"], event.data["total"]["currency"], "acc_shop")  # type: ignore[index]
            for event in events
            if event.kind == "approval_needed"
        }
        kept = [hold for hold in self.holds() if hold["state"] == "captured"]
        held = [hold for hold in self.holds() if hold["state"] == "authorized"]
        for hold in self.holds():
            assert (hold["amount"], hold["currency"], hold["payee"]) in agreed
        assert len(kept) <= 1
        if order.state in (OrderState.PLACED, OrderState.DELIVERED):
            assert order.approval is not None
            assert [(x["amount"], x["currency"]) for x in kept + held] == [
                (order.approval.amount.minor, order.approval.amount.currency)
            ]
        elif order.state is not OrderState.TROUBLE:
            assert kept == held == []


@asynccontextmanager
async def lapel(folder: Path) -> AsyncIterator[Buyer]:
    """Lapel with everything that takes part in buying."""
    bank = Hostile()
    resolved: dict[str, list[str]] = {}

    async def resolve(host: str, port: int) -> list[str]:
        if host not in resolved:
            raise OSError(f"there is no host {host!r}")
        return resolved[host]

    store = await Store.open(folder / "lapel.sqlite3")
    await store.write(
        lambda at: at.execute(sa.insert(schema.users).values(id="u_1", name="U", created_at=0.0))
    )
    async with open_http(resolve) as http, serving(bank.app()) as origin:
        bank.origin = origin
        made = await _open(store, http, bank, folder)
        made.resolved = resolved
        try:
            yield made
        finally:
            await made.orders.stop()
            await made.world.food.close()
            await store.close()


async def _open(store: Store, http: httpx.AsyncClient, bank: Hostile, folder: Path) -> Buyer:
    world = build(store, http, bank, Clock(), timeout_s=10.0)
    payments = BankPayments(store, http, sandboxes=[f"{bank.origin}/bank"])
    orders = Orders(
        store,
        RetryingMerchants(world.merchants, pauses_s=()),
        RetryingPayments(payments, pauses_s=()),
        QUICK,
        folder / "workflows.db",
    )
    await orders.start()
    inbox = WebhookInbox(store, world.registry, url=world.profile.webhook_url, clock=world.clock)
    return Buyer(world, orders, bank, inbox)
