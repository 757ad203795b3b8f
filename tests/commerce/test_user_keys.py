"""Keys that users hold: made once, sealed, bound to their user, replaced by rotation."""

from __future__ import annotations

import asyncio
import base64
import os
import stat

import pytest
import sqlalchemy as sa

from lapel.commerce import ConsentError
from lapel.commerce.consent import Vault, public_keys
from lapel.commerce.keys import public_key, sign_jws, thumbprint, verify_jws
from lapel.store import Store, schema

pytestmark = pytest.mark.unit


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path / "record.db")
    await store.write(
        lambda c: c.execute(
            sa.insert(schema.users),
            [{"id": f"u_{i}", "name": "User", "created_at": 0.0} for i in range(3)],
        )
    )
    yield store
    await store.close()


async def test_a_key_is_made_on_first_need_and_is_the_same_from_then_on(store, tmp_path):
    vault = Vault.open(tmp_path)
    assert await store.read(lambda c: public_keys(c, "u_0")) == []
    made = await asyncio.gather(
        *[store.write(lambda c: vault.ensure(c, "u_0", 1.0)) for _ in range(5)]
    )
    assert len({key.id for key in made}) == 1
    other = await store.write(lambda c: vault.ensure(c, "u_1", 1.0))
    assert other.id != made[0].id
    again = await store.write(lambda c: Vault.open(tmp_path).ensure(c, "u_0", 2.0))
    [public] = await store.read(lambda c: public_keys(c, "u_0"))
    assert public.id == thumbprint(public.jwk) == again.id
    signed = sign_jws(again, "test", b"yes")
    assert verify_jws(public_key(public.jwk), public.id, "test", signed) == b"yes"


async def test_the_record_alone_signs_nothing(store, tmp_path):
    """Neither the sealed text nor the file of the record holds the private number in any form."""
    vault = Vault.open(tmp_path)
    key = await store.write(lambda c: vault.ensure(c, "u_0", 1.0))
    scalar = key.private.private_numbers().private_value.to_bytes(32)
    await store.close()
    forms = [
        scalar,
        base64.b64encode(scalar)[:40],
        base64.urlsafe_b64encode(scalar)[:40],
        scalar.hex().encode(),
    ]
    for file in tmp_path.glob("record.db*"):
        content = file.read_bytes()
        assert [form for form in forms if form in content] == []


async def test_a_sealed_key_belongs_to_its_user(store, tmp_path):
    vault = Vault.open(tmp_path)
    await store.write(lambda c: vault.ensure(c, "u_0", 1.0))
    await store.write(lambda c: c.execute(sa.update(schema.user_keys).values(user_id="u_1")))
    with pytest.raises(ConsentError) as caught:
        await store.write(lambda c: vault.ensure(c, "u_1", 2.0))
    assert caught.value.code == "wrong_key"


async def test_rotation_keeps_the_old_public_key(store, tmp_path):
    vault = Vault.open(tmp_path)
    old = await store.write(lambda c: vault.ensure(c, "u_0", 1.0))
    new = await store.write(lambda c: vault.rotate(c, "u_0", 5.0))
    assert (await store.write(lambda c: vault.ensure(c, "u_0", 6.0))).id == new.id != old.id
    shown = await store.read(lambda c: public_keys(c, "u_0"))
    assert [(key.id, key.retired_at) for key in shown] == [(new.id, None), (old.id, 5.0)]
    recent = await store.read(lambda c: public_keys(c, retired_after=5.0))
    assert [key.id for key in recent] == [new.id]


async def test_both_keys_are_published_before_the_new_one_signs(store, tmp_path):
    vault = Vault.open(tmp_path)
    old = await store.write(lambda c: vault.ensure(c, "u_0", 1.0))
    new = await store.write(lambda c: vault.rotate(c, "u_0", 5.0, lead_s=300.0))
    assert {key.id for key in await store.read(lambda c: public_keys(c, "u_0"))} == {old.id, new.id}
    assert (await store.write(lambda c: vault.ensure(c, "u_0", 304.0))).id == old.id
    assert (await store.write(lambda c: vault.ensure(c, "u_0", 305.0))).id == new.id
    newest = await store.write(lambda c: vault.rotate(c, "u_0", 400.0))
    assert (await store.write(lambda c: vault.ensure(c, "u_0", 400.0))).id == newest.id
    again = await store.write(lambda c: vault.rotate(c, "u_0", 500.0, lead_s=300.0))
    at_once = await store.write(lambda c: vault.rotate(c, "u_0", 501.0))
    assert (await store.write(lambda c: vault.ensure(c, "u_0", 501.0))).id == at_once.id
    assert again.id != at_once.id


async def test_another_key_for_the_keys_is_found_out(store, tmp_path):
    first = base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
    vault = Vault.open(tmp_path, first)
    assert not (tmp_path / "consent.key").exists()
    await store.read(vault.check)
    await store.write(lambda c: vault.ensure(c, "u_0", 1.0))
    await store.read(vault.check)
    with pytest.raises(ConsentError) as caught:
        await store.read(Vault.open(tmp_path).check)
    assert caught.value.code == "wrong_key"


@pytest.mark.parametrize("given", ["short", "a" * 44, "!" * 43])
def test_what_is_no_key_is_refused(tmp_path, given):
    with pytest.raises(ConsentError) as caught:
        Vault.open(tmp_path, given)
    assert caught.value.code == "bad_key_file"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_the_key_file_is_for_its_owner_alone(tmp_path):
    Vault.open(tmp_path)
    file = tmp_path / "consent.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["consent.key"]
    file.chmod(0o640)
    with pytest.raises(ConsentError) as caught:
        Vault.open(tmp_path)
    assert caught.value.code == "open_key_file"
    file.chmod(0o600)
    file.write_text("gone")
    with pytest.raises(ConsentError) as caught:
        Vault.open(tmp_path)
    assert caught.value.code == "bad_key_file"
