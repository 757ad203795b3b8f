"""Stretches of days as people name them, in the user's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 3660
_ROLLING = {"week": 7, "month": 30}
"""Days of "the last week" and "the last month", today included."""


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is a key of the language file's periods; `days` counts for `days` alone."""

    name: str
    days: int = 0

    @property
    def said(self) -> str:
        """As the end of a sentence."""
        match self.name:
            case "ever":
                return "in all"
            case "days" | "week" | "month":
                return f"in the last {self.rolling} days"
            case _:
                return self.name.replace("_", " ")

    @property
    def rolling(self) -> int:
        """How many days it has, where it ends with today and not with a week or month."""
        return _ROLLING.get(self.name, self.days)


def bounds(period: Period, now: float, zone: ZoneInfo) -> tuple[float, float]:
    """The first moment of the period and the first after it, in seconds since 1970.

    A week begins on Monday. Of the days of "the last 7 days" today is one.
    """
    # Without a zone: a day of 23 or 25 hours is a day all the same.
    today = datetime.fromtimestamp(now, zone).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    monday, first = today - timedelta(days=today.weekday()), today.replace(day=1)
    tomorrow = today + timedelta(days=1)
    match period.name:
        case "ever":
            return 0.0, now + 1.0
        case "yesterday":
            since, until = today - timedelta(days=1), today
        case "this_week":
            since, until = monday, tomorrow
        case "last_week":
            since, until = monday - timedelta(days=7), monday
        case "this_month":
            since, until = first, tomorrow
        case "last_month":
            since, until = (first - timedelta(days=1)).replace(day=1), first
        case "this_year":
            since, until = today.replace(month=1, day=1), tomorrow
        case "days" | "week" | "month":
            days = min(max(period.rolling, 1), LONGEST_DAYS)
            since, until = tomorrow - timedelta(days=days), tomorrow
        case _:
            since, until = today, tomorrow
    return since.replace(tzinfo=zone).timestamp(), until.replace(tzinfo=zone).timestamp()
