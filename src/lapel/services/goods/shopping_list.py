"""The shopping list in the record: what somebody wants to buy, in their words."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.commerce.checkout import Substitution
from lapel.commerce.order import OrderState
from lapel.failures import Code
from lapel.services.goods.matching import Unit, Wanted
from lapel.store import Store, insert
from lapel.store.schema import orders, shopping_items, shopping_lists

MOST = 100
DEFAULT: Substitution = "ask"
_BOUGHT = (OrderState.PLACED.value, OrderState.DELIVERED.value)


class TooLong(Exception):
    """The list is full; the text says what to do."""

    code: Code = "too_long"


@dataclass(frozen=True, slots=True)
class ListItem:
    """`item_id` is the grocer's good that the user has chosen for it; empty while none was."""

    id: str
    wanted: Wanted
    item_id: str = ""


class ShoppingList:
    """The list of one user. What an order has bought is off the list from that moment."""

    def __init__(self, store: Store, user_id: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._user_id = user_id
        self._clock = clock

    async def all(self) -> list[ListItem]:
        """The oldest first."""
        return await self._store.read(self._all)

    async def add(self, wanted: Sequence[Wanted]) -> list[ListItem]:
        """Durable on return. Raises TooLong, and then adds nothing."""
        now = self._clock()
        new = [ListItem(f"item_{secrets.token_hex(8)}", each) for each in wanted]

        def work(connection: sa.Connection) -> None:
            self._forget_bought(connection)
            if len(self._all(connection)) + len(new) > MOST:
                raise TooLong(f"there are {MOST} things on the list at most; take some off first")
            for at, item in enumerate(new):
                connection.execute(
                    sa.insert(shopping_items).values(
                        id=item.id,
                        user_id=self._user_id,
                        text=item.wanted.text,
                        amount=item.wanted.amount,
                        unit=item.wanted.unit,
                        item_id="",
                        created_at=now + at / 1000,
                    )
                )

        await self._store.write(work)
        return new

    async def remove(self, ids: Sequence[str]) -> None:
        table = shopping_items.c
        await self._store.write(
            lambda c: c.execute(
                sa.delete(shopping_items).where(table.user_id == self._user_id, table.id.in_(ids))
            )
        )

    async def choose(self, id: str, item_id: str) -> None:
        """Remember which of the grocer's goods is meant, for this time and the next."""
        await self._update([id], item_id=item_id)

    async def ordered(self, ids: Sequence[str], order_id: str) -> None:
        """These are off the list once that order is placed, and on it again if it never is."""
        await self._update(ids, order_id=order_id)

    async def substitution(self) -> Substitution:
        """What may come in the place of what is missing."""
        column = shopping_lists.c
        query = sa.select(column.substitution).where(column.user_id == self._user_id)
        found = await self._store.read(lambda c: c.scalar(query))
        return found if found in ("none", "ask", "similar") else DEFAULT

    async def set_substitution(self, wish: Substitution) -> None:
        def work(connection: sa.Connection) -> None:
            query = insert(connection, shopping_lists).values(
                user_id=self._user_id, substitution=wish
            )
            connection.execute(
                query.on_conflict_do_update(index_elements=["user_id"], set_={"substitution": wish})
            )

        await self._store.write(work)

    async def _update(self, ids: Sequence[str], **values: str) -> None:
        table = shopping_items.c
        await self._store.write(
            lambda c: c.execute(
                sa.update(shopping_items)
                .where(table.user_id == self._user_id, table.id.in_(ids))
                .values(**values)
            )
        )

    def _all(self, connection: sa.Connection) -> list[ListItem]:
        table = shopping_items.c
        rows = connection.execute(
            sa.select(table.id, table.text, table.amount, table.unit, table.item_id)
            .outerjoin(orders, orders.c.id == table.order_id)
            .where(table.user_id == self._user_id, ~self._bought())
            .order_by(table.created_at, table.id)
        )
        return [ListItem(x.id, Wanted(x.text, x.amount, _unit(x.unit)), x.item_id) for x in rows]

    def _bought(self) -> sa.ColumnElement[bool]:
        return sa.func.coalesce(orders.c.state, "").in_(_BOUGHT)

    def _forget_bought(self, connection: sa.Connection) -> None:
        table = shopping_items.c
        bought = sa.select(orders.c.id).where(
            orders.c.user_id == self._user_id, orders.c.state.in_(_BOUGHT)
        )
        connection.execute(
            sa.delete(shopping_items).where(
                table.user_id == self._user_id, table.order_id.in_(bought)
            )
        )


def _unit(text: str) -> Unit:
    return text if text in ("pack", "g", "ml") else ""
