"""A flight, a train or a stay as a part of a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import msgspec

from lapel.assistant.ordering import PlacesPort
from lapel.assistant.parts import Around, Asks, Made
from lapel.assistant.personal.language import Words
from lapel.assistant.travel import choosing, cues, reading
from lapel.assistant.travel.choosing import Departure
from lapel.assistant.travel.ports import NamesPort, TravelPort
from lapel.assistant.travel.reading import Pick, Wish
from lapel.assistant.travel.skill import PAST, draft_of, home_city
from lapel.commerce import JourneyOffer, Refused, Traveller
from lapel.commerce import journey_words as words_of
from lapel.services.personal import AlreadyPast
from lapel.services.travel import Wanted


@dataclass(frozen=True, slots=True)
class JourneyWish:
    """What was said, the offer that was chosen since, and the name that was given."""

    wish: Wish
    offer: JourneyOffer | None = None
    traveller: Traveller | None = None


@dataclass(frozen=True, slots=True)
class JourneyMaker:
    """Implements `Maker`. The departure that was named is taken, any other is asked about."""

    travel: TravelPort
    places: PlacesPort
    names: NamesPort
    words: Words
    zone: ZoneInfo

    def reads(self, said: str) -> tuple[JourneyWish, ...]:
        found = reading.read(said, self.words)
        if found is None or found.act != "search" or found.kind is None:
            return ()
        return (JourneyWish(found),)

    async def make(self, wish: JourneyWish, around: Around) -> Made | Asks:
        if wish.offer is None:
            whole = await self._whole(wish)
            if isinstance(whole, Asks):
                return whole
            found = await self._choose(whole, around)
            if isinstance(found, Asks):
                return found
            wish = replace(whole, offer=found)
        traveller = wish.traveller or await self.names.traveller()
        if traveller is None:
            return Asks("Under which name? Say your first and last name.", self._named(wish))
        if wish.traveller is not None:
            await self.names.keep(wish.traveller)
        assert wish.offer is not None
        offer = wish.offer
        journey = msgspec.structs.replace(offer.journey, travellers=(traveller,))
        draft = draft_of(offer.merchant_id, journey, around.said)
        title = words_of.title(journey)
        return Made(title, draft, begins=journey.departs, ends=journey.arrives)

    async def _whole(self, asked: JourneyWish) -> JourneyWish | Asks:
        """With both ends and a day."""
        wish = asked.wish
        if not wish.destination:
            return Asks("Where to?", lambda said: self._ended(asked, "destination", said))
        if wish.kind != "stay" and not wish.origin:
            home = await home_city(self.places)
            if home == "" or home.casefold() == wish.destination.casefold():
                return Asks("Where from?", lambda said: self._ended(asked, "origin", said))
            wish = replace(wish, origin=home)
        if wish.when is None:
            return Asks("On which day?", lambda said: self._timed(asked, said))
        return replace(asked, wish=wish)

    async def _choose(self, asked: JourneyWish, around: Around) -> JourneyOffer | Asks:
        wish = asked.wish
        if wish.when is None or wish.kind is None:
            raise Refused("On which day?", code="unclear")
        try:
            wanted = choosing.asked(wish.when, around.at, self.zone)
            nights = wish.nights or 1
            if wish.till is not None:
                nights = choosing.nights(wanted.day, wish.till, around.at, self.zone)
        except AlreadyPast:
            raise Refused(PAST, code="already_past") from None
        place = Wanted(wish.kind, wish.destination, wanted.day, wish.origin, nights)
        found = choosing.departures(await self.travel.search(place))
        every = choosing.fitting(found, wanted) if found else []
        if wish.fare:
            every = [x for x in every if choosing.choose(Pick("fare", fare=wish.fare), (), (x,))]
        if not every:
            raise Refused("Nothing is left then.", code="sold_out")
        named = [x for x in every if wanted.clock and x.begins.time() == wanted.clock]
        if len(named) == 1 or len(every) == 1:
            offer = choosing.choose(Pick("fare", fare=wish.fare), (), named or every)
            if offer is not None:
                return offer
        listed = choosing.shown(every)
        text = cues.offers_text(listed, len(every), "")
        labels = tuple(cues.label(x.cheapest.journey) for x in listed)
        return Asks(text, lambda said: self._picked(asked, listed, every, said), labels)

    # Answers. -------------------------------------------------------------------------------------

    def _picked(
        self, asked: JourneyWish, listed: list[Departure], every: list[Departure], said: str
    ) -> JourneyWish | None:
        pick = reading.picked(said, self.words)
        if pick is None:
            named = [x for x in listed if cues.label(x.cheapest.journey) == said]
            return replace(asked, offer=named[0].cheapest) if len(named) == 1 else None
        fare = pick.fare or asked.wish.fare
        offer = choosing.choose(replace(pick, fare=fare), listed, every)
        return None if offer is None else replace(asked, offer=offer)

    def _ended(self, asked: JourneyWish, end: str, said: str) -> JourneyWish | None:
        place = reading.place(said, self.words)
        return None if place is None else replace(asked, wish=replace(asked.wish, **{end: place}))

    def _timed(self, asked: JourneyWish, said: str) -> JourneyWish | None:
        when = reading.when(said, self.words)
        return None if when is None else replace(asked, wish=replace(asked.wish, when=when))

    def _named(self, asked: JourneyWish):
        def read(said: str) -> JourneyWish | None:
            traveller = reading.traveller(said, self.words)
            return None if traveller is None else replace(asked, traveller=traveller)

        return read
