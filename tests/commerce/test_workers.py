"""Two workers on one PostgreSQL: one is killed or paused anywhere, the other brings its orders to their end, once."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from commerce_checks import all_met, check, prepare
from commerce_forks import host, noted, server, start, status, stopped  # noqa: F401  # a fixture
from commerce_host import FENCED, Cast, town_of
from commerce_scenarios import SCENARIOS
from commerce_town import Town
from commerce_world import World

import postgres

pytestmark = pytest.mark.crash

LEASE_S = 2.5
"""Of those that are killed or paused: they must not be taken for dead while they are busy."""
HEIR_S = 4.0
"""The lease of the other one, which looks for silent ones four times in it."""


@pytest.fixture(scope="module")
def tables(database):
    """A database with all tables, for this file alone."""
    with postgres.database(like=database) as url:
        yield url


@pytest.fixture
def touches(tables, tmp_path, untouched, request):
    """Those of an order of the scenario when nothing happens."""
    scenario = request.node.callspec.params["scenario"]
    whole = Cast(str(tmp_path / "whole"), scenario, {"o_whole": None}, tables, "alone")
    prepare(whole, untouched)
    assert host(whole) == 0
    check(whole)
    return noted(whole).touched["o_whole"]


@pytest.fixture
def dying(touches, tables, tmp_path, untouched, request) -> Cast:
    """A worker with an order held at each touch."""
    scenario = request.node.callspec.params["scenario"]
    held = {f"o_{n}": touch for n, touch in enumerate(touches)}
    cast = Cast(str(tmp_path / "two"), scenario, held, tables, "there", LEASE_S)
    prepare(cast, untouched)
    return cast


def heir_of(dying: Cast) -> Cast:
    """The worker beside it."""
    held = dict.fromkeys(dying.held)
    return replace(dying, held=held, worker="here", lease_s=HEIR_S, heir="there", name="heir")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_orders_of_a_worker_killed_anywhere_end_well_at_the_other(scenario, dying, touches):
    heir = start(heir_of(dying))
    assert host(dying) == -signal.SIGKILL
    assert status(heir) == 0
    check(dying)
    all_met(f"{scenario}, killed", touches, [dying.held[id] for id in noted(dying).held])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_worker_paused_anywhere_does_nothing_more_when_it_wakes_up(scenario, dying, touches):
    heir, other = start(heir_of(dying)), start(replace(dying, how=signal.SIGSTOP))
    stopped(other)
    assert status(heir) == 0
    check(dying)
    wakes_up_in_vain(dying, other)
    all_met(f"{scenario}, paused", touches, [dying.held[id] for id in noted(dying).held])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_ends_within_a_transaction_holds_nobody_up(how, tables, tmp_path, untouched):
    """The database holds the lock of all changes for it there."""
    scenario = "delivered"
    whole = Cast(str(tmp_path / "whole"), scenario, {"o_whole": None}, tables, "alone", torn=True)
    prepare(whole, untouched)
    assert host(whole) == 0
    inside = [x for x in noted(whole).touched["o_whole"] if x[0] == "in record commit"]
    assert len(inside) >= 5
    for touch in inside:
        folder = tmp_path / f"torn{touch[1]}"
        dying = Cast(str(folder), scenario, {"o_torn": touch}, tables, "there", 1.0, how, torn=True)
        prepare(dying, untouched)
        heir, other = start(heir_of(replace(dying, torn=False))), start(dying)
        if how is signal.SIGSTOP:
            stopped(other)
        else:
            assert status(other) == -signal.SIGKILL
        assert status(heir) == 0
        check(dying)
        if how is signal.SIGSTOP:
            wakes_up_in_vain(dying, other)


def wakes_up_in_vain(cast: Cast, paused) -> None:
    """Everything that it was about to do it may do, and nothing comes of it."""
    assert cast.url is not None
    done, before = effects(cast), record(cast.url)
    os.kill(paused.pid, signal.SIGCONT)
    assert status(paused) == FENCED
    # A call that had passed the fence still arrives; the merchant and the bank know its key.
    assert effects(cast) == done
    assert record(cast.url) == before
    check(cast)


def effects(cast: Cast) -> dict[str, list[str]]:
    """The keys of all that the merchants and the bank did."""
    found: dict[str, list[str]] = {}
    for order_id in cast.held:
        town = Town(town_of(Path(cast.folder), order_id))
        found[order_id] = [key for (key,) in town.db.execute("select key from keys order by key")]
        town.db.close()
    return found


def record(url: str) -> list[object]:
    """Everything in the record that an order is or brings about."""
    tables = ("orders", "approvals", "order_events", "closed_mandates", "ledger_postings")
    return [sorted(postgres.rows(url, f"SELECT * FROM {name}"), key=repr) for name in tables]


async def test_what_the_user_says_at_one_worker_the_other_does_and_both_hear_of_it(
    tables, tmp_path, untouched
):
    cast = Cast(str(tmp_path / "two"), "delivered", {"o_0": None}, tables, "there", asks=True)
    prepare(cast, untouched)
    here = World(Path(cast.folder), tables)
    here.worker_name, here.lease_s = "here", 30.0
    await here.open()
    try:
        other = start(cast)
        async with asyncio.timeout(30):
            await here.approve("o_0")
            await here.event("o_0", "delivered")
        assert await asyncio.to_thread(status, other) == 0
        assert [event.kind for event in here.heard] == list(SCENARIOS["delivered"].told)
    finally:
        await here.close()
    check(cast)
    assert Town(town_of(Path(cast.folder), "o_0")).calls("complete") == 1
