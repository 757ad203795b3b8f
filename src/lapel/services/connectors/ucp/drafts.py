"""What was asked for in a checkout, from the record: the merchant's answer is read against it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import sqlalchemy as sa

from lapel.commerce.checkout import OrderDraft
from lapel.store import Store, schema

Drafts = Callable[[str, str], Awaitable[OrderDraft | None]]
"""(merchant id, checkout id) -> the draft that this checkout prices, if an order has one."""


def stored_drafts(store: Store) -> Drafts:
    """Drafts of the orders in the record; so a restart forgets nothing."""

    async def draft_of(merchant_id: str, checkout_id: str) -> OrderDraft | None:
        table = schema.orders
        query = (
            sa.select(table.c.draft)
            .where(table.c.merchant_id == merchant_id, table.c.checkout_id == checkout_id)
            .order_by(table.c.created_at.desc())
        )
        text = await store.read(lambda at: at.scalar(query))
        return None if text is None else msgspec.json.decode(text, type=OrderDraft)

    return draft_of


ORDERS_LOOKED_AT = 50


def ordered_items(store: Store) -> Callable[[str], Awaitable[Sequence[str]]]:
    """Merchant id -> what was had there, the newest first: items that a menu must not lack."""

    async def items_of(merchant_id: str) -> Sequence[str]:
        table = schema.orders
        query = (
            sa.select(table.c.draft)
            .where(table.c.merchant_id == merchant_id, table.c.merchant_order_id != "")
            .order_by(table.c.created_at.desc())
            .limit(ORDERS_LOOKED_AT)
        )
        texts = await store.read(lambda at: list(at.scalars(query)))
        drafts = [msgspec.json.decode(text, type=OrderDraft) for text in texts]
        return list(dict.fromkeys(line.item_id for draft in drafts for line in draft.lines))

    return items_of


def stored_sessions(store: Store) -> Callable[[str, str], Awaitable[str | None]]:
    """(merchant id, order id) -> the checkout that became this order, if it is one of ours."""

    async def session_of(merchant_id: str, order_id: str) -> str | None:
        table = schema.orders
        query = sa.select(table.c.checkout_id).where(
            table.c.merchant_id == merchant_id, table.c.merchant_order_id == order_id
        )
        return await store.read(lambda at: at.scalar(query))

    return session_of
