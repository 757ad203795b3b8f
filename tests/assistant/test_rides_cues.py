"""What is said of canceling a ride for later, and of its time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lapel.assistant.rides import cues
from lapel.commerce import Address, Money, Trip, TripTerms
from lapel.commerce.times import seconds

pytestmark = pytest.mark.unit

HOME = Address("home", "Liisankatu 21", "Helsinki", "00170", "FI", 60.1742, 24.953318)
AT = "2026-11-25T06:30:00+02:00"
TERMS = TripTerms(
    Trip("ride", HOME, pickup_at=AT),
    cancel_fee=Money(400, "EUR"),
    free_until="2026-11-25T06:00:00+02:00",
)
EVE = seconds("2026-11-24T20:00:00+02:00")


@pytest.mark.parametrize(
    ("terms", "now", "said"),
    [
        (TERMS, EVE, "Cancelling is free until 06:00, then 4 euros."),
        (TERMS, seconds(AT) - 60, "Cancelling costs 4 euros, even now."),
        (
            replace(TERMS, free_until="2026-11-24T22:00:00+02:00"),
            EVE,
            "Cancelling is free until Tuesday 24 November at 22:00, then 4 euros.",
        ),
        (replace(TERMS, cancel_fee=None), EVE, ""),
        (
            replace(TERMS, free_until="", free_minutes=2),
            EVE,
            "Cancelling is free for 2 minutes, then 4 euros.",
        ),
    ],
)
def test_canceling(terms: TripTerms, now: float, said: str) -> None:
    assert cues.canceling(terms, now) == said


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-25T00:30:00+02:00", "today at 06:30"),
        ("2026-11-24T22:30:00Z", "today at 06:30"),
        ("2026-11-24T23:30:00+02:00", "tomorrow at 06:30"),
        ("2026-11-23T23:30:00+02:00", "on Wednesday 25 November at 06:30"),
    ],
)
def test_days_are_those_of_the_place(now: str, said: str) -> None:
    assert cues.when(AT, seconds(now)) == said
