"""The rides that are booked: which is meant, which is under way, what may be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from lapel.assistant.ordering import Ordering
from lapel.assistant.rides import cues
from lapel.assistant.rides.grammar import ChangeTime
from lapel.commerce import (
    Address,
    MerchantOrder,
    Money,
    Order,
    Orders,
    OrderState,
    PutOff,
    Redirect,
    Refused,
    Trip,
    cancellation,
)
from lapel.commerce.trips import is_waiting
from lapel.services import RideOffer
from lapel.services.personal import AlreadyPast, At, Clock, Date, InDays, Weekday, When, resolve
from lapel.services.rides import Pickup, Redirected

RECENT_S = 600.0
"""So long after its last news "it" may mean a ride."""


class RidesPort(Protocol):
    """What the skill needs of `services.Rides`."""

    async def estimate(
        self, pickup: Address, destination: Address, at: Pickup | None = None
    ) -> list[RideOffer]: ...
    async def places(self, text: str, limit: int = 5) -> list[Address]: ...
    async def zone(self, merchant_id: str) -> ZoneInfo | None: ...
    async def look(self, merchant_id: str, ride_id: str) -> MerchantOrder: ...
    async def price_destination(
        self, merchant_id: str, ride_id: str, destination: Address
    ) -> Redirected: ...
    async def price_pickup(self, merchant_id: str, ride_id: str, pickup_at: str) -> Redirected: ...


@dataclass(frozen=True, slots=True)
class Ride:
    """A booked ride. One that is `ahead` waits for its time, and nobody drives it yet."""

    order: Order
    trip: Trip
    ahead: bool

    @property
    def title(self) -> str:
        return cues.ride_title(self.trip)


class Booked:
    """One user's booked rides."""

    def __init__(
        self, orders: Orders, rides: RidesPort, ordering: Ordering, clock: Callable[[], float]
    ) -> None:
        self._orders = orders
        self._rides = rides
        self._ordering = ordering
        self._clock = clock

    async def all(self) -> list[Ride]:
        """What is under way, the newest first, then what is booked ahead, the next one first."""
        found = [
            Ride(order, trip, await self._waits(order))
            for order in await self._ordering.all(frozenset({OrderState.PLACED}))
            if (trip := order.draft.trip) is not None
            and trip.kind == "ride"
            and order.merchant_order_id
        ]
        ahead = sorted(
            (ride for ride in found if ride.ahead),
            key=lambda ride: datetime.fromisoformat(ride.trip.pickup_at),
        )
        return [*(ride for ride in found if not ride.ahead), *ahead]

    async def current(self) -> Ride | None:
        """The ride that somebody drives now; never one for later."""
        return next((ride for ride in await self.all() if not ride.ahead), None)

    async def recent(self, now: float) -> Ride | None:
        """The ride for later that was spoken of last, if that is not long ago."""
        ahead = [ride for ride in await self.all() if ride.ahead]
        newest = max(ahead, key=lambda ride: ride.order.updated_at, default=None)
        fresh = newest is not None and now - newest.order.updated_at < RECENT_S
        return newest if fresh else None

    async def fee_now(self, ride: Ride) -> Money:
        """What canceling it costs now, as the company says."""
        order = ride.order
        found = await self._rides.look(order.merchant_id, order.merchant_order_id)
        fee = found.ride.fee_now if found.ride else None
        return fee or Money(0, found.total.currency)

    async def cancel(self, ride: Ride, most: Money) -> None:
        """Give it up for a fee of at most `most`; the order's news says how it ended."""
        await self._orders.ask(ride.order.id, cancellation(ride.order, most))

    async def redirect(self, ride: Ride, to: Address) -> Money:
        """What going elsewhere costs more; where that is nothing, the company is asked for it."""
        order = ride.order
        priced = await self._rides.price_destination(order.merchant_id, order.merchant_order_id, to)
        if priced.applied or not priced.owed.minor:
            await self._orders.ask(order.id, Redirect(to))
        return priced.owed

    async def put_off(self, ride: Ride, pickup_at: str) -> Money:
        """What another time costs more; where that is nothing, the company is asked for it."""
        order = ride.order
        priced = await self._rides.price_pickup(
            order.merchant_id, order.merchant_order_id, pickup_at
        )
        if priced.applied or not priced.owed.minor:
            await self._orders.ask(order.id, PutOff(pickup_at))
        return priced.owed

    async def another_time(self, merchant_id: str, before: str, wish: ChangeTime) -> str:
        """The time that is meant, RFC 3339; `before` is that of now, empty for a ride at once."""
        zone = await self._rides.zone(merchant_id)
        if zone is None:
            raise Refused("That company takes no rides for later.", code="no_rides_ahead")
        now = self._clock()
        at = datetime.fromisoformat(before) if before else datetime.fromtimestamp(now, zone)
        moment = moved(at.astimezone(zone), wish, now, zone, on_its_day=bool(before))
        return moment.isoformat(timespec="seconds")

    async def _waits(self, order: Order) -> bool:
        events = await self._orders.history(order.id)
        return is_waiting(order.draft, [event.kind for event in events])


def moved(
    at: datetime, wish: ChangeTime, now: float, zone: ZoneInfo, *, on_its_day: bool
) -> datetime:
    """Another time for a ride `at` a time: what is not said of it stays. Raises AlreadyPast."""
    if wish.at is None:
        moment = (at.astimezone(zone) + timedelta(seconds=wish.shift_s)).timestamp()
    elif on_its_day and isinstance(wish.at, At):
        moment = _near(at, wish.at, now, zone)
    else:
        moment = resolve(wish.at, now, zone).due_at
    if moment <= now:
        raise AlreadyPast("that has already passed")
    return datetime.fromtimestamp(60 * round(moment / 60), zone)


def _near(at: datetime, said: At, now: float, zone: ZoneInfo) -> float:
    """A day without a clock keeps the clock, a clock without a day the day and the half of it."""
    if said.clock is None:
        half = None if at.hour == 0 or at.hour > 12 else "pm" if at.hour == 12 else "am"
        return resolve(At(said.day, Clock(at.hour, at.minute, half)), now, zone).due_at
    if said.day is not None or said.part is not None:
        return resolve(said, now, zone).due_at
    hours = (said.clock.hour % 12, said.clock.hour % 12 + 12)
    if not said.clock.open:
        hours = (said.clock.fixed,)
    times = [at.replace(hour=hour, minute=said.clock.minute, second=0) for hour in hours]
    ahead = [each for each in times if each.timestamp() > now]
    return min(ahead or times, key=lambda each: abs(each - at)).timestamp()


def meant(rides: Sequence[Ride], place: str, at: When | None, now: float) -> list[Ride]:
    """Those that words fit: where it goes, or when it is; all where nothing is said of it."""
    found = list(rides)
    if place:
        words = place.removeprefix("the ").removeprefix("my ")
        found = [x for x in found if _goes_to(x.trip.destination, words)]
    if at is not None:
        found = [x for x in found if x.trip.pickup_at and _is_then(x.trip.pickup_at, at, now)]
    return found


def _goes_to(destination: Address, words: str) -> bool:
    names = f"{destination.label} {destination.street} {destination.city}".lower()
    return words in names


def _is_then(pickup_at: str, said: When, now: float) -> bool:
    """Whether a ride's time fits what was said: on that day, and at that time of it."""
    at = datetime.fromisoformat(pickup_at)
    if not isinstance(said, At):
        return False
    if said.clock is not None:
        hours = {said.clock.hour % 12, said.clock.hour % 12 + 12}
        hours = hours if said.clock.open else {said.clock.fixed}
        if at.hour not in hours or at.minute != said.clock.minute:
            return False
    today = datetime.fromtimestamp(now, at.tzinfo).date()
    match said.day:
        case InDays(days=days):
            return at.date() == today + timedelta(days=days)
        case Weekday(day=day):
            return at.weekday() == day
        case Date(day=day, month=month):
            return at.day == day and month in (None, at.month)
        case None:
            return True
