"""kill -9 between any two effects of a plan's life, restart, and count the money. Every touch, on both engines."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import plan_host
import pytest
import sqlalchemy as sa
from commerce_checks import dies_everywhere, ended, record_of
from commerce_forks import FORKS, noted, server, status  # noqa: F401  # a fixture
from commerce_host import Cast, town_of, user_of
from commerce_market import Market
from commerce_world import wrong_in
from plan_host import SCENES

import postgres

pytestmark = pytest.mark.crash

STRIDE = {"sqlite": 9, "postgresql": 30}
"""Every n-th touch is tried; with CRASH_POINTS=all in the environment every one is."""


def prepare(cast: Cast, like: Path) -> None:
    if cast.url is not None:
        postgres.empty(cast.url)
    shutil.copytree(like, cast.folder)
    for id in cast.held:
        town = Market(town_of(Path(cast.folder), id))
        if full := SCENES[cast.scenario].full:
            town.set(f"full:{full}", "There is none left.")
        town.db.close()


def host(cast: Cast) -> int:
    process = FORKS.Process(target=plan_host.run, args=(cast,))
    process.start()
    return status(process)


def check(cast: Cast) -> int:
    """Each ended as if nothing had been, or before anything was asked; how many did that."""
    due = SCENES[cast.scenario]
    towns = {id: Market(town_of(Path(cast.folder), id)) for id in cast.held}
    engine = sa.create_engine(record_of(cast))
    lapsed = 0
    with engine.connect() as record:
        for id, town in towns.items():
            plan = {"id": f"p_{id.removeprefix('o_')}.", "user": user_of(id)}
            query = sa.text("SELECT state FROM plans WHERE id=:id")
            state = record.execute(query, plan).scalar()
            query = sa.text("SELECT amount_minor FROM money_requests WHERE user_id=:user")
            shared = list(record.execute(query, plan).scalars())
            before = state == "lapsed"
            lapsed += before
            assert state == ("lapsed" if before else due.ends), id
            assert not (before and town.knob("told:asked")), id
            assert town.knob(f"told:{state}"), id
            assert town.money_kept() == (0 if before else due.paid), id
            assert shared == ([due.paid // 2] if due.shared and not before else []), id
            assert [hold for hold in town.holds() if hold[1] == "authorized"] == [], id
            assert town.violations() == [], id
        moves = [move for town in towns.values() for move in town.moves()]
        assert wrong_in(record, moves) == []
    engine.dispose()
    for town in towns.values():
        town.db.close()
    return lapsed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.parametrize("scenario", SCENES)
def test_killed_anywhere_a_plan_ends_whole(scenario, engine, tmp_path, untouched, request):
    url = request.getfixturevalue("database") if engine == "postgresql" else None
    whole = Cast(str(tmp_path / "whole"), scenario, {"o_whole": None}, url)
    prepare(whole, untouched)
    assert host(whole) == 0
    assert check(whole) == 0
    touches = noted(whole).touched["o_whole"]

    def dies(dying: Cast) -> None:
        nonlocal lapsed
        prepare(dying, untouched)
        ended(dying, host(dying))
        again = replace(dying, held=dict.fromkeys(dying.held), name="again")
        assert host(again) == 0, "they did not end after the kill"
        lapsed += check(again)

    lapsed, cast = 0, Cast(str(tmp_path / "dying"), scenario, {}, url)
    stride = 1 if os.environ.get("CRASH_POINTS") == "all" else STRIDE[engine]
    touches = touches[::stride]
    dies_everywhere(f"{scenario}, {engine}", cast, touches, dies)
    assert lapsed < len(touches) // 2
