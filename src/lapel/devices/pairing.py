"""Who may speak: devices and their keys, pairing both ways, revocation."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import sqlalchemy as sa

from lapel.devices.accounts import Accounts, fingerprint, secret
from lapel.devices.errors import DeviceError, Revoked, Unauthorized
from lapel.devices.handshake import Admitted
from lapel.devices.pairing_codes import CODE_S, ActiveCode, PairingCodes
from lapel.devices.profile import DeviceProfile
from lapel.devices.session import Identity
from lapel.devices.wire import Auth, Hello
from lapel.store import Store
from lapel.store.schema import devices

KEY_PREFIX = "dk_"
SEEN_S = 60.0
"""A device's `last_seen_at` is written at most this often."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a socket; `loopback` only if nothing forwarded it from elsewhere."""

    address: str
    loopback: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A paired device. `revoked_at` is set once its key is worth nothing."""

    id: str
    user_id: str
    profile: DeviceProfile
    created_at: float
    last_seen_at: float
    revoked_at: float | None = None


@dataclass(frozen=True, slots=True)
class IssuedCode:
    code: str
    expires_s: float


class CodeOffer:
    """A code that a device shows. `entered` resolves once the user has entered it."""

    def __init__(self, code: str, expires_s: float, entered: asyncio.Future[Admitted]) -> None:
        self.code = code
        self.expires_s = expires_s
        self.entered = entered


@dataclass(frozen=True, slots=True)
class _Waiting:
    profile: DeviceProfile
    entered: asyncio.Future[Admitted]


class Gate(Protocol):
    """Who decides whether a device may speak."""

    async def admit(
        self, hello: Hello, peer: Peer, session: Identity | None
    ) -> Admitted | CodeOffer: ...

    def withdraw(self, offer: CodeOffer) -> None: ...

    def is_revoked(self, device_id: str) -> bool: ...


class Pairing:
    """The gate on the store. Codes live in this process: a restart voids them, never a key."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        *,
        wall_clock: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._wall_clock = wall_clock
        self._clock = clock
        self._issued: PairingCodes[str] = PairingCodes()
        self._offered: PairingCodes[_Waiting] = PairingCodes()
        self._revoked: set[str] = set()
        self.on_revoked: Callable[[str], None] | None = None

    # The device's side.

    async def admit(
        self, hello: Hello, peer: Peer, session: Identity | None
    ) -> Admitted | CodeOffer:
        """Let the device in, or say why not; `session` is the one that it wants to resume."""
        match hello.auth:
            case Auth(key=str(key)):
                return await self._by_key(key, hello.profile)
            case Auth(token=str(token)):
                return await self._by_token(token, hello, peer, session)
            case Auth(code=str(code)):
                return await self._new_device(
                    self._issued.redeem(code, self._clock()), hello.profile
                )
            case _:
                return self._offer(hello.profile, peer)

    def withdraw(self, offer: CodeOffer) -> None:
        """The device that showed this code is gone."""
        self._offered.withdraw(offer.code)
        offer.entered.cancel()

    def is_revoked(self, device_id: str) -> bool:
        """Whether this device was revoked since Lapel started; for a link that is just opening."""
        return device_id in self._revoked

    # The console's side.

    def issue_code(self, user_id: str) -> IssuedCode:
        """A code for the user to enter on the device."""
        entry = self._issued.issue(user_id, user_id, self._clock())
        return IssuedCode(entry.code, CODE_S)

    def waiting(self) -> list[DeviceProfile]:
        """The devices that show a code now."""
        entries: list[ActiveCode[_Waiting]] = self._offered.waiting(self._clock())
        return [entry.subject.profile for entry in entries]

    async def enter_code(self, user_id: str, code: str) -> Device:
        """Pair the device that shows `code` with this user."""
        waiting = self._offered.redeem(code, self._clock())
        admitted = await self._new_device(user_id, waiting.profile)
        if waiting.entered.done():
            await self.revoke(admitted.device_id)
            raise Unauthorized("the device left while the code was entered; start again")
        waiting.entered.set_result(admitted)
        device = await self.device(admitted.device_id)
        if device is None:
            raise Revoked("the device was revoked at once")
        return device

    async def device(self, device_id: str) -> Device | None:
        statement = sa.select(devices).where(devices.c.id == device_id)
        row = await self._store.read(lambda connection: connection.execute(statement).first())
        return None if row is None else _device(row)

    async def devices(self, user_id: str) -> list[Device]:
        """Every device of the user, revoked ones too, the oldest first."""
        statement = (
            sa.select(devices)
            .where(devices.c.user_id == user_id)
            .order_by(devices.c.created_at, devices.c.id)
        )
        rows = await self._store.read(lambda connection: connection.execute(statement).all())
        return [_device(row) for row in rows]

    async def revoke(self, device_id: str) -> bool:
        """Make the device's key worthless and close its link; False if there is none to revoke."""
        statement = (
            devices.update()
            .where(devices.c.id == device_id, devices.c.revoked_at.is_(None))
            .values(revoked_at=self._wall_clock())
        )
        count = await self._store.write(lambda connection: connection.execute(statement).rowcount)
        if count:
            self._revoked.add(device_id)
            if self.on_revoked is not None:
                self.on_revoked(device_id)
        return count > 0

    # How each way in works.

    async def _by_key(self, key: str, profile: DeviceProfile) -> Admitted:
        statement = sa.select(devices).where(devices.c.key_hash == fingerprint(key))
        row = await self._store.read(lambda connection: connection.execute(statement).first())
        if row is None:
            raise Unauthorized("no device has this key; pair it again")
        if row.revoked_at is not None:
            raise Revoked("this device's key was revoked; pair it again")
        await self._seen(row, profile)
        return Admitted(row.id, row.user_id)

    async def _by_token(
        self, token: str, hello: Hello, peer: Peer, session: Identity | None
    ) -> Admitted:
        if not peer.loopback:
            raise Unauthorized("a sign-in token is taken on a loopback link only; use a code")
        user_id = await self._accounts.verify_token(token)
        if user_id is None:
            raise Unauthorized("the sign-in token is wrong or was revoked; get a new one")
        if session is not None and session.user_id == user_id:
            return Admitted(session.device_id, user_id, ephemeral=session.ephemeral)
        if not hello.auth.remember:
            return Admitted("d_" + secrets.token_hex(8), user_id, ephemeral=True)
        return await self._new_device(user_id, hello.profile)

    def _offer(self, profile: DeviceProfile, peer: Peer) -> CodeOffer:
        entered: asyncio.Future[Admitted] = asyncio.get_running_loop().create_future()
        entry = self._offered.issue(peer.address, _Waiting(profile, entered), self._clock())
        return CodeOffer(entry.code, CODE_S, entered)

    async def _new_device(self, user_id: str, profile: DeviceProfile) -> Admitted:
        key = secret(KEY_PREFIX)
        now = self._wall_clock()
        device_id = "d_" + secrets.token_hex(8)
        row = {
            "id": device_id,
            "user_id": user_id,
            "key_hash": fingerprint(key),
            **_described(profile),
            "created_at": now,
            "last_seen_at": now,
        }
        await self._store.write(lambda connection: connection.execute(devices.insert().values(row)))
        return Admitted(device_id, user_id, key)

    async def _seen(self, row: sa.Row[Any], profile: DeviceProfile) -> None:
        now = self._wall_clock()
        described = _described(profile)
        if described["profile"] == row.profile and now - row.last_seen_at < SEEN_S:
            return
        statement = (
            devices.update().where(devices.c.id == row.id).values(**described, last_seen_at=now)
        )
        await self._store.write(lambda connection: connection.execute(statement))


def _described(profile: DeviceProfile) -> dict[str, str]:
    return {
        "family": profile.family.value,
        "name": profile.name,
        "model": profile.model,
        "profile": msgspec.json.encode(profile).decode(),
    }


def _device(row: sa.Row[Any]) -> Device:
    try:
        profile = msgspec.json.decode(row.profile, type=DeviceProfile)
    except msgspec.DecodeError as error:
        raise DeviceError(f"the stored profile of {row.id!r} cannot be read: {error}") from error
    return Device(row.id, row.user_id, profile, row.created_at, row.last_seen_at, row.revoked_at)
