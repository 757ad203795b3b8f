"""Webhooks: queued with the change that they tell, sent in order per order until they are taken.

The queue is the database. A webhook that nobody takes in `TRIES` attempts is given up.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx

from city.faults import Fault
from city.store import Database, Store, Transaction
from city.ucp.signatures import SigningKey, content_digest, request_message, sign
from city.world import World

TRIES = 200
TIMEOUT_S = 5.0
LONGEST_WAIT_S = 60.0
BATCH = 32
OVERTAKEN_S = 120.0
"""How long a webhook that is to be out of order waits for its successor."""

_COVERED = (
    "@method", "@authority", "@path", "content-digest", "content-type", "ucp-agent",
    "idempotency-key", "webhook-id", "webhook-timestamp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    order_id: str
    seq: float
    merchant: str
    url: str
    body: bytes
    at_s: float
    copies: int
    attempts: int


def enqueue(
    world: World, tx: Transaction, order_id: str, merchant: str, url: str, body: bytes
) -> None:
    """Queue one, in the transaction of the change."""

    def struck(fault: Fault) -> float | None:
        return world.faults.strike(tx, fault, merchant)

    now_s = world.real_s()
    seq = tx.execute("SELECT COUNT(*) FROM webhooks WHERE order_id = ?", (order_id,)).fetchone()[0]
    position = float(seq)
    lost = struck(Fault.WEBHOOK_LOST) is not None
    copies = 2 if struck(Fault.WEBHOOK_TWICE) is not None else 1
    wait_s = struck(Fault.WEBHOOK_LATE) or 0.0
    if struck(Fault.WEBHOOK_OUT_OF_ORDER) is not None:
        position, wait_s = position + 1.5, OVERTAKEN_S
    tx.execute(
        "INSERT INTO webhooks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
        (
            str(uuid.uuid4()),
            order_id,
            position,
            merchant,
            url,
            body,
            now_s,
            "lost" if lost else "waiting",
            copies,
            now_s + wait_s,
        ),
    )


def due(tx: Transaction, now_s: float) -> list[Webhook]:
    """The first waiting one of each order, if its time has come; at most `BATCH`."""
    rows = tx.execute(
        "SELECT id, order_id, seq, merchant, url, body, at_s, copies, attempts FROM webhooks w "
        "WHERE state = 'waiting' AND next_s <= ? AND seq = (SELECT MIN(seq) FROM webhooks o "
        "WHERE o.order_id = w.order_id AND o.state = 'waiting') ORDER BY next_s LIMIT ?",
        (now_s, BATCH),
    ).fetchall()
    return [Webhook(*row) for row in rows]


def taken(tx: Transaction, webhook: Webhook) -> None:
    """Count one delivery; the last copy ends it, and lets go of one that was to come after it."""
    tx.execute(
        "UPDATE webhooks SET copies = copies - 1, attempts = attempts + 1, "
        "state = CASE WHEN copies <= 1 THEN 'sent' ELSE 'waiting' END WHERE id = ?",
        (webhook.id,),
    )
    tx.execute(
        "UPDATE webhooks SET next_s = 0 WHERE order_id = ? AND seq = ? AND state = 'waiting'",
        (webhook.order_id, webhook.seq + 0.5),
    )


def refused(tx: Transaction, webhook: Webhook, now_s: float) -> None:
    """Try again later, or give up."""
    tries = webhook.attempts + 1
    wait_s = min(LONGEST_WAIT_S, 2.0 ** min(tries - 1, 10))
    state = "given_up" if tries >= TRIES else "waiting"
    tx.execute(
        "UPDATE webhooks SET attempts = ?, next_s = ?, state = ? WHERE id = ?",
        (tries, now_s + wait_s, state, webhook.id),
    )


def signed_headers(
    webhook: Webhook, profile_url: str, key: SigningKey, now_s: float
) -> dict[str, str]:
    """All headers of the request, signed over the raw body."""
    parts = urlsplit(webhook.url)
    headers = {
        "Content-Type": "application/json",
        "UCP-Agent": f'profile="{profile_url}"',
        "Content-Digest": content_digest(webhook.body),
        "Idempotency-Key": webhook.id,
        "Webhook-Id": webhook.id,
        "Webhook-Timestamp": str(int(webhook.at_s)),
    }
    lower = {name.lower(): value for name, value in headers.items()}
    message = request_message("POST", authority(parts), parts.path, parts.query, lower)
    covered: Sequence[str] = (*_COVERED, "@query") if parts.query else _COVERED
    return {**headers, **dict(sign(message, covered, key, int(now_s)))}


def authority(parts: SplitResult) -> str:
    """The Host that an HTTP client will send: without the scheme's own port."""
    own = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.netloc.removesuffix(f":{own}")


Dress = Callable[[Database, Webhook, float], tuple[bytes, dict[str, str]]]
"""(database, webhook, now) -> body and headers."""


class Sender:
    """Sends what is due; an order whose platform does not answer holds up no other order."""

    def __init__(
        self,
        world: World,
        store: Store,
        client: httpx.AsyncClient,
        dress: Mapping[str, Dress] | None = None,
    ) -> None:
        """`dress`, by merchant, makes another protocol's body and headers of UCP's."""
        self._dress = dress or {}
        self._world = world
        self._store = store
        self._client = client

    async def round(self) -> int:
        """Send each order's next webhook; gives how many were tried."""
        now_s = self._world.real_s()

        def look(database: Database) -> list[Webhook]:
            with database.transaction() as tx:
                return due(tx, now_s)

        waiting = await self._store.run(look)
        async with asyncio.TaskGroup() as group:
            for webhook in waiting:
                group.create_task(self._send(webhook))
        return len(waiting)

    async def _send(self, webhook: Webhook) -> None:
        world = self._world
        profile = f"{world.urls[webhook.merchant]}/.well-known/ucp"
        key = world.keys[webhook.merchant]
        body, headers = webhook.body, signed_headers(webhook, profile, key, world.real_s())
        if dress := self._dress.get(webhook.merchant):
            now_s = world.real_s()
            body, headers = await self._store.run(lambda db: dress(db, webhook, now_s))
        world.crash.passing("before_webhook")
        try:
            response = await self._client.post(
                webhook.url, content=body, headers=headers, timeout=TIMEOUT_S
            )
            accepted = response.is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            accepted = False
        world.crash.passing("after_webhook")

        def record(database: Database) -> None:
            with database.transaction() as tx:
                if accepted:
                    taken(tx, webhook)
                else:
                    refused(tx, webhook, world.real_s())

        await self._store.run(record)
