"""A ride as a part of a plan: there and back, to the train, home after dinner."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from lapel.assistant.parts import Around, Asks, Made
from lapel.assistant.politeness import forms
from lapel.assistant.rides import grammar
from lapel.assistant.rides.grammar import AskRide
from lapel.assistant.rides.skill import RideSkill
from lapel.assistant.rides.times import timed
from lapel.commerce import Address, Refused
from lapel.services.personal import AlreadyPast, resolve
from lapel.services.rides import Pickup

Leg = Literal["", "there", "back"]
EARLY = {"train": timedelta(minutes=5), "flight": timedelta(minutes=90)}
"""So long before it leaves one is at the station; the ride itself leaves some time to spare."""
_WAITS = re.compile(r"\b(?:station|airport|terminal)\b")
_HALF_DAY_S = 12 * 3600.0
_CLASS = r"(?:(?P<class>economy|comfort|van|minivan) )?"
_GET = r"(?:(?:get|find|book|order|call|send)(?: me| us)? )?"
_LEGS = re.compile(
    rf"^(?:{_GET}(?:an? |another |the )?{_CLASS}(?:ride|taxi|cab|lift|car)s?|"
    r"(?:drive|take|bring|get) (?:me|us)) "
    r"(?P<way>there and (?:back|home)(?: again)?|both ways|there|back(?: from there)?)$"
)
_CAR = re.compile(r"^((?:get (?:me |us )?|book |order )?an? )car (?=to |from |home|back)")
AFTERWARDS, NOW = "Afterwards", "Now"


@dataclass(frozen=True, slots=True)
class RideWish:
    """`leg` is "there" or "back" where a place of the plan is meant, not one that was said."""

    ask: AskRide
    leg: Leg = ""


@dataclass(frozen=True, slots=True)
class RideMaker:
    """Implements `Maker`. A ride without a time of its own takes that of what it was said with."""

    rides: RideSkill

    def reads(self, said: str) -> Sequence[RideWish]:
        for form in forms(said):
            if (legs := _legs(form)) is not None:
                return legs
        asked = grammar.read(_CAR.sub(r"\1taxi ", said.lower()))
        if not isinstance(asked, AskRide) or asked.price:
            return ()
        return (RideWish(asked),)

    async def make(self, wish: RideWish, around: Around) -> Made | Asks:
        table = next((x for x in around.made if x.place is not None and x.begins), None)
        if wish.leg and table is None:
            where = "Where is that" if wish.leg == "there" else "Back from where"
            return Asks(f"{where}?", lambda said: _placed(wish, said))
        if table is not None and (wish.leg or not (wish.ask.pickup or _is_elsewhere(wish))):
            return await self._of_table(wish, table, around)
        if table is not None and wish.ask.at is None and not wish.ask.pickup:
            return self._when(wish)
        journey = next((x for x in around.made if x.draft.journey is not None), None)
        if journey is not None and wish.ask.at is None and _WAITS.search(wish.ask.destination):
            return await self._to_journey(wish, journey, around)
        return await self._made(wish.ask, around)

    async def _of_table(self, wish: RideWish, table: Made, around: Around) -> Made:
        """To where the table is, in time, or from there when it is over."""
        place, begins, ends = table.place, table.begins, table.ends or table.begins
        assert place is not None
        assert begins is not None
        if wish.leg == "there":
            at = _moment(wish.ask.at, begins, -_HALF_DAY_S)
            ask = replace(wish.ask, at=at or begins, arrives=at is None or wish.ask.arrives)
            return await self._made(ask, around, needs=table, destination=place)
        at = _moment(wish.ask.at, begins, 0.0)
        ask = replace(wish.ask, at=at or ends, arrives=False)
        came = [x.draft.trip.pickup for x in around.made if x.needs is table and x.draft.trip]
        to = came[0] if came and not ask.destination else None
        ask = ask if ask.destination else replace(ask, destination="home")
        return await self._made(ask, around, needs=table, pickup=place, destination=to)

    async def _to_journey(self, wish: RideWish, journey: Made, around: Around) -> Made:
        assert journey.begins is not None
        assert journey.draft.journey is not None
        early = EARLY.get(journey.draft.journey.kind, timedelta())
        ask = replace(wish.ask, at=journey.begins - early, arrives=True)
        return await self._made(ask, around, needs=journey)

    def _when(self, wish: RideWish) -> Asks:
        def read(said: str) -> RideWish | None:
            answer = forms(said)[0]
            if answer in ("now", "right now", "at once"):
                return replace(wish, ask=replace(wish.ask, pickup="here"))
            after = answer in ("afterwards", "after", "after dinner", "later", "then")
            return replace(wish, leg="back") if after else None

        text = f"When shall the ride to {wish.ask.destination} come: now, or afterwards?"
        return Asks(text, read, (NOW, AFTERWARDS))

    async def _made(
        self, ask: AskRide, around: Around, needs: Made | None = None, **known: Address | None
    ) -> Made:
        """What is too soon to be booked ahead is driven now, if one is there in time."""
        try:
            part = await self.rides.titled(ask, around.said, **known)
        except (Refused, AlreadyPast) as error:
            soon = isinstance(error, AlreadyPast) or error.code == "pickup_too_soon"
            if not (soon and ask.arrives and isinstance(ask.at, datetime)):
                raise
            now = replace(ask, at=None, arrives=False)
            part = await self.rides.titled(now, around.said, **known)
        return Made(part.title, part.draft, needs=needs)


def _moment(said: Pickup | None, begins: datetime, shift_s: float) -> datetime | None:
    """The next such time by the clock there, so many seconds after the beginning: "at ten" is ten
    that night.
    """
    if said is None or isinstance(said, datetime):
        return said
    zone = begins.tzinfo
    local = begins.replace(tzinfo=UTC).timestamp() + shift_s
    naive = datetime.fromtimestamp(resolve(said, local, ZoneInfo("UTC")).due_at, UTC)
    return naive.replace(tzinfo=zone)


def _legs(said: str) -> tuple[RideWish, ...] | None:
    """`a car there and back` is two rides; a time is that of the last one."""
    whole = _LEGS.match(said)
    if whole is not None:
        return _of_way(whole, None)
    for each in timed(said):
        match = _LEGS.match(each.rest)
        if match is not None:
            return _of_way(match, AskRide(at=each.when, arrives=each.arrives))
    return None


def _of_way(match: re.Match[str], time: AskRide | None) -> tuple[RideWish, ...]:
    ask = AskRide(ride_class=match["class"] or "")
    last = ask if time is None else replace(ask, at=time.at, arrives=time.arrives)
    way = match["way"]
    if way == "there":
        return (RideWish(last, "there"),)
    if way.startswith("back"):
        return (RideWish(last, "back"),)
    last = replace(last, destination="home") if "home" in way else last
    return (RideWish(ask, "there"), RideWish(last, "back"))


def _is_elsewhere(wish: RideWish) -> bool:
    return wish.ask.destination not in ("home", "my place", "back home")


def _placed(wish: RideWish, said: str) -> RideWish | None:
    """The answer to where "there" is."""
    after = "to" if wish.leg == "there" else "from"
    place = grammar.as_place(said, after=after)
    if place is None:
        return None
    if wish.leg == "there":
        return RideWish(replace(wish.ask, destination=place))
    home = wish.ask.destination or "home"
    return RideWish(replace(wish.ask, pickup=place, destination=home))
