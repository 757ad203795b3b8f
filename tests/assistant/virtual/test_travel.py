"""Travel in virtual time: from the words to a booking, changes and refunds by the fare, and what a company does to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from stage.loop import wall
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, Worn
from stage.world import World

from lapel.assistant import SavedPlaces
from lapel.assistant.travel import ProfileName, TravelSkill, load_travel_words
from lapel.commerce import (
    Cancel,
    Change,
    FareRules,
    Journey,
    JourneyOffer,
    JourneyStatus,
    MerchantAdjustment,
    MerchantEvent,
    MerchantOrder,
    Money,
    OrderState,
    Refused,
    Stop,
    verify,
)
from lapel.commerce.request import Request
from lapel.services.travel import Held, PricedChange, Wanted

pytestmark = pytest.mark.unit

HELSINKI, BERLIN = ZoneInfo("Europe/Helsinki"), ZoneInfo("Europe/Berlin")
HEL = Stop("HEL", "Helsinki Vantaa Airport", "Helsinki", "FI", HELSINKI.key)
BER = Stop("BER", "Berlin Brandenburg Airport", "Berlin", "DE", BERLIN.key)
HOTEL = Stop("ber", "Lantern Berlin Mitte", "Berlin", "DE", BERLIN.key)
FARES = {"Basic": (4000, None, None), "Standard": (6000, 2500, 3000), "Flex": (9000, 0, 0)}
HOURS = (7, 10, 14, 18, 22)


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def flight(day: datetime, hour: int, fare: str) -> JourneyOffer:
    price, change, refund = FARES[fare]
    begins = datetime(day.year, day.month, day.day, hour, 30, tzinfo=HELSINKI)
    ends = (begins + timedelta(minutes=115)).astimezone(BERLIN)
    until = stamp(begins - timedelta(hours=1)) if change is not None else ""
    journey = Journey(
        "flight",
        f"TQ{hour}.{begins.date()}.{fare}",
        f"TQ {hour}",
        HEL,
        BER,
        stamp(begins),
        stamp(ends),
        FareRules(fare, change, refund, until),
        (),
    )
    return JourneyOffer("tern", "Tern Air", journey, Money(price, "EUR"), 5)


def room(day: datetime, nights: int) -> JourneyOffer:
    begins = datetime(day.year, day.month, day.day, 15, tzinfo=BERLIN)
    ends = datetime(day.year, day.month, day.day, 11, tzinfo=BERLIN) + timedelta(days=nights)
    rules = FareRules("Saver room", None, None, "")
    id = f"ber{nights}.{begins.date()}"
    journey = Journey("stay", id, HOTEL.name, None, HOTEL, stamp(begins), stamp(ends), rules, ())
    return JourneyOffer("lantern", "Lantern", journey, Money(5000 * nights, "EUR"), 5)


@dataclass
class Company:
    """An airline and a hotel without a wire: what they hold, and what became of the bookings."""

    world: World
    held: list[str] = field(default_factory=list)
    asked: list[Wanted] = field(default_factory=list)
    status: dict[str, JourneyStatus] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    adjustments: dict[str, list[MerchantAdjustment]] = field(default_factory=dict)

    async def sells(self, kind: str) -> bool:
        return True

    async def search(self, wanted: Wanted) -> list[JourneyOffer]:
        self.asked.append(wanted)
        day = datetime(wanted.day.year, wanted.day.month, wanted.day.day)
        if wanted.kind == "stay":
            found = [room(day, wanted.nights)]
        elif wanted.destination.casefold() in ("berlin", "ber"):
            found = [flight(day, hour, fare) for hour in HOURS for fare in FARES]
        else:
            raise Refused("Tern Air does not know that place.", code="place_unknown")
        found = [x for x in found if x.journey.departs.timestamp() > wall()]
        for offer in found:
            self.world.street.set(f"price:{offer.journey.offer_id}", offer.price.minor)
        return found

    async def hold(self, offer: JourneyOffer, key: str) -> Held:
        self.held.append(offer.journey.offer_id)
        return Held("hold_1", offer, wall() + 1800)

    def booked(self, booking_id: str) -> MerchantOrder:
        """The street's order, with the journey that was bought for it."""
        (checkout_id, total) = self.world.street.db.execute(
            "select checkout_id, total from orders where id=?", (booking_id,)
        ).fetchone()
        made = self.status.get(booking_id) or self._fresh(checkout_id, total)
        kinds = self.events.get(booking_id, [])
        canceled = "canceled" in kinds
        return MerchantOrder(
            merchant_id="tern",
            id=booking_id,
            checkout_id=checkout_id,
            total=Money(total, "EUR"),
            events=tuple(MerchantEvent(f"e{n}", kind, "now") for n, kind in enumerate(kinds)),
            canceled=canceled,
            adjustments=tuple(self.adjustments.get(booking_id, [])),
            journey=made,
        )

    def _fresh(self, checkout_id: str, total: int) -> JourneyStatus:
        journey = self.world.street._load(checkout_id).journey
        refund, change = journey.fare.refund_fee, journey.fare.change_fee
        back = 0 if refund is None else total - refund
        return JourneyStatus(
            journey,
            "confirmed",
            refund_now=Money(back, "EUR"),
            change_fee=None if change is None else Money(change, "EUR"),
        )

    async def look(self, merchant_id: str, booking_id: str) -> MerchantOrder:
        return self.booked(booking_id)

    async def price_change(self, merchant_id: str, booking_id: str, offer_id: str) -> PricedChange:
        order = self.booked(booking_id)
        offer = self._offer(offer_id)
        fee = order.journey.change_fee or Money(0, "EUR")
        free = order.journey.status == "disrupted"
        difference = Money(0 if free else offer.price.minor - order.total.minor, "EUR")
        owed = Money(difference.minor + fee.minor, "EUR")
        self.world.street.set(f"price:{offer_id}", owed.minor)
        return PricedChange(order, difference, fee, owed)

    def asked_for(self, booking_id: str, request: Request) -> MerchantOrder:
        match request:
            case Cancel(least=least):
                return self.given_back(booking_id, least.minor)
            case Change(offer_id=offer_id):
                self.become(booking_id, self._offer(offer_id).journey)
                return self.booked(booking_id)
            case _:
                raise AssertionError("nobody asks that of a company")

    def become(self, booking_id: str, journey: Journey) -> None:
        before = self.booked(booking_id).journey
        travelled = msgspec.structs.replace(journey, travellers=before.journey.travellers)
        self.status[booking_id] = replace(before, journey=travelled, status="changed", choices=())
        self.events.setdefault(booking_id, []).append("changed")

    def given_back(self, booking_id: str, back: int, *, fee: int | None = None) -> MerchantOrder:
        order = self.booked(booking_id)
        if "canceled" in self.events.get(booking_id, []):
            return order
        fee = order.total.minor - back if fee is None else fee
        self.events.setdefault(booking_id, []).append("canceled")
        self.status[booking_id] = replace(
            order.journey, status="canceled", fee_kept=Money(fee, "EUR") if fee else None
        )
        if back:
            refund = MerchantAdjustment("a1", "refund", "completed", Money(-back, "EUR"))
            self.adjustments[booking_id] = [refund]
            street = self.world.street
            [(hold,)] = street.db.execute(
                "select id from holds where captured=? order by id desc limit 1",
                (order.total.minor,),
            ).fetchall()
            if back < order.total.minor:
                street.give_part(hold, back)
        return self.booked(booking_id)

    def _offer(self, offer_id: str) -> JourneyOffer:
        name, day, fare = offer_id.split(".")
        return flight(datetime.fromisoformat(day), int(name.removeprefix("TQ")), fare)


def travelling(world: World) -> Company:
    company = Company(world)
    world.street.set("fee", 0)
    world.street.asked_for = company.asked_for
    world.skills = lambda user_id: (
        TravelSkill(
            user_id,
            world.orders,
            company,
            SavedPlaces(world.record, user_id),
            ProfileName(world.record, user_id),
            load_travel_words(),
            HELSINKI,
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


async def booked(world: World, phone: Worn, ring: Worn, pick: str = "the first one") -> str:
    """A flight on the day after tomorrow, paid for; gives the company's id of the booking."""
    await answered(world, phone, "flights to Berlin the day after tomorrow", "Helsinki to Berlin")
    phone.type(pick)
    await world.until(lambda: phone.questions or "name" in phone.texts()[-1])
    if not phone.questions:
        phone.type("Ada Lovelace")
    await world.asked()
    await world.passes(1)
    ring.press()
    order = await world.state(OrderState.PLACED)
    return order.merchant_order_id


async def test_a_search_is_read_in_local_times_and_answered_by_words() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        told = await answered(world, phone, "flights to Berlin tomorrow morning", "Berlin")
        tomorrow = (datetime.fromtimestamp(wall(), HELSINKI) + timedelta(days=1)).date()
        assert [x.day for x in company.asked] == [tomorrow]
        assert company.asked[0].origin == "Helsinki"
        assert "07:30" in told
        assert "10:30" in told
        assert "14:30" not in told, "the afternoon was not asked about"
        phone.type("the cheapest flexible one")
        await world.until(lambda: "Under which name" in phone.texts()[-1])
        phone.type("Ada Lovelace")
        await world.asked()
        order = (await world.orders.list(world.user_id))[0]
        assert order.draft.journey.fare.title == "Flex"
        assert str(order.draft.journey.travellers[0]) == "Ada Lovelace"
        assert "Changes and a refund are free" in phone.texts()[-1]
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        receipt = verify(order.receipt)
        assert receipt.journey == order.draft.journey


async def test_what_is_missing_is_asked_for() -> None:
    async with World() as world:
        company = travelling(world)
        (phone,) = await world.wear(PHONE)
        await answered(world, phone, "find me a flight", "Where to?")
        await answered(world, phone, "Berlin", "On which day?")
        told = await answered(world, phone, "on Friday", "Friday")
        assert "Helsinki to Berlin" in told
        assert company.asked[0].day.weekday() == 4
        await answered(world, phone, "flights to Atlantis tomorrow", "does not know that place")
        await answered(world, phone, "flights to Helsinki tomorrow", "Where from?")


async def test_a_hold_is_bought_with_its_id_and_nothing_is_paid_before() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        await answered(world, phone, "flights to Berlin tomorrow", "Helsinki to Berlin")
        await answered(world, phone, "hold the second one", "is held for 40 euros until")
        assert company.held == [company.asked and f"TQ10.{company.asked[0].day}.Basic"]
        assert world.kinds() == []
        phone.type("book it")
        await world.until(lambda: "Under which name" in phone.texts()[-1])
        phone.type("my name is Ada Lovelace")
        await world.asked()
        order = (await world.orders.list(world.user_id))[0]
        assert order.draft.journey.number == "TQ 10"
        await world.passes(1)
        ring.press()
        await world.state(OrderState.PLACED)


async def test_a_change_with_a_fee_is_asked_with_its_parts_and_paid_once() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring, "the standard one")
        phone.type("change my flight to Saturday")
        await world.until(lambda: phone.questions)
        assert "Change of your booking" in phone.texts()[-1]
        assert "25.00 EUR" in phone.texts()[-1]
        await world.passes(1)
        ring.press()
        await world.until(lambda: sum(e.kind == "placed" for e in world.events) == 2)
        orders = await world.orders.list(world.user_id)
        assert orders[0].draft.journey.booking_id == id
        company.become(id, orders[0].draft.journey)
        await world.orders.merchant_reports(company.booked(id))
        await world.until(lambda: any("booking is for flight" in t for t in phone.texts()))
        assert world.street.money_kept() == 6000 + 2500


async def test_a_free_change_is_made_by_a_yes_alone() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring, "the cheapest flexible one")
        told = await answered(world, phone, "change it to Saturday evening", "Shall I?")
        assert "That costs nothing" in told
        assert "18:30" in told
        await answered(world, phone, "no", "stays as it is")
        assert world.street.asked == []
        await answered(world, phone, "change it to Saturday evening", "Shall I?")
        await answered(world, phone, "yes", "Your booking is for flight TQ 18")
        assert len(world.street.asked) == 1
        assert company.booked(id).journey.journey.day.weekday() == 5
        told = await answered(world, phone, "when does my flight leave", "Saturday")
        assert "at 18:30 and arrives in Berlin at 19:25" in told


async def test_giving_back_states_the_refund_and_keeps_the_rest() -> None:
    async with World() as world:
        travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        await booked(world, phone, ring, "the standard one")
        await answered(world, phone, "cancel my flight", "You get 30 euros of 60 euros back")
        assert world.street.money_kept() == 6000
        await answered(world, phone, "yes", "It cost 30 euros; you get 30 euros back")
        await world.state(OrderState.CANCELED)
        assert world.street.money_kept() == 3000


async def test_a_company_that_keeps_more_than_was_agreed_keeps_nothing() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring, "the standard one")
        report = company.given_back(id, 1000)  # by itself, and with a fee that nobody agreed to
        await world.orders.merchant_reports(report)
        await world.until(
            lambda: any("keeps more than its rules allow" in t for t in phone.texts())
        )
        await world.state(OrderState.REFUNDED)
        assert world.street.money_kept() == 0


async def test_a_refund_that_is_less_than_the_company_says_is_not_believed() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        await booked(world, phone, ring, "the standard one")
        order = (await world.orders.list(world.user_id))[0]
        world.street.asked_for = lambda id, _: company.given_back(id, 1000, fee=3000)
        terms = Cancel("journey", Money(3000, "EUR"), Money(3000, "EUR"))
        await world.orders.ask(order.id, terms)
        await world.until(lambda: any("gives back less than it says" in t for t in phone.texts()))
        await world.state(OrderState.REFUNDED)
        assert world.street.money_kept() == 0


async def test_a_delay_is_told_once_with_the_new_times() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        id = await booked(world, phone, ring)
        before = company.booked(id).journey
        late = timedelta(minutes=75)
        company.status[id] = replace(
            before,
            status="delayed",
            expected_begins=stamp(before.journey.departs + late),
            expected_ends=stamp(before.journey.arrives + late),
        )
        company.events[id] = ["delayed"]
        report = company.booked(id)
        await world.orders.merchant_reports(report)
        await world.orders.merchant_reports(report)
        await world.until(lambda: any("75 minutes late" in t for t in earbuds.spoken()))
        await world.crash()
        await world.open()
        await world.back(phone, ring, earbuds)
        await world.orders.merchant_reports(report)
        await world.passes(5)
        said = [t for t in earbuds.spoken() if "75 minutes late" in t]
        assert len(said) == 1
        assert "It leaves at 08:45" in said[0]


async def test_a_flight_that_is_called_off_can_be_replaced_or_given_back() -> None:
    async with World() as world:
        company = travelling(world)
        phone, ring = await world.wear(PHONE, RING)
        id = await booked(world, phone, ring)
        before = company.booked(id).journey
        day = before.journey.departs + timedelta(days=1)
        company.status[id] = replace(
            before,
            status="disrupted",
            refund_now=Money(4000, "EUR"),
            change_fee=Money(0, "EUR"),
            choices=(flight(day, 10, "Basic"),),
        )
        company.events[id] = ["disrupted"]
        await world.orders.merchant_reports(company.booked(id))
        await world.until(lambda: any("is called off" in t for t in phone.texts()))
        assert any("You can take TQ 10" in t for t in phone.texts())
        await answered(world, phone, "rebook it", "Shall I?")
        await answered(world, phone, "yes", "Your booking is for flight TQ 10")
        assert world.street.money_kept() == 4000
        company.status[id] = replace(company.booked(id).journey, refund_now=Money(4000, "EUR"))
        await answered(world, phone, "refund it", "You get all of 40 euros back")
        await answered(world, phone, "yes", "You got 40 euros back")
        assert world.street.money_kept() == 0


async def test_a_room_is_for_so_many_nights_from_a_day() -> None:
    async with World() as world:
        company = travelling(world)
        (phone,) = await world.wear(PHONE)
        told = await answered(
            world, phone, "a hotel in Berlin for two nights from Friday", "2 nights from Friday"
        )
        assert "Lantern Berlin Mitte" in told
        await answered(world, phone, "a hotel in Berlin from Friday to Monday", "3 nights")
        assert [(x.nights, x.day.weekday()) for x in company.asked] == [(2, 4), (3, 4)]


async def test_words_about_other_things_are_left_alone() -> None:
    async with World() as world:
        company = travelling(world)
        phone, glasses = await world.wear(PHONE, GLASSES)
        await answered(world, phone, "cancel my flight", "You have no flight booked")
        phone.type("two lattes to my office")
        await world.asked()
        phone.type("cancel")
        await world.until(lambda: not phone.questions)
        assert company.asked == []
        assert glasses
