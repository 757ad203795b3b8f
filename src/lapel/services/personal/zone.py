"""The time zone of the user: the one of the settings, else the system's."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lapel.failures import Code

LOCALTIME = Path("/etc/localtime")


class UnknownZone(Exception):
    """There is no such time zone; the text names it."""

    code: Code = "unknown_zone"


def zone_of(name: str, localtime: Path = LOCALTIME) -> ZoneInfo:
    """The zone called `name` (IANA, such as `Europe/Helsinki`); the system's when it is empty."""
    wanted = name or os.environ.get("TZ", "").removeprefix(":")
    if wanted:
        found = _named(wanted)
        if found is not None:
            return found
        if name:
            raise UnknownZone(f"there is no time zone {name!r}; give one such as 'Europe/Helsinki'")
    # The link's target has the zone's name in it: .../zoneinfo/Europe/Helsinki
    _, _, linked = str(localtime.resolve()).partition("zoneinfo/")
    return (_named(linked) if linked else None) or ZoneInfo("UTC")


def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
