"""A gateway that says exactly what a test tells it to: the device protocol's server side, small, and Lapel's HTTP API with given answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from lapel.devices import wire
from lapel.devices.audio import check_frame
from lapel.devices.errors import DeviceError
from lapel.speech.formats import AudioFormat, Codec
from lapel.web.gate import SecurityHeaders
from serving import Serving

STATIC = Path(__file__).parents[2] / "src/lapel/web/static"
TOKEN = "sign-in-token"

Message = dict[str, Any]
Script = Callable[["Link", Message], Awaitable[None]]


@dataclass
class Session:
    id: str
    n: int = 0
    kept: list[Message] = field(default_factory=list)


class Link:
    """One live connection. `heard` holds every message, `frames` the audio."""

    def __init__(self, gateway: ScriptedGateway, socket: WebSocket, hello: Message) -> None:
        self.gateway = gateway
        self.socket = socket
        self.hello = hello
        self.family: str = hello["profile"]["family"]
        self.session = gateway.open_session(hello)
        self.heard: list[Message] = []
        self.frames: list[wire.AudioFrame] = []
        self.audio: Message = {"up": None, "down": None}
        self.changed = asyncio.Condition()
        self.closed = False

    async def send(self, message: Message) -> None:
        text = json.dumps(message)
        wire.parse_lapel_text(text)
        await self.socket.send_text(text)

    async def reliable(self, message: Message) -> int:
        """Sends a counted message if the link is up, and keeps it until it is acknowledged."""
        self.session.n += 1
        counted = {**message, "n": self.session.n}
        self.session.kept.append(counted)
        if not self.closed:
            await self.send(counted)
        return self.session.n

    async def cut(self) -> None:
        """Loses the link, as a network does."""
        self.closed = True
        await self.socket.close(1011)

    async def cue(self, **cue: Any) -> int:
        return await self.reliable({"type": "cue", "cue": cue})

    async def clear(self, topic: str) -> int:
        return await self.reliable({"type": "clear", "topic": topic})

    async def sound(self, stream: int, sequence: int, payload: bytes) -> None:
        frame = wire.AudioFrame(stream & 0xFFFF, sequence, payload)
        await self.socket.send_bytes(wire.encode_audio(frame))

    async def until(self, found: Callable[[], Any], within_s: float = 30.0) -> Any:
        """Waits until `found()` is true and answers it."""
        async with asyncio.timeout(within_s), self.changed:
            while not (answer := found()):
                await self.changed.wait()
            return answer

    async def next(self, type: str, **fields: Any) -> Message:
        """The first message of this type (and with these fields) that was heard; waits for it."""

        def found() -> Message | None:
            for message in self.heard:
                if message["type"] == type and fields.items() <= message.items():
                    return message
            return None

        return await self.until(found)

    def all(self, type: str) -> list[Message]:
        return [message for message in self.heard if message["type"] == type]

    async def take(self, received: Message) -> None:
        if received.get("bytes") is not None:
            frame = wire.parse_audio(received["bytes"])
            agreed = self.audio["up"]
            up = AudioFormat(Codec(agreed["codec"]), agreed["rate"], agreed["frame_ms"])
            check_frame(frame.payload, up, last=frame.last)
            self.frames.append(frame)
        else:
            wire.parse_text(received["text"])
            message = json.loads(received["text"])
            if message["type"] == "received":
                kept = self.session.kept
                self.session.kept = [each for each in kept if each["n"] > message["cursor"]]
            elif message["type"] == "ping":
                await self.send({"type": "pong", "id": message["id"]})
            self.heard.append(message)
            await self.gateway.script(self, message)
        async with self.changed:
            self.changed.notify_all()


def refusal(text: str) -> Message:
    return {"error": {"code": "refused", "message": text}}


async def silent(link: Link, message: Message) -> None:
    """The script that answers nothing."""


class ScriptedGateway:
    def __init__(self) -> None:
        self.reset()
        self.url = ""
        self.app = SecurityHeaders(
            Starlette(
                routes=[
                    Route("/", self._page("lab.html")),
                    Route("/d/{family}", self._page("device.html")),
                    Route("/api/session", self._session),
                    Route("/api/orders/{id}/receipt", self._receipt),
                    Route("/api/devices/pair", self._show_code, methods=["POST"]),
                    Route("/api/devices/enter", self._enter_code, methods=["POST"]),
                    Route("/api/devices/{id}", self._revoke, methods=["DELETE"]),
                    Route("/api/addresses/{label}", self._save_address, methods=["PUT"]),
                    Route("/api/scan", self._scan, methods=["POST"]),
                    *(
                        Route(f"/api/{name}", self._given(name))
                        for name in ("orders", "devices", "addresses", "menus", "contacts")
                    ),
                    WebSocketRoute("/device", self._device),
                    Mount("/static", StaticFiles(directory=STATIC)),
                ]
            )
        )

    def reset(self) -> None:
        self.links: dict[str, Link] = {}
        self.hellos: list[Message] = []
        self.sessions: dict[str, Session] = {}
        self.opened = 0
        self.script: Script = silent
        self.signed_in = True
        self.speech = True
        self.accept_resume = True
        self.refuse_with: tuple[str, int] | None = None
        self.accept_codec = True
        self.calls: list[tuple[str, Any]] = []
        self.faults: list[str] = []
        self.given: dict[str, list[Message]] = {
            "orders": [],
            "devices": [],
            "addresses": [],
            "menus": [],
            "contacts": [],
        }
        self.changed = asyncio.Condition()

    async def _scan(self, request: Request) -> Response:
        self.calls.append((request.headers["content-type"], await request.body()))
        payee = {"handle": "@blue-door", "name": "Blue Door"}
        return JSONResponse({"payee": payee, "question": "", "amount": 890}, 202)

    async def start(self, port: int = 0) -> None:
        self._serving = await Serving.start(self.app, port=port, ws="websockets-sansio")
        self.url = self._serving.origin

    async def stop(self) -> None:
        await self._serving.stop()

    def open_session(self, hello: Message) -> Session:
        wanted = (hello.get("resume") or {}).get("session")
        if self.accept_resume and wanted in self.sessions:
            return self.sessions[wanted]
        self.opened += 1
        session = Session(f"s_{self.opened}")
        self.sessions[session.id] = session
        return session

    async def link(self, family: str, count: int = 1) -> Link:
        """The newest link of a family, once it has linked `count` times."""
        async with asyncio.timeout(30), self.changed:
            while sum(hello["profile"]["family"] == family for hello in self.hellos) < count:
                await self.changed.wait()
        return self.links[family]

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            return FileResponse(STATIC / name)

        return page

    def _given(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return JSONResponse(self.given[name])

        return answer

    async def _session(self, request: Request) -> Response:
        if not self.signed_in:
            return JSONResponse(refusal("Sign in with the link that Lapel printed."), 401)
        user = {"id": "u_1", "name": "Robin"}
        return JSONResponse({"token": TOKEN, "user": user, "speech": self.speech, "merchants": 3})

    async def _receipt(self, request: Request) -> Response:
        return JSONResponse({"order": request.path_params["id"]})

    async def _show_code(self, request: Request) -> Response:
        self.calls.append(("pair", None))
        return JSONResponse({"code": "482913", "expires_s": 300})

    async def _enter_code(self, request: Request) -> Response:
        body = await request.json()
        self.calls.append(("enter", body))
        if body["code"] != "135790":
            return JSONResponse(refusal("No device shows this code."), 404)
        return JSONResponse({"device": {"id": "d_9"}})

    async def _revoke(self, request: Request) -> Response:
        id = request.path_params["id"]
        self.calls.append(("revoke", id))
        self.given["devices"] = [each for each in self.given["devices"] if each["id"] != id]
        return Response(status_code=204)

    async def _save_address(self, request: Request) -> Response:
        body = await request.json()
        self.calls.append((f"address {request.path_params['label']}", body))
        return JSONResponse(body)

    async def _device(self, socket: WebSocket) -> None:
        await socket.accept(subprotocol="lapel.device.1")
        try:
            said = await socket.receive_text()
        except WebSocketDisconnect:
            return
        wire.parse_text(said)
        hello = json.loads(said)
        self.hellos.append(hello)
        if self.refuse_with:
            code, close = self.refuse_with
            await socket.send_text(
                json.dumps({"type": "error", "code": code, "message": f"Refused: {code}."})
            )
            await socket.close(close)
            return
        link = Link(self, socket, hello)
        self.links[link.family] = link
        await self._greet(link)
        async with self.changed:
            self.changed.notify_all()
        await self._listen(link)

    async def _greet(self, link: Link) -> None:
        hello, session = link.hello, link.session
        resume = hello.get("resume") or {}
        resumed = resume.get("session") == session.id
        audio = dict(hello["audio"]) if self.speech else {"up": None, "down": None}
        if not self.accept_codec and audio["up"]:
            audio["up"] = {"codec": "pcm16", "rate": 16000, "frame_ms": 20}
        if "pair" in hello["auth"]:
            await link.send({"type": "pairing", "code": "135790", "expires_s": 300})
            return
        await self.welcome(link, audio, resumed)
        if resumed:
            for message in session.kept:
                if message["n"] > resume["cursor"]:
                    await link.send(message)

    async def welcome(self, link: Link, audio: Message, resumed: bool = False) -> None:
        link.audio = audio
        auth = link.hello["auth"]
        if "code" in auth or "pair" in auth or ("token" in auth and auth.get("remember", True)):
            await link.send({"type": "paired", "device": "d_7", "key": "dk_secret"})
        await link.send(
            {
                "type": "welcome",
                "session": link.session.id,
                "device": "d_7",
                "user": "u_1",
                "resumed": resumed,
                "heartbeat_s": 20,
                "audio": audio,
            }
        )

    async def _listen(self, link: Link) -> None:
        while True:
            received = await link.socket.receive()
            if received["type"] == "websocket.disconnect":
                link.closed = True
                async with link.changed:
                    link.changed.notify_all()
                return
            try:
                await link.take(received)
            except DeviceError as error:
                self.faults.append(f"{link.family}: {error}")
