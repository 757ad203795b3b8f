"""The dialogue about tables in restaurants: from the words to an order, and what is booked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lapel.assistant import ordering, words
from lapel.assistant.ordering import Costless, Ordering, PlacesPort, default_place, own_place, told
from lapel.assistant.personal.language import Words
from lapel.assistant.politeness import is_no, is_yes, plain
from lapel.assistant.skills import Heard, Outcome
from lapel.assistant.tables import choosing, cues, reading
from lapel.assistant.tables.booked import Booking, Bookings, Changed
from lapel.assistant.tables.ports import GuestPort, MapPort, NoMap, TablesPort
from lapel.assistant.tables.reading import Pick, Request, Wish
from lapel.assistant.tables.tools import TOOLS
from lapel.brain.tools import Tool
from lapel.commerce import Money, OrderDraft, Orders, Refused, TableOffer, times
from lapel.devices import Cue, PositionReported
from lapel.services.maps import Place, Point
from lapel.services.navigation import distance_m
from lapel.services.personal import AlreadyPast, resolve
from lapel.services.tables import TOLERANCE, Wanted, draft_of

KEPT_S = 300.0
"""A question that nobody answered for so long is forgotten; so is a list of tables."""
HERE_S = 900.0
"""A position older than this is not where the user is."""
AT_HOME_M = 50_000
"""Without a place that is said, restaurants within this of the user come first."""
ALL_DAY = timedelta(hours=4)
"""How far from the usual time is looked where any time will do."""
COSTLESS = Costless("The restaurants do not answer.", "Nothing was booked or changed.")
PAST = "That has already passed. Tell me a time that is still to come."
NO_COMPANY = "I know no restaurant that takes bookings yet. Add one with: lapel merchants add."
NONE_BOOKED = "You have no table booked."
HOW_MANY = "For how many?"
CHANGES = ("make it ", "change it ", "rather ", "what about ", "how about ")
"""What is said before another time or party for a table that is booked already."""


def _quiet(at: float) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked last.

    `kind` is "party", "when", "name", "tables", "waits" (for its press), "cancel" or "change".
    """

    kind: str
    at: float
    wish: Wish = field(default_factory=Wish)
    listed: tuple[TableOffer, ...] = ()
    every: tuple[TableOffer, ...] = ()
    offer: TableOffer | None = None
    booking: Booking | None = None
    fee: Money | None = None
    changed: Changed | None = None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Tables that fit a wish, the best first. `near` is what distances are from, in words."""

    every: list[TableOffer]
    wall: datetime
    near: str
    place: Point | None


@dataclass(slots=True)
class TablesSkill:
    """One user's tables; implements `Skill`.

    `elsewhere` tells whether a list is open that "a table for two" may belong to, at a moment.
    """

    user_id: str
    orders: Orders
    tables: TablesPort
    places: PlacesPort
    guests: GuestPort
    words: Words
    zone: ZoneInfo
    map: MapPort = field(default_factory=NoMap)
    elsewhere: Callable[[float], bool] = _quiet
    _asked: _Question | None = None
    _here: tuple[Point, float] | None = None
    """In memory alone: the last position that a device reported, and when."""
    _told: float = 0.0
    """When a booking was spoken of last: then "it" is that one."""
    _serial: int = 0
    _ordering: Ordering = field(init=False)
    _booked: Bookings = field(init=False)

    def __post_init__(self) -> None:
        mine: Callable[[OrderDraft], bool] = lambda x: x.table is not None  # noqa: E731
        self._ordering = Ordering(self.user_id, self.orders, mine, _alike)
        self._booked = Bookings(self._ordering, self.orders, self.tables)

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a whole utterance about a table, and the answer to its own question."""
        if self._asked is not None and heard.at - self._asked.at > KEPT_S:
            self._asked = None
        try:
            return await told(self._heard(heard), COSTLESS)
        except AlreadyPast:
            return Outcome(PAST)

    async def moved(self, report: PositionReported) -> Sequence[Cue]:
        """Where "near me" is."""
        self._here = ((report.lat, report.lon), report.at)
        return ()

    async def undo(self, turn: int) -> None:
        """Drop the order that this turn began; one that is paid for already stays."""
        self._asked = None
        await self._ordering.undo(turn)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """A table was chosen on the card."""
        row = ordering.pressed(action, cues.ACTION, self._serial)
        if row is None:
            return None
        asked = self._asked
        if asked is None or asked.kind != "tables" or not 0 <= row < len(asked.listed):
            return Outcome("Those tables are out of date. Ask me again.")
        return await told(self._begin(asked.listed[row], asked, None), COSTLESS)

    def tools(self) -> Sequence[Tool]:
        return TOOLS

    def hints(self) -> Sequence[str]:
        return ("table", "restaurant", "dinner for two", "the second one", "book a table")

    async def find(self, wish: Wish, at: float) -> Found:
        """Tables for a wish with a party and a time. Refused where there is none."""
        try:
            return await self._search(wish, at)
        except AlreadyPast:
            raise Refused(PAST, code="already_past") from None

    # What was heard. ------------------------------------------------------------------------------

    async def _heard(self, heard: Heard) -> Outcome | None:
        text = heard.words.text
        await self._settle(heard.at)
        asked = self._asked
        request = reading.read(text, self.words)
        if request is not None:
            outcome = await self._act(request, heard)
            if outcome is not None:
                return outcome
        if asked is not None and not heard.cart_open:
            answer = await self._answered(asked, heard)
            if answer is not None:
                return answer
        elif plain(text).startswith(CHANGES) and not heard.cart_open:
            wish = reading.refined(text, self.words)
            if wish is not None:
                return await self._change(Request("change", wish, sure=False), heard)
        return await self._ordering.about_waiting(heard)

    async def _settle(self, at: float) -> None:
        """What waited for its press waits no more: from now on "it" is what was booked."""
        asked = self._asked
        if asked is not None and asked.kind == "waits" and not await self._ordering.waiting():
            self._asked, self._told = None, at

    async def _act(self, request: Request, heard: Heard) -> Outcome | None:
        match request.act:
            case "book" | "times":
                return await self._wanted(request, heard)
            case "cancel":
                return await self._ask_cancel(request, heard)
            case "change" | "change_ask":
                return await self._change(request, heard)
            case "status":
                return await self._status(request, heard)
            case "guide":
                return await self._guide(heard)

    async def _wanted(self, request: Request, heard: Heard) -> Outcome | None:
        """A wish that may be about a piece of furniture is one only while nothing else is on."""
        asked, wish = self._asked, request.wish
        if request.act == "times" and asked is not None and asked.wish.party:
            wish = asked.wish.updated(replace(wish, any_time=True))
        elif not request.sure:
            busy = heard.cart_open or self.elsewhere(heard.at)
            if busy or request.act == "times" or wish.name or not await self.tables.companies():
                return None
        if wish.name and not request.wish.place and await own_place(self.places, wish.name):
            return None  # "dinner for two at the office" is for a courier
        return await self._plan(wish, heard.words.text, heard)

    # From words to tables. ------------------------------------------------------------------------

    async def _plan(self, wish: Wish, said: str, heard: Heard) -> Outcome:
        """Ask for the one thing that is missing, then the restaurants."""
        if not await self.tables.companies():
            return Outcome(NO_COMPANY)
        if not wish.party:
            self._asked = _Question("party", heard.at, wish, said=said)
            return Outcome(HOW_MANY)
        if wish.around is None or not (wish.timed or wish.any_time):
            self._asked = _Question("when", heard.at, wish, said=said)
            return Outcome("When?" if wish.when is None else "At what time?")
        # What is said next may still change the wish, even where nothing is found.
        asked = _Question("tables", heard.at, wish, said=said)
        self._asked = asked
        found = await self._search(wish, heard.at)
        offer = None if wish.any_time else choosing.exact(found.every, found.wall)
        if wish.name and offer is not None:
            return await self._begin(offer, asked, heard)
        single = choosing.restaurants(found.every) == 1
        listed = choosing.listed(found.every) if offer is None or not single else [offer]
        listed, near = await self._on_foot(listed, found)
        self._serial += 1
        self._asked = replace(asked, listed=tuple(listed), every=tuple(found.every))
        starts = {x.table.begins for x in found.every}
        count = len(starts) if single else choosing.restaurants(found.every)
        text = cues.offers_text(listed, count, found.wall, near)
        return Outcome(text, cues.offers_card(listed, near, self._serial))

    async def _on_foot(
        self, listed: list[TableOffer], found: Found
    ) -> tuple[list[TableOffer], str]:
        """The same with the ways that one walks, where there is a map; from what they are told."""
        place = found.place
        if place is None:
            return listed, found.near
        walks = await asyncio.gather(*(self.map.walk_m(place, _at(x)) for x in listed))
        if any(walk is None for walk in walks):
            return listed, found.near
        measured = [replace(x, distance_m=walk) for x, walk in zip(listed, walks, strict=True)]
        return measured, f"{found.near} on foot"

    async def _search(self, wish: Wish, at: float) -> Found:
        """Tables that are still to come, the best first. Refused where there are none."""
        said = wish.around
        if said is None:
            raise Refused("When?", code="unclear")
        moment = datetime.fromtimestamp(resolve(said, at, self.zone).due_at, self.zone)
        near = None if not wish.place else await self._point(wish.place, at)
        wanted = Wanted(
            wish.party,
            moment.date(),
            moment.time().replace(second=0, microsecond=0),
            TOLERANCE if wish.timed else ALL_DAY,
            cuisine=wish.cuisine or wish.name,
            near=near,
            place="" if near or wish.place == "here" else wish.place,
        )
        try:
            offers = await self._offers(wanted, wish)
        except Refused as error:
            if error.code != "no_table":
                raise
            offers = []
        ahead = [x for x in offers if x.table.starts.timestamp() > at]
        if not wish.place:
            ahead = await self._around(ahead, at)
        if not ahead:
            raise Refused(_none_at(wish, moment), code="no_table")
        place = "" if not wish.place else _near_words(wish.place)
        return Found(ahead, wanted.wall, place, near)

    async def _offers(self, wanted: Wanted, wish: Wish) -> list[TableOffer]:
        """A name that no restaurant has may be a place, as in "at the station", or misheard."""
        try:
            return await self.tables.search(wanted)
        except Refused as error:
            if error.code != "no_table" or not wish.name or wish.place:
                raise
            try:
                return await self.tables.search(replace(wanted, cuisine="", place=wish.name))
            except Refused:
                alike = choosing.called(wish.name, await self.tables.search(_any(wanted)))
                if not alike:
                    raise error from None
                return alike

    async def _around(self, offers: list[TableOffer], at: float) -> list[TableOffer]:
        """Those in the user's own town, if there are any; nobody is told where that is."""
        own = await self._whereabouts(at)
        if own is None:
            return offers
        near = [x for x in offers if distance_m(own, _at(x)) < AT_HOME_M]
        return near or offers

    async def _point(self, said: str, at: float) -> Point | None:
        """Where the place is that was said; None where only a company may know."""
        if said == "here":
            here = await self._whereabouts(at)
            if here is None:
                raise Refused("I do not know where you are. Say near what.", code="place_unknown")
            return here
        own = await own_place(self.places, said)
        return await self.map.point(said) if own is None else (own.latitude, own.longitude)

    async def _whereabouts(self, at: float) -> Point | None:
        if self._here is not None and at - self._here[1] < HERE_S:
            return self._here[0]
        home = await default_place(self.places)
        return None if home is None else (home.latitude, home.longitude)

    # From a table to an order. --------------------------------------------------------------------

    async def _begin(self, offer: TableOffer, asked: _Question, heard: Heard | None) -> Outcome:
        """Price it and ask, under a name."""
        guest = asked.wish.guest or await self.guests.full()
        if not guest:
            self._asked = replace(asked, kind="name", offer=offer)
            return Outcome("Under which name?")
        self._asked = replace(asked, kind="waits", listed=(), every=())
        return await self._ordering.begin(draft_of(offer, guest, asked.said), heard)

    # Answers to questions. ------------------------------------------------------------------------

    async def _answered(self, asked: _Question, heard: Heard) -> Outcome | None:
        """The answer to the last question; None when the words are about something else."""
        text = heard.words.text
        if asked.kind in ("cancel", "change"):
            return await self._settled(asked, text)
        if is_no(text):
            self._asked = None
            return await self._ordering.drop_waiting() or Outcome("All right.")
        match asked.kind:
            case "party":
                said = reading.party(text, self.words)
            case "when":
                said = reading.when(text, self.words, asked.wish.meal)
            case "name":
                return await self._named(asked, heard)
            case _:
                return await self._chosen(asked, heard)
        if said is None:
            return None
        return await self._plan(asked.wish.updated(said), asked.said, heard)

    async def _settled(self, asked: _Question, text: str) -> Outcome | None:
        """Yes or no to a cancellation, or to a change that costs nothing."""
        if not is_yes(text, "cancel it", "cancel", "change it"):
            if not is_no(text):
                return None
            self._asked = None
            return Outcome("All right, your table stays as it is.")
        self._asked = None
        if asked.kind == "cancel" and asked.booking is not None and asked.fee is not None:
            await self._booked.cancel(asked.booking, asked.fee)
        elif asked.changed is not None:
            await self._booked.change(asked.changed)
        return Outcome("I am telling the restaurant.")

    async def _named(self, asked: _Question, heard: Heard) -> Outcome | None:
        name = reading.guest(heard.words.text, self.words)
        if not name or asked.offer is None:
            return None
        await self.guests.keep_full(name)
        return await self._begin(asked.offer, asked, heard)

    async def _chosen(self, asked: _Question, heard: Heard) -> Outcome | None:
        """One of the list, or something else than was asked for."""
        text = heard.words.text
        pick = reading.picked(text, self.words)
        if pick is None and is_yes(text) and len(asked.listed) == 1:
            pick = Pick("nth", 1)
        offer = None if pick is None else choosing.choose(pick, asked.listed, asked.every)
        if offer is not None:
            return await self._begin(offer, asked, heard)
        wish = reading.refined(text, self.words)
        if wish is not None and (wish.place or not wish.name or asked.listed):
            return await self._plan(asked.wish.updated(wish), asked.said, heard)
        if asked.kind == "tables" and asked.listed and is_yes(text):
            return Outcome("Which one?")
        if pick is not None and pick.how != "name" and asked.listed:
            return Outcome("There is no such one in the list.")
        return None

    # A booked table. ------------------------------------------------------------------------------

    async def _find(self, request: Request, heard: Heard) -> Booking | None:
        booking = await self._booked.find(request.named, heard.at)
        if booking is not None:
            self._told = heard.at
        return booking

    async def _status(self, request: Request, heard: Heard) -> Outcome | None:
        booking = await self._find(request, heard)
        if booking is None:
            return Outcome(NONE_BOOKED) if request.sure else None
        return Outcome(cues.status(booking.status))

    async def _ask_cancel(self, request: Request, heard: Heard) -> Outcome | None:
        dropped = await self._ordering.drop_waiting()
        if dropped is not None:
            self._asked = None
            return dropped
        booking = await self._find(request, heard)
        if booking is None:
            return Outcome(NONE_BOOKED) if request.sure else None
        fee = booking.status.fee_now
        if fee is None:
            return Outcome("It cannot be cancelled any more.")
        self._asked = _Question("cancel", heard.at, booking=booking, fee=fee)
        return Outcome(cues.cancel_question(booking.status, booking.paid, fee))

    async def _change(self, request: Request, heard: Heard) -> Outcome | None:
        """Another time or party; "it" is a table only while one was spoken of."""
        asked, wish = self._asked, request.wish
        if asked is not None and asked.kind in ("tables", "waits") and request.act == "change":
            return await self._plan(asked.wish.updated(wish), asked.said, heard)
        if "it" in plain(heard.words.text).split() and heard.at - self._told > KEPT_S:
            return None
        booking = await self._find(request, heard)
        if booking is None:
            return Outcome(NONE_BOOKED) if request.sure else None
        if wish.name or wish.cuisine or wish.place:
            return Outcome("I can change the time and for how many. Else cancel it and ask anew.")
        if not (wish.when or wish.party):
            return Outcome("To when, or for how many? Say: make it eight, or: make it for three.")
        until = booking.status.table.cancellation.free_until
        if datetime.fromisoformat(until).timestamp() <= heard.at:
            return Outcome(cues.too_late(booking.status.table))
        found = await self._booked.price(booking, wish, heard.at)
        if found is None:
            return Outcome("There is no such table. Your booking stays as it is.")
        if found.change.owed.minor > 0:
            guest = booking.status.table.guest
            id = booking.order.merchant_order_id
            draft = draft_of(found.offer, guest, heard.words.text, id)
            return await self._ordering.begin(draft, heard)
        self._asked = _Question("change", heard.at, changed=found)
        return Outcome(cues.change_question(found.offer.table, found.change.owed))

    async def _guide(self, heard: Heard) -> Outcome | None:
        """The way to the booked table, while it is spoken of."""
        if heard.at - self._told > KEPT_S:
            return None
        booking = await self._booked.find("", heard.at)
        if booking is None:
            return None
        at = booking.status.address
        return await self.map.lead(Place(at.label, at.street, (at.latitude, at.longitude)))


def _at(offer: TableOffer) -> Point:
    return offer.address.latitude, offer.address.longitude


def _any(wanted: Wanted) -> Wanted:
    """The same, whatever the restaurant is called."""
    return replace(wanted, cuisine="")


def _none_at(wish: Wish, moment: datetime) -> str:
    """That nobody has what was asked for, with all of it, so that a wrong time is noticed."""
    food = f" with {wish.cuisine} food" if wish.cuisine else ""
    where = f" at {wish.name}" if wish.name else food
    near = f" near {_near_words(wish.place)}" if wish.place else ""
    when = times.spoken_day(moment) if wish.timed else times.day(moment)
    return f"There is no table for {words.count(wish.party)}{where}{near} on {when}."


def _near_words(said: str) -> str:
    """What distances are told from."""
    if said == "here":
        return "you"
    return said if said[:1].isupper() or said == "home" else f"the {said.removeprefix('the ')}"


def _alike(before: OrderDraft, after: OrderDraft) -> bool:
    """Whether the question may be asked anew in the same order."""
    one, other = before.table, after.table
    same = before.merchant_id == after.merchant_id
    return same and one is not None and other is not None and one.booking_id == other.booking_id
