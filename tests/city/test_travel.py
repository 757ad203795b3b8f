"""Journeys: searched, held, bought, changed, given back, delayed, called off; the money always adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.net

TRAVEL = "dev.lapel.travel"
ANNA = {"first_name": "Anna", "last_name": "Virtanen"}
DAY = (datetime.now(UTC) + timedelta(days=9)).date()
AIR, RAIL, INN = range(3)


class Traveller:
    """A platform that asks the companies for journeys, and a wallet that pays for them."""

    def __init__(self, platform, wallet, urls: list[str], tools) -> None:
        self.platform, self.wallet, self.urls, self.tools = platform, wallet, urls, tools

    async def post(self, path: str, body: dict, key: str | None = None, at: int = AIR) -> dict:
        answer = await self.platform.send("POST", f"{self.urls[at]}{path}", body, key)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def search(self, start="Helsinki", end="Berlin", day=DAY, at: int = AIR, **more) -> dict:
        body = {"from": start, "to": end, "date": day.isoformat(), **more}
        return await self.post("/travel/search", body, at=at)

    async def offer(self, fare: str = "flex", nth: int = 0, at: int = AIR, **asked) -> dict:
        """One of which several are left; `nth` takes a later one of the day."""
        found = (await self.search(at=at, **asked))["offers"]
        return [x for x in found if x["id"].endswith(f".{fare}") and x["left"] >= 3][nth]

    async def quote(self, offer: dict, at: int = AIR, **journey) -> dict:
        body = {
            "line_items": [{"item": {"id": offer["id"]}, "quantity": 1}],
            "journey": {"travellers": [ANNA], **journey},
        }
        return await self.post("/checkout-sessions", body, at=at)

    async def buy(self, checkout: dict, at: int = AIR) -> dict:
        token = await self.platform.token(self.wallet, checkout)
        return (await self.platform.complete(self.urls[at], checkout, token)).json()

    async def book(self, offer: dict, at: int = AIR) -> str:
        done = await self.buy(await self.quote(offer, at), at)
        assert done["status"] == "completed", done
        return done["order"]["id"]

    async def order(self, id: str, at: int = AIR) -> dict:
        return (await self.platform.send("GET", f"{self.urls[at]}/orders/{id}")).json()

    async def until(self, id: str, kind: str) -> dict:
        def told() -> list[dict]:
            return [o for o in self.platform.orders() if o["id"] == id and kinds(o)[-1] == kind]

        await self.platform.until(lambda: bool(told()))
        return told()[-1]

    async def spent(self) -> int:
        return 50_000 - (await self.wallet.money())["balance"]


@pytest.fixture
async def me(city, tools, no_faults_left):
    platform = await tools.Platform({**tools.CAPABILITIES, TRAVEL: "2026-11-01"}).start()
    wallet = await platform.wallet(city.bank)
    yield Traveller(platform, wallet, city.urls["travel"], tools)
    await platform.stop()


def kinds(order: dict) -> list[str]:
    return [event["type"] for event in order["fulfillment"]["events"]]


def codes(answer: dict) -> list[str]:
    return [message["code"] for message in answer["messages"]]


async def test_a_flight_from_the_search_to_the_booking(me: Traveller):
    offer = await me.offer("flex")
    assert offer["from"]["code"] == "HEL"
    assert offer["to"]["time_zone"] == "Europe/Berlin"
    assert offer["fare"]["change_fee"] == offer["fare"]["refund_fee"] == 0
    begins, ends = (datetime.fromisoformat(offer[x]) for x in ("begins", "ends"))
    assert begins.date() == DAY
    assert timedelta(hours=1.5) < ends - begins < timedelta(hours=2.5)
    assert begins.utcoffset() - ends.utcoffset() == timedelta(hours=1)
    checkout = await me.quote(offer)
    assert me.tools.total_of(checkout) == offer["price"]["amount"]
    assert checkout["journey"]["travellers"] == [ANNA]
    agreed = {x: offer[x] for x in ("kind", "number", "from", "to", "begins", "ends", "fare")}
    assert agreed.items() <= checkout["journey"].items()
    done = await me.buy(checkout)
    order = await me.until(done["order"]["id"], "confirmed")
    assert order["journey"]["refund_now"] == offer["price"]["amount"]
    assert await me.spent() == offer["price"]["amount"]


async def test_trains_and_rooms_are_bought_the_same_way(me: Traveller):
    train = await me.offer("saver", 3, RAIL, end="Tampere")
    assert (train["kind"], train["from"]["name"]) == ("train", "Helsinki Central")
    room = await me.offer("saver", 0, INN, nights=2)
    assert room["kind"] == "stay"
    assert "from" not in room
    nights = datetime.fromisoformat(room["ends"]).date() - DAY
    assert nights.days == 2
    await me.book(train, RAIL)
    await me.book(room, INN)
    assert await me.spent() == train["price"]["amount"] + room["price"]["amount"]


async def test_what_is_not_there_is_said(me: Traveller):
    assert codes(await me.search(end="Atlantis")) == ["place_unknown"]
    assert (await me.search(end="Atlantis"))["messages"][0]["path"] == "$.to"
    assert (await me.search(start="Atlantis"))["messages"][0]["path"] == "$.from"
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    assert codes(await me.search(day=yesterday)) == ["no_connection"]
    assert codes(await me.search(start="Riga", end="Madrid")) == ["no_connection"]
    gone = await me.quote({"id": "TQ1.2026-01-01.flex"})
    assert codes(gone) == ["item_unavailable"]
    nobody = await me.quote(await me.offer(), travellers=[])
    assert codes(nobody) == ["missing"]


async def test_the_last_seats_are_sold_once_and_come_back_when_nobody_pays(me: Traveller):
    offer = await me.offer("basic", day=DAY + timedelta(days=2))

    async def left() -> dict[str, int]:
        found = await me.search(day=DAY + timedelta(days=2))
        return {x["id"]: x["left"] for x in found["offers"]}

    checkouts = [await me.quote(offer) for _ in range(offer["left"])]
    assert codes(await me.quote(offer)) == ["sold_out"]
    assert offer["id"] not in await left()
    url = f"/checkout-sessions/{checkouts[0]['id']}/cancel"
    assert (await me.post(url, {}))["status"] == "canceled"
    assert (await left())[offer["id"]] == 1
    for checkout in checkouts[1:]:
        await me.post(f"/checkout-sessions/{checkout['id']}/cancel", {})


async def test_sold_out_between_search_and_hold(me: Traveller, city):
    offer = await me.offer("basic")
    await me.platform.fault(city, "sold_out", merchant="tern")
    assert codes(await me.post("/travel/holds", {"offer": offer["id"]})) == ["sold_out"]
    assert codes(await me.quote(offer)) == ["sold_out"]


async def test_a_hold_keeps_seat_and_price_and_is_bought(me: Traveller):
    offer = await me.offer("standard", 1)

    async def left() -> int:
        return {x["id"]: x["left"] for x in (await me.search())["offers"]}[offer["id"]]

    held = (await me.post("/travel/holds", {"offer": offer["id"]}, "hold-key-1"))["hold"]
    again = (await me.post("/travel/holds", {"offer": offer["id"]}, "hold-key-1"))["hold"]
    assert held == again
    assert datetime.fromisoformat(held["expires_at"]) > datetime.now(UTC) + timedelta(minutes=25)
    assert await left() == offer["left"] - 1
    checkout = await me.quote(offer, hold_id=held["id"])
    assert await left() == offer["left"] - 1
    assert (await me.buy(checkout))["status"] == "completed"
    assert await left() == offer["left"] - 1
    assert await me.spent() == offer["price"]["amount"]


async def test_fare_rules_decide_about_giving_back(me: Traveller):
    basic, standard, flex = [await me.offer(x) for x in ("basic", "standard", "flex")]
    for offer, back in (
        (basic, 0),
        (standard, standard["price"]["amount"] - 4000),
        (flex, flex["price"]["amount"]),
    ):
        before = await me.spent()
        id = await me.book(offer)
        assert (await me.order(id))["journey"]["refund_now"] == back
        refused = await me.post(f"/travel/{id}/cancel", {"least": back + 1})
        assert codes(refused) == ["refund_too_low"]
        assert kinds(refused)[-1] == "confirmed"
        done = await me.post(f"/travel/{id}/cancel", {"least": back}, f"cancel-{id}")
        assert done == await me.post(f"/travel/{id}/cancel", {"least": back}, f"cancel-{id}")
        assert done["adjustments"][0]["fee"] == offer["price"]["amount"] - back
        assert await me.spent() == before + offer["price"]["amount"] - back
        assert codes(await me.post(f"/travel/{id}/cancel", {})) == ["booking_over"]


async def test_a_basic_fare_cannot_be_changed(me: Traveller):
    id = await me.book(await me.offer("basic"))
    later = await me.offer("basic", day=DAY + timedelta(days=1))
    assert "change_fee_now" not in (await me.order(id))["journey"]
    answer = await me.post(f"/travel/{id}/change", {"offer": later["id"], "apply": True})
    assert codes(answer) == ["change_not_allowed"]
    checkout = await me.quote(later, action="change", booking_id=id)
    assert codes(checkout) == ["change_not_allowed"]


async def test_a_change_with_a_fee_is_a_checkout_of_its_own(me: Traveller):
    offer = await me.offer("standard")
    id = await me.book(offer)
    later = await me.offer("standard", day=DAY + timedelta(days=1))
    difference = later["price"]["amount"] - offer["price"]["amount"]
    answer = await me.post(f"/travel/{id}/change", {"offer": later["id"], "apply": True})
    owed = difference + 2500
    assert answer["journey_change"] == {
        "applied": False,
        "difference": difference,
        "fee": 2500,
        "owed": owed,
    }
    assert answer["journey"]["begins"] == offer["begins"]
    checkout = await me.quote(later, action="change", booking_id=id)
    assert me.tools.total_of(checkout) == owed
    change = (await me.buy(checkout))["order"]["id"]
    order = await me.order(id)
    assert order["journey"]["begins"] == later["begins"]
    assert kinds(order) == ["confirmed", "changed"]
    assert kinds(await me.order(change)) == ["changed"]
    paid = offer["price"]["amount"] + owed
    assert await me.spent() == paid
    # Giving it back now takes the first payment first, and each order tells its own part.
    back = later["price"]["amount"] - 4000
    done = await me.post(f"/travel/{id}/cancel", {"least": back})
    assert await me.spent() == paid - back
    told = [done, await me.order(change)]
    refunds = [
        -a["totals"][0]["amount"] for o in told for a in o["adjustments"][-1:] if "totals" in a
    ]
    assert sum(refunds) == back
    assert codes(await me.post(f"/travel/{change}/cancel", {})) == ["not_found"]


async def test_a_free_change_gives_the_difference_back_and_frees_the_seat(me: Traveller):
    offers = sorted(
        [await me.offer("flex", n) for n in range(2)], key=lambda x: -x["price"]["amount"]
    )
    dear, cheap = offers[0], offers[-1]
    id = await me.book(dear)
    shown = await me.post(f"/travel/{id}/change", {"offer": cheap["id"]})
    assert shown["journey_change"]["applied"] is False
    assert shown["journey_change"]["owed"] == cheap["price"]["amount"] - dear["price"]["amount"]
    assert (await me.order(id))["journey"]["number"] == dear["number"]
    body = {"offer": cheap["id"], "apply": True}
    done = await me.post(f"/travel/{id}/change", body, "change-key-1")
    assert done == await me.post(f"/travel/{id}/change", body, "change-key-1")
    assert done["journey_change"]["applied"] is True
    assert done["journey"]["number"] == cheap["number"]
    assert await me.spent() == cheap["price"]["amount"]
    left = {x["id"]: x["left"] for x in (await me.search())["offers"]}
    assert left[dear["id"]] == dear["left"]
    assert left[cheap["id"]] == cheap["left"] - 1


async def test_a_price_raised_after_the_quote_is_confirmed_again(me: Traveller, city):
    checkout = await me.quote(await me.offer("basic"))
    await me.platform.fault(city, "price_raise", merchant="tern", operation="complete")
    answer = await me.buy(checkout)
    assert codes(answer) == ["price_changed"]
    assert answer["status"] == "ready_for_complete"
    assert me.tools.total_of(answer) == me.tools.total_of(checkout) + 100
    assert (await me.buy(answer))["status"] == "completed"
    assert await me.spent() == me.tools.total_of(answer)


async def test_a_delay_is_told_to_everybody_on_board_with_the_new_times(me: Traveller, city):
    offer = await me.offer("basic", end="Stockholm")
    first = await me.book(offer)
    await me.platform.fault(city, "departure_delayed", merchant="tern", seconds=0)
    second = await me.book(offer)
    for id in (first, second):
        journey = (await me.until(id, "delayed"))["journey"]
        late = datetime.fromisoformat(journey["expected_begins"]) - datetime.fromisoformat(
            journey["begins"]
        )
        assert late.total_seconds() / 60 in (40, 75, 190)
        free = late >= timedelta(minutes=180)
        assert journey["refund_now"] == (offer["price"]["amount"] if free else 0)


async def test_called_off_another_one_or_all_the_money(me: Traveller, city):
    offer = await me.offer("basic", end="Oslo")
    first = await me.book(offer)
    await me.platform.fault(city, "departure_canceled", merchant="tern", seconds=0)
    second = await me.book(offer)
    journey = (await me.until(first, "disrupted"))["journey"]
    await me.until(second, "disrupted")
    assert journey["refund_now"] == offer["price"]["amount"]
    assert len(journey["choices"]) == 3
    assert all(x["begins"] > offer["begins"] for x in journey["choices"])
    assert offer["id"] not in {x["id"] for x in (await me.search(end="Oslo"))["offers"]}
    other = {"offer": journey["choices"][0]["id"], "apply": True}
    moved = await me.post(f"/travel/{first}/change", other)
    assert moved["journey_change"] == {"applied": True, "difference": 0, "fee": 0, "owed": 0}
    assert moved["journey"]["begins"] == journey["choices"][0]["begins"]
    assert await me.spent() == 2 * offer["price"]["amount"]
    await me.post(f"/travel/{second}/cancel", {"least": offer["price"]["amount"]})
    assert await me.spent() == offer["price"]["amount"]


async def test_a_hotel_that_is_overbooked_gives_all_back(me: Traveller, city):
    room = await me.offer("saver", 0, INN, end="London", nights=3)
    await me.platform.fault(city, "departure_canceled", merchant="lantern", seconds=0)
    id = await me.book(room, INN)
    journey = (await me.until(id, "disrupted"))["journey"]
    assert journey["choices"] == []
    await me.post(f"/travel/{id}/cancel", {"least": room["price"]["amount"]}, at=INN)
    assert await me.spent() == 0


async def test_one_platform_does_not_see_the_bookings_of_another(me: Traveller, tools, city):
    id = await me.book(await me.offer("flex"))
    other = await tools.Platform({**tools.CAPABILITIES, TRAVEL: "2026-11-01"}).start()
    stranger = Traveller(other, me.wallet, me.urls, tools)
    assert codes(await stranger.order(id)) == ["not_found"]
    assert codes(await stranger.post(f"/travel/{id}/cancel", {})) == ["not_found"]
    assert codes(await me.post(f"/travel/{id}/cancel", {}, at=RAIL)) == ["not_found"]
    await other.stop()


async def test_bookings_survive_a_kill_and_tell_a_delay_once(me: Traveller, tools, tmp_path: Path):
    city = tools.CityProcess(tmp_path).start()
    wallet = await me.platform.wallet(city.bank)
    mine = Traveller(me.platform, wallet, city.urls["travel"], tools)
    await me.platform.fault(city, "departure_delayed", merchant="tern", seconds=1)
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{city.base}/city/kill_at", json={"point": "in_step"})
    id = await mine.book(await mine.offer("flex"))
    city.wait()
    city.start()
    mine.urls = city.urls["travel"]
    assert kinds(await mine.until(id, "delayed")) == ["confirmed", "delayed"]
    city.stop()
