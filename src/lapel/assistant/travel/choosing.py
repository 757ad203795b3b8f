"""From a time as it was said to the departures that fit, and from words to one of the offers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from lapel.assistant.travel.reading import Fare, Pick
from lapel.commerce import FareRules, JourneyOffer
from lapel.services.personal import At, Clock, Part, Weekday, When, resolve

SHOWN = 5
NEAR_MIN = 45
"""A departure this near to a clock time may be called by it."""
_HOURS = {
    Part.MORNING: (4, 12),
    Part.AFTERNOON: (12, 18),
    Part.EVENING: (17, 24),
    Part.NIGHT: (20, 24),
}
_LAST = {
    Part.MORNING: Clock(11, 59, "am"),
    Part.AFTERNOON: Clock(5, 59, "pm"),
    Part.EVENING: Clock(11, 59, "pm"),
    Part.NIGHT: Clock(11, 59, "pm"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The local date where it begins, and what was said of the time of that day."""

    day: date
    clock: time | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """One flight, train or stay of one company at its fares, the cheapest first."""

    offers: tuple[JourneyOffer, ...]

    @property
    def begins(self) -> datetime:
        return self.offers[0].journey.departs

    @property
    def cheapest(self) -> JourneyOffer:
        return self.offers[0]


def asked(said: When, now: float, zone: ZoneInfo) -> Asked:
    """What `said` means to a user in `zone` at `now`. Raises AlreadyPast.

    A day without a time means all of it, even late on that day.
    """
    part = said.part if isinstance(said, At) else None
    whole = isinstance(said, At) and said.clock is None
    if isinstance(said, At) and whole:
        said = At(said.day, _LAST[part] if part else Clock(11, 59, "pm"))
    moment = datetime.fromtimestamp(resolve(said, now, zone).due_at, zone)
    timed = isinstance(said, At) and not whole
    return Asked(moment.date(), moment.time() if timed else None, part)


def nights(start: date, till: When, now: float, zone: ZoneInfo) -> int:
    """From `start` to the day that is said: a weekday is the one after it, not after today."""
    weekday = isinstance(till, At) and isinstance(till.day, Weekday)
    base = datetime.combine(start, time(12), zone).timestamp() if weekday else now
    return (asked(till, base, zone).day - start).days


def departures(offers: Iterable[JourneyOffer]) -> list[Departure]:
    """Grouped, in the order of their beginnings."""
    found: dict[tuple[str, str, str], list[JourneyOffer]] = {}
    for offer in offers:
        journey = offer.journey
        found.setdefault((offer.merchant_id, journey.number, journey.begins), []).append(offer)
    grouped = [Departure(tuple(sorted(x, key=lambda y: y.price.minor))) for x in found.values()]
    return sorted(grouped, key=lambda x: (x.begins, x.cheapest.price.minor))


def fitting(found: Sequence[Departure], wanted: Asked) -> list[Departure]:
    """Those of the part of the day that was said; around a clock time, the nearest ones."""
    part = wanted.part
    if wanted.clock is not None:
        return sorted(found, key=lambda x: (_apart(x.begins.time(), wanted.clock), x.begins))
    if part is None or found[0].cheapest.journey.kind == "stay":
        return list(found)
    first, last = _HOURS[part]
    return [x for x in found if first <= x.begins.hour < last]


def shown(found: Sequence[Departure]) -> list[Departure]:
    """A handful of the best ones, told in the order of the day."""
    return sorted(found[:SHOWN], key=lambda x: (x.begins, x.cheapest.price.minor))


def choose(
    pick: Pick, listed: Sequence[Departure], every: Sequence[Departure]
) -> JourneyOffer | None:
    """The offer that is meant: by its place among those listed, else among all that fitted."""
    match pick.how:
        case "nth":
            inside = 1 <= pick.nth <= len(listed)
            return _at(listed[pick.nth - 1], pick.fare) if inside else None
        case "last":
            return _at(listed[-1], pick.fare) if listed else None
        case "earliest" | "latest":
            with_it = [x for x in every if _at(x, pick.fare) is not None]
            ends = sorted(with_it, key=lambda x: x.begins)
            return _at(ends[0 if pick.how == "earliest" else -1], pick.fare) if ends else None
        case "clock":
            return _by_clock(pick, listed)
        case _:
            offers = [x for each in every if (x := _at(each, pick.fare)) is not None]
            return min(offers, key=lambda x: (x.price.minor, x.journey.departs), default=None)


def like(found: Sequence[JourneyOffer], fare: str, at: time) -> JourneyOffer | None:
    """The offer of that fare nearest to a time of day; of any fare where that one is gone."""
    same = [x for x in found if x.journey.fare.title == fare] or list(found)
    return min(
        same, key=lambda x: (_apart(x.journey.departs.time(), at), x.price.minor), default=None
    )


def _by_clock(pick: Pick, listed: Sequence[Departure]) -> JourneyOffer | None:
    clock = pick.clock
    if clock is None:
        return None
    hours = {clock.hour % 24} if not clock.open else {clock.hour % 12, clock.hour % 12 + 12}
    if clock.half is not None:
        hours = {clock.fixed}
    times = [time(hour, clock.minute) for hour in sorted(hours)]
    near = [
        (min(_apart(each.begins.time(), at) for at in times), n, each)
        for n, each in enumerate(listed)
    ]
    best = min(near, default=None)
    return _at(best[2], pick.fare) if best and best[0] <= NEAR_MIN else None


def _at(departure: Departure, fare: Fare) -> JourneyOffer | None:
    """The departure's cheapest offer with rules of that kind."""
    return next((x for x in departure.offers if _is(x.journey.fare, fare)), None)


def _is(rules: FareRules, fare: Fare) -> bool:
    free = rules.change_fee == 0 and rules.refund_fee == 0
    match fare:
        case "flexible":
            return free
        case "rigid":
            return rules.rigid
        case "middle":
            return not free and not rules.rigid
        case _:
            return True


def _apart(one: time, other: time | None) -> int:
    """Minutes between two times of a day."""
    if other is None:
        return 0
    return abs(60 * (one.hour - other.hour) + one.minute - other.minute)
