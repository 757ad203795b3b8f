"""What the City's HTTP interfaces share: bounded bodies, kept answers, faults in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from city.errors import ProtocolError
from city.faults import Interference, interfere
from city.replay import Answer, Key, keep, kept
from city.store import Database, Store, Transaction
from city.world import World

BODY_LIMIT = 256 * 1024

Act = Callable[[Database], Answer]


async def read_body(request: Request) -> bytes:
    """Raises ProtocolError (413) beyond `BODY_LIMIT`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise ProtocolError("the body is over 256 kB", code="request_too_large", status=413)
    return body


def lower_headers(request: Request) -> dict[str, str]:
    """Header values by lower-case name; repeated ones are joined as RFC 9110 says."""
    joined: dict[str, str] = {}
    for name, value in request.headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def to_response(answer: Answer, request: Request) -> Response:
    headers = dict(answer.headers)
    if request_id := request.headers.get("request-id"):
        headers["Request-Id"] = request_id
    return Response(answer.body, answer.status, headers, media_type="application/json")


def error_answer(status: int, fields: Mapping[str, str]) -> Answer:
    return Answer(status, msgspec.json.encode(fields))


def once(
    database: Database, key: Key, now_s: float, act: Callable[[Transaction], Answer]
) -> Answer:
    """Act in one transaction with keeping the answer, or give the answer that was kept."""
    with database.transaction() as tx:
        before = kept(tx, key)
        return before if before is not None else keep(tx, key, act(tx), now_s)


class Exchange:
    """Runs acts of one merchant, or of the bank, through the faults that are due."""

    def __init__(
        self,
        world: World,
        store: Store,
        slug: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._world = world
        self._store = store
        self._slug = slug
        self._sleep = sleep

    async def run(self, operation: str, act: Act) -> Answer:
        """The act's answer, or what a fault made of it."""
        trouble = await self._store.run(lambda database: self._trouble(database, operation))
        if trouble.delay_s:
            await self._sleep(trouble.delay_s)
        if trouble.fail_before:
            return _broken()
        answer = await self._store.run(act)
        if trouble.hold_s:
            await self._sleep(trouble.hold_s)
        if trouble.fail_after:
            return _broken()
        if trouble.nonsense:
            return Answer(answer.status, answer.body[: len(answer.body) // 2])
        return answer

    def _trouble(self, database: Database, operation: str) -> Interference:
        with database.transaction() as tx:
            return interfere(tx, self._world.faults, self._slug, operation)


def _broken() -> Answer:
    return error_answer(500, {"code": "internal_error", "content": "something went wrong"})
