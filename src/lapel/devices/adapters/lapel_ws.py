"""Our own device protocol on a Starlette WebSocket: translation only."""

from __future__ import annotations

import ipaddress

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from lapel.devices.connection import SocketClosed
from lapel.devices.errors import BadProtocol
from lapel.devices.pairing import Peer
from lapel.devices.registry import Links
from lapel.devices.wire import MAX_TEXT, SUBPROTOCOL

PATH = "/device"
SERVER_MAX = 2 * MAX_TEXT
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


def device_route(links: Links, path: str = PATH) -> WebSocketRoute:
    """The route that devices connect to.

    Serve it with uvicorn's `ws="websockets-sansio"`, `ws_per_message_deflate=False` and
    `ws_max_size=SERVER_MAX`: what is only a little over the protocol's limit gets its error.
    """

    async def endpoint(websocket: WebSocket) -> None:
        offered: list[str] = websocket.scope["subprotocols"]
        if offered and SUBPROTOCOL not in offered:
            await websocket.accept()
            await websocket.close(BadProtocol.close_code or 1002)
            return
        await websocket.accept(SUBPROTOCOL if offered else None)
        await links.serve(StarletteSocket(websocket), peer_of(websocket))

    return WebSocketRoute(path, endpoint)


class StarletteSocket:
    """A Starlette WebSocket as a `Socket`."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> str | bytes:
        try:
            message = await self._websocket.receive()
        except (WebSocketDisconnect, WebSocketDisconnected) as error:
            raise SocketClosed from error
        if message["type"] != "websocket.receive":
            raise SocketClosed
        text = message.get("text")
        return text if text is not None else message["bytes"]

    async def send(self, data: str | bytes) -> None:
        try:
            if isinstance(data, str):
                await self._websocket.send_text(data)
            else:
                await self._websocket.send_bytes(data)
        except (WebSocketDisconnect, WebSocketDisconnected) as error:
            raise SocketClosed from error

    async def close(self, code: int) -> None:
        try:
            await self._websocket.close(code)
        except (WebSocketDisconnect, WebSocketDisconnected, RuntimeError) as error:
            raise SocketClosed from error


def peer_of(websocket: WebSocket) -> Peer:
    """Who is at the other end. What a proxy forwarded is never loopback."""
    address = websocket.client.host if websocket.client is not None else ""
    forwarded = any(name in websocket.headers for name in _FORWARDED)
    return Peer(address, not forwarded and _is_loopback(address))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
