"""Order events of UCP 2026-01-11, dressed when they are sent."""

from __future__ import annotations

import msgspec

from city.clock import stamp_utc
from city.older import detached, shown
from city.store import Database
from city.ucp import orders
from city.webhooks import Dress, Webhook
from city.world import World


def dresser(world: World) -> Dress:
    """Makes the body and the headers of one event."""

    def dressed(database: Database, webhook: Webhook, _: float) -> tuple[bytes, dict[str, str]]:
        entity = msgspec.json.decode(webhook.body, type=dict[str, object])
        with database.transaction() as tx:
            shared = orders.load(tx, webhook.order_id).shared
        told = {
            **shown.order(entity, shared),
            "event_id": webhook.id,
            "created_time": stamp_utc(webhook.at_s),
        }
        body = msgspec.json.encode(told)
        signature = detached.sign(body, world.keys[webhook.merchant])
        return body, {"Content-Type": "application/json", "Request-Signature": signature}

    return dressed
