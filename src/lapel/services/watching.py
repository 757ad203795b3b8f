"""Sends what the user asks of others, and looks at the bank for what others ask and pay.

Each telling is made durable under an id that stays the same before the record moves on, so that a
crash in between tells nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import sqlalchemy as sa

from lapel.commerce.ports import PortError, Refused
from lapel.faults import fault
from lapel.services.owed import ASKED, ASKS, LIVE, OPEN, REFUSED, Owed, OwedRecord
from lapel.services.pay import MoneyRequest, Pay, Received
from lapel.store import Store
from lapel.store.schema import wallets

log = logging.getLogger(__name__)

LOOK_S = 5.0
"""The bank is asked this often."""


class PayTeller(Protocol):
    """Makes the user hear of it; durable on return, and harmless when it is repeated."""

    async def asked(self, user_id: str, request: MoneyRequest) -> None: ...
    async def received(self, user_id: str, received: Received) -> None: ...
    async def answered(self, owed: Owed, state: str, why: str) -> None: ...


class PayWatch:
    """`run` it in a task."""

    def __init__(
        self,
        pay: Pay,
        record: OwedRecord,
        store: Store,
        teller: PayTeller,
        look_s: float = LOOK_S,
    ) -> None:
        self._pay = pay
        self._record = record
        self._store = store
        self._teller = teller
        self._look_s = look_s
        self._moved = asyncio.Event()
        record.moved = self._moved.set

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            self._moved.clear()
            await self._safely(self.send)
            for user_id in await self._holders():
                await self._safely(lambda who=user_id: self.look(who))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_s):
                    await self._moved.wait()

    async def send(self) -> None:
        """Everything that was written down and is not at the bank yet."""
        for owed in await self._record.to_send():
            try:
                made = await self._pay.ask(
                    owed.user_id, owed.handle, owed.amount, owed.note, owed.id
                )
            except Refused as error:
                await self._teller.answered(owed, REFUSED, error.text)
                await self._record.set(owed.id, REFUSED)
            except PortError:
                continue  # its effect is unknown: the same key tells the next time
            else:
                await self._record.set(owed.id, OPEN, bank_id=made.id)

    async def look(self, user_id: str) -> None:
        """What has come of the user's requests, what others ask, and what came in."""
        try:
            found = await self._pay.requests(user_id)
            await self._outgoing(user_id, {x.id: x for x in found.outgoing})
            await self._incoming(user_id, found.incoming)
            after = await self._record.cursor(user_id)
            for received in await self._pay.received(user_id, after):
                await self._teller.received(user_id, received)
                await self._record.advance(user_id, received.n)
        except PortError as error:
            log.info("the bank cannot be asked what came in: %s", error.code)

    async def _outgoing(self, user_id: str, at_bank: dict[str, MoneyRequest]) -> None:
        for owed in await self._record.of(user_id, ASKED, OPEN):
            now = at_bank.get(owed.bank_id)
            if now is not None and now.state not in LIVE:
                await self._teller.answered(owed, now.state, "")
                await self._record.set(owed.id, now.state)

    async def _incoming(self, user_id: str, found: tuple[MoneyRequest, ...]) -> None:
        known = {x.id: x for x in await self._record.of(user_id, ASKS, OPEN)}
        for request in found[::-1]:
            if request.state == OPEN and request.id not in known:
                await self._teller.asked(user_id, request)
                await self._record.note(_asks(user_id, request))
            elif request.state != OPEN and request.id in known:
                await self._record.set(request.id, request.state)

    async def _holders(self) -> list[str]:
        service = await self._pay.service()
        if service is None:
            return []
        query = sa.select(wallets.c.user_id).where(wallets.c.endpoint == service.profile.bank)
        return await self._store.read(lambda connection: list(connection.scalars(query)))

    async def _safely(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # the boundary of one look: the next must still come
            log.error("cannot look at the bank, again in %s s: %s", self._look_s, fault(error))


def _asks(user_id: str, request: MoneyRequest) -> Owed:
    return Owed(
        id=request.id,
        user_id=user_id,
        direction=ASKS,
        bank_id=request.id,
        handle=request.other.handle,
        name=request.other.name,
        amount=request.amount,
        note=request.note,
        about=request.id,
        state=OPEN,
    )
