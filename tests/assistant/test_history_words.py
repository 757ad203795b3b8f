"""What the skill that looks back understands, what it leaves, and where its periods begin and end."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from lapel.assistant.helping import HelpSkill
from lapel.assistant.history import Period, Wish, bounds, wish_of
from lapel.assistant.skills import Heard
from lapel.brain import Source, Utterance, Words

pytestmark = pytest.mark.unit
HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("How much did I spend this week?", Wish("spent", Period("this_week"))),
        ("please tell me how much I have spent", None),
        ("how much have i spent", Wish("spent", Period("this_month"))),
        (
            "how much money did I spend at the Blue Door yesterday",
            Wish("spent", Period("yesterday"), "Blue Door"),
        ),
        (
            "how much did i spend in the last 10 days at Forno",
            Wish("spent", Period("days", 10), "Forno"),
        ),
        ("what's my spending last month", Wish("spent", Period("last_month"))),
        ("what did I order yesterday", Wish("bought", Period("yesterday"))),
        ("what have I bought so far", Wish("bought", Period("ever"))),
        ("show me my orders", Wish("bought", Period("month"))),
        ("what was my last order", Wish("last", Period("month"))),
        ("so what did i order last time", Wish("last", Period("month"))),
        ("what should i order today", None),
        ("what did he order yesterday", None),
        ("how much did i spend sleeping", None),
        ("order what i had last time", None),
        ("how much is a latte", None),
        ("cancel my last order", None),
        ("where is my order", None),
    ],
)
def test_what_is_asked_of_the_past(text: str, wish: Wish | None):
    assert wish_of(text) == wish


@pytest.mark.parametrize(
    ("period", "first", "after"),
    [
        (Period("today"), "2026-11-24", "2026-11-25"),
        (Period("yesterday"), "2026-11-23", "2026-11-24"),
        (Period("this_week"), "2026-11-23", "2026-11-25"),
        (Period("last_week"), "2026-11-16", "2026-11-23"),
        (Period("this_month"), "2026-11-01", "2026-11-25"),
        (Period("last_month"), "2026-10-01", "2026-11-01"),
        (Period("this_year"), "2026-01-01", "2026-11-25"),
        (Period("week"), "2026-11-18", "2026-11-25"),
        (Period("days", 2), "2026-11-23", "2026-11-25"),
        (Period("days", 0), "2026-11-24", "2026-11-25"),
    ],
)
def test_a_period_is_of_whole_days_where_the_user_is(period: Period, first: str, after: str):
    now = datetime(2026, 11, 24, 0, 30, tzinfo=HELSINKI).timestamp()  # at Greenwich still the 23rd
    days = [
        datetime.fromisoformat(day).replace(tzinfo=HELSINKI).timestamp() for day in (first, after)
    ]
    assert list(bounds(period, now, HELSINKI)) == days


def test_a_day_may_have_25_hours():
    noon = datetime(2026, 10, 25, 12, tzinfo=HELSINKI).timestamp()
    since, until = bounds(Period("today"), noon, HELSINKI)
    assert until - since == 25 * 3600


@pytest.mark.parametrize(
    ("text", "helps"),
    [
        ("What can you do?", True),
        ("help", True),
        ("can you help me please", True),
        ("what can I say", True),
        ("help me order a pizza", False),
        ("what can you do about my order", False),
        ("two lattes", False),
    ],
)
async def test_who_asks_for_help_gets_it(text: str, helps: bool):
    outcome = await HelpSkill().hear(Heard(Words(Utterance(text, Source.TYPED)), 1, 0.0, False))
    assert (outcome is not None) is helps
    if outcome is not None:
        assert outcome.card is not None
        assert len(outcome.card.lines) > 10
