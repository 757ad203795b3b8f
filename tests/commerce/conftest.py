"""What the tests of orders share."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from commerce_world import running


@pytest.fixture(scope="session")
def untouched(tmp_path_factory):
    """The files of a Lapel with twenty users and no order: a copy of them is a start without migrations."""
    folder = tmp_path_factory.mktemp("untouched")

    async def make() -> None:
        async with running(folder):
            pass

    asyncio.run(make())
    return folder


@pytest.fixture
async def world(tmp_path, untouched):
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    async with running(tmp_path) as made:
        yield made
