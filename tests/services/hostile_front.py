"""The hostile merchant's front door: it sees bytes, so that a test can send any bytes at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from services.hostile import Hostile

Play = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
"""Writes what it likes; the bytes are the body of the honest answer."""


@dataclass(frozen=True)
class Trick:
    """What is sent instead of the honest answer; with `effect` the merchant has done its work."""

    play: Play
    effect: bool = True
    times: int = 10**6


TOOLS = {
    "create_checkout": "create", "get_checkout": "get", "update_checkout": "update",
    "complete_checkout": "complete", "cancel_checkout": "cancel", "search_catalog": "search",
    "lookup_catalog": "lookup", "get_product": "product", "get_order": "order",
}  # fmt: skip


def operation_of(method: str, path: str, body: bytes = b"") -> str:
    parts = path.split("?")[0].strip("/").split("/")
    if parts[0] == "mcp":
        call = json.loads(body)
        return TOOLS[call["params"]["name"]] if call["method"] == "tools/call" else call["method"]
    if parts[0] == ".well-known":
        return "profile"
    if parts[0] in ("checkout-sessions", "checkout_sessions"):
        if len(parts) == 3:
            return parts[2]
        if len(parts) == 2 and method == "POST":
            return "update"
        return {"POST": "create", "GET": "get", "PUT": "update"}[method]
    if parts[0] == "catalog":
        return parts[1]
    return {"orders": "order"}.get(parts[0], parts[0])


@dataclass
class Front:
    """Hands each request to the merchant behind it, unless a trick is played on its operation."""

    hostile: Hostile
    tricks: dict[str, Trick] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    origin: str = ""
    inner: httpx.ASGITransport = field(init=False)
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.inner = httpx.ASGITransport(self.hostile.app())

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self.serve(reader, writer))
        self.talks.add(talk)
        talk.add_done_callback(self.talks.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # Lapel has heard enough and hung up
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {
            name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        operation = operation_of(method, path, body)
        self.seen.append(operation)
        trick = self.tricks.get(operation)
        if trick is None:
            answer = await self._honest(method, path, headers, body)
            writer.write(http(answer.status_code, answer.content, dict(answer.headers)))
            await writer.drain()
            return True
        if trick.times <= 1:
            del self.tricks[operation]
        else:
            self.tricks[operation] = Trick(trick.play, trick.effect, trick.times - 1)
        honest = await self._honest(method, path, headers, body) if trick.effect else None
        await trick.play(writer, honest.content if honest else b"{}")
        await writer.drain()
        return False

    async def _honest(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        request = httpx.Request(method, self.origin + path, headers=headers, content=body)
        answer = await self.inner.handle_async_request(request)
        await answer.aread()
        return answer


@asynccontextmanager
async def opened(hostile: Hostile) -> AsyncIterator[Front]:
    """The merchant behind its front, on a port of its own."""
    front = Front(hostile)
    server = await asyncio.start_server(front.accept, "127.0.0.1", 0, limit=1 << 20)
    try:
        hostile.origin = front.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield front
    finally:
        server.close()
        hostile.silent.set()
        for talk in front.talks:
            talk.cancel()
        await asyncio.gather(*front.talks, return_exceptions=True)


def http(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """An HTTP/1.1 answer whose length is told truly."""
    sent = {"content-type": "application/json", **(headers or {}), "content-length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1") + body


def says(status: int, body: bytes | None = None, **headers: str) -> Play:
    """This status, with this body or the honest one."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def play(out: asyncio.StreamWriter, honest: bytes) -> None:
        out.write(http(status, honest if body is None else body, named))

    return play


def changed(change: Callable[[bytes], bytes]) -> Play:
    """The honest body with its bytes changed."""

    async def play(out: asyncio.StreamWriter, honest: bytes) -> None:
        out.write(http(200, change(honest)))

    return play


def raw(text: bytes) -> Play:
    """These bytes, HTTP or not."""

    async def play(out: asyncio.StreamWriter, honest: bytes) -> None:
        out.write(text)

    return play


async def hundred_megabytes(out: asyncio.StreamWriter, honest: bytes) -> None:
    """Chunked, without a length: it ends when Lapel hangs up."""
    out.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    block = b" " * 65536
    for _ in range(100 * 16):
        out.write(b"10000\r\n" + block + b"\r\n")
        await out.drain()
    out.write(b"0\r\n\r\n")


async def hundred_megabytes_announced(out: asyncio.StreamWriter, honest: bytes) -> None:
    size = 100 << 20
    out.write(
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n".encode()
    )
    for _ in range(size >> 16):
        out.write(b" " * 65536)
        await out.drain()


async def longer_than_announced(out: asyncio.StreamWriter, honest: bytes) -> None:
    half = len(honest) // 2
    out.write(
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {half}\r\n\r\n".encode()
        + honest
    )


async def shorter_than_announced(out: asyncio.StreamWriter, honest: bytes) -> None:
    out.write(
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(honest) + 99}\r\n\r\n".encode()
        + honest
    )


async def dripping_body(out: asyncio.StreamWriter, honest: bytes) -> None:
    out.write(
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(honest)}\r\n\r\n".encode()
    )
    for byte in honest:
        out.write(bytes([byte]))
        await out.drain()
        await asyncio.sleep(0.02)


async def dripping_head(out: asyncio.StreamWriter, honest: bytes) -> None:
    for n in range(10_000):
        out.write(f"HTTP/1.1 200 OK\r\nx-{n}: ".encode() if n == 0 else b"a")
        await out.drain()
        await asyncio.sleep(0.02)


async def endless_early_hints(out: asyncio.StreamWriter, honest: bytes) -> None:
    while True:
        out.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 100)
        await out.drain()
        await asyncio.sleep(0.01)


async def never(out: asyncio.StreamWriter, honest: bytes) -> None:
    await asyncio.Event().wait()
