"""What the first start on a data folder does: a user, a sign-in token, demonstration addresses."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
from collections.abc import Generator
from pathlib import Path

import httpx
import msgspec

from lapel.assistant import SavedPlaces
from lapel.assistant.travel import UNNAMED
from lapel.commerce import Address
from lapel.devices import StoredAccounts
from lapel.services import open_http
from lapel.store import Store

log = logging.getLogger(__name__)


class FolderBusy(Exception):
    """Another Lapel has the data folder."""


@contextlib.contextmanager
def only_one(folder: Path) -> Generator[None]:
    """Hold the folder's lock; a process that was killed holds it no longer."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, folder)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # not on Windows, where the record itself refuses a second writer
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise FolderBusy(
            f"another Lapel runs on {str(folder)!r}; stop it, or give another --data"
        ) from error


def worker_id(folder: Path) -> str:
    """The name of the Lapel on this folder among the workers of one record; made once."""
    file = folder / "worker"
    with contextlib.suppress(FileNotFoundError):
        if name := file.read_text("utf-8").strip():
            return name
    name = f"w_{secrets.token_hex(8)}"
    file.write_text(name, "utf-8")
    return name


async def sign_in_token(accounts: StoredAccounts, folder: Path) -> str:
    """The token of the first user, kept in a file that only its owner can read."""
    users = await accounts.users()
    user = users[0] if users else await accounts.create_user(UNNAMED)
    file = folder / "token"
    if file.exists():
        token = file.read_text("utf-8").strip()
        if await accounts.verify_token(token) == user.id:
            return token
    token = await accounts.create_token(user.id)
    new = file.with_suffix(".new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(token + "\n")
    new.replace(file)
    return token


class _Place(msgspec.Struct):
    """An address in UCP's words, with a label."""

    label: str
    street_address: str
    address_locality: str
    postal_code: str
    address_country: str
    latitude: float
    longitude: float


class _Places(msgspec.Struct):
    addresses: list[_Place]


async def places(store: Store, accounts: StoredAccounts, url: str | None) -> None:
    """Give a user without addresses the demonstration ones at `url`; the first is the default."""
    if url is None:
        return
    user = (await accounts.users())[0]
    saved = SavedPlaces(store, user.id)
    if await saved.all():
        return
    try:
        async with open_http() as http:
            answer = await http.get(url)
        found = msgspec.json.decode(answer.content, type=_Places)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        log.warning("the demonstration addresses at %s cannot be read: %s", url, error)
        return
    for index, place in enumerate(found.addresses):
        address = Address(
            label=place.label,
            street=place.street_address,
            city=place.address_locality,
            postal_code=place.postal_code,
            country=place.address_country,
            latitude=place.latitude,
            longitude=place.longitude,
        )
        aliases = ("work",) if place.label == "office" else ()
        await saved.save(address, aliases=aliases, default=index == 0)
