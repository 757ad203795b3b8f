"""Every test of this folder lives in virtual time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
for folder in (HERE, HERE.parents[1], HERE.parents[1] / "commerce"):
    sys.path.insert(0, str(folder))

from stage.loop import Loop  # noqa: E402  # the folders of the tests are put on the path above


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": Loop}
