"""What a session wants sent: commands while a link is there, kept messages in any case."""

from __future__ import annotations

from collections.abc import Callable

from lapel.devices.commands import Command, Send, Settled
from lapel.devices.errors import DeviceError
from lapel.devices.outbox import Outbox
from lapel.devices.wire import ErrorMessage, LapelMessage, Reliable, encode


class Outgoing:
    def __init__(self) -> None:
        self.connected = False
        self.outbox = Outbox()
        self._commands: list[Command] = []

    def take(self) -> list[Command]:
        commands, self._commands = self._commands, []
        return commands

    def add(self, command: Command) -> None:
        self._commands.append(command)

    def send(self, message: LapelMessage) -> None:
        """Send now or never."""
        if self.connected:
            self._commands.append(Send(encode(message)))

    def fail(self, error: DeviceError) -> None:
        self.send(ErrorMessage(error.code, error.message, error.ref))

    def reliable(self, make: Callable[[int], Reliable], now: float) -> int:
        """Send now, and again after every resume until it is acknowledged; returns its number."""
        data, settled = self.outbox.add(make, now)
        if self.connected:
            self._commands.append(Send(data))
        self.settle(settled)
        return self.outbox.last

    def acknowledge(self, cursor: int) -> None:
        self.settle(self.outbox.acknowledge(cursor))

    def replay(self, now: float) -> None:
        messages, expired = self.outbox.replay(now)
        self._commands.extend(Send(data) for data in messages)
        self.settle(expired)

    def settle(self, cues: list[str]) -> None:
        if cues:
            self._commands.append(Settled(tuple(cues)))
