"""The dialogue about rides: from the words to an order, and what is done with a booked one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from lapel.assistant import ordering
from lapel.assistant.ordering import (
    NOT_BOOKED,
    Costless,
    Ordering,
    PlacesPort,
    told,
)
from lapel.assistant.politeness import is_no, is_yes, plain
from lapel.assistant.rides import cues, grammar
from lapel.assistant.rides.booked import RECENT_S, Booked, Ride, RidesPort, meant
from lapel.assistant.rides.grammar import (
    AskRide,
    AskStatus,
    CancelRide,
    ChangeDestination,
    ChangeTime,
    Tip,
    Wish,
)
from lapel.assistant.rides.offering import (
    Ends,
    draft_of,
    estimate,
    part_of_plan,
    same_place,
)
from lapel.assistant.rides.times import answered, completed, is_vague
from lapel.assistant.rides.tools import TOOLS
from lapel.assistant.skills import Heard, Outcome
from lapel.brain.tools import Tool
from lapel.commerce import (
    Address,
    DraftLine,
    Money,
    NewPart,
    Order,
    OrderDraft,
    Orders,
    OrderState,
    Trip,
)
from lapel.commerce.words import place
from lapel.devices import Cue, PositionReported
from lapel.services import RideOffer
from lapel.services.personal import AlreadyPast
from lapel.services.rides import CHANGE, TIME, TIP

KEPT_S = 120.0
"""A question that nobody answered for so long is forgotten."""
RIDDEN = frozenset({OrderState.PLACED, OrderState.DELIVERED})
TIP_WITHIN_S = 24 * 3600.0
MOST_TIP = 10_000
MOST_TOLD = 3
NONE: Mapping[type, str] = {
    CancelRide: "There is no ride to cancel.",
    ChangeTime: "You have no ride booked for later.",
    ChangeDestination: "You have no ride under way.",
    AskStatus: "You have no ride under way.",
}
_EXTRAS = {CHANGE: "Change of destination", TIME: "Change of time", TIP: "Tip"}
TELLING = "I am telling the ride company."
"""What comes of it is news of the order."""
COSTLESS = Costless("The ride company does not answer.", "Nothing was booked.")


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked last: `kind` is "to", "from", "when", "class", "which", "cancel" or "tip".

    `fees` are what canceling each of `rides` costs; `then` is what "which" is asked for.
    """

    kind: str
    at: float
    wish: AskRide = field(default_factory=AskRide)
    pickup: Address | None = None
    destination: Address | None = None
    offers: tuple[RideOffer, ...] = ()
    rides: tuple[Ride, ...] = ()
    fees: tuple[Money, ...] = ()
    then: CancelRide | ChangeTime | ChangeDestination | None = None
    said: str = ""


@dataclass(slots=True)
class RideSkill:
    """One user's rides; implements `Skill`."""

    user_id: str
    orders: Orders
    rides: RidesPort
    places: PlacesPort
    clock: Callable[[], float] = time.time
    _asked: _Question | None = None
    _serial: int = 0
    _spoken_of: tuple[str, float] = ("", 0.0)
    """The booked ride that was talked about last, by its order, and when."""
    _ordering: Ordering = field(init=False)
    _booked: Booked = field(init=False)
    _ends: Ends = field(init=False)

    def __post_init__(self) -> None:
        self._ordering = Ordering(self.user_id, self.orders, lambda x: x.trip is not None, _alike)
        self._booked = Booked(self.orders, self.rides, self._ordering, self.clock)
        self._ends = Ends(self.places, self.rides, self.clock)

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a whole utterance about a ride, and the answer to its own question."""
        text = heard.words.text
        asked = self._asked
        if asked is not None and heard.at - asked.at > KEPT_S:
            asked = self._asked = None
        wish = grammar.read(text)
        if asked is not None and asked.kind == "which" and wish is not None:
            # "The ride home" asks for one, except as the answer to which one is meant.
            outcome = await told(self._which(asked, heard, sure=True), COSTLESS, AlreadyPast)
            if outcome is not None:
                return outcome
        if isinstance(wish, ChangeTime) and wish.it:
            return await told(self._its_time(wish, asked, heard), COSTLESS, AlreadyPast)
        if wish is not None:
            self._asked = None
            return await told(self._act(wish, heard), COSTLESS, AlreadyPast)
        if asked is not None and not heard.cart_open:
            return await told(self._answered(asked, heard), COSTLESS, AlreadyPast)
        return await told(self._ordering.about_waiting(heard), COSTLESS)

    async def moved(self, report: PositionReported) -> Sequence[Cue]:
        """A ride without "from" begins where its user is, if that is known well enough."""
        self._ends.moved(report)
        return ()

    async def undo(self, turn: int) -> None:
        """Drop the order that this turn began; one that is paid for already stays."""
        self._asked = None
        await self._ordering.undo(turn)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """A class or a booked ride was chosen on the card."""
        asked = self._asked
        which = ordering.pressed(action, "which", self._serial)
        if which is not None:
            if asked is None or asked.then is None or not 0 <= which < len(asked.rides):
                return Outcome("That question is out of date. Ask me again.")
            doing = self._do(asked.then, [asked.rides[which]], asked.said, self.clock(), None)
            return await told(doing, COSTLESS, AlreadyPast)
        row = ordering.pressed(action, "ride", self._serial)
        if row is None:
            return None
        if asked is None or asked.kind != "class" or not 0 <= row < len(asked.offers):
            return Outcome("Those prices are out of date. Ask me again.")
        return await told(self._book(asked, asked.offers[row], None), COSTLESS)

    def tools(self) -> Sequence[Tool]:
        return TOOLS

    def hints(self) -> Sequence[str]:
        return ("ride", "taxi", "economy", "comfort", "van", "driver", "destination", "tip")

    # From words to an order. ----------------------------------------------------------------------

    async def _act(self, wish: Wish, heard: Heard) -> Outcome | None:
        match wish:
            case AskRide():
                return await self._plan(wish, None, None, heard)
            case CancelRide() | ChangeDestination():
                return await self._of_booked(wish, heard)
            case ChangeTime():
                waiting = await self._ordering.waiting()
                trip = None if waiting is None else waiting.draft.trip
                if waiting is not None and trip is not None and trip.kind == "ride":
                    return await self._revise(waiting, trip, wish, heard)
                return await self._of_booked(wish, heard)
            case Tip(minor=minor):
                return await self._tip(minor, heard)
            case AskStatus():
                return await self._status(wish, heard)

    async def _plan(
        self, wish: AskRide, pickup: Address | None, destination: Address | None, heard: Heard
    ) -> Outcome:
        """Find both ends, ask for the one that is missing, then for the prices."""
        now, said = heard.at, heard.words.text
        if destination is None and wish.destination:
            destination = await self._ends.find(wish.destination)
            if destination is None:
                self._asked = _Question("to", now, wish, pickup)
                return Outcome(f"I do not know {wish.destination}. Where do you want to go?")
        if destination is None:
            self._asked = _Question("to", now, wish, pickup)
            return Outcome("Where to?")
        if pickup is None and wish.pickup:
            pickup = await self._ends.find(wish.pickup)
            if pickup is None:
                self._asked = _Question("from", now, wish, None, destination)
                unknown = "where you are" if wish.pickup == "here" else wish.pickup
                return Outcome(f"I do not know {unknown}. Where shall they pick you up?")
        pickup = pickup or await self._ends.usual(wish)
        if pickup is None or same_place(pickup, destination):
            self._asked = _Question("from", now, wish, None, destination)
            return Outcome("Where shall they pick you up?")
        if is_vague(wish.at):
            self._asked = _Question("when", now, wish, pickup, destination)
            return Outcome("At what time?")
        asked = _Question("class", now, wish, pickup, destination, said=said)
        return await self._offer(asked, heard)

    async def _offer(self, asked: _Question, heard: Heard) -> Outcome:
        pickup, destination = asked.pickup, asked.destination
        if pickup is None or destination is None:
            return Outcome("Where to?")
        found = await estimate(self.rides, asked.wish, pickup, destination)
        if not found:
            return Outcome("I know no ride company yet. Add one with: lapel merchants add.")
        offers = tuple(offer for offer in found if offer.to_be_had)
        if not offers:
            when = cues.when(found[0].pickup_at, heard.at) if found[0].pickup_at else "right now"
            return Outcome(f"{found[0].merchant_name} has no driver free {when}.")
        self._serial += 1
        asked = replace(asked, offers=offers)
        self._asked = asked
        if asked.wish.ride_class and not asked.wish.price:
            index = grammar.chosen(asked.wish.ride_class, [offer.id for offer in offers])
            if index is not None:
                return await self._book(asked, offers[index], heard)
        at = offers[0].pickup_at
        when = f", {cues.when(at, heard.at)}" if at else ""
        way = f"From {place(pickup)} to {place(destination)}{when}"
        card = cues.offers_card(offers, f"{way}.", self._serial)
        return Outcome(cues.offers_text(offers, way), card)

    async def titled(
        self,
        wish: AskRide,
        said: str,
        *,
        pickup: Address | None = None,
        destination: Address | None = None,
    ) -> NewPart:
        """The ride as a part of a plan: of the class that was named, else of the cheapest.

        `pickup` and `destination` are places that are known already. Refused where something would
        have to be asked first.
        """
        known = (pickup, destination)
        return await part_of_plan(self.rides, self._ends, wish, said, known, self.clock())

    async def _book(self, asked: _Question, offer: RideOffer, heard: Heard | None) -> Outcome:
        if asked.pickup is None or asked.destination is None:
            return Outcome("Where to?")
        self._asked = None
        draft = draft_of(offer, asked.pickup, asked.destination, asked.said)
        return await self._ordering.begin(draft, heard)

    async def _answered(self, asked: _Question, heard: Heard) -> Outcome | None:
        """The answer to the last question; None when the words are about something else."""
        text = heard.words.text
        if asked.kind == "cancel" and is_yes(text, "cancel it", "cancel the ride", "cancel them"):
            self._asked = None
            for ride, fee in zip(asked.rides, asked.fees, strict=True):
                await self._booked.cancel(ride, fee)
            return Outcome(TELLING)
        if is_no(text):
            self._asked = None
            return Outcome("All right, the ride stays as it is." if asked.rides else "All right.")
        match asked.kind:
            case "to" | "from":
                return await self._end(asked, heard)
            case "when":
                return await self._timed(asked, heard)
            case "which":
                return await self._which(asked, heard)
            case "class":
                return await self._class(asked, heard)
            case "cancel":
                return None
            case _:
                minor = grammar.amount(text)
                return None if minor is None else await self._tip(minor, heard)

    async def _end(self, asked: _Question, heard: Heard) -> Outcome | None:
        said = grammar.as_place(heard.words.text, after=asked.kind)
        found = None if said is None else await self._ends.find(said)
        if found is None:
            return None
        self._asked = None
        if asked.kind == "to":
            return await self._plan(asked.wish, asked.pickup, found, heard)
        return await self._plan(asked.wish, found, asked.destination, heard)

    async def _timed(self, asked: _Question, heard: Heard) -> Outcome | None:
        said = answered(plain(heard.words.text))
        at = None if said is None else completed(asked.wish.at, said)
        if at is None or is_vague(at):
            return None
        wish = replace(asked.wish, at=at)
        return await self._plan(wish, asked.pickup, asked.destination, heard)

    async def _class(self, asked: _Question, heard: Heard) -> Outcome | None:
        text = heard.words.text
        index = grammar.chosen(text, [offer.id for offer in asked.offers])
        if index is None and is_yes(text):
            if len(asked.offers) > 1:
                return Outcome("Which one? " + _names(asked.offers))
            index = 0
        return None if index is None else await self._book(asked, asked.offers[index], heard)

    # A booked ride. -------------------------------------------------------------------------------

    async def _of_booked(
        self, wish: CancelRide | ChangeTime | ChangeDestination, heard: Heard
    ) -> Outcome:
        """Find out which ride is meant, and do it."""
        is_cancel = isinstance(wish, CancelRide)
        if is_cancel and wish == CancelRide():
            dropped = await self._ordering.drop_waiting()
            if dropped is not None:
                return dropped
        rides = await self._booked.all()
        if isinstance(wish, ChangeTime):
            rides = [ride for ride in rides if ride.ahead]
        found = meant(rides, wish.place, wish.at, heard.at) if is_cancel else rides
        if not found:
            return Outcome("There is no such ride." if rides else NONE[type(wish)])
        current = [ride for ride in found if not ride.ahead]
        if isinstance(wish, ChangeDestination) and current:
            found = current[:1]  # whoever sits in a car means that one
        if len(found) > 1 and not (is_cancel and wish.every):
            self._serial += 1
            said, now = heard.words.text, heard.at
            self._asked = _Question("which", now, rides=tuple(found), then=wish, said=said)
            named = [_named(ride, heard.at) for ride in found]
            return Outcome(cues.which_text(named), cues.which_card(named, self._serial))
        return await self._do(wish, found, heard.words.text, heard.at, heard)

    async def _which(self, asked: _Question, heard: Heard, *, sure: bool = False) -> Outcome | None:
        """The answer to which of several rides was meant; None when it is none.

        What fits none of them is asked again, except where it has to be `sure`.
        """
        said = grammar.which(heard.words.text, len(asked.rides))
        if said is None or asked.then is None:
            return None
        rides = list(asked.rides)
        found = rides if said.every else meant(rides, said.place, said.at, heard.at)
        if said.nth is not None:
            found = [rides[said.nth]]
        if len(found) != 1 and not (said.every and isinstance(asked.then, CancelRide)):
            if sure:
                return None
            return Outcome(cues.which_text([_named(ride, heard.at) for ride in asked.rides]))
        self._asked = None
        return await self._do(asked.then, found, asked.said, heard.at, heard)

    async def _do(
        self,
        wish: CancelRide | ChangeTime | ChangeDestination,
        rides: Sequence[Ride],
        said: str,
        now: float,
        heard: Heard | None,
    ) -> Outcome:
        self._spoken_of = (rides[0].order.id, now)
        match wish:
            case CancelRide():
                return await self._ask_cancel(rides, now)
            case ChangeDestination(place=where):
                return await self._change(rides[0], where, said, now, heard)
            case ChangeTime():
                return await self._put_off(rides[0], wish, said, now, heard)

    async def _ask_cancel(self, rides: Sequence[Ride], now: float) -> Outcome:
        fees = tuple([await self._booked.fee_now(ride) for ride in rides])
        self._asked = _Question("cancel", now, rides=tuple(rides), fees=fees)
        which = f"your {_named(rides[0], now)}" if rides[0].ahead else "your ride"
        if len(rides) > 1:
            which = f"your {len(rides)} rides"
        return Outcome(cues.cancel_question(sum(fees[1:], fees[0]), which))

    async def _change(
        self, ride: Ride, where: str, said: str, now: float, heard: Heard | None
    ) -> Outcome:
        order, to = ride.order, await self._ends.find(where)
        if to is None:
            return Outcome(f"I do not know {where}. The destination stays as it is.")
        if not (await self._booked.redirect(ride, to)).minor:
            return Outcome(TELLING)
        trip = Trip("change", to, ride_id=order.merchant_order_id)
        return await self._ordering.begin(_extra(order, CHANGE, trip, said), heard)

    async def _put_off(
        self, ride: Ride, wish: ChangeTime, said: str, now: float, heard: Heard | None
    ) -> Outcome:
        order, trip = ride.order, ride.trip
        at = await self._booked.another_time(order.merchant_id, trip.pickup_at, wish)
        if not (await self._booked.put_off(ride, at)).minor:
            return Outcome(TELLING)
        later = Trip("time", trip.destination, ride_id=order.merchant_order_id, pickup_at=at)
        return await self._ordering.begin(_extra(order, TIME, later, said), heard)

    async def _its_time(
        self, wish: ChangeTime, asked: _Question | None, heard: Heard
    ) -> Outcome | None:
        """Another time for the prices that are shown, for what waits for a press, or for the ride
        that was spoken of last. None where there is none of them.
        """
        if heard.cart_open:
            return None
        if asked is not None and asked.kind == "class":
            offer = asked.offers[0]
            at = await self._booked.another_time(offer.merchant_id, offer.pickup_at, wish)
            moved = replace(asked.wish, at=datetime.fromisoformat(at), arrives=False)
            return await self._plan(moved, asked.pickup, asked.destination, heard)
        waiting = await self._ordering.waiting()
        trip = None if waiting is None else waiting.draft.trip
        if waiting is not None and trip is not None and trip.kind == "ride":
            return await self._revise(waiting, trip, wish, heard)
        spoken_of, at_s = self._spoken_of
        rides = [ride for ride in await self._booked.all() if ride.ahead]
        ride = next((ride for ride in rides if ride.order.id == spoken_of), None)
        if ride is None or heard.at - at_s > RECENT_S:
            ride = await self._booked.recent(heard.at)
        if ride is None:
            return None
        self._asked = None
        return await self._do(wish, [ride], heard.words.text, heard.at, heard)

    async def _revise(self, order: Order, trip: Trip, wish: ChangeTime, heard: Heard) -> Outcome:
        """Another time for what waits for a press: its price is asked for anew."""
        at = await self._booked.another_time(order.merchant_id, trip.pickup_at, wish)
        later = msgspec.structs.replace(trip, pickup_at=at)
        draft = msgspec.structs.replace(order.draft, trip=later, said=heard.words.text)
        return await self._ordering.begin(draft, heard)

    async def _tip(self, minor: int | None, heard: Heard) -> Outcome | None:
        order = await self._last_ride(heard.at)
        if order is None:
            return Outcome("There is no driver to tip.")
        if minor is None:
            self._asked = _Question("tip", heard.at)
            return Outcome("How much?")
        if not 0 < minor <= MOST_TIP:
            return Outcome("A tip is at most a hundred euros.")
        self._asked = None
        trip = Trip("tip", order.draft.address, ride_id=order.merchant_order_id, tip=minor)
        draft = _extra(order, TIP, trip, heard.words.text)
        return await self._ordering.begin(draft, heard)

    async def _status(self, wish: AskStatus, heard: Heard) -> Outcome:
        if await self._ordering.waiting() is not None:
            return Outcome(NOT_BOOKED)
        rides = await self._booked.all()
        ahead = [ride for ride in rides if ride.ahead]
        parts = [await self._now(ride) for ride in rides if not ride.ahead][:1]
        if ahead and (wish.booked or not parts):
            self._spoken_of = (ahead[0].order.id, heard.at)
            parts += [
                f"Your {ride.title} comes {cues.when(ride.trip.pickup_at, heard.at)}."
                for ride in ahead[:MOST_TOLD]
            ]
            if not wish.booked:
                parts.append("You hear who drives you shortly before.")
        return Outcome(" ".join(parts) or NONE[AskStatus])

    async def _now(self, ride: Ride) -> str:
        """Where the driver of the ride is that is under way."""
        order = ride.order
        found = await self.rides.look(order.merchant_id, order.merchant_order_id)
        await self.orders.merchant_reports(found)
        status = found.ride
        if status is None or not status.driver:
            return "The company is looking for a driver."
        car = ", ".join(part for part in (status.car, status.plate) if part)
        eta = status.eta_minutes or 1
        minutes = f"about {eta} minute{'' if eta == 1 else 's'}"
        if status.status == "picked_up":
            return f"You are on your way, {minutes} to go."
        if status.status == "arrived":
            return f"{status.driver} is waiting for you: {car}."
        return f"{status.driver} is {minutes} away: {car}."

    # Looking things up. ---------------------------------------------------------------------------

    async def _last_ride(self, now: float) -> Order | None:
        waiting = {ride.order.id for ride in await self._booked.all() if ride.ahead}
        for order in await self._ordering.all(RIDDEN):
            trip = order.draft.trip
            ridden = trip is not None and trip.kind == "ride" and order.id not in waiting
            if ridden and now - order.updated_at < TIP_WITHIN_S:
                return order
        return None


def _extra(order: Order, item: str, trip: Trip, said: str) -> OrderDraft:
    """What is bought for a booked ride besides: a change of it, or a tip."""
    return OrderDraft(
        merchant_id=order.merchant_id,
        lines=(DraftLine(item, _EXTRAS[item], 1),),
        address=trip.destination,
        said=said,
        trip=trip,
    )


def _named(ride: Ride, now: float) -> str:
    """`ride home tomorrow at 06:30`."""
    when = cues.when(ride.trip.pickup_at, now) if ride.ahead else "now"
    return f"{ride.title} {when}"


def _alike(before: OrderDraft, after: OrderDraft) -> bool:
    """Whether the question may be asked anew in the same order."""
    kinds = {draft.trip.kind for draft in (before, after) if draft.trip is not None}
    return before.merchant_id == after.merchant_id and kinds == {"ride"}


def _names(offers: Sequence[RideOffer]) -> str:
    names = [offer.title.lower() for offer in offers]
    return f"{', '.join(names[:-1])} or {names[-1]}?".capitalize()
