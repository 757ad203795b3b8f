"""A gateway on a real socket, a host that writes down what it is told, and a raw device."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from lapel.devices import DeviceEvent, Link, Links, Pairing, StoredAccounts
from lapel.devices.adapters.lapel_ws import SERVER_MAX, device_route
from lapel.store import Store
from serving import serving

GLASSES: dict[str, Any] = {
    "family": "glasses",
    "name": "Glasses",
    "microphones": [{}],
    "speakers": [{}],
    "displays": [{}],
    "inputs": [{"id": "pad", "gestures": ["press", "long_press"]}],
    "haptics": [{}],
}


class RecordingHost:
    """Writes down every call; `react` may be set to do something on an event."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Link, DeviceEvent | None]] = []
        self.react: Callable[[Link, DeviceEvent], None] | None = None
        self.gate: asyncio.Event | None = None
        self._news = asyncio.Event()

    async def joined(self, link: Link) -> None:
        self._note("joined", link)

    async def resumed(self, link: Link) -> None:
        self._note("resumed", link)

    async def lost(self, link: Link) -> None:
        self._note("lost", link)

    async def left(self, link: Link) -> None:
        self._note("left", link)

    async def happened(self, link: Link, event: DeviceEvent) -> None:
        if self.gate is not None:
            await self.gate.wait()
        self._note("happened", link, event)
        if self.react is not None:
            self.react(link, event)

    def _note(self, what: str, link: Link, event: DeviceEvent | None = None) -> None:
        self.calls.append((what, link, event))
        self._news.set()

    @property
    def names(self) -> list[str]:
        return [what for what, _, _ in self.calls]

    @property
    def events(self) -> list[DeviceEvent]:
        return [event for _, _, event in self.calls if event is not None]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; it is looked at after every call."""
        async with asyncio.timeout(20):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def link(self) -> Link:
        """The link of the last device that joined."""
        await self.until(lambda: "joined" in self.names)
        return next(link for what, link, _ in reversed(self.calls) if what == "joined")


class RawDevice:
    """A socket that says exactly what a test wants it to say."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.audio: list[bytes] = []

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        await self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    async def next(self) -> dict[str, Any]:
        """The next text message; audio on the way is put into `audio`."""
        async with asyncio.timeout(20):
            while True:
                data = await self.socket.recv()
                if isinstance(data, str):
                    return json.loads(data)
                self.audio.append(data)

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next message of this type; others are skipped."""
        while True:
            message = await self.next()
            if message["type"] == kind:
                return message

    async def error(self) -> str:
        return (await self.expect("error"))["code"]

    async def closed(self) -> int:
        """The code that Lapel closes with."""
        async with asyncio.timeout(20):
            with contextlib.suppress(Exception):
                while True:
                    await self.socket.recv()
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def hello(self, **changes: Any) -> dict[str, Any]:
        """Say hello and return the welcome."""
        await self.send({"type": "hello", "protocol": 1, "profile": GLASSES, **changes})
        return await self.expect("welcome")

    async def ping(self) -> None:
        """Everything sent so far has been read once this returns."""
        await self.send({"type": "ping", "id": "barrier"})
        await self.expect("pong")

    def cut(self) -> None:
        self.socket.transport.abort()


class Gateway:
    """A running gateway with one user."""

    def __init__(self, store: Store, host: RecordingHost) -> None:
        self.store = store
        self.host = host
        self.accounts = StoredAccounts(store)
        self.pairing = Pairing(store, self.accounts)
        self.links: Links
        self.url = ""
        self.user_id = ""
        self.token = ""

    @contextlib.asynccontextmanager
    async def device(self) -> AsyncIterator[RawDevice]:
        async with connect(
            self.url,
            subprotocols=["lapel.device.1"],
            compression=None,
            proxy=None,
            close_timeout=0.5,
        ) as socket:
            yield RawDevice(socket)

    @property
    def auth(self) -> dict[str, Any]:
        return {"token": self.token, "remember": False}

    async def key(self) -> str:
        """The key of a newly paired device, which is not connected."""
        async with self.device() as device:
            await device.send(
                {
                    "type": "hello",
                    "protocol": 1,
                    "profile": GLASSES,
                    "auth": {"token": self.token},
                }
            )
            key = (await device.expect("paired"))["key"]
            await device.send({"type": "bye"})
            assert await device.closed() == 1000
            return key


@contextlib.asynccontextmanager
async def serve(path: Path, host: RecordingHost, *, speech: bool) -> AsyncIterator[Gateway]:
    store = await Store.open(path)
    gateway = Gateway(store, host)
    user = await gateway.accounts.create_user("Ada")
    gateway.user_id = user.id
    gateway.token = await gateway.accounts.create_token(user.id)
    async with Links(host, gateway.pairing, speech=speech) as links:
        gateway.links = links
        app = Starlette(routes=[device_route(links)])
        async with serving(
            app, ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=SERVER_MAX
        ) as origin:
            gateway.url = origin.replace("http", "ws", 1) + "/device"
            yield gateway
    await store.close()


@pytest.fixture
def host() -> RecordingHost:
    return RecordingHost()


@pytest.fixture
async def gateway(tmp_path: Path, host: RecordingHost) -> AsyncIterator[Gateway]:
    async with serve(tmp_path / "lapel.db", host, speech=True) as running:
        yield running


@pytest.fixture
async def text_gateway(tmp_path: Path, host: RecordingHost) -> AsyncIterator[Gateway]:
    """One that runs without speech engines."""
    async with serve(tmp_path / "lapel.db", host, speech=False) as running:
        yield running
