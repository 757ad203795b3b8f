"""kill -9 at every touch of the world and of a disk, restart, and count the money."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from queue import SimpleQueue

import commerce_host
import pytest
import sqlalchemy as sa
from commerce_market import APPLES, KEEPS, RYE
from commerce_town import FEE, TOTAL, Town
from commerce_users import RETURNED
from commerce_world import books

import postgres

pytestmark = pytest.mark.crash

FORKS = multiprocessing.get_context("forkserver")
START = ["quoted", "approval_needed", "approved", "paid"]


@dataclass(frozen=True)
class Scenario:
    """What is told, in this order; what is paid in the end; and where the order then stands.

    Every `stride`-th point is tried, at least `least` of them.
    """

    kinds: list[str]
    kept: int
    stride: int
    least: int
    state: str = "delivered"
    knobs: tuple[tuple[str, str], ...] = ()
    given_back: int = 0


REFUSAL, GONE = (("refuse:complete", "We are out of milk."),), "refunded"
BROUGHT, WEIGHED = (("events", "delivered"),), (("billed_later", "1"), ("at_most", "1"))
SCENARIOS = {
    "delivered": Scenario([*START, "placed", "delivered"], TOTAL, 1, 25, knobs=BROUGHT),
    "shop refuses": Scenario([*START, "place_failed", "refunded"], 0, 3, 8, GONE, REFUSAL),
    "merchant cancels": Scenario(
        [*START, "placed", "merchant_canceled", "refunded"], 0, 3, 8, GONE
    ),
    "within a limit": Scenario(
        ["quoted", "within_limit", *START[2:], "placed", "delivered"], TOTAL, 12, 3, knobs=BROUGHT
    ),
    "reprice": Scenario(
        [*START, "price_changed", *START, "placed", "delivered"], 1760, 4, 10, knobs=BROUGHT
    ),
    "transfer": Scenario(
        [*START, "placed", "transferred"], 2000, 4, 6, knobs=(("events", "transferred"),)
    ),
    "groceries": Scenario(
        [
            *START,
            "placed",
            "substitution_asked",
            "substitution_answered",
            "substitution_sent",
            "substitution_closed",
            "billed",
            "delivered",
        ],
        APPLES + RYE + FEE,
        8,
        6,
        knobs=WEIGHED,
    ),
    "journey given back": Scenario(
        [*START, "placed", "cancel_asked", "journey_canceled"], KEEPS, 8, 6, "canceled"
    ),
    "ride canceled": Scenario(
        [*START, "placed", "cancel_asked", "ride_canceled"], KEEPS, 12, 4, "canceled"
    ),
    "sent back": Scenario(
        [*START, "placed", "delivered", "return_asked", "refund_promised", "part_refunded"],
        TOTAL - RETURNED,
        12,
        4,
        knobs=BROUGHT,
        given_back=RETURNED,
    ),
}
ANY_ORDER = {"groceries"}
"""The grocer's answer and its bill may overtake each other."""

SELDOM = 5
"""With CRASH_POINTS=all in the environment every point is tried. On PostgreSQL so many times fewer points are tried: what differs there is the record alone."""
AT_ONCE = 3
"""Folders tried side by side: a host waits more than it computes."""


@pytest.fixture(scope="module", autouse=True)
def server():
    """Hosts are forked from a process that has loaded everything: a start costs no import."""
    before = os.environ.get("PYTHONPATH")
    tests = Path(__file__).parent
    here = os.pathsep.join([str(tests), str(tests.parent)])
    os.environ["PYTHONPATH"] = os.pathsep.join([here, before] if before else [here])
    FORKS.set_forkserver_preload(["commerce_host"])
    forkserver.ensure_running()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


@dataclass(frozen=True)
class Ground:
    """What a host stands on: a folder, and a database when the record is on PostgreSQL."""

    folder: Path
    url: str | None = None

    @property
    def record(self) -> str:
        if self.url is None:
            return f"sqlite:///{self.folder / 'record.db'}"
        return self.url.replace("postgresql:", "postgresql+psycopg:", 1)


def host(ground: Ground, kill_at: int, scenario: str) -> int:
    arguments = (str(ground.folder), kill_at, scenario, ground.url)
    process = FORKS.Process(target=commerce_host.run, args=arguments)
    process.start()
    # Or the start of the next one, in another thread, would read this one's status away.
    multiprocessing.process._children.discard(process)
    process.join(60)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    assert code is not None, "the host did not come to an end"
    return code


def prepare(ground: Ground, scenario: str, like: Path | None = None) -> None:
    """A folder for a host; without `like` its files are made as on the first day."""
    folder = ground.folder
    if ground.url is not None:
        postgres.empty(ground.url)
    if like is None or ground.url is not None:
        folder.mkdir()
    else:
        shutil.copytree(like, folder)
    town = Town(folder / "town.db")
    for name, value in SCENARIOS[scenario].knobs:
        town.set(name, value)
    town.db.close()


def check(ground: Ground, scenario: str) -> None:
    """Placed and paid exactly once or refunded, and told exactly once, as if nothing had been."""
    due = SCENARIOS[scenario]
    kinds, kept = due.kinds, due.kept
    engine = sa.create_engine(ground.record)
    with engine.connect() as record:
        told = list(record.exec_driver_sql("SELECT kind FROM order_events ORDER BY n").scalars())
        states = record.exec_driver_sql("SELECT state, receipt IS NOT NULL FROM orders").all()
        booked = record.exec_driver_sql("SELECT order_id, amount_minor FROM limit_bookings").all()
    engine.dispose()
    town = Town(ground.folder / "town.db")
    captured = [hold for hold in town.holds() if hold[2] > hold[3]]
    placed = [total for _, total in town.placed()]
    kept_money, violations = town.money_kept(), town.violations()
    differences = books(ground.record, town)
    open_holds = [hold for hold in town.holds() if hold[1] == "authorized"]
    town.db.close()
    if scenario in ANY_ORDER:
        told, kinds = sorted(told), sorted(kinds)
    assert told == kinds
    assert states == [(due.state, int("placed" in kinds))]
    assert placed == ([kept + due.given_back] if due.state == "delivered" else [])
    assert kept_money == kept
    assert booked == ([("o_crash", kept)] if scenario == "within a limit" else [])
    assert len(captured) == (1 if kept else 0)
    assert open_holds == []
    assert violations == []
    assert differences == []


def killed_at(point: int, scenario: str, ground: Ground, untouched: Path) -> str:
    """Die at the point, start again, and count; the point's name, empty when it was not reached."""
    prepare(ground, scenario, untouched)
    code = host(ground, point, scenario)
    if code == 0:
        check(ground, scenario)
        return ""
    assert code == -9
    label = (ground.folder / f"points.{point}").read_text().splitlines()[-1]
    assert host(ground, 0, scenario) == 0, f"restart after the kill {label!r}"
    check(ground, scenario)
    return label


@pytest.fixture(scope="module")
def databases(database):
    """Two, to try two points side by side; they are emptied between."""
    with postgres.database(like=database) as one, postgres.database(like=database) as other:
        yield [one, other]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_an_order_ends_well(
    scenario, engine, tmp_path, untouched, request, record_property
):
    urls: SimpleQueue[str | None] = SimpleQueue()
    lanes = request.getfixturevalue("databases") if engine == "postgresql" else [None] * AT_ONCE
    for url in lanes:
        urls.put(url)

    def killed(point: int) -> str:
        url = urls.get()
        try:
            return killed_at(point, scenario, Ground(tmp_path / str(point), url), untouched)
        finally:
            urls.put(url)

    url = urls.get()
    whole = Ground(tmp_path / "whole", url)
    prepare(whole, scenario)
    assert host(whole, 0, scenario) == 0
    check(whole, scenario)
    urls.put(url)
    points = (whole.folder / "points.0").read_text().splitlines()
    stride = SCENARIOS[scenario].stride * (SELDOM if engine == "postgresql" else 1)
    tried = range(1, len(points) + 1, 1 if os.environ.get("CRASH_POINTS") == "all" else stride)
    with ThreadPoolExecutor(len(lanes)) as several:
        killed_at_points = [label for label in several.map(killed, tried) if label]
    record_property("killed", killed_at_points)
    assert len(killed_at_points) >= (
        SCENARIOS[scenario].least if engine == "sqlite" else len(tried) - 2
    )
    print(f"\n{scenario}, {engine}: {len(killed_at_points)} kills")
    for label in sorted(set(killed_at_points)):
        print(f"  {killed_at_points.count(label):3} x {label}")
