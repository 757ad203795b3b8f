"""Stretches of days as people name them, in the user's own time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

LONGEST_DAYS = 3660


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
            case "days":
                return f"in the last {self.days} days"
            case "week" | "month":
                return f"in the last {7 if self.name == 'week' else 30} days"
            case _:
                return self.name.replace("_", " ")


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
            days = {"week": 7, "month": 30}.get(period.name, period.days)
            since, until = tomorrow - timedelta(days=min(max(days, 1), LONGEST_DAYS)), tomorrow
        case _:
            since, until = today, tomorrow
    return tuple(x.replace(tzinfo=zone).timestamp() for x in (since, until))  # type: ignore[return-value]
