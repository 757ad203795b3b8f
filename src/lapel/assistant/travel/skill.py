"""The dialogue about flights, trains and hotels: from the words to an order, and what is booked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import msgspec

from lapel.assistant import ordering
from lapel.assistant.ordering import NOT_BOOKED, Costless, Ordering, PlacesPort, told
from lapel.assistant.personal.language import Words
from lapel.assistant.politeness import is_no, is_yes
from lapel.assistant.skills import Heard, Outcome
from lapel.assistant.travel import choosing, cues, reading
from lapel.assistant.travel.booked import Booking, Bookings, Changed
from lapel.assistant.travel.choosing import Departure
from lapel.assistant.travel.ports import NamesPort, TravelPort
from lapel.assistant.travel.reading import Pick, Wish
from lapel.assistant.travel.tools import TOOLS
from lapel.brain.tools import Tool
from lapel.commerce import (
    Address,
    DraftLine,
    Journey,
    JourneyOffer,
    Money,
    Order,
    OrderDraft,
    Orders,
    Traveller,
    spoken,
)
from lapel.services.personal import AlreadyPast, When
from lapel.services.travel import Held, Wanted

KEPT_S = 300.0
"""A question that nobody answered for so long is forgotten; so is a list of offers."""
COSTLESS = Costless("The company does not answer.", "Nothing was booked or changed.")
PAST = "That has already passed. Tell me a day that is still to come."
NONE_BOOKED = {
    None: "You have nothing booked.",
    "flight": "You have no flight booked.",
    "train": "You have no train booked.",
    "stay": "You have no hotel booked.",
}


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked last.

    `kind` is "from", "to", "day", "name", "offers", "cancel" or "change".
    """

    kind: str
    at: float
    wish: Wish = field(default_factory=lambda: Wish("search"))
    listed: tuple[Departure, ...] = ()
    every: tuple[Departure, ...] = ()
    offer: JourneyOffer | None = None
    booking: Booking | None = None
    back: Money | None = None
    changed: Changed | None = None
    said: str = ""


class TravelSkill:
    """One user's journeys; implements `Skill`."""

    def __init__(
        self,
        user_id: str,
        orders: Orders,
        travel: TravelPort,
        places: PlacesPort,
        names: NamesPort,
        words: Words,
        zone: ZoneInfo,
    ) -> None:
        self._user_id = user_id
        self._orders = orders
        self._travel = travel
        self._places = places
        self._names = names
        self._words = words
        self._zone = zone
        self._booked = Bookings(user_id, orders, travel, zone)
        self._asked: _Question | None = None
        self._held: Held | None = None
        self._serial = 0
        self._ordering = Ordering(user_id, orders, lambda x: x.journey is not None, _alike)

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a whole utterance about a journey, and the answer to its own question."""
        text = heard.words.text
        if self._asked is not None and heard.at - self._asked.at > KEPT_S:
            self._asked = None
        try:
            return await told(self._heard(reading.read(text, self._words), heard), COSTLESS)
        except AlreadyPast:
            return Outcome(PAST)

    async def _heard(self, wish: Wish | None, heard: Heard) -> Outcome | None:
        outcome = None if wish is None else await self._act(wish, heard)
        if outcome is not None:
            return outcome
        if self._asked is not None and not heard.cart_open:
            return await self._answered(self._asked, heard)
        return await self._ordering.about_waiting(heard)

    async def undo(self, turn: int) -> None:
        """Drop the order that this turn began; one that is paid for already stays."""
        self._asked = None
        await self._ordering.undo(turn)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """A departure was chosen on the card."""
        row = ordering.pressed(action, cues.ACTION, self._serial)
        if row is None:
            return None
        asked = self._asked
        if asked is None or asked.kind != "offers" or not 0 <= row < len(asked.listed):
            return Outcome("Those offers are out of date. Ask me again.")
        offer = asked.listed[row].cheapest
        return await told(self._begin(offer, asked.said, asked.at, None), COSTLESS)

    def tools(self) -> Sequence[Tool]:
        return TOOLS

    def hints(self) -> Sequence[str]:
        return ("flight", "train", "hotel", "room", "flexible", "the second one", "hold it")

    # From words to offers. ------------------------------------------------------------------------

    async def _act(self, wish: Wish, heard: Heard) -> Outcome | None:
        match wish.act:
            case "search":
                return await self._plan(wish, heard)
            case "hold":
                return await self._hold(wish.pick, heard)
            case "book":
                return await self._book(wish.pick, heard)
            case "status":
                return await self._status(wish, heard)
            case "change" | "change_ask":
                return await self._change(wish, heard)
            case "cancel":
                return await self._ask_cancel(wish, heard)
            case _:
                return await self._after_disruption(wish, heard)

    async def _plan(self, wish: Wish, heard: Heard) -> Outcome:
        """Ask for what is missing, then the companies."""
        if not wish.destination:
            self._asked = _Question("to", heard.at, wish)
            return Outcome("In which city?" if wish.kind == "stay" else "Where to?")
        if wish.kind != "stay" and not wish.origin:
            home = await home_city(self._places)
            if home == "" or home.casefold() == wish.destination.casefold():
                self._asked = _Question("from", heard.at, wish)
                return Outcome("Where from?")
            wish = replace(wish, origin=home)
        if wish.when is None:
            self._asked = _Question("day", heard.at, wish)
            return Outcome("From which day?" if wish.kind == "stay" else "On which day?")
        return await self._offer(wish, heard)

    async def _offer(self, wish: Wish, heard: Heard) -> Outcome:
        if wish.when is None or wish.kind is None:
            return Outcome("On which day?")
        wanted = choosing.asked(wish.when, heard.at, self._zone)
        nights = wish.nights or 1
        if wish.till is not None:
            nights = choosing.nights(wanted.day, wish.till, heard.at, self._zone)
        if not 1 <= nights <= reading.LONGEST_STAY:
            return Outcome("A stay is from one to fourteen nights.")
        self._asked = None
        if not await self._travel.sells(wish.kind):
            return Outcome("I know no company that sells that. Add one with: lapel merchants add.")
        found = choosing.departures(
            await self._travel.search(
                Wanted(wish.kind, wish.destination, wanted.day, wish.origin, nights)
            )
        )
        if not found:
            return Outcome("Nothing is left on that day.")
        every, note = choosing.fitting(found, wanted), ""
        if not every:
            every, note = found, f"Nothing in the {wanted.part}."
        if wish.fare:
            every = [x for x in every if choosing.choose(Pick("fare", fare=wish.fare), (), (x,))]
            if not every:
                return Outcome("Nothing flexible is left on that day.")
        listed = choosing.shown(every)
        self._serial += 1
        self._asked = _Question(
            "offers",
            heard.at,
            wish,
            tuple(listed),
            tuple(every),
            said=heard.words.text,
        )
        text = cues.offers_text(listed, len(every), note)
        return Outcome(text, cues.offers_card(listed, self._serial))

    # From an offer to an order. -------------------------------------------------------------------

    async def _hold(self, pick: Pick | None, heard: Heard) -> Outcome | None:
        """Keep one of the list, or the one that is being asked about."""
        waiting = await self._ordering.waiting()
        offer = self._meant(pick)
        if offer is None and pick is None and waiting is not None:
            offer = await self._asked_about(waiting)
        if offer is None:
            return self._which(pick)
        key = f"{self._user_id}:hold:{offer.journey.offer_id}:{heard.at:.0f}"
        if waiting is not None:
            await self._orders.cancel(waiting.id)
        self._held = await self._travel.hold(offer, key)
        self._asked = None
        return Outcome(cues.held(self._held, self._zone))

    async def _book(self, pick: Pick | None, heard: Heard) -> Outcome | None:
        held = self._held
        if pick is None and held is not None and self._asked is None:
            self._held = None
            if held.expires_at <= heard.at:
                return Outcome("The hold has run out. Ask me again.")
            return await self._begin(held.offer, heard.words.text, heard.at, heard, held.id)
        offer = self._meant(pick)
        if offer is None:
            if pick is None and await self._ordering.waiting() is not None:
                return Outcome(NOT_BOOKED)
            return self._which(pick)
        said = self._asked.said if self._asked else heard.words.text
        return await self._begin(offer, said, heard.at, heard)

    def _which(self, pick: Pick | None) -> Outcome | None:
        """Nothing to take; None when the words may be about something else."""
        if self._asked is None or self._asked.kind != "offers":
            return None
        return Outcome("Which one?" if pick is None else "There is no such one in the list.")

    def _meant(self, pick: Pick | None) -> JourneyOffer | None:
        asked = self._asked
        if asked is None or asked.kind != "offers":
            return None
        if pick is None:
            return asked.listed[0].cheapest if len(asked.listed) == 1 else None
        fare = pick.fare or asked.wish.fare
        return choosing.choose(replace(pick, fare=fare), asked.listed, asked.every)

    async def _asked_about(self, order: Order) -> JourneyOffer | None:
        """What an order that waits for its press would book."""
        journey, checkout = order.draft.journey, order.checkout
        if journey is None or journey.is_change or checkout is None:
            return None
        bare = msgspec.structs.replace(journey, travellers=())
        return JourneyOffer(order.merchant_id, checkout.merchant_name, bare, checkout.total)

    async def _begin(
        self,
        offer: JourneyOffer,
        said: str,
        at: float,
        heard: Heard | None,
        hold_id: str = "",
    ) -> Outcome:
        """Price it and ask. What waited for an answer about a journey before is replaced."""
        traveller = await self._names.traveller()
        if traveller is None:
            self._asked = _Question("name", at, offer=offer, said=said)
            return Outcome("Under which name? Say your first and last name.")
        journey = msgspec.structs.replace(offer.journey, travellers=(traveller,))
        return await self._order(offer.merchant_id, journey, said, heard, hold_id)

    async def _order(
        self,
        merchant_id: str,
        journey: Journey,
        said: str,
        heard: Heard | None,
        hold_id: str = "",
    ) -> Outcome:
        self._asked = None
        draft = draft_of(merchant_id, journey, said, hold_id)
        return await self._ordering.begin(draft, heard)

    # Answers to questions. ------------------------------------------------------------------------

    async def _answered(self, asked: _Question, heard: Heard) -> Outcome | None:
        """The answer to the last question; None when the words are about something else."""
        text = heard.words.text
        kept = asked.kind in ("cancel", "change")
        if kept and is_yes(text, "cancel it", "change it"):
            return await self._agreed(asked)
        if is_no(text):
            self._asked = None
            return Outcome("All right, your booking stays as it is." if kept else "All right.")
        match asked.kind:
            case "to" | "from":
                place = reading.place(text, self._words)
                if place is None:
                    return None
                other = "destination" if asked.kind == "to" else "origin"
                return await self._plan(replace(asked.wish, **{other: place}), heard)
            case "day":
                said = reading.when(text, self._words)
                return None if said is None else await self._on_day(asked, said, heard)
            case "name":
                return await self._named(asked, heard)
            case "offers":
                pick = reading.picked(text, self._words)
                if pick is not None:
                    return await self._book(pick, heard)
                return await self._book(None, heard) if is_yes(text) else None
            case _:
                return None

    async def _on_day(self, asked: _Question, said: When, heard: Heard) -> Outcome | None:
        wish = replace(asked.wish, when=said)
        if wish.act == "search":
            return await self._plan(wish, heard)
        return await self._change(replace(wish, act="change"), heard)

    async def _named(self, asked: _Question, heard: Heard) -> Outcome | None:
        found: Traveller | None = reading.traveller(heard.words.text, self._words)
        if found is None or asked.offer is None:
            return None
        await self._names.keep(found)
        return await self._begin(asked.offer, asked.said, heard.at, heard)

    async def _agreed(self, asked: _Question) -> Outcome:
        """Yes to a cancellation, or to a change that costs nothing."""
        self._asked = None
        if asked.kind == "cancel" and asked.booking is not None and asked.back is not None:
            await self._booked.cancel(asked.booking, asked.back)
        elif asked.changed is not None:
            await self._booked.change(asked.changed)
        return Outcome("I am telling the company.")

    # A booked journey. ----------------------------------------------------------------------------

    async def _status(self, wish: Wish, heard: Heard) -> Outcome:
        booking = await self._booked.find(wish.kind, heard.at)
        if booking is None:
            return Outcome(NONE_BOOKED[wish.kind])
        return Outcome(cues.status(booking.status))

    async def _change(self, wish: Wish, heard: Heard) -> Outcome | None:
        booking = await self._booked.find(wish.kind, heard.at)
        if booking is None:  # "change it to Friday" may be said of anything
            return None if wish.kind is None else Outcome(NONE_BOOKED[wish.kind])
        if booking.status.change_fee is None:
            return Outcome("By its fare it cannot be changed any more.")
        if wish.when is None:
            self._asked = _Question("day", heard.at, wish)
            return Outcome("To which day?")
        found = await self._booked.price(booking, wish.when, heard.at)
        if found is None:
            return Outcome("Nothing is left on that day. Your booking stays as it is.")
        return await self._ask_change(found, heard)

    async def _ask_change(self, found: Changed, heard: Heard) -> Outcome:
        """What costs something is an order of its own; the rest is asked here."""
        if found.change.owed.minor > 0:
            said, merchant_id = heard.words.text, found.booking.order.merchant_id
            return await self._order(merchant_id, found.journey, said, heard)
        self._asked = _Question("change", heard.at, booking=found.booking, changed=found)
        return Outcome(cues.change_question(found.journey, found.change))

    async def _ask_cancel(self, wish: Wish, heard: Heard) -> Outcome:
        dropped = await self._ordering.drop_waiting()
        if dropped is not None:
            return dropped
        booking = await self._booked.find(wish.kind, heard.at)
        if booking is None:
            return Outcome(NONE_BOOKED[wish.kind])
        back = booking.status.refund_now or Money(0, booking.paid.currency)
        self._asked = _Question("cancel", heard.at, booking=booking, back=back)
        paid = max(booking.paid, back, key=lambda amount: amount.minor)
        return Outcome(cues.cancel_question(booking.status.journey, paid, back))

    async def _after_disruption(self, wish: Wish, heard: Heard) -> Outcome | None:
        """Another departure for nothing, or the money, once the company has called it off."""
        booking = await self._booked.find(wish.kind, heard.at)
        if booking is None:
            return None
        if wish.act == "refund":
            return await self._ask_cancel(wish, heard)
        if not booking.status.choices:
            return Outcome("It is not called off. Tell me the day to change it to.")
        found = await self._booked.price_offer(booking, booking.status.choices[0])
        if found.change.owed.minor > 0:
            cost = spoken(found.change.owed)
            return Outcome(f"The company asks {cost} for that. Say, refund it, to get it all back.")
        return await self._ask_change(found, heard)


def _alike(before: OrderDraft, after: OrderDraft) -> bool:
    """Whether the question may be asked anew in the same order."""
    one, other = before.journey, after.journey
    same = before.merchant_id == after.merchant_id
    return same and one is not None and other is not None and one.booking_id == other.booking_id


def _address(journey: Journey) -> Address:
    """Where it leads, as an order's address."""
    to = journey.destination
    return Address(to.city, to.name, to.city, "", to.country, 0.0, 0.0)


def draft_of(merchant_id: str, journey: Journey, said: str, hold_id: str = "") -> OrderDraft:
    """The order of a journey for its travellers."""
    return OrderDraft(
        merchant_id=merchant_id,
        lines=(DraftLine(journey.offer_id, f"{journey.number}, {journey.fare.title}", 1),),
        address=_address(journey),
        said=said,
        journey=journey,
        hold_id=hold_id,
    )


async def home_city(known: PlacesPort) -> str:
    """The city of the default address, or the one that all of them are in."""
    places = await known.all()
    cities = {address.city for address, _, _ in places}
    only = next(iter(cities)) if len(cities) == 1 else ""
    return next((address.city for address, _, default in places if default), only)
