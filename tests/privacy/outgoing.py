"""`lapel`, but all that leaves the process is written down: `outgoing.py FILE up ...`. The product has no such hook.

Requests are taken where they become bytes (httpx's transport); connections and names that are looked up, from any
library, where Python makes them (audit events).
"""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx

from lapel.cli import main
from lapel.services.resolving import JudgingTransport


def record(path: str) -> None:
    out = open(path, "a", encoding="utf-8", buffering=1)  # noqa: SIM115  # for as long as the program lives

    def write(**line: object) -> None:
        out.write(json.dumps(line) + "\n")

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(arguments[1], tuple):
            write(kind="connect", to=list(arguments[1][:2]))
        elif event == "socket.getaddrinfo":
            write(kind="lookup", name=str(arguments[0]))

    real = JudgingTransport.handle_async_request

    async def sent(self: JudgingTransport, request: httpx.Request) -> httpx.Response:
        write(
            kind="request",
            method=request.method,
            url=str(request.url),
            headers=request.headers.multi_items(),
            body=request.content.decode(),
        )
        return await real(self, request)

    JudgingTransport.handle_async_request = sent  # type: ignore[method-assign]
    sys.addaudithook(watch)


if __name__ == "__main__":
    record(sys.argv.pop(1))
    main()
