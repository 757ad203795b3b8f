"""The first messages of a link, until it belongs to a session: sans-IO, `feed(event, now)`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from lapel.devices.commands import Close, Disconnected, Send, Tick
from lapel.devices.errors import (
    CLOSE_BAD_MESSAGES,
    CLOSE_BYE,
    BadJson,
    BadMessage,
    DeviceError,
    HelloExpected,
    NotPaired,
    Unauthorized,
    WireError,
)
from lapel.devices.session import BadMessages
from lapel.devices.wire import (
    AudioFrame,
    Bye,
    DeviceMessage,
    ErrorMessage,
    Hello,
    LapelMessage,
    Paired,
    PairingShown,
    Ping,
    Pong,
    encode,
)

HELLO_S = 10.0


@dataclass(frozen=True, slots=True)
class Admitted:
    """The device may speak. `key` is its new key, to be shown once."""

    device_id: str
    user_id: str
    key: str | None = None
    ephemeral: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    error: DeviceError


@dataclass(frozen=True, slots=True)
class CodeShown:
    """The device is to show this code; its link waits until the user enters it."""

    code: str
    expires_s: float


HandshakeInput = (
    DeviceMessage | AudioFrame | WireError | Tick | Disconnected | Admitted | Refused | CodeShown
)


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out who this is; answer with Admitted, Refused or CodeShown."""

    hello: Hello


@dataclass(frozen=True, slots=True)
class Enter:
    """The link belongs to a session from now on."""

    hello: Hello
    admitted: Admitted


HandshakeCommand = Send | Close | Authenticate | Enter


class _Stage(Enum):
    HELLO = auto()
    ADMITTING = auto()
    PAIRING = auto()
    DONE = auto()


class Handshake:
    def __init__(self, now: float) -> None:
        self._stage = _Stage.HELLO
        self._until = now + HELLO_S
        self._hello: Hello | None = None
        self._bad = BadMessages()
        self._commands: list[HandshakeCommand] = []

    def wake_at(self) -> float | None:
        """When the next Tick is due."""
        return self._until if self._stage in (_Stage.HELLO, _Stage.PAIRING) else None

    def feed(self, event: HandshakeInput, now: float) -> list[HandshakeCommand]:
        if self._stage is not _Stage.DONE:
            try:
                self._on_event(event, now)
            except DeviceError as error:
                self._refuse(error, now)
        commands, self._commands = self._commands, []
        return commands

    def _on_event(self, event: HandshakeInput, now: float) -> None:
        match event:
            case Disconnected():
                self._stage = _Stage.DONE
            case Tick():
                self._tick(now)
            case Admitted():
                self._enter(event)
            case CodeShown(code, expires_s):
                self._stage, self._until = _Stage.PAIRING, now + expires_s
                self._send(PairingShown(code, expires_s))
            case Refused(error):
                raise error
            case WireError():
                raise event
            case _:
                self._on_message(event)

    def _on_message(self, message: DeviceMessage | AudioFrame) -> None:
        if self._stage is _Stage.HELLO:
            if not isinstance(message, Hello):
                raise HelloExpected("the first message must be `hello`")
            if message.auth.ways != 1:
                raise BadMessage("auth is exactly one of `key`, `token`, `code` and `pair`")
            self._hello = message
            self._stage = _Stage.ADMITTING
            self._commands.append(Authenticate(message))
            return
        match message:
            case Ping(id=id_):
                self._send(Pong(id_))
            case Bye():
                self._close(CLOSE_BYE)
            case _:
                raise NotPaired("the code was not entered yet; only `ping` and `bye` until then")

    def _enter(self, admitted: Admitted) -> None:
        if self._hello is None:
            return
        if admitted.key is not None:
            self._send(Paired(admitted.device_id, admitted.key))
        self._stage = _Stage.DONE
        self._commands.append(Enter(self._hello, admitted))

    def _tick(self, now: float) -> None:
        if now < self._until:
            return
        if self._stage is _Stage.HELLO:
            raise HelloExpected(f"no `hello` within {HELLO_S:g} s")
        if self._stage is _Stage.PAIRING:
            raise Unauthorized("the code expired; ask for another one")

    def _refuse(self, error: DeviceError, now: float) -> None:
        self._send(ErrorMessage(error.code, error.message, error.ref))
        if error.close_code is not None:
            self._close(error.close_code)
        elif isinstance(error, BadJson | BadMessage) and self._bad.add(now):
            self._close(CLOSE_BAD_MESSAGES)

    def _close(self, code: int) -> None:
        self._stage = _Stage.DONE
        self._commands.append(Close(code))

    def _send(self, message: LapelMessage) -> None:
        self._commands.append(Send(encode(message)))
