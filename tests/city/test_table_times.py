"""Sittings: within opening hours, by the clocks of the house, and by ids that say all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.streets import helsinki
from city.tables.houses import COMPANIES, SATAMA, Hours, House
from city.tables.offers import Offer, by_id, offers, stay
from city.tables.terms import Terms, fee_now

pytestmark = pytest.mark.unit

HOUSES = [(company, house) for company in COMPANIES for house in company.houses]
DAYS = st.dates(date(2024, 1, 1), date(2031, 12, 31))
JUNIPER = SATAMA.houses[0]


def evening(house: House, day: date, at: str = "19:00", party: int = 2, minutes: int = 720):
    wall = datetime.combine(day, time.fromisoformat(at))
    return list(offers(house, wall, timedelta(minutes=minutes), party))


@given(st.sampled_from(HOUSES), DAYS, st.integers(1, 10))
def test_guests_come_when_it_is_open_and_have_left_when_it_closes(which, day, party):
    company, house = which
    for offer in evening(house, day, party=party):
        there = offer.begins.replace(tzinfo=None)
        assert any(
            hours.opens <= there.time()
            and offer.ends.replace(tzinfo=None) <= datetime.combine(there.date(), hours.closes)
            for hours in house.hours(there.date())
        )
        took = offer.ends.astimezone(UTC) - offer.begins.astimezone(UTC)
        assert took == stay(party, offer.menu)
        assert offer.free_until < offer.begins
        assert 0 < offer.fee <= offer.per_person * party
        assert by_id(company, offer.id) == offer
    if party > house.largest:
        assert evening(house, day, party=party) == []


def test_a_sitting_over_the_change_of_the_clock_is_told_by_both_offsets():
    night = replace(JUNIPER, week=((Hours(time(1), time(6)),),) * 7)
    [offer] = evening(night, date(2026, 10, 25), "03:00", minutes=0)[:1]
    assert offer.begins.isoformat() == "2026-10-25T03:00:00+03:00"
    assert offer.ends.isoformat() == "2026-10-25T03:30:00+02:00"  # 90 minutes later
    spring = evening(night, date(2026, 3, 29), "02:30", minutes=0)[0]
    assert spring.begins.utcoffset() == timedelta(hours=2)
    assert spring.ends.isoformat() == "2026-03-29T05:00:00+03:00"


@pytest.mark.parametrize(
    "id",
    ["", "juniper", "juniper.20261127T1900.2", "juniper.20261127T1900.2.deposit.x",
     "juniper.20261127T1910.2.deposit", "juniper.20261127T0300.2.deposit",
     "juniper.20261129T1900.2.deposit", "juniper.20261127T1900.0.deposit",
     "juniper.20261127T1900.-2.deposit", "juniper.20261127T1900.11.deposit",
     "juniper.20261127T1900.2.forest", "thorn.20261127T1900.2.deposit",
     "juniper.20261327T1900.2.deposit", "juniper.00010101T0000.2.deposit"],
)  # fmt: skip
def test_other_ids_are_nothing(id):
    assert by_id(SATAMA, "juniper.20261127T1900.2.deposit") is not None
    assert by_id(SATAMA, id) is None


def test_all_houses_are_on_the_map_and_have_something_to_sell():
    streets = helsinki()
    for _, house in HOUSES:
        assert str(house.address(streets)) == house.street
        assert house.deposit or house.menus
        assert len(house.week) == 7


@pytest.mark.parametrize(
    ("hours_before", "delay", "kept", "fee"),
    [(5, 0, 2000, 0), (3, 0, 2000, 2000), (3, 0, 500, 500), (3, 25, 2000, 2000), (3, 45, 2000, 0)],
)
def test_what_canceling_costs_depends_on_the_time_and_on_the_kitchen(
    hours_before, delay, kept, fee
):
    [offer, *_] = evening(JUNIPER, date(2026, 11, 27), minutes=0)
    assert isinstance(offer, Offer)
    terms = Terms("satama", offer.id, "book", "Anna", 2, 1000, delay=delay)
    now_s = offer.begins.timestamp() - hours_before * 3600
    assert fee_now(SimpleNamespace(real_s=lambda: now_s), terms, kept) == fee
