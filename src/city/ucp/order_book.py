"""Orders of a company of services: kept with what was bought, moved on by events that are told."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from city.clock import stamp
from city.errors import DataError
from city.store import Transaction
from city.ucp.checkout_json import order_label
from city.ucp.envelope import metadata
from city.ucp.quote import Json
from city.ucp.vocabulary import ORDER, Shared
from city.webhooks import enqueue
from city.world import World

C = TypeVar("C")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Placed(Generic[C, P]):
    """An order. `contents` is what was bought, `plan` what will become of it, if there is one."""

    id: str
    merchant: str
    platform: str
    shared: Shared
    webhook_url: str
    checkout_id: str
    tracking: str
    status: str
    contents: C
    plan: P | None
    placed_s: float


@dataclass(frozen=True, slots=True)
class Placing:
    """A paid checkout on its way to an order."""

    merchant: str
    checkout_id: str
    platform: str
    shared: Shared
    webhook_url: str
    authorization_id: str


class OrderBook(Generic[C, P]):
    """The tables `orders` and `events`, in which `key` is the order's id."""

    def __init__(
        self, orders: str, events: str, key: str, contents: type[C], plan: type[P]
    ) -> None:
        self._orders = orders
        self._events = events
        self._key = key
        # Learnt now, while there is one thread: see `warming`, which does not see these two.
        self._contents = msgspec.json.Decoder(contents)
        self._plan = msgspec.json.Decoder(plan)

    def insert(
        self, tx: Transaction, prefix: str, placing: Placing, contents: C, now_s: float
    ) -> str:
        """A new order in the status `processing`; gives its id."""
        id = f"{prefix}_{secrets.token_hex(12)}"
        tx.execute(
            f"INSERT INTO {self._orders} (id, merchant, platform, capabilities, webhook_url, "
            "checkout_id, tracking, status, contents, plan, placed_s) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, 'processing', ?, NULL, ?)",
            (
                id,
                placing.merchant,
                placing.platform,
                msgspec.json.encode(placing.shared).decode(),
                placing.webhook_url,
                placing.checkout_id,
                secrets.token_urlsafe(16),
                msgspec.json.encode(contents).decode(),
                now_s,
            ),
        )
        return id

    def find(self, tx: Transaction, column: str, value: str) -> Placed[C, P] | None:
        """By `id` or `tracking`."""
        row = tx.execute(
            "SELECT id, merchant, platform, capabilities, webhook_url, checkout_id, tracking, "
            f"status, contents, plan, placed_s FROM {self._orders} WHERE {column} = ?",
            (value,),
        ).fetchone()
        if row is None:
            return None
        return Placed(
            id=row[0],
            merchant=row[1],
            platform=row[2],
            shared=msgspec.json.decode(row[3], type=dict[str, str]),
            webhook_url=row[4],
            checkout_id=row[5],
            tracking=row[6],
            status=row[7],
            contents=self._contents.decode(row[8]),
            plan=None if row[9] is None else self._plan.decode(row[9]),
            placed_s=row[10],
        )

    def own(self, tx: Transaction, id: str, merchant: str, platform: str) -> Placed[C, P] | None:
        """That platform's own order at that merchant."""
        order = self.find(tx, "id", id)
        if order is None or (order.merchant, order.platform) != (merchant, platform):
            return None
        return order

    def load(self, tx: Transaction, id: str) -> Placed[C, P]:
        order = self.find(tx, "id", id)
        if order is None:
            raise DataError(f"order {id!r} is gone")
        return order

    def write(self, tx: Transaction, order: Placed[C, P], plan: P | None) -> None:
        """Keep the contents as they are now, with this plan."""
        tx.execute(
            f"UPDATE {self._orders} SET contents = ?, plan = ? WHERE id = ?",
            (
                msgspec.json.encode(order.contents).decode(),
                None if plan is None else msgspec.json.encode(plan).decode(),
                order.id,
            ),
        )

    def happen(
        self, tx: Transaction, id: str, kind: str, text: str, at_s: float, status: str
    ) -> None:
        """Append an event, after which the order has this status."""
        sql = f"SELECT COUNT(*) FROM {self._events} WHERE {self._key} = ?"
        seq = tx.execute(sql, (id,)).fetchone()[0]
        tx.execute(
            f"INSERT INTO {self._events} VALUES (?, ?, ?, ?, ?, ?)",
            (id, seq, f"evt_{secrets.token_hex(8)}", kind, text, at_s),
        )
        tx.execute(f"UPDATE {self._orders} SET status = ? WHERE id = ?", (status, id))

    def tell(
        self, world: World, tx: Transaction, id: str, entity: Callable[[Placed[C, P]], Json]
    ) -> None:
        """Queue the webhook with the order as it is now."""
        order = self.load(tx, id)
        if order.webhook_url:
            body = msgspec.json.encode(entity(order))
            enqueue(world, tx, id, order.merchant, order.webhook_url, body)

    def events(self, tx: Transaction, id: str) -> list[tuple[str, str, str, float]]:
        """Id, kind, text and time of each, oldest first."""
        return tx.execute(
            f"SELECT id, kind, description, at_s FROM {self._events} "
            f"WHERE {self._key} = ? ORDER BY seq",
            (id,),
        ).fetchall()

    def events_json(
        self, tx: Transaction, id: str, written: Callable[[float], str], **more: object
    ) -> list[Json]:
        """UCP's events, with `more` in each; `written` gives a time as RFC 3339."""
        return [
            {
                "id": event,
                "occurred_at": written(at_s),
                "type": kind,
                "line_items": [{"id": "li_1", "quantity": 1}],
                **more,
                "description": text,
            }
            for event, kind, text, at_s in self.events(tx, id)
        ]

    def adjustments_json(
        self,
        tx: Transaction,
        order: Placed[C, P],
        by: str,
        kept: int,
        given_back: Sequence[tuple[int, float]],
    ) -> list[Json]:
        """UCP's adjustments: who canceled it and what was kept, and what went back when."""
        made: list[Json] = []
        if order.status == "canceled":
            events = self.events(tx, order.id)
            at_s = next(at for _, kind, _, at in events if kind == "canceled")
            made.append(_cancellation_json(order.id, by, kept, at_s))
        for number, (amount, at_s) in enumerate(given_back, 1):
            made.append(_refund_json(order.id, number, amount, at_s))
        return made


def entity_json(
    world: World,
    order: Placed[C, P],
    line_items: list[Json],
    *,
    over: bool,
    shown: Json,
) -> Json:
    """UCP's order of one line; `shown` has its totals, events, adjustments and what it is about."""
    gone = order.status == "canceled"
    quantity = {"original": 1, "total": 0 if gone else 1, "fulfilled": 1 if over else 0}
    derived = "removed" if gone else "fulfilled" if over else "processing"
    return {
        "ucp": metadata(order.shared, ORDER),
        "id": order.id,
        "label": order_label(order.id),
        "checkout_id": order.checkout_id,
        "permalink_url": f"{world.urls[order.merchant]}/o/{order.id}",
        "line_items": [{**line, "quantity": quantity, "status": derived} for line in line_items],
        **shown,
    }


def _cancellation_json(order_id: str, by: str, fee: int, at_s: float) -> Json:
    return {
        "id": f"adj_{order_id.partition('_')[2][:8]}_c",
        "type": "cancellation",
        "occurred_at": stamp(at_s),
        "status": "completed",
        "line_items": [{"id": "li_1", "quantity": -1}],
        "description": f"Canceled by the {by}.",
        "fee": fee,
    }


def _refund_json(order_id: str, number: int, amount: int, at_s: float) -> Json:
    """The `number`th amount that went back, of 1."""
    return {
        "id": f"adj_{order_id.partition('_')[2][:8]}_{number}",
        "type": "refund",
        "occurred_at": stamp(at_s),
        "status": "completed",
        "totals": [{"type": "total", "amount": -amount}],
    }
