"""A web application on a free port of this machine, for a test: there at once, gone at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

LEAVING_S = 2.0
"""How long what still runs may take to end; then it is cancelled."""


class Serving:
    """uvicorn without the tenths of a second for which it waits at its start and its end."""

    def __init__(self, server: uvicorn.Server, origin: str) -> None:
        self._server = server
        self.origin = origin

    @classmethod
    async def start(cls, app: Any, *, port: int = 0, **options: Any) -> Serving:
        listener = socket.create_server(("127.0.0.1", port), backlog=128)
        config = uvicorn.Config(app, lifespan="off", **{"log_level": "error", **options})
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        await server.on_tick(0)  # the headers of every answer
        return cls(server, f"http://127.0.0.1:{listener.getsockname()[1]}")

    async def stop(self) -> None:
        state = self._server.server_state
        for listening in self._server.servers:
            listening.close()
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(LEAVING_S):
                while state.connections or state.tasks:  # uvicorn has no event for it
                    await asyncio.sleep(0.002)
        except TimeoutError:
            for task in state.tasks:
                task.cancel()
            await asyncio.gather(*state.tasks, return_exceptions=True)


@asynccontextmanager
async def serving(app: Any, **options: Any) -> AsyncIterator[str]:
    """The application while the block runs; yields its origin."""
    started = await Serving.start(app, **options)
    try:
        yield started.origin
    finally:
        await started.stop()
