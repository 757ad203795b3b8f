"""Fixtures that more than one room of the tests needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from town import Town, opened  # the folder of the tests is put on the path above

SLOWEST_FIRST = ("crash", "browser", "data", "audio", "net")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shared out over several workers, long files go first: at the end no worker waits for another."""
    if hasattr(config, "workerinput"):
        items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    for place, category in enumerate(SLOWEST_FIRST):
        if item.get_closest_marker(category):
            return place
    return len(SLOWEST_FIRST)


@pytest.fixture(scope="module")
def text_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """City and Lapel without speech: quick to start."""
    yield from opened(tmp_path_factory.mktemp("town"), "--text")


@pytest.fixture(scope="module")
def spoken_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """City and Lapel with the real recogniser and voice."""
    yield from opened(tmp_path_factory.mktemp("town"))
