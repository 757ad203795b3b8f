"""Every live session: found by device, by user and for a resume."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from types import TracebackType
from typing import Self

from lapel.devices.audio import negotiate
from lapel.devices.commands import End
from lapel.devices.connection import Connection, Socket, SocketClosed
from lapel.devices.errors import (
    CLOSE_CROWDED,
    CLOSE_GOING_AWAY,
    CLOSE_TAKEN_OVER,
    GoingAway,
    Revoked,
)
from lapel.devices.handshake import Admitted
from lapel.devices.host import DeviceHost
from lapel.devices.link import Link
from lapel.devices.pairing import Gate, Pairing, Peer
from lapel.devices.session import DeviceSession, Identity
from lapel.devices.wire import Hello

OPENING = 256
"""Links that may be in their handshake at once; one more is told to come back later."""


class Links:
    """The gateway: `async with Links(host, pairing, speech=True) as links`, then `serve` sockets.

    It owns a task for each session. Leaving it closes every link; their sessions are gone.
    """

    def __init__(self, host: DeviceHost, gate: Gate, *, speech: bool) -> None:
        self.gate = gate
        self._host = host
        self._speech = speech
        self._sessions: dict[str, tuple[Link, DeviceSession]] = {}
        self._devices: dict[str, Link] = {}
        self._users: dict[str, dict[str, Link]] = {}
        self._opening = 0
        self._closing = False
        self._group = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        if isinstance(gate, Pairing):
            gate.on_revoked = self.revoke

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        for link, _ in list(self._sessions.values()):
            link.end(End(CLOSE_GOING_AWAY, discard=True))
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(kind, error, trace)

    def __len__(self) -> int:
        return len(self._sessions)

    def of_device(self, device_id: str) -> Link | None:
        return self._devices.get(device_id)

    def of_user(self, user_id: str) -> list[Link]:
        """The user's sessions, lost ones that may come back included, the oldest first."""
        return list(self._users.get(user_id, {}).values())

    def revoke(self, device_id: str) -> None:
        """Close the link of a revoked device; what it sent and nobody heard yet is not heard."""
        link = self._devices.get(device_id)
        if link is not None:
            error = Revoked("this device's key was revoked; pair it again")
            link.end(End(Revoked.close_code or 0, error, discard=True))

    async def serve(self, socket: Socket, peer: Peer) -> None:
        """Serve one accepted socket until it is closed."""
        if self._closing or self._opening >= OPENING:
            with contextlib.suppress(SocketClosed):
                await socket.close(CLOSE_GOING_AWAY if self._closing else CLOSE_CROWDED)
            return
        connection = Connection(socket, peer, self)
        self._opening += 1
        connection.on_entered = self._opened
        try:
            await connection.run()
        finally:
            if not connection.entered:
                self._opened()

    def identity(self, session_id: str) -> Identity | None:
        entry = self._sessions.get(session_id)
        return None if entry is None else entry[1].identity

    def enter(self, connection: Connection, hello: Hello, admitted: Admitted) -> Link:
        """Resume the session that the device names, or open a fresh one in place of its last."""
        if self._closing:
            raise GoingAway("Lapel is stopping; connect again in a moment")
        if self.gate.is_revoked(admitted.device_id):
            raise Revoked("this device's key was revoked; pair it again")
        link = self._resumable(hello, admitted)
        if link is not None:
            link.attach(connection, hello.profile, hello.resume)
            return link
        earlier = self._devices.get(admitted.device_id)
        if earlier is not None:
            earlier.end(End(CLOSE_TAKEN_OVER))
        link = self._open(hello, admitted)
        link.attach(connection, hello.profile, None)
        return link

    def _opened(self) -> None:
        self._opening -= 1

    def _resumable(self, hello: Hello, admitted: Admitted) -> Link | None:
        entry = self._sessions.get(hello.resume.session) if hello.resume else None
        if entry is None or hello.resume is None:
            return None
        link, session = entry
        same = (link.device_id, link.user_id) == (admitted.device_id, admitted.user_id)
        return link if same and session.can_resume(hello.resume) else None

    def _open(self, hello: Hello, admitted: Admitted) -> Link:
        identity = Identity(
            "s_" + secrets.token_urlsafe(16),
            admitted.device_id,
            admitted.user_id,
            admitted.ephemeral,
        )
        audio = negotiate(hello.audio, hello.profile, speech=self._speech)
        session = DeviceSession(identity, hello.profile, audio)
        link = Link(session, self._host, self._forget)
        self._sessions[identity.session_id] = (link, session)
        self._devices[identity.device_id] = link
        self._users.setdefault(identity.user_id, {})[identity.session_id] = link
        task = self._group.create_task(link.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return link

    def _forget(self, link: Link) -> None:
        self._sessions.pop(link.session_id, None)
        if self._devices.get(link.device_id) is link:
            del self._devices[link.device_id]
        mine = self._users.get(link.user_id, {})
        mine.pop(link.session_id, None)
        if not mine:
            self._users.pop(link.user_id, None)
