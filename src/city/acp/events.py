"""Order events as ACP wants them, dressed when they are sent."""

from __future__ import annotations

import msgspec

from city.acp import shown
from city.acp.platforms import signature
from city.store import Database
from city.webhooks import Webhook


def dressed(database: Database, webhook: Webhook, now_s: float) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of one event."""
    entity = msgspec.json.decode(webhook.body, type=dict[str, object])
    order = shown.order(entity)
    kind = "order_update" if webhook.seq else "order_create"
    body = msgspec.json.encode({"type": kind, "data": order})
    with database.transaction() as tx:
        signed = signature(tx, webhook.order_id, body, now_s)
    headers = {
        "Content-Type": "application/json",
        "Merchant-Signature": signed,
        "Request-Id": webhook.id,
    }
    return body, headers
