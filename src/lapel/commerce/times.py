"""How a moment is said: in the clock of the place that it belongs to, which its offset tells."""

from __future__ import annotations

from datetime import date, datetime

_PAST = {
    5: "five", 10: "ten", 15: "a quarter", 20: "twenty", 25: "twenty-five", 30: "half",
}  # fmt: skip
_HOURS = (
    "twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven",
)  # fmt: skip


def clock(moment: datetime) -> str:
    return moment.strftime("%H:%M")


def day(moment: date) -> str:
    """`Friday 27 November`."""
    return f"{moment.strftime('%A')} {moment.day} {moment.strftime('%B')}"


def moment(text: str) -> str:
    """`Friday 27 November at 06:30`, of an RFC 3339 text."""
    at = datetime.fromisoformat(text)
    return f"{day(at)} at {clock(at)}"


def short(text: str) -> str:
    """`Fri 27 Nov 06:30`, of an RFC 3339 text, for a small screen."""
    at = datetime.fromisoformat(text)
    return f"{at.strftime('%a')} {at.day} {at.strftime('%b')} {clock(at)}"


def seconds(text: str) -> float:
    """Since 1970, of an RFC 3339 text."""
    return datetime.fromisoformat(text).timestamp()


def hour(moment: datetime) -> str:
    """`seven`, `half past seven`, `a quarter to eight`, `ten past seven`; `noon`, `midnight`."""
    hour, minute = moment.hour, moment.minute
    if (hour, minute) in ((12, 0), (0, 0)):
        return "noon" if hour else "midnight"
    this, following = _HOURS[hour % 12], _HOURS[(hour + 1) % 12]
    if minute == 0:
        return this
    if minute in _PAST:
        return f"{_PAST[minute]} past {this}"
    if 60 - minute in _PAST:
        return f"{_PAST[60 - minute]} to {following}"
    return f"{this} oh {minute}" if minute < 10 else f"{this} {minute}"


def time_of_day(moment: datetime) -> str:
    """The same with the part of the day: `half past seven in the evening`."""
    said = hour(moment)
    return said if said in ("noon", "midnight") else f"{said} {_part(moment.hour)}"


def spoken_day(moment: datetime) -> str:
    """`Friday 27 November at half past seven in the evening`."""
    return f"{day(moment)} at {time_of_day(moment)}"


def _part(hour: int) -> str:
    if 5 <= hour < 12:
        return "in the morning"
    if 12 <= hour < 17:
        return "in the afternoon"
    return "in the evening" if 17 <= hour < 22 else "at night"
