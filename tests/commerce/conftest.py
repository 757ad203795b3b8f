"""What the tests of orders share."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from commerce_world import running

import postgres


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """The files of a Lapel with twenty users and no order: a copy of them is a start without migrations."""
    folder = tmp_path_factory.mktemp("untouched")

    async def make() -> None:
        async with running(folder):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture(scope="session")
def database(tmp_path_factory):
    """One on PostgreSQL, with the tables of the record and of DBOS."""
    folder = tmp_path_factory.mktemp("database")
    with postgres.database() as url:

        async def make() -> None:
            async with running(folder, url):
                pass

        asyncio.run(make())
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """The folder and, on PostgreSQL, the database of a Lapel of its own."""
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("untouched"), tmp_path, dirs_exist_ok=True)
        yield tmp_path, None
        return
    url = request.getfixturevalue("database")
    postgres.empty(url)
    yield tmp_path, url


@pytest.fixture
async def world(place):
    """On both engines."""
    async with running(*place) as made:
        yield made
