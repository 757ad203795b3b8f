"""Timetables: real flight times, local clocks on both ends, over changes of the clock and the date line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.travel import offers, schedule
from city.travel.offers import AIRLINE, COMPANIES, INNS, RAILWAY
from city.travel.places import HOTELS, HUBS, LINES, STATIONS, airports, found, kilometres
from city.travel.schedule import Service

pytestmark = pytest.mark.unit

DAYS = st.dates(date(2024, 1, 1), date(2031, 12, 31))
PAIRS = st.tuples(st.sampled_from(HUBS), st.sampled_from(sorted(airports()))).filter(
    lambda pair: pair[0] != pair[1]
)


def flights(start: str, end: str, day: date) -> list[Service]:
    return list(schedule.flights(airports()[start], airports()[end], day))


def trains(start: str, end: str, day: date) -> list[Service]:
    return list(schedule.trains(STATIONS[start], STATIONS[end], day))


def offset(moment: datetime) -> timedelta:
    found = moment.utcoffset()
    assert found is not None
    return found


@given(PAIRS, DAYS, st.booleans())
def test_a_flight_takes_its_time_whatever_the_clocks_do(pair, day, back):
    start, end = reversed(pair) if back else pair
    for flight in flights(start, end, day):
        took = flight.ends.astimezone(UTC) - flight.begins.astimezone(UTC)
        assert took == timedelta(minutes=schedule.block_minutes(flight.origin, flight.destination))
        for moment, stop in ((flight.begins, flight.origin), (flight.ends, flight.destination)):
            # What is written down with its offset is a time that the clocks there really show.
            shown = datetime.fromisoformat(offers.stamp(moment))
            there = shown.astimezone(ZoneInfo(stop.zone))
            assert there.replace(tzinfo=None) == shown.replace(tzinfo=None)
            assert there.utcoffset() == shown.utcoffset()
        assert flight.begins.date() == day
        assert abs((flight.ends.date() - flight.begins.date()).days) <= 2


@given(st.sampled_from(COMPANIES), PAIRS, st.sampled_from(sorted(LINES)), DAYS, st.integers(1, 14))
def test_an_offers_id_says_all_of_it(company, pair, line, day, nights):
    ends = {"flight": pair, "train": line, "stay": ("", "ber")}[company.kind]
    going, fault = offers.services(company, *ends, day, nights)
    assert fault == ""
    ids = [x.id for service in going for x in offers.priced(company, service)]
    assert len(set(ids)) == len(ids) == len(going) * len(company.fares)
    for id in ids:
        offer = offers.by_id(company, id)
        assert offer is not None
        assert offer.id == id
        assert offer.service in going
        assert offer.price > 0


@given(st.sampled_from(sorted(LINES)), DAYS)
def test_trains_are_in_order_and_never_jump(line, day):
    for start, end in (line, line[::-1]):
        times = [train.begins.astimezone(UTC) for train in trains(start, end, day)]
        assert times == sorted(times)
        assert len(set(times)) == len(times)


@given(st.sampled_from(sorted(HOTELS)), DAYS, st.integers(1, 14))
def test_a_stay_is_so_many_nights_by_the_calendar(code, day, nights):
    stay = schedule.stay(code, day, nights)
    assert stay is not None
    assert stay.begins.time() == time(15)
    assert stay.ends.time() == time(11)
    assert (stay.ends.date() - stay.begins.date()).days == nights == len(stay.days)


@pytest.mark.parametrize("text", ["TQ99.2026-11-27.basic", "TQ100.2026-02-30.basic", "TQ.x.y", ""])
def test_an_id_of_nothing_is_nothing(text):
    assert offers.by_id(AIRLINE, text) is None
    assert offers.by_id(RAILWAY, text) is None
    assert offers.by_id(INNS, f"berx99.{text}") is None


def test_west_over_the_date_line_a_day_is_lost_and_east_one_is_won():
    east = flights("AKL", "HNL", date(2026, 11, 27))[0]
    assert (east.begins.date(), east.ends.date()) == (date(2026, 11, 27), date(2026, 11, 26))
    west = flights("HNL", "AKL", date(2026, 11, 27))[0]
    assert west.ends.date() > date(2026, 11, 27)
    assert offset(east.begins) == timedelta(hours=13)
    assert offset(east.ends) == timedelta(hours=-10)


def test_offsets_follow_summer_time_on_each_side_on_its_own():
    # The United States change their clocks two weeks before Europe does.
    before = flights("LHR", "JFK", date(2026, 3, 7))[0]
    between = flights("LHR", "JFK", date(2026, 3, 20))[0]
    after = flights("LHR", "JFK", date(2026, 3, 30))[0]
    hours = [
        (offset(x.begins) - offset(x.ends)) / timedelta(hours=1) for x in (before, between, after)
    ]
    assert hours == [5, 4, 5]


def test_a_local_time_that_the_clocks_skip_is_moved_on():
    helsinki = ZoneInfo("Europe/Helsinki")
    moved = schedule.local(date(2026, 3, 29), time(3, 30), helsinki)
    assert moved.isoformat() == "2026-03-29T04:30:00+03:00"
    first = schedule.local(date(2026, 10, 25), time(3, 30), helsinki)
    assert first.isoformat() == "2026-10-25T03:30:00+03:00"


def test_a_night_train_over_the_change_of_the_clock_arrives_an_hour_later_by_the_clock():
    zone = ZoneInfo("Europe/Berlin")
    begins = schedule.local(date(2026, 3, 29), time(1, 30), zone)
    assert schedule.later(begins, timedelta(hours=1), zone).strftime("%H:%M") == "03:30"
    begins = schedule.local(date(2026, 10, 25), time(2, 30), zone)
    assert schedule.later(begins, timedelta(hours=1), zone).strftime("%H:%M") == "02:30"


def test_on_the_leap_day_there_are_flights_and_nights():
    day = date(2028, 2, 29)
    assert flights("HEL", "BER", day)[0].begins.date() == day
    stay = schedule.stay("ber", date(2028, 2, 28), 2)
    assert stay is not None
    assert stay.ends.date() == date(2028, 3, 1)


def test_distances_and_times_are_those_of_the_world():
    known = airports()
    assert abs(kilometres(known["HEL"], known["BER"]) - 1110) < 30
    assert abs(kilometres(known["LHR"], known["JFK"]) - 5540) < 30
    assert 1.5 <= schedule.block_minutes(known["HEL"], known["BER"]) / 60 <= 2.5
    assert 6.5 <= schedule.block_minutes(known["LHR"], known["JFK"]) / 60 <= 8


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ("Berlin", ["BER"]),
        ("ber", ["BER"]),
        ("Berlin airport", ["BER"]),
        ("zürich", ["ZRH"]),
        ("Heathrow", ["LHR"]),
        ("new york", ["JFK"]),
        ("Atlantis", []),
        ("", []),
    ],
)
def test_places_are_found_by_what_people_say(said, codes):
    assert [stop.code for stop in found(said, airports().values())] == codes


def test_the_same_way_costs_the_same_each_time_it_is_asked_about():
    one = [offers.priced(AIRLINE, x) for x in flights("HEL", "BER", date(2026, 11, 27))]
    other = [offers.priced(AIRLINE, x) for x in flights("HEL", "BER", date(2026, 11, 27))]
    assert one == other
    assert all(fares == sorted(fares, key=lambda x: x.price) for fares in one)
