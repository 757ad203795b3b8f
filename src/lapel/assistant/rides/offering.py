"""From a wish for a ride to what is to be had: both ends, the time, and the companies' prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from lapel.assistant.ordering import PlacesPort, default_place, own_place
from lapel.assistant.rides import cues, grammar
from lapel.assistant.rides.booked import RidesPort
from lapel.assistant.rides.grammar import AskRide
from lapel.assistant.rides.times import is_vague
from lapel.commerce import Address, DraftLine, NewPart, OrderDraft, Refused, Trip
from lapel.commerce.words import place
from lapel.devices import PositionReported
from lapel.services import RideOffer
from lapel.services.personal import After, AlreadyPast

HERE_S = 900.0
"""A position older than this is not where the user is."""
HERE_WITHIN_M = 150.0
"""A position known no better than this is no place to be picked up at."""
HERE = "where you are"
SOON_S = 1800.0
"""Who asks for a ride in so short a time is still where they are now."""
SPARE_MIN, STEP_MIN = 10, 5
"""Who must be somewhere by a time is picked up so much earlier, at a full step of minutes."""


class Ends:
    """Where one user's rides begin and end."""

    def __init__(self, places: PlacesPort, rides: RidesPort, clock: Callable[[], float]) -> None:
        self._places = places
        self._rides = rides
        self._clock = clock
        # In memory alone: the last position that a device reported, and when.
        self._here: tuple[Address, float] | None = None

    def moved(self, report: PositionReported) -> None:
        """Remember where the user is, if that is known well enough."""
        if report.accuracy_m <= HERE_WITHIN_M:
            street = f"{report.lat:.5f}, {report.lon:.5f}"
            here = Address(HERE, street, "", "", "", report.lat, report.lon)
            self._here = (here, report.at or self._clock())

    async def find(self, said: str) -> Address | None:
        """The user's own place of that name, else the likeliest place that a company knows."""
        if said in ("here", "where i am", "my position", "my location"):
            return self._current()
        own = await own_place(self._places, said)
        if own is not None:
            return own
        found = await self._rides.places(said.removeprefix("the ").removeprefix("my ").strip(), 1)
        return found[0] if found else None

    def _current(self) -> Address | None:
        if self._here is None or self._clock() - self._here[1] > HERE_S:
            return None
        return self._here[0]

    async def usual(self, wish: AskRide) -> Address | None:
        """Where a ride without "from" begins: where its user is now is not where they are later."""
        at = wish.at
        soon = at is None or (isinstance(at, After) and not at.days and at.seconds <= SOON_S)
        return (self._current() if soon else None) or await default_place(self._places)


async def estimate(
    rides: RidesPort, wish: AskRide, pickup: Address, destination: Address
) -> list[RideOffer]:
    """What is to be had then; of who says when to be there, so that they are there in time."""
    found = await rides.estimate(pickup, destination, wish.at)
    if wish.at is None or not wish.arrives or not found:
        return found
    least = timedelta(minutes=max(x.duration_minutes or 0 for x in found) + SPARE_MIN)
    leave = datetime.fromisoformat(found[0].pickup_at) - least
    leave -= timedelta(minutes=leave.minute % STEP_MIN)
    return await rides.estimate(pickup, destination, leave)


async def part_of_plan(
    rides: RidesPort,
    ends: Ends,
    wish: AskRide,
    said: str,
    known: tuple[Address | None, Address | None],
    now: float,
) -> NewPart:
    """The order of the wish, with what it is called; `known` are its ends as far as they are.

    Refused where something would have to be asked first.
    """
    pickup, destination = known
    if destination is None and wish.destination:
        destination = await ends.find(wish.destination)
    if destination is None:
        raise Refused(f"I do not know where {wish.destination or 'the ride'} is.", code="no_trip")
    if pickup is None and wish.pickup:
        pickup = await ends.find(wish.pickup)
    pickup = pickup or await ends.usual(wish)
    if pickup is None or same_place(pickup, destination):
        raise Refused("I do not know where the ride begins.", code="no_trip")
    if is_vague(wish.at):
        raise Refused("I do not know at what time the ride is.", code="unclear")
    try:
        found = await estimate(rides, wish, pickup, destination)
    except AlreadyPast as error:
        raise Refused("That time has already passed.", code="already_past") from error
    offers = [offer for offer in found if offer.to_be_had]
    index = grammar.chosen(wish.ride_class or "cheapest", [offer.id for offer in offers])
    if not offers or index is None:
        raise Refused("There is no such ride to be had then.", code="no_driver")
    draft, at = draft_of(offers[index], pickup, destination, said), offers[index].pickup_at
    when = f", {cues.when(at, now)}" if at else ""
    return NewPart(f"{offers[index].title} ride to {place(destination)}{when}", draft)


def draft_of(offer: RideOffer, pickup: Address, destination: Address, said: str) -> OrderDraft:
    return OrderDraft(
        merchant_id=offer.merchant_id,
        lines=(DraftLine(offer.id, f"{offer.title} ride", 1),),
        address=destination,
        said=said,
        trip=Trip("ride", destination, pickup, pickup_at=offer.pickup_at),
    )


def same_place(one: Address, other: Address) -> bool:
    return (one.latitude, one.longitude) == (other.latitude, other.longitude)
