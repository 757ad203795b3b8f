"""The same scenario of every vertical over REST and over MCP alone, at the City."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

import httpx
import msgspec
import pytest

from lapel.commerce import Cancel, Change, PutOff, Redirect, ReturnLine, SendBack
from lapel.commerce.checkout import (
    Address,
    Checkout,
    CheckoutStatus,
    DraftLine,
    OrderDraft,
    Transfer,
    Trip,
)
from lapel.commerce.journey import Traveller
from lapel.commerce.money import Money
from lapel.commerce.ports import MerchantOrder, Refused
from lapel.services import Merchant, Pay, Rides, Tables, Travel
from lapel.services.connectors.ucp import tools
from lapel.services.goods.shopping import Shopping
from lapel.services.personal import AlreadyPast, At, Clock, InDays
from lapel.services.tables import Wanted as Sitting
from lapel.services.tables import draft_of
from lapel.services.travel import Wanted
from lapel.store import Store
from services.test_city import Shopper, _shopping, office
from town import Town

pytestmark = pytest.mark.net

STATION = Address("station", "Kaivokatu 1", "Helsinki", "00100", "FI", 60.171206, 24.941209)
NOWHERE = Address("", "", "", "", "", 0.0, 0.0)
HOME = Address("home", "Liisankatu 21", "Helsinki", "00170", "FI", 60.1742, 24.953318)
T = TypeVar("T")


@pytest.fixture(scope="module", params=["rest", "mcp"])
def city(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    running = Town(
        tmp_path_factory.mktemp(f"city-{request.param}"), speed=12000, transport=request.param
    )
    yield running
    running.close()


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city) as running:
        yield running


async def meet(shopper: Shopper, kind: str, which: int = 0) -> str:
    merchant = await shopper.world.food.add_merchant(shopper.city.urls[kind][which])
    assert merchant.profile.transport == shopper.city.transport
    return merchant.id


async def buy(shopper: Shopper, draft: OrderDraft) -> Checkout:
    """Priced, paid and placed; what was paid is what was shown."""
    merchants = shopper.world.merchants
    quoted = await merchants.create_checkout(draft, shopper.key("quote"))
    await shopper.world.remember(draft, quoted.id)
    again = await merchants.get_checkout(draft.merchant_id, quoted.id)
    assert again.hash() == quoted.hash()
    assert quoted.payment is not None
    done = await shopper.place(quoted)
    assert done.status is CheckoutStatus.COMPLETED
    assert done.total == quoted.total
    return done


async def told(
    look: Callable[[], Awaitable[T]], until: Callable[[T], bool], within_s: float = 40.0
) -> T:
    async with asyncio.timeout(within_s):
        while not until(found := await look()):
            await asyncio.sleep(0.05)
        return found


async def test_food_from_a_cart_to_the_door(shopper: Shopper):
    assert shopper.merchant is not None
    assert shopper.merchant.profile.transport == shopper.city.transport
    quoted = await shopper.quote(1)
    changed = await shopper.world.merchants.update_checkout(
        quoted.id, shopper.order(2), shopper.key("quote")
    )
    assert changed.lines[0].quantity == 2
    gone = await shopper.world.merchants.cancel_checkout(
        quoted.merchant_id, quoted.id, shopper.key("cancel")
    )
    assert gone.status is CheckoutStatus.CANCELED
    done = await shopper.place(await shopper.quote(1))
    await shopper.until("delivered")
    order = await shopper.world.merchants.get_order(done.merchant_id, done.order_id)
    assert order.total == done.total


async def test_a_ride_for_later_is_found_at_its_time_booked_put_off_and_given_up(
    shopper: Shopper,
):
    company = await meet(shopper, "rides")
    rides = Rides(shopper.world.registry, shopper.world.client)
    zone = await rides.zone(company)
    assert zone is not None
    at = datetime.now(zone).replace(hour=13, minute=0, second=0, microsecond=0) + timedelta(days=9)
    offers = await rides.estimate(STATION, HOME, at)
    assert [x.pickup_at for x in offers] == [at.isoformat(timespec="seconds")] * 3
    assert all(x.to_be_had and x.pickup_minutes is None for x in offers)
    said = await rides.estimate(STATION, HOME, At(InDays(1), Clock(10, half="pm")))
    assert datetime.fromisoformat(said[0].pickup_at).astimezone(zone).hour == 22
    trip = Trip("ride", HOME, STATION, pickup_at=offers[0].pickup_at)
    line = DraftLine(offers[0].id, offers[0].title, 1)
    done = await buy(shopper, OrderDraft(company, (line,), HOME, trip=trip))
    assert done.trip is not None
    assert done.trip.trip.pickup_at == offers[0].pickup_at
    assert (done.total, done.trip.free_until[11:16]) == (offers[0].price, "12:30")
    later = (at + timedelta(hours=1)).isoformat(timespec="seconds")
    priced = await rides.price_pickup(company, done.order_id, later)
    assert (priced.owed.minor, priced.applied) == (0, False)
    ask = shopper.world.merchants.ask
    await ask(company, done.order_id, PutOff(later), shopper.key("later"))
    seen = await rides.look(company, done.order_id)
    assert seen.ride is not None
    assert (seen.ride.pickup_at, seen.ride.status) == (later, "booked")
    for_nothing = Cancel("ride", Money(0, "EUR"), done.total)
    gone = await ask(company, done.order_id, for_nothing, shopper.key("cancel"))
    assert gone.canceled
    moment = at.replace(second=30)  # a pick-up is a whole minute: the next is half of one ahead
    then = Rides(shopper.world.registry, shopper.world.client, moment.timestamp)
    for bad, code in (
        (timedelta(days=40), "pickup_too_far"),
        (timedelta(seconds=2), "pickup_too_soon"),
    ):
        with pytest.raises(Refused) as refused:
            await then.estimate(STATION, HOME, moment + bad)
        assert refused.value.code == code
    with pytest.raises(AlreadyPast):
        await then.estimate(STATION, HOME, moment - timedelta(minutes=2))


async def test_a_company_that_takes_no_rides_for_later_is_asked_for_none(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
):
    company = await meet(shopper, "rides")
    rides = Rides(shopper.world.registry, shopper.world.client)
    known = await shopper.world.registry.get(company)
    plain = replace(known, profile=replace(known.profile, ahead=None))

    async def companies() -> list[Merchant]:
        return [plain]

    monkeypatch.setattr(rides, "companies", companies)
    assert await rides.estimate(STATION, HOME)
    with pytest.raises(Refused) as refused:
        await rides.estimate(STATION, HOME, datetime.now(UTC) + timedelta(days=1))
    assert refused.value.code == "no_rides_ahead"


async def test_a_ride_is_found_booked_redirected_and_given_up(shopper: Shopper):
    shopper.city.speed(4)
    company = await meet(shopper, "rides")
    rides = Rides(shopper.world.registry, shopper.world.client)
    [place, *_] = await rides.places("manner heimintie 10")
    assert place.street == "Mannerheimintie 10"
    offers = await rides.estimate(STATION, HOME)
    trip = Trip("ride", HOME, STATION)
    line = DraftLine(offers[0].id, offers[0].title, 1)
    done = await buy(shopper, OrderDraft(company, (line,), HOME, trip=trip))
    assert done.total == offers[0].price
    seen = await rides.look(company, done.order_id)
    assert seen.ride is not None
    there = office(shopper.city)
    priced = await rides.price_destination(company, done.order_id, there)
    assert (priced.order.id, priced.applied) == (done.order_id, False)
    ask = shopper.world.merchants.ask
    if not priced.owed.minor:
        moved = await ask(company, done.order_id, Redirect(there), shopper.key("go"))
        assert moved.ride is not None
        assert moved.ride.goes_to(there)
    else:
        with pytest.raises(Refused) as refused:
            await ask(company, done.order_id, Redirect(there), shopper.key("go"))
        assert refused.value.code == "costs_more"
    key, give_up = shopper.key("cancel"), Cancel("ride", Money(400, "EUR"), Money(0, "EUR"))
    gone = await ask(company, done.order_id, give_up, key)
    assert gone.canceled
    assert (await ask(company, done.order_id, give_up, key)).id == gone.id
    with pytest.raises(Refused) as refused:
        await ask(company, done.order_id, give_up, shopper.key("cancel"))
    assert refused.value.code == "ride_over"
    shopper.city.speed(12000)


async def test_a_flight_is_held_booked_changed_and_given_back(shopper: Shopper):
    company = await meet(shopper, "travel")
    travel = Travel(shopper.world.registry, shopper.world.client)
    day = date.today() + timedelta(days=20)
    wanted = Wanted("flight", "BER", day, "HEL")
    offers = await travel.search(wanted)
    flexible = next(x for x in offers if x.journey.fare.refund_fee == 0)
    held = await travel.hold(flexible, shopper.key("hold"))
    journey = msgspec.structs.replace(flexible.journey, travellers=(Traveller("Anna", "Virtanen"),))
    line = DraftLine(journey.offer_id, journey.number, 1)
    draft = OrderDraft(company, (line,), NOWHERE, journey=journey, hold_id=held.id)
    done = await buy(shopper, draft)
    seen = await travel.look(company, done.order_id)
    assert seen.journey is not None
    later = await travel.search(replace(wanted, day=day + timedelta(days=1)))
    cheaper = min(
        (x for x in later if x.journey.fare.title == flexible.journey.fare.title),
        key=lambda x: x.price.minor,
    )
    priced = await travel.price_change(company, done.order_id, cheaper.journey.offer_id)
    ask, change = shopper.world.merchants.ask, Change("journey", cheaper.journey.offer_id)
    if priced.owed.minor <= 0:
        made = await ask(company, done.order_id, change, shopper.key("change"))
        assert made.journey is not None
        assert made.journey.journey.offer_id == change.offer_id
    else:
        with pytest.raises(Refused) as refused:
            await ask(company, done.order_id, change, shopper.key("change"))
        assert refused.value.code == "costs_more"
    give_back = Cancel("journey", done.total, Money(0, "EUR"))
    gone = await ask(company, done.order_id, give_back, shopper.key("cancel"))
    assert gone.canceled


async def test_a_table_is_found_booked_changed_and_given_back(shopper: Shopper):
    group = await meet(shopper, "tables")
    await meet(shopper, "tables", 1)
    tables = Tables(shopper.world.registry, shopper.world.client)
    day = date.today() + timedelta(days=10)
    day += timedelta(days=(2 - day.weekday()) % 7)  # a Wednesday: everybody is open
    wanted = Sitting(2, day, time(19), timedelta(0), near=(60.171206, 24.941209), radius_m=350)
    offers = await tables.search(wanted)
    names = {x.table.restaurant.name for x in offers}
    assert {"Kumo", "Juniper Room"} <= names
    assert "Hilla" not in names
    distances = [x.distance_m for x in offers]
    assert distances == sorted(distances)
    assert all(x is not None and x <= 350 for x in distances)
    by_name = await tables.search(replace(wanted, near=None, place="railway station"))
    assert {x.table.restaurant.name for x in by_name} == names
    [lume] = await tables.search(replace(wanted, near=None, cuisine="italian"))
    assert (lume.merchant_id, lume.distance_m, lume.price) == (group, None, Money(1000, "EUR"))
    with pytest.raises(Refused) as refused:
        await tables.search(replace(wanted, near=None, place="Atlantis"))
    assert refused.value.code == "place_unknown"
    with pytest.raises(Refused) as refused:
        await tables.search(replace(wanted, party=30))
    assert refused.value.code == "party_too_large"
    done = await buy(shopper, draft_of(lume, "Anna Virtanen"))
    seen = await tables.look(group, done.order_id)
    assert seen.table is not None
    assert seen.table.table.guest == "Anna Virtanen"
    assert seen.table.fee_now == Money(0, "EUR")
    same = replace(wanted, near=None, merchant_id=group, restaurant_id="lume", party=3)
    [three] = await tables.search(same)
    offer = three.table.offer_id
    ask = shopper.world.merchants.ask
    priced = await tables.price_change(group, done.order_id, offer)
    assert priced.owed == Money(500, "EUR")
    with pytest.raises(Refused) as refused:
        await ask(group, done.order_id, Change("table", offer), shopper.key("change"))
    assert refused.value.code == "costs_more"
    change = await buy(shopper, draft_of(three, "Anna Virtanen", booking_id=done.order_id))
    assert change.total == Money(500, "EUR")
    [later] = await tables.search(replace(same, at=time(20)))
    to_eight = Change("table", later.table.offer_id)
    moved = await ask(group, done.order_id, to_eight, shopper.key("move"))
    assert moved.table is not None
    assert moved.table.table.starts.hour == 20
    key, give_up = shopper.key("cancel"), Cancel("table", Money(0, "EUR"), done.total)
    gone = await ask(group, done.order_id, give_up, key)
    assert gone.canceled
    assert (await ask(group, done.order_id, give_up, key)).id == gone.id
    with pytest.raises(Refused) as refused:
        await ask(group, done.order_id, give_up, shopper.key("cancel"))
    assert refused.value.code == "booking_over"


async def test_a_grocer_asks_about_a_substitute(shopper: Shopper):
    grocer = await meet(shopper, "stores")
    shopper.city.fault("shelf_empty", merchant="tori")
    line = DraftLine("juice_orange", "Orange juice", 1, substitution="ask")
    draft = OrderDraft(grocer, (line,), office(shopper.city), kind="groceries")
    merchants = shopper.world.merchants
    quoted = await merchants.create_checkout(draft, shopper.key("quote"))
    await shopper.world.remember(draft, quoted.id)
    done = await shopper.place(quoted)

    async def look() -> MerchantOrder:
        return await merchants.get_order(grocer, done.order_id)

    asked = await told(look, lambda order: bool(order.questions))
    [question] = asked.questions
    answer = (grocer, done.order_id, question.line_id, question.item_id, True)
    await merchants.answer_substitution(*answer, shopper.key("yes"))
    packed = await told(look, lambda order: any(x.kind == "packed" for x in order.events))
    assert question.item_id in {line.item_id for line in packed.bill}
    late = (grocer, done.order_id, question.line_id, "eggs_10", True, shopper.key("yes"))
    with pytest.raises(Refused) as refused:
        await merchants.answer_substitution(*late)
    assert refused.value.code == "not_asked"


async def test_what_a_store_brought_is_sent_back(shopper: Shopper):
    store = await meet(shopper, "stores", 1)
    shopping = Shopping(shopper.world.registry, shopper.world.client)
    [offer, *_] = await shopping.search("charger 20 W", office(shopper.city))
    line = DraftLine(offer.item_id, offer.title, 1)
    draft = OrderDraft(store, (line,), office(shopper.city), kind="goods", fastest=True)
    done = await buy(shopper, draft)
    await shopper.until("delivered")
    terms = await shopping.returnable(store, done.order_id)
    [(id, *_)] = terms.lines
    ask, lines = shopper.world.merchants.ask, (ReturnLine(id, 1),)
    wrong = SendBack(lines, Money(0, "EUR"), "the charger")
    with pytest.raises(Refused) as refused:
        await ask(store, done.order_id, wrong, shopper.key("back"))
    assert refused.value.code == "fee_changed"
    right = SendBack(lines, terms.fee, "the charger")
    sent = await ask(store, done.order_id, right, shopper.key("back"))
    assert [x.lines for x in sent.adjustments if x.kind == "return"] == [((id, 1),)]

    async def look() -> MerchantOrder:
        return await shopper.world.merchants.get_order(store, done.order_id)

    back = await told(look, lambda order: bool(order.refunds))
    assert sum(amount.minor for amount in back.refunds) == offer.price.minor - terms.fee.minor


async def test_money_goes_to_a_person_and_by_a_code(shopper: Shopper):
    service = await meet(shopper, "pay")
    pay = Pay(shopper.world.registry, shopper.world.client, shopper.bank)
    payee = (await pay.payee("@anna")).party
    transfer = Transfer("send", payee.handle, payee.name, Money(1250, "EUR"), "lunch")
    line = DraftLine("transfer", "Transfer", 1)
    done = await buy(shopper, OrderDraft(service, (line,), NOWHERE, transfer=transfer))
    assert done.total == Money(1250, "EUR")
    with pytest.raises(Refused) as refused:
        await pay.payee("@nobody")
    assert refused.value.code == "unknown_payee"


async def test_every_tool_that_lapel_knows_is_offered_by_somebody(shopper: Shopper):
    """The two tables of verbs were written apart."""
    if shopper.city.transport != "mcp":
        return
    kinds = ("merchants", "rides", "travel", "tables", "pay", "stores")
    urls = [url for kind in kinds for url in shopper.city.urls[kind]]
    ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    offered = {
        tool["name"]
        for url in urls
        for tool in shopper.city.http.post(f"{url}/ucp/mcp", json=ask).json()["result"]["tools"]
    }
    assert {verb.tool for verb in tools._ALL} == offered
