from __future__ import annotations

import pytest

from city.faults import Fault, Faults, Forced, Level, chance, force, forced, forget, rate
from city.store import Database

pytestmark = pytest.mark.unit


@pytest.fixture
def database():
    made = Database(":memory:")
    yield made
    made.close()


def test_rates_are_kept_and_repeat_with_the_seed(database):
    with database.transaction() as tx:
        rough = Faults(Level.ROUGH, 7)
        hits = [rough.strike(tx, Fault.COURIER_LATE, "umi") is not None for _ in range(4000)]
        assert sum(hits) / 4000 == pytest.approx(rate(Level.ROUGH, Fault.COURIER_LATE), abs=0.02)
        tx.execute("DELETE FROM fault_rolls")
        again = [rough.strike(tx, Fault.COURIER_LATE, "umi") is not None for _ in range(4000)]
        assert hits == again
        none = Faults(Level.NONE, 7)
        assert all(none.strike(tx, fault, "umi") is None for fault in Fault for _ in range(50))
    assert chance(1, "a") != chance(2, "a")


def test_every_fault_has_rates_that_grow():
    for fault in Fault:
        assert 0.0 == rate(Level.NONE, fault) <= rate(Level.GENTLE, fault)
        assert rate(Level.GENTLE, fault) < rate(Level.ROUGH, fault) <= 0.2


def test_a_forced_fault_strikes_so_often_and_only_where_asked(database):
    faults = Faults(Level.NONE, 7)
    with database.transaction() as tx:
        force(tx, Forced("umi", Fault.SLOW, 2, "complete", 0.5))
        force(tx, Forced(None, Fault.NONSENSE, 1))
        assert faults.strike(tx, Fault.SLOW, "stack", "complete") is None
        assert faults.strike(tx, Fault.SLOW, "umi", "create") is None
        assert [faults.strike(tx, Fault.SLOW, "umi", "complete") for _ in range(3)] == [
            0.5,
            0.5,
            None,
        ]
        assert faults.strike(tx, Fault.NONSENSE, "umi", "search") is None, "not a write"
        assert forced(tx) == [Forced(None, Fault.NONSENSE, 1)]
        assert faults.strike(tx, Fault.NONSENSE, "umi", "update") == 0.0
        force(tx, Forced(None, Fault.TIMEOUT, 5))
        forget(tx)
        assert faults.strike(tx, Fault.TIMEOUT, "umi", "update") is None
