"""Moments: the next clock time that makes sense, recurrences, both changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapel.services.personal import (
    After,
    AlreadyPast,
    At,
    Clock,
    Date,
    Every,
    InDays,
    Part,
    UnknownZone,
    Weekday,
    next_occurrence,
    resolve,
    zone_of,
)

pytestmark = pytest.mark.unit

HELSINKI = ZoneInfo("Europe/Helsinki")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=HELSINKI).timestamp()


def local(instant: float) -> str:
    return datetime.fromtimestamp(instant, HELSINKI).strftime("%m-%d %H:%M %Z")


SPRING = "2027-03-28"  # 03:00 EET becomes 04:00 EEST
AUTUMN = "2026-10-25"  # 04:00 EEST becomes 03:00 EET


@pytest.mark.parametrize(
    ("now", "hour", "means"),
    [
        ("10:00", 6, "12-01 18:00"),
        ("17:59", 6, "12-01 18:00"),
        ("18:00", 6, "12-02 06:00"),
        ("10:00", 2, "12-01 14:00"),
        ("15:00", 2, "12-02 14:00"),
        ("23:30", 2, "12-02 02:00"),
        ("01:00", 2, "12-01 02:00"),
        ("10:00", 12, "12-01 12:00"),
        ("13:00", 12, "12-02 00:00"),
        ("10:00", 0, "12-02 00:00"),
        ("10:00", 15, "12-01 15:00"),
    ],
)
def test_a_bare_hour_is_the_next_that_makes_sense(now: str, hour: int, means: str):
    moment = resolve(At(clock=Clock(hour)), at(f"2026-12-01 {now}"), HELSINKI)
    assert local(moment.due_at).startswith(means)


def test_days_are_of_the_calendar_and_hours_of_the_clock():
    evening = at("2027-03-27 18:00")
    assert local(resolve(After(days=1), evening, HELSINKI).due_at) == "03-28 18:00 EEST"
    assert local(resolve(After(24 * 3600), evening, HELSINKI).due_at) == "03-28 19:00 EEST"
    evening = at("2026-10-24 18:00")
    assert local(resolve(After(days=1), evening, HELSINKI).due_at) == "10-25 18:00 EET"
    assert local(resolve(After(24 * 3600), evening, HELSINKI).due_at) == "10-25 17:00 EET"


def test_an_hour_that_does_not_exist_in_spring_moves_on():
    moment = resolve(At(InDays(1), Clock(3, 30, "am")), at("2027-03-27 18:00"), HELSINKI)
    assert local(moment.due_at) == "03-28 04:30 EEST"


def test_an_hour_that_comes_twice_in_autumn_is_the_first():
    moment = resolve(At(InDays(1), Clock(3, 30, "am")), at("2026-10-24 18:00"), HELSINKI)
    assert local(moment.due_at) == "10-25 03:30 EEST"


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_every_day_at_eight_stays_at_eight_over_a_change(day: str):
    moment = resolve(Every(tuple(range(7)), Clock(8)), at(f"{day} 00:30") - 86400, HELSINKI)
    seen = [moment.due_at]
    for _ in range(3):
        seen.append(next_occurrence(moment.rule, seen[-1], HELSINKI))
    assert {local(instant)[6:11] for instant in seen} == {"08:00"}
    assert len({datetime.fromtimestamp(instant, HELSINKI).date() for instant in seen}) == 4


def test_a_nightly_reminder_comes_once_a_night_at_both_changes():
    for day, times in ((SPRING, "04:30 EEST"), (AUTUMN, "03:30 EEST")):
        moment = resolve(Every(tuple(range(7)), Clock(3, 30, "am")), at(f"{day} 01:00"), HELSINKI)
        assert local(moment.due_at)[6:] == times
        after = next_occurrence(moment.rule, moment.due_at, HELSINKI)
        assert datetime.fromtimestamp(after, HELSINKI).day == int(day[-2:]) + 1


def test_days_with_names_and_dates():
    now = at("2026-12-01 10:00")  # a Tuesday
    assert local(resolve(At(Weekday(1), Clock(9)), now, HELSINKI).due_at).startswith("12-01 21:00")
    assert local(resolve(At(Weekday(1), Clock(8, half="am")), now, HELSINKI).due_at).startswith(
        "12-08 08:00"
    )
    assert local(resolve(At(Weekday(1, next=True)), now, HELSINKI).due_at).startswith("12-08 09:00")
    assert local(resolve(At(Date(31)), now, HELSINKI).due_at).startswith("12-31")
    assert local(resolve(At(Date(29, 2)), now, HELSINKI).due_at).startswith("02-29")
    assert local(resolve(At(part=Part.NIGHT, clock=Clock(1)), now, HELSINKI).due_at).startswith(
        "12-02 01:00"
    )
    with pytest.raises(AlreadyPast):
        resolve(At(InDays(0), Clock(9, half="am")), now, HELSINKI)
    with pytest.raises(AlreadyPast):
        resolve(At(Date(31, 2)), now, HELSINKI)


@settings(max_examples=40, deadline=None)
@given(
    now=st.floats(1.7e9, 2.1e9),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    days=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["Europe/Helsinki", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_a_recurrence_always_goes_on_and_never_twice_a_day(
    now: float, hour: int, minute: int, days: set[int], zone: str
):
    place = ZoneInfo(zone)
    moment = resolve(Every(tuple(sorted(days)), Clock(hour, minute, None)), now, place)
    again = next_occurrence(moment.rule, moment.due_at, place)
    assert now < moment.due_at < again
    dates = [datetime.fromtimestamp(t, place).date() for t in (moment.due_at, again)]
    assert dates[0] < dates[1]
    assert all(day.weekday() in days for day in dates)
    assert again - moment.due_at <= 7 * 86400 + 3600


def test_the_zone_is_the_settings_or_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("TZ", raising=False)
    assert zone_of("Europe/Helsinki").key == "Europe/Helsinki"
    with pytest.raises(UnknownZone, match="Atlantis"):
        zone_of("Europe/Atlantis")
    there = tmp_path / "zoneinfo" / "Asia" / "Tokyo"
    there.parent.mkdir(parents=True)
    there.touch()
    (tmp_path / "localtime").symlink_to(there)
    assert zone_of("", tmp_path / "localtime").key == "Asia/Tokyo"
    assert zone_of("", tmp_path / "nothing").key == "UTC"
    monkeypatch.setenv("TZ", "Europe/Paris")
    assert zone_of("", tmp_path / "localtime").key == "Europe/Paris"
    assert datetime.fromtimestamp(0, UTC).year == 1970
