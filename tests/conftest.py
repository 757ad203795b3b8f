"""Fixtures that more than one room of the tests needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

sys.path.insert(0, str(Path(__file__).parent))

from town import Town, opened  # the folder of the tests is put on the path above

SLOWEST_FIRST = ("crash", "browser", "data", "audio", "net")
APART = {
    "tests/commerce/test_crash.py",
    "tests/commerce/test_plan_crash.py",
    "tests/commerce/test_workers.py",
}
"""Files of long tests that share nothing dear: each of their tests goes to whichever worker is free."""


class Scheduling(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return nodeid if file in APART else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


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
