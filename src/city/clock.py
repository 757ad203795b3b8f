"""City time: runs faster than real time while there is something to see, and never goes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

from city.errors import DataError

ZONE = timezone(timedelta(hours=2))
"""The City keeps one zone all the year, so that tests do not depend on the season."""


class CityClock:
    """Maps a monotonic real clock to city seconds (since 1970).

    It runs at `speed` while busy and at real pace otherwise. One tuple holds the state and is
    replaced as a whole, because the database's thread reads it as well.
    """

    def __init__(
        self, city_s: float, speed: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._speed = speed
        self._busy = False
        self._since: tuple[float, float, float] = (monotonic(), city_s, 1.0)

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def pace(self) -> float:
        """City seconds in a real second, now."""
        return self._since[2]

    def now_s(self) -> float:
        real, city, pace = self._since
        return city + (self._monotonic() - real) * pace

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        self._restart()

    def set_busy(self, busy: bool) -> None:
        """Busy means that an order is under way."""
        if busy != self._busy:
            self._busy = busy
            self._restart()

    def _restart(self) -> None:
        self._since = (self._monotonic(), self.now_s(), self._speed if self._busy else 1.0)


def city_time(city_s: float) -> datetime:
    return datetime.fromtimestamp(city_s, ZONE)


def stamp(seconds: float) -> str:
    """RFC 3339, in city time's zone, to the millisecond."""
    return datetime.fromtimestamp(seconds, ZONE).isoformat(timespec="milliseconds")


def stamp_utc(seconds: float) -> str:
    """RFC 3339 in UTC, for real time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def opening_s(today: datetime, start: str) -> float:
    """City seconds of `start` ("10:00") on the day of `today`. Raises DataError."""
    try:
        hours, minutes = (int(part) for part in start.split(":"))
        day = today.astimezone(ZONE).replace(hour=hours, minute=minutes, second=0, microsecond=0)
    except ValueError as error:
        raise DataError(f"start {start!r} is not HH:MM", code="bad_start") from error
    return day.timestamp()
