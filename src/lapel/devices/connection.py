"""One socket: a reader, a writer, a bounded queue between session and wire."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from lapel.devices.alarm import Alarm
from lapel.devices.commands import Close, Command, DropAudio, Send, SendAudio, Tick
from lapel.devices.errors import CLOSE_TAKEN_OVER, DeviceError, TooSlow, WireError
from lapel.devices.handshake import (
    Admitted,
    Authenticate,
    CodeShown,
    Enter,
    Handshake,
    HandshakeInput,
    Refused,
)
from lapel.devices.pairing import CodeOffer, Gate, Peer
from lapel.devices.session import Identity
from lapel.devices.wire import AudioFrame, DeviceMessage, Hello, parse_audio, parse_text

QUEUED = 1024
QUEUED_BYTES = 2 * 1024 * 1024
"""What may wait for a device that reads slowly; beyond it the link is closed, to be resumed."""
SEND_S = 10.0
"""How long one message may take to be written."""
CLOSE_S = 2.0
BURST = 32
"""Messages read in a row before others get their turn."""


class SocketClosed(Exception):
    """The other side, or the network, closed the socket."""


class Socket(Protocol):
    """A WebSocket. All three raise SocketClosed once it is closed."""

    async def receive(self) -> str | bytes: ...

    async def send(self, data: str | bytes) -> None: ...

    async def close(self, code: int) -> None: ...


class Owner(Protocol):
    """The link that a connection belongs to."""

    def receive(
        self, connection: Connection, event: DeviceMessage | AudioFrame | WireError
    ) -> None: ...

    def disconnected(self, connection: Connection) -> None: ...


class Door(Protocol):
    """Where a connection finds its link."""

    @property
    def gate(self) -> Gate: ...

    def identity(self, session_id: str) -> Identity | None:
        """Whose session this is, if it can still be resumed."""
        ...

    def enter(self, connection: Connection, hello: Hello, admitted: Admitted) -> Owner:
        """The link that takes the connection. Raises DeviceError."""
        ...


class Connection:
    def __init__(self, socket: Socket, peer: Peer, door: Door) -> None:
        loop = asyncio.get_running_loop()
        self._socket = socket
        self._peer = peer
        self._door = door
        self._clock = loop.time
        self._handshake: Handshake | None = Handshake(loop.time())
        self._alarm = Alarm(loop, self._tick)
        self._owner: Owner | None = None
        self._hello: Hello | None = None
        self._offer: CodeOffer | None = None
        self._queue: deque[Send | SendAudio | Close] = deque()
        self._queued_bytes = 0
        self._work = asyncio.Event()
        self._sending: asyncio.Timeout | None = None
        self._closing = False
        self._finished = False
        self.on_entered: Callable[[], None] | None = None

    @property
    def entered(self) -> bool:
        """Whether the handshake is over."""
        return self._owner is not None

    async def run(self) -> None:
        """Serve the socket until it is closed."""
        self._alarm.set(self._handshake.wake_at() if self._handshake else None)
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read())
                await self._write()
                reader.cancel()
        finally:
            self._gone()

    def execute(self, commands: list[Command]) -> None:
        """Put on the wire what a session wants there; other commands are its link's."""
        for command in commands:
            match command:
                case Send() | SendAudio() | Close():
                    self._enqueue(command)
                case DropAudio(stream):
                    self._drop_audio(stream)
                case _:
                    pass
        self._work.set()

    def take_over(self) -> None:
        """Another connection has this session now."""
        self._queue = deque(entry for entry in self._queue if isinstance(entry, Send))
        self._enqueue(Close(CLOSE_TAKEN_OVER))
        self._work.set()

    # Reading.

    async def _read(self) -> None:
        count = 0
        try:
            while not self._closing:
                self._take(await self._socket.receive())
                if self._hello is not None:
                    await self._admit()
                count += 1
                if count % BURST == 0:
                    await asyncio.sleep(0)
        except SocketClosed:
            self._finished = True
            self._work.set()

    def _take(self, data: str | bytes) -> None:
        try:
            event = parse_text(data) if isinstance(data, str) else parse_audio(data)
        except WireError as error:
            event = error
        if self._owner is not None:
            self._owner.receive(self, event)
        else:
            self._shake(event)

    # The handshake.

    def _shake(self, event: HandshakeInput) -> None:
        handshake = self._handshake
        if handshake is None:
            return
        for command in handshake.feed(event, self._clock()):
            match command:
                case Authenticate(hello):
                    self._hello = hello
                case Enter(hello, admitted):
                    self._enter(hello, admitted)
                case Send() | Close():
                    self._enqueue(command)
        self._work.set()
        self._alarm.set(handshake.wake_at() if self._owner is None else None)

    async def _admit(self) -> None:
        hello, self._hello = self._hello, None
        if hello is None:
            return
        session = self._door.identity(hello.resume.session) if hello.resume else None
        try:
            answer = await self._door.gate.admit(hello, self._peer, session)
        except DeviceError as error:
            self._shake(Refused(error))
            return
        if isinstance(answer, CodeOffer):
            self._offer = answer
            answer.entered.add_done_callback(self._code_entered)
            self._shake(CodeShown(answer.code, answer.expires_s))
        else:
            self._shake(answer)

    def _code_entered(self, entered: asyncio.Future[Admitted]) -> None:
        if not entered.cancelled():
            self._shake(entered.result())

    def _enter(self, hello: Hello, admitted: Admitted) -> None:
        try:
            self._owner = self._door.enter(self, hello, admitted)
        except DeviceError as error:
            self._handshake = refused = Handshake(self._clock())
            for command in refused.feed(Refused(error), self._clock()):
                if isinstance(command, Send | Close):
                    self._enqueue(command)
            return
        self._handshake = None
        if self.on_entered is not None:
            self.on_entered()

    def _tick(self) -> None:
        self._shake(Tick())

    # Writing.

    def _enqueue(self, command: Send | SendAudio | Close) -> None:
        if self._closing:
            return
        self._queue.append(command)
        if isinstance(command, Close):
            self._closing = True
            return
        self._queued_bytes += len(command.data)
        if len(self._queue) > QUEUED or self._queued_bytes > QUEUED_BYTES:
            self._too_slow()

    def _too_slow(self) -> None:
        """Drop what waits: the session keeps what matters and the device can resume it."""
        self._queue.clear()
        self._queue.append(Close(TooSlow.close_code or 0))
        self._closing = True
        if self._sending is not None:
            self._sending.reschedule(self._clock())
        if self._owner is not None:
            self._owner.disconnected(self)

    def _drop_audio(self, stream: int) -> None:
        kept: deque[Send | SendAudio | Close] = deque()
        for entry in self._queue:
            if isinstance(entry, SendAudio) and entry.stream == stream:
                self._queued_bytes -= len(entry.data)
            else:
                kept.append(entry)
        self._queue = kept

    async def _write(self) -> None:
        try:
            while not self._finished:
                self._work.clear()
                while self._queue and not self._finished:
                    entry = self._queue.popleft()
                    if isinstance(entry, Close):
                        await self._close(entry.code)
                        return
                    self._queued_bytes -= len(entry.data)
                    await self._send(entry)
                if not self._finished:
                    await self._work.wait()
        except SocketClosed:
            pass
        except TimeoutError:
            await self._close(TooSlow.close_code or 0)

    async def _send(self, entry: Send | SendAudio) -> None:
        data = entry.data.decode() if isinstance(entry, Send) else entry.data
        try:
            async with asyncio.timeout(SEND_S) as self._sending:
                await self._socket.send(data)
        finally:
            self._sending = None

    async def _close(self, code: int) -> None:
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code)
        except (SocketClosed, TimeoutError):
            pass  # it is closed anyway, or so full that it cannot even be told

    def _gone(self) -> None:
        self._closing = True
        self._alarm.cancel()
        self._queue.clear()
        if self._offer is not None:
            self._door.gate.withdraw(self._offer)
        if self._owner is not None:
            self._owner.disconnected(self)
