"""The dialogue about rides: from the words to an order, and what is done with a booked one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from lapel.assistant import ordering
from lapel.assistant.ordering import (
    NOT_BOOKED,
    Ordering,
    PlacesPort,
    default_place,
    own_place,
    told,
)
from lapel.assistant.politeness import is_no, is_yes
from lapel.assistant.rides import cues, grammar
from lapel.assistant.rides.grammar import (
    AskRide,
    AskStatus,
    CancelRide,
    ChangeDestination,
    LaterRide,
    Tip,
    Wish,
)
from lapel.assistant.skills import Heard, Outcome
from lapel.commerce import (
    Address,
    DraftLine,
    MerchantOrder,
    Money,
    NewPart,
    Order,
    OrderDraft,
    Orders,
    OrderState,
    Refused,
    Trip,
)
from lapel.commerce.words import place
from lapel.devices import Cue, PositionReported
from lapel.services import RideOffer
from lapel.services.rides import CHANGE, TIP, Redirected

KEPT_S = 120.0
"""A question that nobody answered for so long is forgotten."""
HERE_S = 900.0
"""A position older than this is not where the user is."""
HERE_WITHIN_M = 150.0
"""A position known no better than this is no place to be picked up at."""
HERE = "where you are"
RIDDEN = frozenset({OrderState.PLACED, OrderState.DELIVERED})
TIP_WITHIN_S = 24 * 3600.0
MOST_TIP = 10_000
SILENT = "The ride company does not answer. Nothing was booked."


class RidesPort(Protocol):
    """What the skill needs of `services.Rides`."""

    async def estimate(self, pickup: Address, destination: Address) -> list[RideOffer]: ...
    async def places(self, text: str, limit: int = 5) -> list[Address]: ...
    async def look(self, merchant_id: str, ride_id: str) -> MerchantOrder: ...
    async def cancel(
        self, merchant_id: str, ride_id: str, most: Money, key: str
    ) -> MerchantOrder: ...
    async def redirect(
        self, merchant_id: str, ride_id: str, destination: Address, key: str
    ) -> Redirected: ...


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked last: `kind` is "to", "from", "class", "cancel" or "tip"."""

    kind: str
    at: float
    wish: AskRide = field(default_factory=AskRide)
    pickup: Address | None = None
    destination: Address | None = None
    offers: tuple[RideOffer, ...] = ()
    fee: Money | None = None
    said: str = ""


@dataclass(slots=True)
class RideSkill:
    """One user's rides; implements `Skill`."""

    user_id: str
    orders: Orders
    rides: RidesPort
    places: PlacesPort
    clock: Callable[[], float] = time.time
    _here: tuple[Address, float] | None = None
    """In memory alone: the last position that a device reported, and when."""
    _asked: _Question | None = None
    _serial: int = 0
    _ordering: Ordering = field(init=False)

    def __post_init__(self) -> None:
        self._ordering = Ordering(self.user_id, self.orders, lambda x: x.trip is not None, _alike)

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a whole utterance about a ride, and the answer to its own question."""
        text = heard.utterance.text
        asked = self._asked
        if asked is not None and heard.at - asked.at > KEPT_S:
            asked = self._asked = None
        wish = grammar.read(text)
        if wish is not None:
            self._asked = None
            return await told(self._act(wish, heard), SILENT)
        if asked is not None and not heard.cart_open:
            return await told(self._answered(asked, heard), SILENT)
        return await told(self._ordering.about_waiting(heard), SILENT)

    async def moved(self, report: PositionReported) -> Sequence[Cue]:
        """A ride without "from" begins where its user is, if that is known well enough."""
        if report.accuracy_m <= HERE_WITHIN_M:
            street = f"{report.lat:.5f}, {report.lon:.5f}"
            here = Address(HERE, street, "", "", "", report.lat, report.lon)
            self._here = (here, report.at or self.clock())
        return ()

    async def undo(self, turn: int) -> None:
        """Drop the order that this turn began; one that is paid for already stays."""
        self._asked = None
        await self._ordering.undo(turn)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """A class was chosen on the card."""
        row = ordering.pressed(action, "ride", self._serial)
        if row is None:
            return None
        asked = self._asked
        if asked is None or asked.kind != "class" or not 0 <= row < len(asked.offers):
            return Outcome("Those prices are out of date. Ask me again.")
        return await told(self._book(asked, asked.offers[row], None), SILENT)

    def hints(self) -> Sequence[str]:
        return ("ride", "taxi", "economy", "comfort", "van", "driver", "destination", "tip")

    # From words to an order. ----------------------------------------------------------------------

    async def _act(self, wish: Wish, heard: Heard) -> Outcome | None:
        match wish:
            case AskRide():
                return await self._plan(wish, None, None, heard)
            case LaterRide():
                return Outcome("I can book rides for right now only.")
            case ChangeDestination(place=where):
                return await self._change(where, heard)
            case CancelRide():
                return await self._ask_cancel(heard)
            case Tip(minor=minor):
                return await self._tip(minor, heard)
            case AskStatus():
                return await self._status()

    async def _plan(
        self, wish: AskRide, pickup: Address | None, destination: Address | None, heard: Heard
    ) -> Outcome:
        """Find both ends, ask for the one that is missing, then for the prices."""
        now, said = heard.at, heard.utterance.text
        if destination is None and wish.destination:
            destination = await self._find(wish.destination)
            if destination is None:
                self._asked = _Question("to", now, wish, pickup)
                return Outcome(f"I do not know {wish.destination}. Where do you want to go?")
        if destination is None:
            self._asked = _Question("to", now, wish, pickup)
            return Outcome("Where to?")
        if pickup is None and wish.pickup:
            pickup = await self._find(wish.pickup)
            if pickup is None:
                self._asked = _Question("from", now, wish, None, destination)
                unknown = "where you are" if wish.pickup == "here" else wish.pickup
                return Outcome(f"I do not know {unknown}. Where shall they pick you up?")
        pickup = pickup or self._current() or await default_place(self.places)
        if pickup is None or _same(pickup, destination):
            self._asked = _Question("from", now, wish, None, destination)
            return Outcome("Where shall they pick you up?")
        asked = _Question("class", now, wish, pickup, destination, said=said)
        return await self._offer(asked, heard)

    async def _offer(self, asked: _Question, heard: Heard) -> Outcome:
        pickup, destination = asked.pickup, asked.destination
        if pickup is None or destination is None:
            return Outcome("Where to?")
        found = await self.rides.estimate(pickup, destination)
        if not found:
            return Outcome("I know no ride company yet. Add one with: lapel merchants add.")
        offers = tuple(offer for offer in found if offer.pickup_minutes is not None)
        if not offers:
            return Outcome(f"{found[0].merchant_name} has no driver free right now.")
        self._serial += 1
        asked = replace(asked, offers=offers)
        self._asked = asked
        if asked.wish.ride_class and not asked.wish.price:
            index = grammar.chosen(asked.wish.ride_class, [offer.id for offer in offers])
            if index is not None:
                return await self._book(asked, offers[index], heard)
        way = f"From {place(pickup)} to {place(destination)}"
        card = cues.offers_card(offers, f"{way}.", self._serial)
        return Outcome(cues.offers_text(offers, way), card)

    async def titled(self, wish: AskRide, said: str) -> NewPart:
        """The ride as a part of a plan: of the class that was named, else of the cheapest.

        Refused where something would have to be asked first.
        """
        destination = await self._find(wish.destination) if wish.destination else None
        if destination is None:
            raise Refused(
                f"I do not know where {wish.destination or 'the ride'} is.", code="no_trip"
            )
        pickup = await self._find(wish.pickup) if wish.pickup else None
        pickup = pickup or self._current() or await default_place(self.places)
        if pickup is None or _same(pickup, destination):
            raise Refused("I do not know where the ride begins.", code="no_trip")
        found = await self.rides.estimate(pickup, destination)
        offers = [offer for offer in found if offer.pickup_minutes is not None]
        index = grammar.chosen(wish.ride_class or "cheapest", [offer.id for offer in offers])
        if not offers or index is None:
            raise Refused("There is no such ride to be had right now.", code="no_driver")
        draft = _draft(offers[index], pickup, destination, said)
        return NewPart(f"{offers[index].title} ride to {place(destination)}", draft)

    async def _book(self, asked: _Question, offer: RideOffer, heard: Heard | None) -> Outcome:
        if asked.pickup is None or asked.destination is None:
            return Outcome("Where to?")
        self._asked = None
        draft = _draft(offer, asked.pickup, asked.destination, asked.said)
        return await self._ordering.begin(draft, heard)

    async def _answered(self, asked: _Question, heard: Heard) -> Outcome | None:
        """The answer to the last question; None when the words are about something else."""
        text = heard.utterance.text
        if asked.kind == "cancel" and is_yes(text, "cancel it", "cancel the ride"):
            self._asked = None
            return await self._cancel(asked.fee)
        if is_no(text):
            self._asked = None
            return Outcome("All right, the ride stays as it is." if asked.fee else "All right.")
        match asked.kind:
            case "to" | "from":
                said = grammar.as_place(text, after=asked.kind)
                found = None if said is None else await self._find(said)
                if found is None:
                    return None
                self._asked = None
                if asked.kind == "to":
                    return await self._plan(asked.wish, asked.pickup, found, heard)
                return await self._plan(asked.wish, found, asked.destination, heard)
            case "class":
                index = grammar.chosen(text, [offer.id for offer in asked.offers])
                if index is None and is_yes(text):
                    index = 0 if len(asked.offers) == 1 else None
                    if index is None:
                        return Outcome("Which one? " + _names(asked.offers))
                return (
                    None if index is None else await self._book(asked, asked.offers[index], heard)
                )
            case "cancel":
                return None
            case _:
                minor = grammar.amount(text)
                return None if minor is None else await self._tip(minor, heard)

    # A booked ride. -------------------------------------------------------------------------------

    async def _change(self, where: str, heard: Heard) -> Outcome:
        order = await self._riding()
        if order is None:
            return Outcome("You have no ride under way.")
        to = await self._find(where)
        if to is None:
            return Outcome(f"I do not know {where}. The destination stays as it is.")
        key = f"{order.id}:to:{to.latitude}:{to.longitude}:{heard.at:.0f}"
        came = await self.rides.redirect(order.merchant_id, order.merchant_order_id, to, key)
        if came.owed is None:
            await self.orders.merchant_reports(came.order)
            return Outcome(f"Your driver goes to {place(to)} now. It costs nothing more.")
        draft = OrderDraft(
            merchant_id=order.merchant_id,
            lines=(DraftLine(CHANGE, "Change of destination", 1),),
            address=to,
            said=heard.utterance.text,
            trip=Trip("change", to, ride_id=order.merchant_order_id),
        )
        return await self._ordering.begin(draft, heard)

    async def _ask_cancel(self, heard: Heard) -> Outcome:
        dropped = await self._ordering.drop_waiting()
        if dropped is not None:
            return dropped
        order = await self._riding()
        if order is None:
            return Outcome("There is no ride to cancel.")
        found = await self.rides.look(order.merchant_id, order.merchant_order_id)
        fee = found.ride.fee_now if found.ride else None
        fee = fee or Money(0, found.total.currency)
        self._asked = _Question("cancel", heard.at, fee=fee)
        return Outcome(cues.cancel_question(fee))

    async def _cancel(self, fee: Money | None) -> Outcome:
        order = await self._riding()
        if order is None or fee is None:
            return Outcome("There is no ride to cancel.")
        await self.orders.ask_cancel(order.id, fee)
        key = f"{order.id}:cancel:{fee.minor}"
        gone = await self.rides.cancel(order.merchant_id, order.merchant_order_id, fee, key)
        await self.orders.merchant_reports(gone)
        return Outcome("I have told the ride company.")

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
        trip = order.draft.trip
        draft = OrderDraft(
            merchant_id=order.merchant_id,
            lines=(DraftLine(TIP, "Tip", 1),),
            address=order.draft.address,
            said=heard.utterance.text,
            trip=Trip(
                "tip",
                trip.destination if trip else order.draft.address,
                ride_id=order.merchant_order_id,
                tip=minor,
            ),
        )
        return await self._ordering.begin(draft, heard)

    async def _status(self) -> Outcome:
        if await self._ordering.waiting() is not None:
            return Outcome(NOT_BOOKED)
        order = await self._riding()
        if order is None:
            return Outcome("You have no ride under way.")
        found = await self.rides.look(order.merchant_id, order.merchant_order_id)
        await self.orders.merchant_reports(found)
        ride = found.ride
        if ride is None or not ride.driver:
            return Outcome("The company is looking for a driver.")
        car = ", ".join(part for part in (ride.car, ride.plate) if part)
        eta = ride.eta_minutes or 1
        minutes = f"about {eta} minute{'' if eta == 1 else 's'}"
        if ride.status == "picked_up":
            return Outcome(f"You are on your way, {minutes} to go.")
        if ride.status == "arrived":
            return Outcome(f"{ride.driver} is waiting for you: {car}.")
        return Outcome(f"{ride.driver} is {minutes} away: {car}.")

    # Looking things up. ---------------------------------------------------------------------------

    async def _find(self, said: str) -> Address | None:
        """The user's own place of that name, else the likeliest place that a company knows."""
        if said in ("here", "where i am", "my position", "my location"):
            return self._current()
        own = await own_place(self.places, said)
        if own is not None:
            return own
        found = await self.rides.places(said.removeprefix("the ").removeprefix("my ").strip(), 1)
        return found[0] if found else None

    def _current(self) -> Address | None:
        if self._here is None or self.clock() - self._here[1] > HERE_S:
            return None
        return self._here[0]

    async def _riding(self) -> Order | None:
        for order in await self._ordering.all(frozenset({OrderState.PLACED})):
            trip = order.draft.trip
            if trip is not None and trip.kind == "ride" and order.merchant_order_id:
                return order
        return None

    async def _last_ride(self, now: float) -> Order | None:
        for order in await self._ordering.all(RIDDEN):
            trip = order.draft.trip
            if trip is not None and trip.kind == "ride" and now - order.updated_at < TIP_WITHIN_S:
                return order
        return None


def _draft(offer: RideOffer, pickup: Address, destination: Address, said: str) -> OrderDraft:
    return OrderDraft(
        merchant_id=offer.merchant_id,
        lines=(DraftLine(offer.id, f"{offer.title} ride", 1),),
        address=destination,
        said=said,
        trip=Trip("ride", destination, pickup),
    )


def _alike(before: OrderDraft, after: OrderDraft) -> bool:
    """Whether the question may be asked anew in the same order."""
    kinds = {draft.trip.kind for draft in (before, after) if draft.trip is not None}
    return before.merchant_id == after.merchant_id and kinds == {"ride"}


def _same(one: Address, other: Address) -> bool:
    return (one.latitude, one.longitude) == (other.latitude, other.longitude)


def _names(offers: Sequence[RideOffer]) -> str:
    names = [offer.title.lower() for offer in offers]
    return f"{', '.join(names[:-1])} or {names[-1]}?".capitalize()
