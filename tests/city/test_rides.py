"""Rides: estimated, bought, driven on real streets, changed, given up, canceled; the money always adds up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

pytestmark = pytest.mark.net

STATION = {"street_address": "Kaivokatu 1", "latitude": 60.171206, "longitude": 24.941209}
HOME = {"street_address": "Liisankatu 21", "latitude": 60.1742, "longitude": 24.953318}
OFFICE = {"street_address": "Eteläesplanadi 22", "latitude": 60.16685, "longitude": 24.945481}
RIDES = "dev.lapel.rides"
ZONE = ZoneInfo("Europe/Helsinki")


class Rider:
    """A platform that asks Lokki for rides, and a wallet that pays for them."""

    def __init__(self, platform, wallet, base: str, tools) -> None:
        self.platform, self.wallet, self.base, self.tools = platform, wallet, base, tools

    async def post(self, path: str, body: dict, key: str | None = None) -> dict:
        answer = await self.platform.send("POST", f"{self.base}{path}", body, key)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def quote(self, item: str = "economy", **trip) -> dict:
        trip = trip or {"pickup": STATION, "destination": HOME}
        body = {"line_items": [{"item": {"id": item}, "quantity": 1}], "trip": trip}
        return await self.post("/checkout-sessions", body)

    async def buy(self, checkout: dict) -> dict:
        token = await self.platform.token(self.wallet, checkout)
        return (await self.platform.complete(self.base, checkout, token)).json()

    async def ride(self, item: str = "economy") -> str:
        done = await self.buy(await self.quote(item))
        assert done["status"] == "completed", done
        return done["order"]["id"]

    async def order(self, id: str) -> dict:
        return (await self.platform.send("GET", f"{self.base}/orders/{id}")).json()

    async def until(self, id: str, *kinds: str) -> dict:
        """The order as it was told with one of these events."""

        def told() -> list[dict]:
            return [
                o
                for o in self.platform.orders()
                if o["id"] == id and o["fulfillment"]["events"][-1]["type"] in kinds
            ]

        await self.platform.until(lambda: bool(told()))
        return told()[0]

    async def spent(self) -> int:
        return 50_000 - (await self.wallet.money())["balance"]


@pytest.fixture(scope="module")
def city(tools, tmp_path_factory):
    running = tools.CityProcess(tmp_path_factory.mktemp("rides"), "--speed", "240").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
async def rider(city, tools, no_faults_left):
    platform = await tools.Platform({**tools.CAPABILITIES, RIDES: "2026-11-01"}).start()
    wallet = await platform.wallet(city.bank)
    yield Rider(platform, wallet, city.urls["rides"][0], tools)
    await platform.stop()


def kinds(order: dict) -> list[str]:
    return [event["type"] for event in order["fulfillment"]["events"]]


async def test_a_ride_from_the_estimate_to_the_door(rider: Rider):
    found = await rider.post("/rides/estimate", {"pickup": STATION, "destination": HOME})
    assert [x["id"] for x in found["classes"]] == ["economy", "comfort", "van"]
    prices = [x["price"]["amount"] for x in found["classes"]]
    assert prices == sorted(prices)
    checkout = await rider.quote()
    assert rider.tools.total_of(checkout) == prices[0]
    assert checkout["trip"]["cancellation"] == {"free_minutes": 2, "fee": 400}
    id = (await rider.buy(checkout))["order"]["id"]
    assigned = await rider.until(id, "driver_assigned")
    driver = assigned["trip"]["driver"]
    assert driver["plate"]
    assert driver["car"]
    assert assigned["trip"]["eta_minutes"] >= 1
    tracking = assigned["fulfillment"]["events"][-1]["tracking_url"]
    where = (await rider.platform.http.get(tracking)).json()
    assert where["courier"] is not None
    assert len(where["route"]) > 1
    done = await rider.until(id, "dropped_off")
    assert kinds(done) == [
        "processing",
        "driver_assigned",
        "driver_arriving",
        "arrived",
        "picked_up",
        "dropped_off",
    ]
    assert done["line_items"][0]["quantity"] == {"original": 1, "total": 1, "fulfilled": 1}
    assert await rider.spent() == prices[0]


async def test_places_are_found_as_they_are_heard(rider: Rider):
    found = await rider.post("/rides/places", {"text": "manner heimintie 10"})
    assert found["places"][0]["street_address"] == "Mannerheimintie 10"
    found = await rider.post("/rides/places", {"text": "Toolonlahdenkatu"})
    assert found["places"][0]["street_address"].startswith("Töölönlahdenkatu")
    assert (await rider.post("/rides/places", {"text": "Baker Street"}))["places"] == []


async def test_canceling_is_free_at_first_and_then_costs_the_stated_fee(rider: Rider):
    paid = rider.tools.total_of(await rider.quote())
    free = await rider.ride()
    canceled = await rider.post(f"/rides/{free}/cancel", {"most": 0}, "cancel-free-1")
    assert kinds(canceled)[-1] == "canceled"
    again = await rider.post(f"/rides/{free}/cancel", {"most": 0}, "cancel-free-1")
    assert again == canceled
    assert await rider.spent() == 0
    dear = await rider.ride()
    await rider.until(dear, "arrived")
    refused = await rider.post(f"/rides/{dear}/cancel", {"most": 0})
    assert [m["code"] for m in refused["messages"]] == ["fee_too_low"]
    assert kinds(refused)[-1] != "canceled"
    canceled = await rider.post(f"/rides/{dear}/cancel", {"most": 400})
    assert [a["type"] for a in canceled["adjustments"]] == ["cancellation", "refund"]
    assert canceled["adjustments"][0]["fee"] == 400
    assert canceled["adjustments"][1]["totals"][0]["amount"] == 400 - paid
    assert await rider.spent() == 400


async def test_a_dearer_destination_is_only_driven_to_when_the_difference_is_paid(rider: Rider):
    near = {"pickup": STATION, "destination": OFFICE}
    done = await rider.buy(await rider.quote("van", **near))
    id, before = done["order"]["id"], rider.tools.total_of(done)
    whole = rider.tools.total_of(await rider.quote("van"))
    told = await rider.post(f"/rides/{id}/destination", {"destination": HOME})
    assert told["change"] == {"applied": False, "difference": whole - before}
    assert told["trip"]["destination"]["street_address"] == "Eteläesplanadi 22"
    change = await rider.quote("destination_change", ride_id=id, destination=HOME)
    assert rider.tools.total_of(change) == whole - before > 0
    bought = await rider.buy(change)
    assert bought["status"] == "completed"
    assert (await rider.order(id))["trip"]["destination"]["street_address"] == "Liisankatu 21"
    assert await rider.spent() == whole
    back = await rider.post(f"/rides/{id}/destination", {"destination": OFFICE})
    assert back["change"] == {"applied": True, "difference": before - whole}
    assert await rider.spent() == before
    # Each order tells what comes back of its own payment.
    assert back["adjustments"] == []
    change_id = bought["order"]["id"]
    [refund] = (await rider.order(change_id))["adjustments"]
    assert refund["totals"] == [{"type": "total", "amount": before - whole}]
    told = rider.platform.orders
    await rider.platform.until(lambda: change_id in {x["id"] for x in told() if x["adjustments"]})
    gone = await rider.post(f"/rides/{id}/cancel", {"most": 400})
    kept = gone["adjustments"][0]["fee"]
    returned = sum(-x["totals"][0]["amount"] for x in gone["adjustments"] if x["type"] == "refund")
    assert kept + returned == before


async def test_a_tip_is_a_payment_of_its_own(rider: Rider):
    id = await rider.ride()
    spent = await rider.spent()
    tip = await rider.quote("tip", ride_id=id, tip=200)
    assert rider.tools.total_of(tip) == 200
    done = await rider.buy(tip)
    assert kinds(await rider.order(done["order"]["id"])) == ["tipped"]
    assert await rider.spent() == spent + 200
    await rider.post(f"/rides/{id}/cancel", {"most": 400})


async def test_a_driver_who_gives_up_is_replaced(rider: Rider, city):
    await rider.platform.fault(city, "driver_cancels", merchant="lokki")
    id = await rider.ride("comfort")
    first = (await rider.until(id, "driver_assigned"))["trip"]["driver"]["name"]
    gone = await rider.until(id, "driver_canceled")
    assert "driver" not in gone["trip"]
    done = await rider.until(id, "dropped_off")
    assert kinds(done).count("driver_assigned") == 2
    names = {o["trip"].get("driver", {}).get("name") for o in rider.platform.orders()} - {None}
    assert len(names) == 2
    assert first in names


async def test_a_driver_who_gives_up_with_nobody_else_free_means_the_money_back(rider, city):
    await rider.platform.fault(city, "driver_cancels", merchant="lokki", times=2)
    id = await rider.ride("van")
    done = await rider.until(id, "canceled")
    assert "driver_canceled" in kinds(done)
    assert done["adjustments"][0]["fee"] == 0
    assert await rider.spent() == 0


async def test_surge_is_shown_apart_and_nobody_free_is_said(rider: Rider, city):
    plain = rider.tools.total_of(await rider.quote())
    await rider.platform.fault(city, "nobody_free", merchant="lokki", operation="search")
    found = await rider.post("/rides/estimate", {"pickup": STATION, "destination": HOME})
    assert [x["available"] for x in found["classes"]] == [False] * 3
    await rider.platform.fault(city, "nobody_free", merchant="lokki", operation="create")
    refused = await rider.quote()
    assert [m["code"] for m in refused["messages"]] == ["no_driver_available"]
    await rider.platform.fault(city, "surge", merchant="lokki")
    dear = await rider.quote()
    assert dear["trip"]["surge_percent"] == 40
    assert [t["type"] for t in dear["totals"]] == ["subtotal", "fee", "total"]
    assert rider.tools.total_of(dear) > plain


async def test_a_late_driver_is_told(rider: Rider, city):
    await rider.platform.fault(city, "driver_late", merchant="lokki")
    id = await rider.ride()
    assert "delayed" in kinds(await rider.until(id, "driver_arriving"))


# Rides for later. -----------------------------------------------------------------------------------


def at(days: int, clock: str) -> str:
    """So many days from now, at that time in the City."""
    day = datetime.now(ZONE).date() + timedelta(days=days)
    return datetime.combine(day, time.fromisoformat(clock), ZONE).isoformat()


def next_weekday(weekday: int, clock: str) -> str:
    """The weekday (Monday is 0) of the week after this one."""
    return at((weekday - datetime.now(ZONE).weekday()) % 7 + 7, clock)


def until(pickup_at: str) -> float:
    return (datetime.fromisoformat(pickup_at) - datetime.now(ZONE)).total_seconds()


def way(pickup_at: str, **more) -> dict:
    return {"pickup": STATION, "destination": HOME, "pickup_at": pickup_at, **more}


async def nearer(city, seconds: float) -> None:
    """Let what is booked come nearer."""
    async with httpx.AsyncClient(trust_env=False) as http:
        body = {"seconds": seconds}
        answer = await http.post(f"{city.base}/city/rides/nearer", json=body)
        assert answer.status_code == 200, answer.text


def codes(answer: dict) -> list[str]:
    return [message["code"] for message in answer["messages"]]


async def test_the_time_of_the_week_makes_the_surge_of_a_ride_for_later(rider: Rider):
    usual = rider.tools.total_of(await rider.quote(**way(next_weekday(2, "12:00"))))
    for pickup_at, percent in (
        (next_weekday(2, "13:00"), 0),
        (next_weekday(1, "08:10"), 20),
        (next_weekday(5, "23:30"), 30),
        (next_weekday(6, "03:00"), 30),
        (next_weekday(6, "23:30"), 0),
    ):
        found = await rider.post("/rides/estimate", way(pickup_at))
        economy = found["classes"][0]
        assert economy["surge_percent"] == percent, pickup_at
        assert economy["available"] is True
        assert "pickup_minutes" not in economy
        assert economy["price"]["amount"] == usual + 10 * round(usual * percent / 1000)
        checkout = await rider.quote(**way(pickup_at))
        assert rider.tools.total_of(checkout) == economy["price"]["amount"]
        trip = checkout["trip"]
        assert trip["pickup_at"] == pickup_at
        free_until = datetime.fromisoformat(trip["cancellation"]["free_until"])
        assert datetime.fromisoformat(pickup_at) - free_until == timedelta(minutes=30)


async def test_a_time_that_is_past_too_near_too_far_or_no_time_is_refused(rider: Rider):
    for pickup_at, code in (
        (at(-1, "12:00"), "pickup_too_soon"),
        ((datetime.now(UTC) + timedelta(seconds=1)).isoformat(), "pickup_too_soon"),
        (at(31, "23:59"), "pickup_too_far"),
        ("2030-01-01T10:00:00", "invalid"),
        ("at ten", "invalid"),
    ):
        assert codes(await rider.quote(**way(pickup_at))) == [code], pickup_at
        assert codes(await rider.post("/rides/estimate", way(pickup_at))) == [code]


async def test_a_ride_for_later_waits_is_told_of_and_is_driven_at_its_time(rider: Rider, city):
    pickup_at = at(2, "06:30")
    done = await rider.buy(await rider.quote(**way(pickup_at)))
    id, price = done["order"]["id"], rider.tools.total_of(done)
    booked = await rider.order(id)
    assert (kinds(booked), booked["trip"]["status"]) == (["booked"], "booked")
    assert "driver" not in booked["trip"]
    assert booked["trip"]["cancellation"]["fee_now"] == 0
    assert "06:30" in booked["fulfillment"]["events"][0]["description"]
    await nearer(city, until(pickup_at) - 1800)
    soon = await rider.until(id, "pickup_soon")
    assert "driver" not in soon["trip"]
    await nearer(city, 1798)
    assigned = await rider.until(id, "driver_assigned")
    assert assigned["trip"]["driver"]["plate"]
    done = await rider.until(id, "dropped_off")
    assert kinds(done) == [
        "booked",
        "pickup_soon",
        "driver_assigned",
        "driver_arriving",
        "arrived",
        "picked_up",
        "dropped_off",
    ]
    assert done["trip"]["pickup_at"] == pickup_at
    assert await rider.spent() == price


async def test_the_driver_of_a_ride_for_later_comes_at_its_time_and_not_before(tools, tmp_path):
    city = tools.CityProcess(tmp_path, "--speed", "60").start()
    platform = await tools.Platform({**tools.CAPABILITIES, RIDES: "2026-11-01"}).start()
    rider = Rider(platform, await platform.wallet(city.bank), city.urls["rides"][0], tools)
    pickup_at = at(1, "13:00")
    id = (await rider.buy(await rider.quote(**way(pickup_at))))["order"]["id"]
    await nearer(city, until(pickup_at) - 14)  # within the 15 real seconds of the lead
    assigned = await rider.until(id, "driver_assigned")
    assert 11 <= assigned["trip"]["eta_minutes"] <= 14
    await rider.post(f"/rides/{id}/cancel", {"most": 400})
    await platform.stop()
    city.stop()


async def test_canceling_a_ride_for_later_is_free_until_half_an_hour_before(rider: Rider, city):
    pickup_at = at(3, "12:00")
    free = (await rider.buy(await rider.quote(**way(pickup_at))))["order"]["id"]
    gone = await rider.post(f"/rides/{free}/cancel", {"most": 0})
    assert kinds(gone) == ["booked", "canceled"]
    assert await rider.spent() == 0
    dear = (await rider.buy(await rider.quote(**way(pickup_at))))["order"]["id"]
    await nearer(city, until(pickup_at) - 1795)
    assert codes(await rider.post(f"/rides/{dear}/cancel", {"most": 0})) == ["fee_too_low"]
    fixed = await rider.post(f"/rides/{dear}/pickup", {"pickup_at": at(5, "12:00")})
    assert codes(fixed) == ["pickup_fixed"]
    assert (await rider.order(dear))["trip"]["cancellation"]["fee_now"] == 400
    gone = await rider.post(f"/rides/{dear}/cancel", {"most": 400})
    assert gone["adjustments"][0]["fee"] == 400
    assert await rider.spent() == 400


async def test_no_more_rides_are_booked_for_a_time_than_there_are_drivers(rider: Rider):
    pickup_at = at(4, "12:00")
    vans = [await rider.buy(await rider.quote("van", **way(pickup_at))) for _ in range(2)]
    assert codes(await rider.quote("van", **way(pickup_at))) == ["no_driver_available"]
    found = await rider.post("/rides/estimate", way(at(4, "12:10")))
    assert [x["available"] for x in found["classes"]] == [True, True, False]
    assert "id" in await rider.quote("van", **way(at(4, "14:00")))
    assert "id" in await rider.quote("van")
    for van in vans:
        await rider.post(f"/rides/{van['order']['id']}/cancel", {"most": 0})
    assert "id" in await rider.quote("van", **way(pickup_at))


async def test_another_time_is_free_or_paid_for_by_itself(rider: Rider):
    quiet, rush = next_weekday(3, "13:00"), next_weekday(3, "08:00")
    done = await rider.buy(await rider.quote(**way(quiet)))
    id, price = done["order"]["id"], rider.tools.total_of(done)
    told = await rider.post(f"/rides/{id}/pickup", {"pickup_at": next_weekday(3, "14:00")})
    assert told["change"] == {"applied": True, "difference": 0}
    assert told["trip"]["pickup_at"] == next_weekday(3, "14:00")
    assert (kinds(told)[-1], told["trip"]["status"]) == ("pickup_changed", "booked")
    told = await rider.post(f"/rides/{id}/pickup", {"pickup_at": rush})
    dearer = 10 * round(price * 20 / 1000)
    assert told["change"] == {"applied": False, "difference": dearer}
    assert told["trip"]["pickup_at"] == next_weekday(3, "14:00")
    assert await rider.spent() == price
    change = await rider.quote("pickup_change", ride_id=id, pickup_at=rush)
    assert (change["trip"]["kind"], change["trip"]["pickup_at"]) == ("time", rush)
    assert rider.tools.total_of(change) == dearer
    paid = await rider.buy(change)
    assert kinds(await rider.order(paid["order"]["id"])) == ["pickup_changed"]
    now = await rider.order(id)
    assert (now["trip"]["pickup_at"], now["trip"]["surge_percent"]) == (rush, 20)
    assert await rider.spent() == price + dearer
    back = await rider.post(f"/rides/{id}/pickup", {"pickup_at": quiet})
    assert back["change"] == {"applied": True, "difference": -dearer}
    assert await rider.spent() == price
    assert codes(await rider.post(f"/rides/{id}/pickup", {"pickup_at": "soon"})) == ["invalid"]
    await rider.post(f"/rides/{id}/cancel", {"most": 0})
    over = await rider.post(f"/rides/{id}/pickup", {"pickup_at": rush})
    assert codes(over) == ["ride_over"]
    assert await rider.spent() == 0


async def test_a_booked_ride_can_go_elsewhere(rider: Rider):
    pickup_at = next_weekday(3, "12:00")
    done = await rider.buy(await rider.quote("van", **way(pickup_at)))
    id, price = done["order"]["id"], rider.tools.total_of(done)
    told = await rider.post(f"/rides/{id}/destination", {"destination": OFFICE})
    assert told["change"]["applied"] is True
    assert told["trip"]["destination"]["street_address"] == "Eteläesplanadi 22"
    assert told["trip"]["pickup_at"] == pickup_at
    assert await rider.spent() == price + told["change"]["difference"]
    await rider.post(f"/rides/{id}/cancel", {"most": 0})
    assert await rider.spent() == 0


async def test_no_driver_at_the_time_means_all_the_money_back(rider: Rider, city):
    pickup_at = at(2, "10:00")
    id = (await rider.buy(await rider.quote(**way(pickup_at))))["order"]["id"]
    fault = {"merchant": "lokki", "operation": "dispatch"}
    await rider.platform.fault(city, "nobody_free", **fault)
    await nearer(city, until(pickup_at) - 2)
    done = await rider.until(id, "canceled")
    assert done["adjustments"][0]["fee"] == 0
    assert await rider.spent() == 0


async def test_a_driver_of_a_ride_for_later_who_gives_up_is_replaced(rider: Rider, city):
    pickup_at = at(2, "11:00")
    id = (await rider.buy(await rider.quote(**way(pickup_at))))["order"]["id"]
    await rider.platform.fault(city, "driver_cancels", merchant="lokki")
    await nearer(city, until(pickup_at) - 2)
    done = await rider.until(id, "dropped_off")
    assert kinds(done).count("driver_assigned") == 2
    assert "driver_canceled" in kinds(done)


async def test_a_platform_without_the_extension_gets_no_ride(city, tools):
    platform = await tools.Platform().start()
    body = {"line_items": [{"item": {"id": "economy"}, "quantity": 1}], "trip": {}}
    url = f"{city.urls['rides'][0]}/checkout-sessions"
    answer = (await platform.send("POST", url, body)).json()
    assert answer["messages"][0]["code"] == "capabilities_incompatible"
    await platform.stop()


async def test_rides_survive_a_kill(tools, tmp_path: Path):
    city = tools.CityProcess(tmp_path, "--speed", "600").start()
    platform = await tools.Platform({**tools.CAPABILITIES, RIDES: "2026-11-01"}).start()
    wallet = await platform.wallet(city.bank)
    rider = Rider(platform, wallet, city.urls["rides"][0], tools)
    kill = {"point": "in_step"}
    pickup_at = at(1, "12:00")
    later = (await rider.buy(await rider.quote(**way(pickup_at))))["order"]["id"]
    id = await rider.ride()
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{city.base}/city/kill_at", json=kill)
    city.wait()
    city.start()
    rider.base = city.urls["rides"][0]
    done = await rider.until(id, "dropped_off")
    assert len(kinds(done)) == len(set(kinds(done))), json.dumps(kinds(done))
    await nearer(city, until(pickup_at) - 1)
    done = await rider.until(later, "dropped_off")
    assert len(kinds(done)) == len(set(kinds(done))), json.dumps(kinds(done))
    await platform.stop()
    city.stop()
