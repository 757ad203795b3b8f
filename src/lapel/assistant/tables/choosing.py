"""From offers of tables to those that are listed, and from words to one of them."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, time

from lapel.assistant.tables.reading import Pick
from lapel.commerce import TableOffer
from lapel.services.personal import Clock

SHOWN = 4
NEAR_MIN = 20
"""A table this near to a clock time may be called by it."""
_ALIKE = 0.75


def starts(offer: TableOffer) -> datetime:
    return offer.table.starts


def called(said: str, offers: Sequence[TableOffer]) -> list[TableOffer]:
    """Those of the restaurant that is meant by a name, which may have been misheard a little."""
    wanted = _words(said)
    named = [x for x in offers if wanted and wanted <= _words(x.table.restaurant.name)]
    if named:
        return named
    names = {" ".join(sorted(_words(x.table.restaurant.name))): x for x in offers}
    near = difflib.get_close_matches(" ".join(sorted(wanted)), list(names), n=1, cutoff=_ALIKE)
    if not near:
        return []
    id = names[near[0]].table.restaurant.id
    return [x for x in offers if x.table.restaurant.id == id]


def restaurants(offers: Sequence[TableOffer]) -> int:
    return len({(x.merchant_id, x.table.restaurant.id) for x in offers})


def listed(offers: Sequence[TableOffer]) -> list[TableOffer]:
    """A handful of `offers`, which are the best first: one a restaurant, or one a time of one.

    Of the same restaurant and time the cheapest.
    """
    single = restaurants(offers) == 1
    found: dict[tuple[str, ...], TableOffer] = {}
    for offer in offers:
        table = offer.table
        times = (table.begins,) if single else ()
        key = (offer.merchant_id, table.restaurant.id, *times)
        known = found.get(key)
        dearer = known is not None and known.table.begins == table.begins
        if known is None or (dearer and offer.price.minor < known.price.minor):
            found[key] = offer
    best = list(found.values())[:SHOWN]
    return sorted(best, key=starts) if single else best


def exact(offers: Sequence[TableOffer], wall: datetime) -> TableOffer | None:
    """The cheapest at that time by the clocks there."""
    same = [x for x in offers if starts(x).replace(tzinfo=None) == wall]
    return min(same, key=lambda x: x.price.minor, default=None)


def choose(
    pick: Pick, shown: Sequence[TableOffer], every: Sequence[TableOffer]
) -> TableOffer | None:
    """The offer that is meant: by its place among those shown, else among all that were found."""
    if not shown:
        return None
    match pick.how:
        case "nth":
            return shown[pick.nth - 1] if 1 <= pick.nth <= len(shown) else None
        case "last":
            return shown[-1]
        case "cheapest":
            return min(shown, key=lambda x: (x.price.minor, starts(x)))
        case "nearest":
            measured = [x for x in shown if x.distance_m is not None]
            return min(measured, key=lambda x: x.distance_m or 0, default=None)
        case "earliest":
            return min(shown, key=starts)
        case "latest":
            return max(shown, key=starts)
        case "menu":
            wanted = _words(pick.words) - {"menu"}
            return next((x for x in every if wanted <= _words(x.table.menu) and x.table.menu), None)
        case "clock":
            return _by_clock(pick.clock, [*shown, *every])
        case _:
            return next(iter(called(pick.words, shown) or called(pick.words, every)), None)


def _by_clock(clock: Clock | None, offers: Sequence[TableOffer]) -> TableOffer | None:
    if clock is None:
        return None
    hours = {clock.hour % 12, clock.hour % 12 + 12} if clock.open else {clock.fixed}
    times = [time(hour, clock.minute) for hour in sorted(hours)]
    near = [
        (min(_apart(starts(each).time(), at) for at in times), n, each)
        for n, each in enumerate(offers)
    ]
    best = min(near, default=None)
    return best[2] if best and best[0] <= NEAR_MIN else None


def _apart(one: time, other: time) -> int:
    """Minutes between two times of a day."""
    return abs(60 * (one.hour - other.hour) + one.minute - other.minute)


def _words(name: str) -> set[str]:
    """The words of a name, without case, accents and marks."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    kept = "".join(c for c in bare if not unicodedata.combining(c))
    return set(re.findall(r"\w+", kept)) - {"the"}
