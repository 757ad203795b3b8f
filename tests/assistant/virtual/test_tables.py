"""Tables in virtual time: from the words to a booking, what canceling and changing cost, and news of the restaurant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from stage.loop import wall
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, Worn
from stage.world import World

from lapel.assistant import SavedPlaces
from lapel.assistant.skills import Outcome
from lapel.assistant.tables import TablesSkill, load_table_words
from lapel.assistant.travel import UNNAMED, ProfileName
from lapel.commerce import (
    Address,
    Cancel,
    Change,
    MerchantAdjustment,
    MerchantEvent,
    MerchantOrder,
    Money,
    OrderState,
    Refused,
    Restaurant,
    Table,
    TableOffer,
    TableStatus,
    TableTerms,
    verify,
)
from lapel.commerce.request import Request
from lapel.services.maps import Place, Point
from lapel.services.tables import PricedChange, Wanted

pytestmark = pytest.mark.unit

HELSINKI = ZoneInfo("Europe/Helsinki")
STATION = (60.1719, 24.9414)
"""Tests begin on a Monday at 18:00 there."""


@dataclass(frozen=True)
class House:
    name: str
    street: str
    cuisine: str
    deposit: int
    at: Point


HOUSES = (
    House("Kumo", "Elielinaukio 3", "japanese", 1000, (60.1720, 24.9400)),
    House("Trattoria Lume", "Aleksanterinkatu 13", "italian", 500, (60.1690, 24.9450)),
)


def table_at(house: House, begins: datetime, party: int) -> TableOffer:
    begins = begins.replace(tzinfo=HELSINKI)
    place = Restaurant(
        house.name.lower(), house.name, house.street, "00100", "Helsinki", "FI", HELSINKI.key
    )
    free_until = (begins - timedelta(hours=4)).isoformat()
    total = house.deposit * party
    table = Table(
        f"{house.name}/{begins:%Y-%m-%dT%H:%M}/{party}",
        place,
        begins.isoformat(),
        (begins + timedelta(minutes=90)).isoformat(),
        party,
        "deposit",
        house.deposit,
        TableTerms(free_until, total // 2),
    )
    address = Address(house.name, house.street, "Helsinki", "00100", "FI", *house.at)
    return TableOffer("satama", "Satama Tables", table, Money(total, "EUR"), address)


@dataclass
class Company:
    """Restaurants without a wire: what they offer, and what became of the bookings."""

    world: World
    asked: list[Wanted] = field(default_factory=list)
    closed: bool = False
    status: dict[str, TableStatus] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    adjustments: dict[str, list[MerchantAdjustment]] = field(default_factory=dict)

    async def companies(self) -> list[object]:
        return [self]

    async def search(self, wanted: Wanted) -> list[TableOffer]:
        """Every half hour from 17:00 to 21:00, the nearest to the time first."""
        self.asked.append(wanted)
        if wanted.place not in ("", "station"):
            raise Refused("Satama Tables knows no such place.", code="place_unknown")
        words = set(wanted.cuisine.casefold().split())
        found: list[TableOffer] = []
        for house in HOUSES:
            own = set(f"{house.name} {house.cuisine}".casefold().split())
            other = wanted.restaurant_id not in ("", house.name.lower())
            if other or not words <= own or self.closed:
                continue
            for half in range(9):
                begins = datetime.combine(wanted.day, time(17)) + timedelta(minutes=30 * half)
                if abs(begins - wanted.wall) <= wanted.tolerance:
                    found.append(table_at(house, begins, wanted.party))
        if not found:
            raise Refused("Satama Tables has no table then.", code="no_table")
        for offer in found:
            self.world.street.set(f"price:{offer.table.offer_id}", offer.price.minor)
        return sorted(found, key=lambda x: abs(x.table.starts.replace(tzinfo=None) - wanted.wall))

    def booked(self, booking_id: str) -> MerchantOrder:
        """The street's order, with the table that was bought for it."""
        (checkout_id, total) = self.world.street.db.execute(
            "select checkout_id, total from orders where id=?", (booking_id,)
        ).fetchone()
        kinds = self.events.get(booking_id, [])
        return MerchantOrder(
            merchant_id="satama",
            id=booking_id,
            checkout_id=checkout_id,
            total=Money(total, "EUR"),
            events=tuple(MerchantEvent(f"e{n}", kind, "now") for n, kind in enumerate(kinds)),
            canceled="canceled" in kinds,
            adjustments=tuple(self.adjustments.get(booking_id, [])),
            table=self.status.get(booking_id) or self._fresh(checkout_id),
        )

    def _fresh(self, checkout_id: str) -> TableStatus:
        table = self.world.street._load(checkout_id).table
        house = next(x for x in HOUSES if x.name == table.restaurant.name)
        late = datetime.fromisoformat(table.cancellation.free_until).timestamp() <= wall()
        fee = Money(table.cancellation.fee if late else 0, "EUR")
        at = table_at(house, table.starts, table.party).address
        return TableStatus(table, "confirmed", at, fee_now=fee)

    async def look(self, merchant_id: str, booking_id: str) -> MerchantOrder:
        return self.booked(booking_id)

    async def price_change(self, merchant_id: str, booking_id: str, offer_id: str) -> PricedChange:
        order, offer = self.booked(booking_id), self._offer(offer_id)
        owed = offer.price.minor - order.total.minor
        self.world.street.set(f"price:{offer_id}", owed)
        return PricedChange(order, Money(owed, "EUR"))

    def asked_for(self, booking_id: str, request: Request) -> MerchantOrder:
        match request:
            case Cancel(most=most):
                return self.given_back(booking_id, most.minor)
            case Change(offer_id=offer_id):
                self.become(booking_id, self._offer(offer_id).table)
                return self.booked(booking_id)
            case _:
                raise AssertionError("nobody asks that of a restaurant")

    def become(self, booking_id: str, table: Table) -> None:
        before = self.booked(booking_id).table
        named = msgspec.structs.replace(table, guest=before.table.guest, booking_id="")
        self.status[booking_id] = replace(before, table=named, status="changed")
        self.events.setdefault(booking_id, []).append("changed")

    def given_back(self, booking_id: str, fee: int) -> MerchantOrder:
        order = self.booked(booking_id)
        back = order.total.minor - fee
        self.events.setdefault(booking_id, []).append("canceled")
        kept = Money(fee, "EUR") if fee else None
        self.status[booking_id] = replace(order.table, status="canceled", fee_kept=kept)
        refund = MerchantAdjustment("a1", "refund", "completed", Money(-back, "EUR"))
        self.adjustments[booking_id] = [refund]
        if fee:
            street = self.world.street
            [(hold,)] = street.db.execute(
                "select id from holds where captured=?", (order.total.minor,)
            ).fetchall()
            street.give_part(hold, back)
        return self.booked(booking_id)

    def _offer(self, offer_id: str) -> TableOffer:
        name, begins, party = offer_id.split("/")
        house = next(x for x in HOUSES if x.name == name)
        return table_at(house, datetime.fromisoformat(begins), int(party))


@dataclass
class StreetMap:
    """Knows the station, and that every way is a kilometre long."""

    led: list[Place] = field(default_factory=list)

    async def point(self, name: str) -> Point | None:
        return STATION if name == "station" else None

    async def walk_m(self, start: Point, end: Point) -> int | None:
        assert start == STATION
        return 1000 if end == HOUSES[0].at else 400

    async def lead(self, target: Place) -> Outcome | None:
        self.led.append(target)
        return Outcome(f"The way to {target.name}.")


def dining(world: World, streets: StreetMap | None = None, *, shopping: bool = False) -> Company:
    company = Company(world)
    world.street.set("fee", 0)
    world.street.asked_for = company.asked_for
    world.skills = lambda user_id: (
        TablesSkill(
            user_id,
            world.orders,
            company,
            SavedPlaces(world.record, user_id),
            ProfileName(world.record, user_id),
            load_table_words(),
            HELSINKI,
            streets or StreetMap(),
            lambda at: shopping,
        ),
    )
    return company


async def answered(world: World, device: Worn, text: str, *words: str) -> str:
    """What the device shows next with all of these words in it."""
    before = len(device.texts())
    device.type(text)
    await world.until(
        lambda: any(all(word in t for word in words) for t in device.texts()[before:])
    )
    return next(t for t in device.texts()[before:] if all(word in t for word in words))


async def booked(
    world: World, phone: Worn, ring: Worn, text: str = "book a table at Kumo for two tomorrow at 7"
) -> str:
    """A table, paid for; gives the company's id of the booking."""
    await answered(world, phone, f"{text} under the name Ada Lovelace", "Ada Lovelace")
    await world.asked()
    await world.passes(1)
    ring.press()
    order = await world.state(OrderState.PLACED)
    return order.merchant_order_id


async def test_a_table_is_listed_chosen_named_read_back_and_paid_once() -> None:
    async with World() as world:
        company = dining(world)
        await ProfileName(world.record, world.user_id).keep_full(UNNAMED)
        phone, ring = await world.wear(PHONE, RING)
        told = await answered(world, phone, "Dinner for two tonight at half past seven", "Kumo")
        assert company.asked[0].wall == datetime(2025, 11, 24, 19, 30)
        assert company.asked[0].near is None, "nobody asked for a place"
        assert "19:30 Trattoria Lume, Aleksanterinkatu 13" in told
        await answered(world, phone, "the second one", "Under which name?")
        asked = await answered(world, phone, "Ada Lovelace", "counts towards the bill")
        assert "Trattoria Lume, Aleksanterinkatu 13" in asked
        assert "2 people, Ada Lovelace" in asked
        assert "Monday 24 November, 19:30" in asked
        await answered(world, phone, "yes", "It is not booked yet")
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert verify(order.receipt).table == order.draft.table
        assert world.street.money_kept() == 1000
        await answered(world, phone, "when is my table", "half past seven", "Ada Lovelace")


async def test_a_voice_is_read_back_all_that_may_have_been_misheard() -> None:
    async with World() as world:
        dining(world)
        glasses, _, ears, _ = await world.wear(GLASSES, PHONE, EARBUDS, RING)
        glasses.type("a table for two tomorrow at seven at Kumo under the name Ada Lovelace")
        await world.asked()
        await world.until(lambda: ears.heard())
        said = " ".join(ears.spoken())
        assert "table for 2 people at Kumo, Elielinaukio 3, on Tuesday 25 November at seven" in said
        assert "in the evening, under the name Ada Lovelace" in said


async def test_one_short_question_for_what_is_missing() -> None:
    async with World() as world:
        company = dining(world)
        (phone,) = await world.wear(PHONE)
        await answered(world, phone, "book a table", "For how many?")
        await answered(world, phone, "four of us", "When?")
        await answered(world, phone, "tomorrow", "At what time?")
        await answered(world, phone, "seven", "Table for 4, Tuesday 25 November")
        assert [x.wall for x in company.asked] == [datetime(2025, 11, 25, 19)]
        await answered(world, phone, "for six at eight", "Table for 6")
        assert company.asked[-1].wall == datetime(2025, 11, 25, 20)
        await answered(world, phone, "somewhere Italian", "Trattoria Lume, table for 6")
        await answered(world, phone, "no", "All right.")
        assert world.kinds() == []


async def test_what_time_can_i_get() -> None:
    async with World() as world:
        company = dining(world)
        (phone,) = await world.wear(PHONE)
        told = await answered(
            world,
            phone,
            "what times can I get a table for two at Kumo tomorrow",
            "Kumo, table for 2",
        )
        assert "18:30" in told
        await answered(world, phone, "the one at half past six", "18:30 to 20:00")
        assert company.asked[0].tolerance > timedelta(hours=2)


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Cumo", "Kumo"), ("Tratoria Loome", "Trattoria Lume"), ("Zanzibar", "no table")],
)
async def test_a_name_that_was_misheard_is_found_at_once(said: str, meant: str) -> None:
    async with World() as world:
        dining(world)
        (phone,) = await world.wear(PHONE)
        phone.type(f"book a table at {said} for two tomorrow at seven under the name Ada Lovelace")
        if meant == "no table":
            await world.until(lambda: any("no table" in text.lower() for text in phone.texts()))
            assert world.kinds() == []
            return
        await world.asked()
        (order,) = await world.orders.list(world.user_id, 9)
        assert order.draft.table.restaurant.name == meant


async def test_distances_are_those_on_foot_from_the_place_that_was_named() -> None:
    async with World() as world:
        company = dining(world)
        (phone,) = await world.wear(PHONE)
        told = await answered(
            world, phone, "a table for two tomorrow at seven near the station", "on foot"
        )
        assert company.asked[0].near == STATION
        assert "Elielinaukio 3, 1.0 km" in told
        assert "Aleksanterinkatu 13, 400 m" in told
        phone.type("the nearest one")
        await world.asked()
        [order] = await world.orders.list(world.user_id)
        assert order.draft.table.restaurant.name == "Trattoria Lume"


async def test_a_tap_on_the_card_takes_that_table_and_no_old_one() -> None:
    async with World() as world:
        dining(world)
        (phone,) = await world.wear(PHONE)
        await answered(world, phone, "a table for two tomorrow at seven", "Kumo")
        await answered(world, phone, "make it eight o'clock", "20:00 Kumo")
        phone.tap("table:1:0", "reply")
        await world.until(lambda: "out of date" in phone.texts()[-1])
        phone.tap("table:2:1", "reply")
        await world.asked()
        [order] = await world.orders.list(world.user_id)
        assert order.draft.table.restaurant.name == "Trattoria Lume"
        assert order.draft.table.starts.hour == 20


async def test_another_wish_replaces_the_question_and_no_ends_it() -> None:
    async with World() as world:
        dining(world)
        (phone,) = await world.wear(PHONE)
        phone.type("a table for two tomorrow at seven at Kumo under the name Ada Lovelace")
        await world.asked()
        await answered(world, phone, "make it for three", "3 people")
        assert len(await world.orders.list(world.user_id)) == 1
        phone.type("cancel")
        await world.state(OrderState.CANCELED)
        assert world.street.money_kept() == 0


async def test_times_that_have_passed_are_refused_and_nothing_is_asked() -> None:
    async with World() as world:
        company = dining(world)
        (phone,) = await world.wear(PHONE)
        await answered(world, phone, "dinner for two tonight at half past five", "already passed")
        await answered(world, phone, "a table for two today at 17:00", "already passed")
        assert company.asked == []


async def test_what_nobody_has_is_told_with_the_time_that_was_understood() -> None:
    async with World() as world:
        company = dining(world)
        company.closed = True
        (phone,) = await world.wear(PHONE)
        said = await answered(world, phone, "a table for two tomorrow at seven", "no table")
        assert "for two" in said
        assert "at seven in the evening" in said
        said = await answered(
            world, phone, "a table for two near the station on friday at eight", "no table"
        )
        assert "near the station on Friday" in said


async def test_words_that_may_mean_furniture_belong_to_a_list_that_is_open() -> None:
    async with World() as world:
        dining(world)
        (phone,) = await world.wear(PHONE)
        await answered(world, phone, "a table for two", "When?")
    async with World() as world:
        dining(world, shopping=True)
        (phone,) = await world.wear(PHONE)
        told = await answered(world, phone, "a table for two", "")
        assert "When?" not in told
        for text in ("I might book a table", "don't book a table", "did you book a table?"):
            told = await answered(world, phone, text, "")
            assert "how many" not in told
        assert world.kinds() == []


async def test_canceling_in_time_costs_nothing_and_later_what_was_said() -> None:
    async with World() as world:
        company = dining(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring)
        told = await answered(world, phone, "cancel my table", "Shall I cancel it?")
        assert "costs nothing, you get 20 euros back" in told
        await answered(world, phone, "no", "stays as it is")
        assert world.street.asked == []
        await world.passes(22 * 3600)
        told = await answered(world, phone, "cancel my reservation at Kumo", "Shall I cancel it?")
        assert "costs 10 euros, 10 euros comes back" in told
        await answered(world, phone, "yes, cancel it", "It cost 10 euros; you get 10 euros back.")
        assert world.street.money_kept() == 1000
        await world.orders.merchant_reports(company.booked(id))
        assert world.kinds().count("table_canceled") == 1
        await answered(world, phone, "when is my table", "no table booked")


async def test_a_dearer_change_is_an_order_of_its_own() -> None:
    async with World() as world:
        company = dining(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring)
        asked = await answered(world, phone, "make my table for three", "Change of your table")
        assert "3 people" in asked
        assert "10.00 EUR" in asked
        await world.passes(1)
        ring.press()
        await world.until(lambda: sum(e.kind == "placed" for e in world.events) == 2)
        orders = await world.orders.list(world.user_id)
        assert orders[0].draft.table.booking_id == id
        company.become(id, orders[0].draft.table)
        await world.orders.merchant_reports(company.booked(id))
        await world.until(lambda: any("for a table for 3 people" in t for t in phone.texts()))
        assert world.street.money_kept() == 3000


async def test_a_change_for_nothing_is_made_by_a_yes_alone() -> None:
    async with World() as world:
        company = dining(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring)
        told = await answered(world, phone, "make it eight o'clock", "Shall I change it?")
        assert "Tuesday 25 November at eight in the evening, and costs nothing" in told
        await answered(world, phone, "yes", "table for 2 people at Kumo", "eight in the evening")
        assert len(world.street.asked) == 1
        assert company.booked(id).table.table.starts.hour == 20
        await world.passes(23 * 3600)
        await answered(world, phone, "move my table to nine", "That has passed")


async def test_news_of_the_restaurant_are_told_once() -> None:
    async with World() as world:
        company = dining(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring)
        ready = company.booked(id).table.table.starts + timedelta(minutes=25)
        company.status[id] = replace(
            company.booked(id).table, status="delayed", expected_begins=ready.isoformat()
        )
        company.events[id] = ["delayed"]
        for _ in range(2):
            await world.orders.merchant_reports(company.booked(id))
        await world.until(lambda: any("25 minutes late" in t for t in phone.texts()))
        await answered(world, phone, "is my table on time", "twenty-five past seven")
        company.given_back(id, 0)
        for _ in range(2):
            await world.orders.merchant_reports(company.booked(id))
        await world.state(OrderState.REFUNDED)
        await world.until(
            lambda: any("The restaurant cancelled your booking" in t for t in phone.texts())
        )
        kinds = world.kinds()
        assert (kinds.count("table_delayed"), kinds.count("merchant_canceled")) == (1, 1)
        assert world.street.money_kept() == 0


async def test_the_way_there_while_the_table_is_spoken_of() -> None:
    async with World() as world:
        streets = StreetMap()
        dining(world, streets)
        phone, ring = await world.wear(PHONE, RING)
        await booked(world, phone, ring)
        await answered(world, phone, "where is my table", "Elielinaukio 3")
        await answered(world, phone, "take me there", "The way to Kumo.")
        await world.passes(600)
        phone.type("take me there")
        await world.passes(5)
        assert [place.point for place in streets.led] == [HOUSES[0].at]
