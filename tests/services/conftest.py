"""A record, a client, a merchant, and Lapel's side of UCP between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from lapel.services import open_http
from lapel.store import Store, schema
from services.hostile import Hostile
from services.shopper import Clock, World, build
from serving import serving


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A menu that is waited for is waited for, however busy this machine is."""
    monkeypatch.setattr("lapel.services.food.PATIENCE_S", 30.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "lapel.sqlite3")
    await opened.write(
        lambda at: at.execute(sa.insert(schema.users).values(id="u_1", name="U", created_at=0.0))
    )
    yield opened
    await opened.close()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with open_http() as client:
        yield client


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    merchant = Hostile()
    async with serving(merchant.app()) as origin:
        merchant.origin = origin
        yield merchant
        merchant.silent.set()


@pytest.fixture
async def world(store: Store, http: httpx.AsyncClient, hostile: Hostile) -> AsyncIterator[World]:
    made = build(store, http, hostile, Clock())
    yield made
    await made.food.close()
