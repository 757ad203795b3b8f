"""Accounts, devices and keys in a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lapel.devices import DeviceProfile, Family, Pairing, Peer, StoredAccounts
from lapel.devices.errors import Revoked, TooManyTries, Unauthorized
from lapel.devices.handshake import Admitted
from lapel.devices.pairing import CodeOffer
from lapel.devices.wire import Auth, Hello
from lapel.store import Store
from lapel.store.schema import devices, sign_in_tokens

pytestmark = pytest.mark.net

HERE = Peer("127.0.0.1", loopback=True)
RING = DeviceProfile(Family.RING, name="Ring", model="Lab Ring")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "lapel.db")
    yield store
    await store.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(store: Store, clock: Clock) -> StoredAccounts:
    return StoredAccounts(store, clock)


@pytest.fixture
def pairing(store: Store, accounts: StoredAccounts, clock: Clock) -> Pairing:
    return Pairing(store, accounts, wall_clock=clock, clock=clock)


async def enter(pairing: Pairing, auth: Auth, profile: DeviceProfile = RING) -> Admitted:
    admitted = await pairing.admit(Hello(1, auth, profile), HERE, None)
    assert isinstance(admitted, Admitted)
    return admitted


async def test_tokens_and_keys_are_stored_as_hashes_only(
    store: Store, accounts: StoredAccounts, pairing: Pairing, tmp_path: Path
) -> None:
    user = await accounts.create_user("Ada")
    token = await accounts.create_token(user.id)
    key = (await enter(pairing, Auth(token=token))).key
    assert key is not None
    assert key.startswith("dk_")
    assert len(key) >= 46  # 256 bits
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in stored
    assert key.encode() not in stored
    hashes = await store.read(
        lambda connection: [
            connection.scalar(sa.select(sign_in_tokens.c.hash)),
            connection.scalar(sa.select(devices.c.key_hash)),
        ]
    )
    assert [len(value or "") for value in hashes] == [64, 64]


async def test_users_and_their_tokens(accounts: StoredAccounts, clock: Clock) -> None:
    ada = await accounts.create_user("Ada")
    clock.now += 1
    bob = await accounts.create_user("Bob")
    assert await accounts.users() == [ada, bob]
    tokens = [await accounts.create_token(ada.id) for _ in range(2)]
    other = await accounts.create_token(bob.id)
    assert await accounts.verify_token(tokens[0]) == ada.id
    assert await accounts.verify_token("lt_wrong") is None
    assert await accounts.verify_token("\ud800") is None
    assert await accounts.revoke_tokens(ada.id) == 2
    assert await accounts.verify_token(tokens[1]) is None
    assert await accounts.verify_token(other) == bob.id


async def test_a_device_is_seen_and_its_profile_kept_up_to_date(
    accounts: StoredAccounts, pairing: Pairing, clock: Clock
) -> None:
    user = await accounts.create_user("Ada")
    admitted = await enter(pairing, Auth(code=pairing.issue_code(user.id).code))
    assert admitted.key is not None
    clock.now += 30
    await enter(pairing, Auth(key=admitted.key))
    device = await pairing.device(admitted.device_id)
    assert device is not None
    assert (device.profile, device.last_seen_at) == (RING, 1_000.0)
    clock.now += 60
    newer = DeviceProfile(Family.RING, name="My ring", firmware="2")
    assert (await enter(pairing, Auth(key=admitted.key), newer)).user_id == user.id
    (device,) = await pairing.devices(user.id)
    assert (device.profile, device.last_seen_at) == (newer, 1_090.0)


async def test_a_revoked_key_stays_revoked_for_every_later_process(
    store: Store, accounts: StoredAccounts, pairing: Pairing
) -> None:
    user = await accounts.create_user("Ada")
    admitted = await enter(pairing, Auth(code=pairing.issue_code(user.id).code))
    told: list[str] = []
    pairing.on_revoked = told.append
    assert await pairing.revoke(admitted.device_id)
    assert not await pairing.revoke(admitted.device_id)
    assert not await pairing.revoke("d_never")
    assert told == [admitted.device_id]
    assert pairing.is_revoked(admitted.device_id)
    restarted = Pairing(store, accounts)
    with pytest.raises(Revoked):
        await enter(restarted, Auth(key=admitted.key))
    (device,) = await restarted.devices(user.id)
    assert device.revoked_at == 1_000.0


async def test_a_token_is_refused_from_elsewhere(
    accounts: StoredAccounts, pairing: Pairing
) -> None:
    user = await accounts.create_user("Ada")
    token = await accounts.create_token(user.id)
    with pytest.raises(Unauthorized):
        await pairing.admit(
            Hello(1, Auth(token=token), RING), Peer("192.0.2.7", loopback=False), None
        )


async def test_strangers_cannot_block_the_console(
    accounts: StoredAccounts, pairing: Pairing, clock: Clock
) -> None:
    user = await accounts.create_user("Ada")
    for _ in range(5):
        with pytest.raises(Unauthorized):
            await enter(pairing, Auth(code="nope"))
    with pytest.raises(TooManyTries):
        await enter(pairing, Auth(code="nope"))
    offer = await pairing.admit(Hello(1, Auth(pair=True), RING), HERE, None)
    assert isinstance(offer, CodeOffer)
    device = await pairing.enter_code(user.id, offer.code)
    assert offer.entered.result().device_id == device.id


async def test_a_device_that_left_while_its_code_was_entered_keeps_nothing(
    accounts: StoredAccounts, pairing: Pairing
) -> None:
    user = await accounts.create_user("Ada")
    offer = await pairing.admit(Hello(1, Auth(pair=True), RING), HERE, None)
    assert isinstance(offer, CodeOffer)
    offer.entered.cancel()  # the link went, but its code was already taken
    with pytest.raises(Unauthorized):
        await pairing.enter_code(user.id, offer.code)
    assert all(entry.revoked_at is not None for entry in await pairing.devices(user.id))
