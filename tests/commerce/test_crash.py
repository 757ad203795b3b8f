"""kill -9 at every touch of the world and of a disk, restart, and count the money."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from pathlib import Path

import commerce_host
import pytest
from commerce_town import TOTAL, Town
from commerce_world import books

pytestmark = pytest.mark.crash

FORKS = multiprocessing.get_context("forkserver")
START = ["quoted", "approval_needed", "approved", "paid"]
SCENARIOS = {
    "delivered": ([*START, "placed", "delivered"], TOTAL),
    "shop refuses": ([*START, "place_failed", "refunded"], 0),
    "merchant cancels": ([*START, "placed", "merchant_canceled", "refunded"], 0),
    "within a limit": (["quoted", "within_limit", *START[2:], "placed", "delivered"], TOTAL),
    "reprice": ([*START, "price_changed", *START, "placed", "delivered"], 1760),
}
LEAST = {
    "delivered": 25,
    "shop refuses": 8,
    "merchant cancels": 8,
    "reprice": 10,
    "within a limit": 10,
}
STRIDE = {
    "delivered": 1,
    "shop refuses": 3,
    "merchant cancels": 3,
    "reprice": 4,
    "within a limit": 3,
}
"""Every n-th point is tried; with CRASH_POINTS=all in the environment every point is."""

AT_ONCE = 3
"""Folders tried side by side: a host waits more than it computes."""


@pytest.fixture(scope="module", autouse=True)
def server():
    """Hosts are forked from a process that has loaded everything: a start costs no import."""
    before = os.environ.get("PYTHONPATH")
    here = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([here, before] if before else [here])
    FORKS.set_forkserver_preload(["commerce_host"])
    forkserver.ensure_running()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def host(folder: Path, kill_at: int, scenario: str) -> int:
    process = FORKS.Process(target=commerce_host.run, args=(str(folder), kill_at, scenario))
    process.start()
    process.join(60)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    assert code is not None, "the host did not come to an end"
    return code


def prepare(folder: Path, scenario: str, like: Path | None = None) -> None:
    """A folder for a host; without `like` its files are made as on the first day."""
    if like is None:
        folder.mkdir()
    else:
        shutil.copytree(like, folder)
    town = Town(folder / "town.db")
    if scenario == "shop refuses":
        town.set("refuse:complete", "We are out of milk.")
    if scenario in ("delivered", "reprice", "within a limit"):
        town.set("events", "delivered")
    town.db.close()


def check(folder: Path, scenario: str) -> None:
    """Placed and paid exactly once or refunded, and told exactly once, as if nothing had been."""
    kinds, kept = SCENARIOS[scenario]
    record = sqlite3.connect(folder / "record.db")
    told = [kind for (kind,) in record.execute("select kind from order_events order by n")]
    states = record.execute("select state, receipt is not null from orders").fetchall()
    booked = record.execute("select order_id, amount_minor from limit_bookings").fetchall()
    record.close()
    town = Town(folder / "town.db")
    captured = [hold for hold in town.holds() if hold[2] > hold[3]]
    placed = [total for _, total in town.placed()]
    kept_money, violations = town.money_kept(), town.violations()
    differences = books(folder, town)
    open_holds = [hold for hold in town.holds() if hold[1] == "authorized"]
    town.db.close()
    assert told == kinds
    assert states == [("delivered" if kept else "refunded", int("placed" in kinds))]
    assert placed == ([kept] if kept else [])
    assert kept_money == kept
    assert booked == ([("o_crash", kept)] if scenario == "within a limit" else [])
    assert len(captured) == (1 if kept else 0)
    assert open_holds == []
    assert violations == []
    assert differences == []


def killed_at(point: int, scenario: str, tmp_path: Path, untouched: Path) -> str:
    """Die at the point, start again, and count; the point's name, empty when it was not reached."""
    folder = tmp_path / str(point)
    prepare(folder, scenario, untouched)
    code = host(folder, point, scenario)
    if code == 0:
        check(folder, scenario)
        return ""
    assert code == -9
    label = (folder / f"points.{point}").read_text().splitlines()[-1]
    assert host(folder, 0, scenario) == 0, f"restart after the kill {label!r}"
    check(folder, scenario)
    return label


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_an_order_ends_well(scenario, tmp_path, untouched, record_property):
    prepare(tmp_path / "whole", scenario)
    assert host(tmp_path / "whole", 0, scenario) == 0
    check(tmp_path / "whole", scenario)
    points = (tmp_path / "whole" / "points.0").read_text().splitlines()
    stride = 1 if os.environ.get("CRASH_POINTS") == "all" else STRIDE[scenario]
    tried = range(1, len(points) + 1, stride)
    with ThreadPoolExecutor(AT_ONCE) as several:
        labels = several.map(lambda n: killed_at(n, scenario, tmp_path, untouched), tried)
        killed = [label for label in labels if label]
    record_property("killed", killed)
    assert len(killed) >= LEAST[scenario]
    print(f"\n{scenario}: {len(killed)} kills")
    for label in sorted(set(killed)):
        print(f"  {killed.count(label):3} x {label}")
