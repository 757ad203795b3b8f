"""What the tests of orders share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from commerce_world import running


@pytest.fixture
async def world(tmp_path):
    async with running(tmp_path) as made:
        yield made
