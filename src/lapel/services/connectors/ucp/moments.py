"""Times on UCP's wire, which carry the offset that clocks show at their place."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lapel.commerce.ports import Nonsense


def moment(text: str, zone: str) -> datetime:
    """A local time with the offset that the zone really has then; else Nonsense."""
    try:
        found = datetime.fromisoformat(text)
        there = found.astimezone(ZoneInfo(zone))
    except (ValueError, OverflowError, ZoneInfoNotFoundError, OSError) as error:
        raise Nonsense(f"{text[:40]!r} in {zone[:40]!r} is no time") from error
    if found.utcoffset() is None or found.utcoffset() != there.utcoffset():
        raise Nonsense(f"{text!r} has not the offset of {zone!r}", code="wrong_zone")
    return found


def shown(text: str) -> str:
    """A time with its offset, or empty."""
    if not text:
        return ""
    try:
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise Nonsense(f"{text[:40]!r} is no time") from error
    if found.utcoffset() is None:
        raise Nonsense(f"{text!r} has no offset", code="wrong_zone")
    return found.isoformat(timespec="seconds")
