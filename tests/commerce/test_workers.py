"""Two workers on one PostgreSQL: one is killed or paused anywhere, the other brings its orders to their end, once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from commerce_checks import check, dies_everywhere, ended, prepare
from commerce_forks import host, noted, server, start, status, stopped  # noqa: F401  # a fixture
from commerce_host import FENCED, Cast, town_of
from commerce_scenarios import SCENARIOS
from commerce_town import Town
from commerce_world import World

import postgres
from lapel.store.postgresql import CHANNEL

pytestmark = pytest.mark.crash

KILLED_S = 60.0
"""The lease of those that are killed: they are not taken for dead while they are busy."""
PAUSED_S = (2.5, 5.0, 10.0)
"""Of those that are paused, in each round: what its own lease does not tell it when it wakes up it asks."""
HEIR_S = 60.0
"""The lease of the other one."""


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
def two(tables, tmp_path, request) -> Cast:
    """A worker with orders of the scenario."""
    scenario = request.node.callspec.params["scenario"]
    return Cast(str(tmp_path / "two"), scenario, {}, tables, "there", KILLED_S)


def heir_of(dying: Cast) -> Cast:
    """The worker beside it."""
    held = dict.fromkeys(dying.held)
    return replace(dying, held=held, worker="here", lease_s=HEIR_S, heir="there", name="heir")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_orders_of_a_worker_killed_anywhere_end_well_at_the_other(
    scenario, two, touches, untouched
):
    def dies(dying: Cast) -> None:
        prepare(dying, untouched)
        heir = start(heir_of(dying))
        ended(dying, host(dying))
        silent(dying)
        assert status(heir) == 0
        check(dying)

    dies_everywhere(f"{scenario}, killed", two, touches, dies)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_worker_paused_anywhere_does_nothing_more_when_it_wakes_up(
    scenario, two, touches, untouched
):
    leases = iter(PAUSED_S)

    def pauses(dying: Cast) -> None:
        dying = replace(dying, lease_s=next(leases))
        prepare(dying, untouched)
        heir, other = start(heir_of(dying)), start(dying)
        paused = stopped(other)
        silent(dying)
        assert status(heir) == 0
        check(dying)
        if paused:
            wakes_up_in_vain(dying, other)
        else:  # it may have been too busy to say that it lives
            assert status(other) in (0, FENCED)

    two = replace(two, how=signal.SIGSTOP)
    dies_everywhere(f"{scenario}, paused", two, touches, pauses)


@pytest.mark.timeout(600)
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
        dying = Cast(str(folder), scenario, {"o_torn": touch}, tables, "there", 2.0, how, torn=True)
        prepare(dying, untouched)
        heir, other = start(heir_of(replace(dying, torn=False))), start(dying)
        if how is signal.SIGSTOP:
            assert stopped(other)
        else:
            assert status(other) == -signal.SIGKILL
        silent(dying)
        assert status(heir) == 0
        check(dying)
        if how is signal.SIGSTOP:
            wakes_up_in_vain(dying, other)


def silent(gone: Cast) -> None:
    """Its lease is over, and the other one looks for who is silent.

    Who is dead may as well have died long ago; who wakes up knows how long it was away.
    """
    assert gone.url is not None
    if gone.how is signal.SIGKILL:
        postgres.run(gone.url, "UPDATE workers SET beat_at = beat_at - lease_s WHERE id = 'there'")
    over = (
        "SELECT 1 FROM workers WHERE id = 'there' "
        "AND beat_at + lease_s < extract(epoch FROM clock_timestamp())"
    )
    while not postgres.rows(gone.url, over):
        time.sleep(0.05)
    postgres.run(gone.url, f"SELECT pg_notify('{CHANNEL}', 'worker 0 ')")


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
    """The keys of all that the merchants and the bank did.

    But for the courtesy of closing at the merchant what came to nothing: an heir finds that order at its end.
    """
    found: dict[str, list[str]] = {}
    for order_id in cast.held:
        town = Town(town_of(Path(cast.folder), order_id))
        keys = town.db.execute("select key from keys where op<>'cancel' order by key")
        found[order_id] = [key for (key,) in keys]
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
