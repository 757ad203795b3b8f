"""How a moment is said: in the clock of the place that it belongs to, which its offset tells."""

from __future__ import annotations

from datetime import date, datetime


def clock(moment: datetime) -> str:
    return moment.strftime("%H:%M")


def day(moment: date) -> str:
    """`Friday 27 November`."""
    return f"{moment.strftime('%A')} {moment.day} {moment.strftime('%B')}"


def moment(text: str) -> str:
    """`Friday 27 November at 06:30`, of an RFC 3339 text."""
    at = datetime.fromisoformat(text)
    return f"{day(at)} at {clock(at)}"


def seconds(text: str) -> float:
    """Since 1970, of an RFC 3339 text."""
    return datetime.fromisoformat(text).timestamp()
