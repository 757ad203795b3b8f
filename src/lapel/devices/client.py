"""The reference client: a device in Python.

    async with DeviceClient(url, profile, Auth(token=token)) as device:
        device.say("two iced lattes to my office")
        async for event in device.events():
            ...

It connects again by itself, resumes its session and repeats nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import secrets
import ssl
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from lapel.devices.alarm import Alarm
from lapel.devices.client_events import (
    ClientEvent,
    Failed,
    Joined,
    LinkClosed,
    PairedAs,
    SpeechFrame,
)
from lapel.devices.client_session import (
    ClientInput,
    ClientSession,
    Dropped,
    Hang,
    Opened,
    Put,
    SendFrame,
    StartListening,
    StopListening,
    Tell,
    Tick,
)
from lapel.devices.cues import Card
from lapel.devices.errors import WireError
from lapel.devices.profile import DeviceProfile, Gesture
from lapel.devices.wire import (
    MAX_TEXT,
    SUBPROTOCOL,
    AudioChosen,
    AudioOffers,
    Auth,
    Battery,
    Bye,
    GestureDone,
    ListenMode,
    Position,
    Text,
    WearNow,
    parse_audio,
    parse_lapel_text,
)

FINAL = frozenset({1000, 4400, 4401, 4403, 4406, 4409, 4413, 4429})
"""Close codes after which connecting again by itself would do harm or no good."""
EVENTS = 4096
"""Events that wait for the caller; beyond it the oldest speech frame goes first."""
PUT = 1024

E = TypeVar("E")


class LinkRefused(Exception):
    """Lapel does not let this device in; `code` is the protocol's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of a random length, up to a limit that doubles: a crowd does not come back at once."""

    first_s: float = 0.25
    most_s: float = 10.0

    def wait_s(self, attempt: int, chance: float) -> float:
        return chance * min(self.most_s, self.first_s * 2.0 ** min(attempt, 16))


class DeviceClient:
    """One device. Enter it to connect: that returns once Lapel has said `welcome`.

    `speaker_speed` is how fast the simulated speaker plays, 1.0 being real time. `tls` says whom to
    believe behind a `wss://` address; without it, whom this machine believes.
    With `Auth(pair=True)` entering returns at once; wait for `CodeToShow`, then for `Joined`.
    """

    def __init__(
        self,
        url: str,
        profile: DeviceProfile,
        auth: Auth,
        *,
        audio: AudioOffers | None = None,
        on_key: Callable[[str, str], None] | None = None,
        speaker_speed: float = 1.0,
        backoff: Backoff | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url
        self._tls = tls or (True if url.startswith("wss:") else None)
        self._session = ClientSession(profile, auth, audio, speaker_speed)
        self._on_key = on_key
        self._backoff = backoff if backoff is not None else Backoff()
        self._waits_for_code = auth.pair
        self._events: deque[ClientEvent] = deque()
        self._news = asyncio.Event()
        self._ids = itertools.count(1)
        self._prefix = secrets.token_hex(4)
        self._put: deque[str | bytes] = deque()
        self._work = asyncio.Event()
        self._socket: ClientConnection | None = None
        self._ready: asyncio.Future[None] | None = None
        self._alarm: Alarm | None = None
        self._task: asyncio.Task[None] | None = None
        self._failed: Failed | None = None
        self._leaving = False
        self.dropped_events = 0
        self.device_id: str | None = None
        self.user_id: str | None = None
        self.joins = 0
        """How often Lapel said `welcome`."""

    # Being there.

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._ready = loop.create_future()
        self._alarm = Alarm(loop, lambda: self._feed(Tick()))
        self._task = asyncio.create_task(self._run())
        try:
            if not self._waits_for_code:
                await asyncio.shield(self._ready)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.leave()

    async def leave(self) -> None:
        """Say `bye`: the session is over. Nothing will be resumed."""
        self._leaving = True
        socket = self._socket
        if socket is not None:
            self._feed(Bye())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2.0):
                    await socket.wait_closed()
        await self._stop()

    async def cut(self) -> None:
        """Lose the link as a walk out of range would; the client comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    @property
    def connected(self) -> bool:
        return self._session.connected

    @property
    def session_id(self) -> str | None:
        return self._session.session_id

    @property
    def profile(self) -> DeviceProfile:
        return self._session.profile

    @property
    def audio(self) -> AudioChosen:
        """The formats agreed on."""
        return self._session.audio

    @property
    def cards(self) -> dict[str, Card]:
        """The cards that are up now, by topic."""
        return self._session.cards

    @property
    def key(self) -> str | None:
        """The device's own key, once it is paired."""
        return self._session.auth.key

    # Doing.

    def say(self, text: str) -> str:
        """Type `text`; returns its id. Without a link it is sent when there is one again."""
        id_ = self._next_id()
        self._feed(Text(id_, text))
        return id_

    def gesture(
        self, input_id: str, gesture: Gesture, action: str | None = None, topic: str | None = None
    ) -> str:
        """Make a gesture; `action` and `topic` name the button of a card. Returns its id."""
        id_ = self._next_id()
        self._feed(GestureDone(id_, input_id, gesture, action, topic))
        return id_

    def wear(self, on_body: bool) -> None:
        self._feed(WearNow(on_body))

    def battery(self, level: int, *, charging: bool = False) -> None:
        self._feed(Battery(level, charging))

    def position(self, lat: float, lon: float, accuracy_m: float = 0.0, at: float = 0.0) -> None:
        """Say where the device is: degrees (WGS 84), metres, seconds since 1970 (0: now)."""
        self._feed(Position(lat, lon, accuracy_m, at))

    def listen(self, mode: ListenMode = "auto") -> None:
        """Open the microphone's stream."""
        self._feed(StartListening(mode))

    def stop_listening(self) -> None:
        self._feed(StopListening())

    def send_frame(self, payload: bytes) -> None:
        """One frame of the `up` format, on a stream that is open."""
        self._feed(SendFrame(payload))

    async def stream_audio(
        self,
        audio: bytes | Iterable[bytes] | AsyncIterable[bytes],
        *,
        mode: ListenMode = "auto",
        speed: float = 1.0,
    ) -> None:
        """Speak: PCM (cut into frames, padded with silence) or frames, sent in real time.

        `speed` over 1 sends faster than a microphone would.
        """
        agreed = self.audio.up
        if agreed is None:
            raise LinkRefused("unavailable", "no microphone audio was agreed on")
        if isinstance(audio, bytes):
            audio = _cut(audio, agreed.frame_samples * 2)
        frame_s = agreed.frame_ms / 1000 / speed
        loop = asyncio.get_running_loop()
        self.listen(mode)
        at = loop.time()
        async for payload in _each(audio):
            self.send_frame(payload)
            at += frame_s
            await asyncio.sleep(max(0.0, at - loop.time()))
        self.stop_listening()

    # Hearing.

    async def events(self) -> AsyncIterator[ClientEvent]:
        """What happens, in order; ends after LinkClosed."""
        while True:
            event = await self.next_event()
            yield event
            if isinstance(event, LinkClosed):
                return

    async def next_event(self) -> ClientEvent:
        while not self._events:
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

    async def wait_for(
        self,
        kind: type[E],
        matching: Callable[[E], bool] = lambda event: True,
        timeout_s: float = 10.0,
    ) -> E:
        """The next event of this kind that matches; those before it are skipped.

        Raises TimeoutError, and LinkRefused if the link is closed for good first.
        """
        async with asyncio.timeout(timeout_s):
            while True:
                event = await self.next_event()
                if isinstance(event, kind) and matching(event):
                    return event
                if isinstance(event, LinkClosed):
                    raise self._refusal(event.code)

    # Inside.

    def _next_id(self) -> str:
        return f"{self._prefix}-{next(self._ids)}"

    async def _run(self) -> None:
        attempt = 0
        while True:
            joins = self.joins
            code = await self._connect()
            if self._leaving or code in FINAL:
                break
            attempt = 0 if self.joins > joins else attempt + 1
            await asyncio.sleep(self._backoff.wait_s(attempt, random.random()))
        self._leaving = True
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(self._refusal(code))
            self._ready.exception()
        self._emit(LinkClosed(code))

    async def _connect(self) -> int:
        """One socket, from opening to its end; the code that it was closed with."""
        try:
            async with connect(
                self._url,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                compression=None,
                max_size=2 * MAX_TEXT,
                ping_interval=None,
                close_timeout=1.0,
                proxy=None,
                ssl=self._tls,
            ) as socket:
                return await self._serve(socket)
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
            return 1006

    async def _serve(self, socket: ClientConnection) -> int:
        self._socket = socket
        self._put.clear()
        writer = asyncio.create_task(self._write(socket))
        try:
            self._feed(Opened())
            async for data in socket:
                try:
                    self._feed(
                        parse_lapel_text(data) if isinstance(data, str) else parse_audio(data)
                    )
                except WireError:
                    continue  # a newer Lapel may say what this client does not know
        except ConnectionClosed:
            pass
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._socket = None
            self._feed(Dropped())
        return socket.close_code or 1006

    async def _write(self, socket: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                while self._put:
                    await socket.send(self._put.popleft())
                self._work.clear()
                await self._work.wait()

    def _feed(self, event: ClientInput) -> None:
        loop = asyncio.get_running_loop()
        for command in self._session.feed(event, loop.time()):
            match command:
                case Put(data):
                    self._enqueue(data)
                case Tell(told):
                    self._emit(told)
                case Hang():
                    if self._socket is not None:
                        self._socket.transport.abort()
        if self._alarm is not None:
            self._alarm.set(self._session.wake_at())

    def _enqueue(self, data: str | bytes) -> None:
        """Queue for the socket; where it does not keep up, the oldest audio is given up."""
        if len(self._put) >= PUT:
            for index, waiting in enumerate(self._put):
                if isinstance(waiting, bytes):
                    del self._put[index]
                    break
        self._put.append(data)
        self._work.set()

    def _emit(self, event: ClientEvent) -> None:
        match event:
            case Joined(device=device, user=user):
                self.device_id, self.user_id = device, user
                self.joins += 1
                if self._ready is not None and not self._ready.done():
                    self._ready.set_result(None)
            case PairedAs(device, key):
                if self._on_key is not None:
                    self._on_key(device, key)
            case Failed():
                self._failed = event
            case _:
                pass
        if len(self._events) >= EVENTS:
            self._drop_event()
        self._events.append(event)
        self._news.set()

    def _drop_event(self) -> None:
        self.dropped_events += 1
        for index, waiting in enumerate(self._events):
            if isinstance(waiting, SpeechFrame):
                del self._events[index]
                return
        self._events.popleft()

    def _refusal(self, code: int) -> LinkRefused:
        failed = self._failed
        if failed is None:
            return LinkRefused("closed", f"the link was closed with {code}")
        return LinkRefused(failed.code, failed.message)

    async def _stop(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if not any(isinstance(event, LinkClosed) for event in self._events):
            self._emit(LinkClosed(1000))


def _cut(pcm: bytes, size: int) -> Iterable[bytes]:
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size].ljust(size, b"\0")


async def _each(frames: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(frames, AsyncIterable):
        async for payload in frames:
            yield payload
        return
    for payload in frames:
        yield payload
