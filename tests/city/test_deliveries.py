from __future__ import annotations

import pytest

from city.clock import CityClock, city_time, opening_s, stamp
from city.deliveries import RETRY_S, Courier, Errand, Mishaps, couriers, hire, make_plan, occupy
from city.geometry import distance_m
from city.store import Database
from city.streets import PUSH_M_PER_S, RIDE_M_PER_S, helsinki

pytestmark = pytest.mark.unit

SHOP = helsinki().find("Mikonkatu 15").point
DOOR = helsinki().find("Bulevardi 14").point
CREW = [
    Courier(1, "Near but busy", helsinki().find("Mikonkatu 18").point, 5000.0),
    Courier(2, "Free", helsinki().find("Kaivokatu 1").point, 0.0),
]


def _plan(number: int = 1, placed_s: float = 1000.0, hurry: bool = False, **mishaps):
    errand = Errand(number, placed_s, SHOP, DOOR, (240.0, 480.0), hurry)
    return make_plan(errand, CREW, helsinki(), 7, Mishaps(**mishaps))


def test_events_come_in_order_and_preparation_takes_its_time():
    for number in range(30):
        plan = _plan(number)
        kinds, times = zip(*plan.steps(), strict=True)
        assert kinds == ("preparing", "picked_up", "in_transit", "delivered")
        assert list(times) == sorted(times)
        assert 240 <= plan.ready_s - plan.preparing_s <= 480
        assert plan.courier == "Free"


def test_the_same_seed_and_number_give_the_same_plan():
    assert _plan(3) == _plan(3)
    assert _plan(3) != _plan(4)


def test_the_courier_never_jumps():
    plan = _plan()
    now_s, before = plan.legs[0].at_s[0], None
    while now_s < plan.deliver_s:
        here = plan.position(now_s)
        if before is not None:
            assert distance_m(before, here) <= RIDE_M_PER_S * 1.0 + 0.2
        before, now_s = here, now_s + 1.0
    assert distance_m(before, plan.legs[1].points[-1]) < 5.0
    assert plan.position(plan.legs[0].at_s[0] - 1) is None
    assert plan.position(plan.deliver_s) is None
    assert RIDE_M_PER_S > PUSH_M_PER_S


def test_a_late_courier_is_late_but_nobody_knows_before():
    plain, late = _plan(), _plan(late=True)
    assert 600 <= late.deliver_s - plain.deliver_s <= 1200
    assert late.promised_s(1000.0) == pytest.approx(plain.deliver_s)
    assert late.promised_s(late.late_from_s) == late.deliver_s
    kinds = [kind for kind, _ in late.steps()]
    assert kinds == ["preparing", "picked_up", "in_transit", "late", "delivered"]
    stopped = [late.position(late.late_from_s + s) for s in (10, 300, 590)]
    assert len(set(stopped)) == 1


def test_a_second_try_and_a_cancellation():
    plain, failed, canceled = _plan(), _plan(failed_attempt=True), _plan(canceled=True)
    assert failed.deliver_s == plain.deliver_s + RETRY_S
    assert [k for k, _ in failed.steps()][-2:] == ["failed_attempt", "delivered"]
    assert [k for k, _ in canceled.steps()] == ["preparing", "canceled"]


def test_haste_makes_the_kitchen_quicker():
    assert _plan(hurry=True).ready_s < _plan().ready_s


def test_a_courier_with_an_order_is_not_sent_again_at_once():
    database = Database(":memory:")
    with database.transaction() as tx:
        hire(tx, helsinki(), 7)
        hire(tx, helsinki(), 7)
        crew = couriers(tx)
        assert len(crew) == 8
        errand = Errand(1, 1000.0, SHOP, DOOR, (240.0, 480.0), False)
        plan = make_plan(errand, crew, helsinki(), 7, Mishaps())
        occupy(tx, plan)
        sent = next(c for c in couriers(tx) if c.id == plan.courier_id)
        assert sent.free_s == plan.deliver_s
        assert sent.at == plan.legs[-1].points[-1]
        second = make_plan(errand, couriers(tx), helsinki(), 7, Mishaps())
        assert second.courier_id != plan.courier_id
    database.close()


def test_city_time_runs_fast_only_while_busy_and_never_back():
    real = [0.0]
    clock = CityClock(100.0, 60.0, lambda: real[0])
    real[0] = 10.0
    assert clock.now_s() == 110.0
    clock.set_busy(True)
    real[0] = 11.0
    assert clock.now_s() == 170.0
    clock.set_speed(600.0)
    assert (clock.now_s(), clock.pace) == (170.0, 600.0)
    real[0] = 12.0
    clock.set_busy(False)
    assert (clock.now_s(), clock.pace) == (770.0, 1.0)


def test_city_time_has_one_zone():
    morning = opening_s(city_time(0.0), "10:00")
    assert stamp(morning) == "1970-01-01T10:00:00.000+02:00"
