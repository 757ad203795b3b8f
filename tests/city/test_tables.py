"""Tables: searched, kept while they are paid for, booked, changed, canceled, late; the money always adds up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.net

TABLES = "dev.lapel.tables"
GROUP, HILLA = range(2)


def next_weekday(weekday: int, days: int = 9) -> date:
    """The first such day (Monday is 0) that is so far away."""
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    return day + timedelta(days=(weekday - day.weekday()) % 7)


DAY = next_weekday(2)


class Guest:
    """A platform that asks restaurants for tables, and a wallet that pays for them."""

    def __init__(self, platform, wallet, urls: list[str], tools) -> None:
        self.platform, self.wallet, self.urls, self.tools = platform, wallet, urls, tools

    async def post(self, path: str, body: dict, key: str | None = None, at: int = GROUP) -> dict:
        answer = await self.platform.send("POST", f"{self.urls[at]}{path}", body, key)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def search(self, *, at: int = GROUP, **asked) -> dict:
        body = {"date": DAY.isoformat(), "time": "19:00", "party": 2, **asked}
        return await self.post("/tables/search", body, at=at)

    async def offer(self, house: str = "juniper", way: str = "deposit", at: int = GROUP, **asked):
        found = (await self.search(at=at, tolerance_minutes=0, **asked))["offers"]
        return next(x for x in found if x["id"].startswith(house) and x["id"].endswith(way))

    async def quote(self, offer: dict, at: int = GROUP, **table) -> dict:
        body = {
            "line_items": [{"item": {"id": offer["id"]}, "quantity": 1}],
            "table": {"guest": "Anna Virtanen", **table},
        }
        return await self.post("/checkout-sessions", body, at=at)

    async def buy(self, checkout: dict, at: int = GROUP) -> dict:
        token = await self.platform.token(self.wallet, checkout)
        return (await self.platform.complete(self.urls[at], checkout, token)).json()

    async def book(self, offer: dict, at: int = GROUP) -> str:
        done = await self.buy(await self.quote(offer, at), at)
        assert done["status"] == "completed", done
        return done["order"]["id"]

    async def order(self, id: str, at: int = GROUP) -> dict:
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
    platform = await tools.Platform({**tools.CAPABILITIES, TABLES: "2026-11-01"}).start()
    wallet = await platform.wallet(city.bank)
    yield Guest(platform, wallet, city.urls["tables"], tools)
    await platform.stop()


async def nearer(city, seconds: float) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{city.base}/city/tables/nearer", json={"seconds": seconds})
        assert answer.status_code == 200, answer.text


def kinds(order: dict) -> list[str]:
    return [event["type"] for event in order["fulfillment"]["events"]]


def codes(answer: dict) -> list[str]:
    return [message["code"] for message in answer["messages"]]


def seconds_until(moment: str) -> float:
    return (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()


async def test_a_table_from_the_search_to_the_end_of_the_evening(me: Guest, city):
    offer = await me.offer()
    assert offer["restaurant"]["street_address"] == "Mikonkatu 8"
    begins = datetime.fromisoformat(offer["begins"])
    assert (begins.date(), begins.hour) == (DAY, 19)
    assert begins.utcoffset() in (timedelta(hours=2), timedelta(hours=3))
    assert (offer["prepaid"], offer["per_person"], offer["price"]["amount"]) == (
        "deposit", 1000, 2000,
    )  # fmt: skip
    checkout = await me.quote(offer)
    assert me.tools.total_of(checkout) == 2000
    agreed = {x: offer[x] for x in ("restaurant", "begins", "ends", "party", "cancellation")}
    assert agreed.items() <= checkout["table"].items()
    done = await me.buy(checkout)
    id = done["order"]["id"]
    order = await me.until(id, "confirmed")
    assert order["table"]["guest"] == "Anna Virtanen"
    assert order["table"]["cancellation"]["fee_now"] == 0
    await nearer(city, seconds_until(offer["begins"]) - 7000)
    assert "19:00" in (await me.until(id, "reminder"))["fulfillment"]["events"][-1]["description"]
    await nearer(city, 7000)
    seated = await me.until(id, "seated")
    assert "fee_now" not in seated["table"]["cancellation"]
    assert codes(await me.post(f"/tables/{id}/cancel", {"most": 9999})) == ["booking_over"]
    await nearer(city, 3 * 3600)
    assert kinds(await me.until(id, "ended")) == ["confirmed", "reminder", "seated", "ended"]
    assert await me.spent() == 2000


async def test_a_search_knows_kitchens_places_names_and_hours(me: Guest):
    async def houses(**asked) -> set[str]:
        return {x["restaurant"]["id"] for x in (await me.search(**asked))["offers"]}

    assert await houses(words="italian") == {"lume"}
    assert await houses(words="Sushi restaurant") == {"kumo"}
    assert await houses(words="petite ourse") == {"ourse"}
    near = await me.search(place="the railway station", radius_m=300)
    assert {x["restaurant"]["id"] for x in near["offers"]} == {"juniper", "kumo"}
    point = near["near"]
    assert await houses(near=point, radius_m=300) == {"juniper", "kumo"}
    assert await houses(place="Uudenmaankatu 10", radius_m=150) == {"ourse"}
    assert codes(await me.search(place="Atlantis")) == ["place_unknown"]
    sunday = next_weekday(6).isoformat()
    assert "juniper" not in await houses(date=sunday)
    assert codes(await me.search(time="05:00")) == ["no_table"]
    assert codes(await me.search(words="klingon")) == ["no_table"]
    assert codes(await me.search(party=11)) == ["party_too_large"]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    assert codes(await me.search(date=yesterday)) == ["no_table"]
    times = {x["begins"][11:16] for x in (await me.search(words="juniper"))["offers"]}
    assert times <= {"18:00", "18:30", "19:00", "19:30", "20:00"}
    assert len(times) > 3


async def test_a_table_is_given_back_before_it_closes(me: Guest):
    found = (await me.search(words="kumo", time="22:30", tolerance_minutes=120))["offers"]
    closes = datetime.fromisoformat(found[0]["begins"]).replace(hour=23, minute=0)
    assert max(datetime.fromisoformat(x["ends"]) for x in found) <= closes


async def test_the_last_tables_are_sold_once_and_come_back_when_nobody_pays(me: Guest):
    day = (DAY + timedelta(days=1)).isoformat()
    asked = {"words": "ourse", "date": day, "time": "20:00", "party": 5}
    offer = await me.offer("ourse", date=day, time="20:00", party=5)
    checkouts = [await me.quote(offer) for _ in range(offer["left"])]
    assert codes(await me.quote(offer)) == ["sold_out"]
    # Who comes half an hour later would sit at the same time.
    gone = await me.search(**asked, tolerance_minutes=90)
    assert codes(gone) == ["no_table"] or "20:30" not in str([x["begins"] for x in gone["offers"]])
    await me.post(f"/checkout-sessions/{checkouts[0]['id']}/cancel", {})
    assert (await me.offer("ourse", date=day, time="20:00", party=5))["left"] == 1
    for checkout in checkouts[1:]:
        await me.post(f"/checkout-sessions/{checkout['id']}/cancel", {})


async def test_sold_out_between_search_and_booking(me: Guest, city):
    offer = await me.offer("bao")
    await me.platform.fault(city, "sold_out", merchant="satama")
    assert codes(await me.quote(offer)) == ["sold_out"]
    assert await me.spent() == 0


async def test_what_cannot_be_booked_is_said(me: Guest):
    assert codes(await me.quote({"id": "juniper.20260101T1900.2.deposit"})) == ["item_unavailable"]
    assert codes(await me.quote({"id": "juniper.20990101T1900.2.deposit"})) == ["item_unavailable"]
    offer = await me.offer()
    for id in ("juniper", offer["id"].replace("T1900", "T1907"), f"{offer['id']}.x", "a.b.c.d"):
        assert codes(await me.quote({"id": id})) == ["item_unavailable"]
    assert codes(await me.quote(offer, guest="  ")) == ["missing"]
    body = {"line_items": [{"item": {"id": offer["id"]}, "quantity": 2}], "table": {"guest": "A"}}
    assert codes(await me.post("/checkout-sessions", body)) == ["item_unavailable"]


async def test_canceling_is_free_until_it_is_not(me: Guest):
    far = await me.offer("hilla", "forest", HILLA, date=next_weekday(3).isoformat())
    assert (far["prepaid"], far["menu"]) == ("menu", "Forest menu, seven courses")
    free = await me.book(far, HILLA)
    done = await me.post(f"/tables/{free}/cancel", {"most": 0}, "cancel-key-1", HILLA)
    assert done == await me.post(f"/tables/{free}/cancel", {"most": 0}, "cancel-key-1", HILLA)
    assert await me.spent() == 0
    assert "fee_now" not in done["table"]["cancellation"]
    # Hilla wants to know four days before: of the next evening something is kept.
    soon = datetime.now(UTC).date() + timedelta(days=1)
    while soon.weekday() in (6, 0):
        soon += timedelta(days=1)
    near = await me.offer("hilla", "forest", HILLA, date=soon.isoformat())
    kept = near["cancellation"]["fee"]
    id = await me.book(near, HILLA)
    assert (await me.order(id, HILLA))["table"]["cancellation"]["fee_now"] == kept
    refused = await me.post(f"/tables/{id}/cancel", {"most": kept - 1}, at=HILLA)
    assert codes(refused) == ["fee_too_low"]
    done = await me.post(f"/tables/{id}/cancel", {"most": kept}, at=HILLA)
    assert done["adjustments"][0]["fee"] == kept
    assert await me.spent() == kept
    assert codes(await me.post(f"/tables/{id}/cancel", {"most": kept}, at=HILLA)) == [
        "booking_over"
    ]


async def test_more_people_are_paid_for_and_fewer_get_money_back(me: Guest):
    id = await me.book(await me.offer("lume"))
    four = await me.offer("lume", party=4, time="19:30")
    shown = await me.post(f"/tables/{id}/change", {"offer": four["id"], "apply": True})
    assert shown["table_change"] == {"applied": False, "owed": 1000}
    assert (await me.order(id))["table"]["party"] == 2
    checkout = await me.quote(four, action="change", booking_id=id)
    assert me.tools.total_of(checkout) == 1000
    change = (await me.buy(checkout))["order"]["id"]
    order = await me.order(id)
    assert (order["table"]["party"], order["table"]["begins"]) == (4, four["begins"])
    assert kinds(order) == ["confirmed", "changed"]
    assert kinds(await me.order(change)) == ["changed"]
    assert await me.spent() == 2000
    three = await me.offer("lume", party=3, time="19:00")
    body = {"offer": three["id"], "apply": True}
    done = await me.post(f"/tables/{id}/change", body, "change-key-1")
    assert done == await me.post(f"/tables/{id}/change", body, "change-key-1")
    assert done["table_change"] == {"applied": True, "owed": -500}
    assert await me.spent() == 1500
    assert codes(await me.post(f"/tables/{id}/change", {"offer": three["id"]})) == [
        "nothing_to_change"
    ]
    elsewhere = await me.offer("juniper")
    assert codes(await me.post(f"/tables/{id}/change", {"offer": elsewhere["id"]})) == [
        "item_unavailable"
    ]
    assert codes(await me.post(f"/tables/{change}/cancel", {})) == ["not_found"]
    await me.post(f"/tables/{id}/cancel", {"most": 0})
    assert await me.spent() == 0


async def test_a_later_time_may_be_at_the_same_table(me: Guest):
    """The change of a booking does not compete with the booking itself."""
    day = next_weekday(4).isoformat()
    offer = await me.offer("kumo", date=day, time="19:00", party=5)
    ids = [await me.book(offer) for _ in range(offer["left"])]
    assert codes(await me.quote(offer)) == ["sold_out"]
    found = (await me.search(words="kumo", date=day, time="19:30", party=5))["offers"]
    assert not [x for x in found if x["begins"][11:16] == "19:30" and x["prepaid"] == "deposit"]
    later = offer["id"].replace("T1900", "T1930")
    done = await me.post(f"/tables/{ids[0]}/change", {"offer": later, "apply": True})
    assert done["table_change"]["applied"] is True
    assert done["table"]["begins"][11:16] == "19:30"
    for id in ids:
        await me.post(f"/tables/{id}/cancel", {"most": 0})


async def test_a_deposit_raised_after_the_quote_is_confirmed_again(me: Guest, city):
    checkout = await me.quote(await me.offer("saffron"))
    await me.platform.fault(city, "price_raise", merchant="satama", operation="complete")
    answer = await me.buy(checkout)
    assert codes(answer) == ["price_changed"]
    assert answer["table"]["per_person"] == checkout["table"]["per_person"] + 100
    assert me.tools.total_of(answer) == me.tools.total_of(checkout) + 200
    assert (await me.buy(answer))["status"] == "completed"
    assert await me.spent() == me.tools.total_of(answer)


async def test_a_payment_that_is_refused_books_nothing(me: Guest):
    checkout = await me.quote(await me.offer("saffron"))
    held = await me.wallet.authorize(me.tools.payee_of(checkout), 999)
    answer = await me.platform.complete(me.urls[GROUP], checkout, held.json()["token"])
    answer = answer.json()
    assert (codes(answer), answer["status"]) == (["payment_failed"], "ready_for_complete")
    assert await me.spent() == 0
    assert (await me.buy(checkout))["status"] == "completed"


async def test_the_restaurant_cancels_and_gives_all_back(me: Guest, city):
    await me.platform.fault(city, "table_canceled", merchant="satama", seconds=0)
    id = await me.book(await me.offer("lume"))
    order = await me.until(id, "canceled")
    assert order["adjustments"][0]["fee"] == 0
    assert order["adjustments"][1]["totals"] == [{"type": "total", "amount": -1000}]
    assert await me.spent() == 0


async def test_a_late_kitchen_is_told_and_moves_the_evening(me: Guest, city):
    await me.platform.fault(city, "kitchen_delayed", merchant="satama", seconds=0)
    offer = await me.offer("juniper", time="20:00")
    id = await me.book(offer)
    late = (await me.until(id, "delayed"))["table"]
    minutes = seconds_until(late["expected_begins"]) - seconds_until(late["begins"])
    assert round(minutes / 60) in (15, 25, 45)
    await nearer(city, seconds_until(late["begins"]) - 3600)
    await me.until(id, "reminder")
    await nearer(city, 3600 + minutes)
    await me.until(id, "seated")


async def test_who_does_not_come_loses_the_deposit_and_the_table(me: Guest, city):
    offer = await me.offer("juniper", time="18:00")
    id = await me.book(offer)
    await me.platform.fault(city, "no_show", merchant="satama")
    await nearer(city, seconds_until(offer["begins"]) + 5)
    assert (await me.until(id, "no_show"))["table"]["status"] == "no_show"
    assert await me.spent() == 2000
    assert (await me.offer("juniper", time="18:00"))["left"] == offer["left"]
    assert codes(await me.post(f"/tables/{id}/cancel", {"most": 2000})) == ["booking_over"]


async def test_one_platform_does_not_see_the_bookings_of_another(me: Guest, tools):
    id = await me.book(await me.offer())
    other = await tools.Platform({**tools.CAPABILITIES, TABLES: "2026-11-01"}).start()
    stranger = Guest(other, me.wallet, me.urls, tools)
    assert codes(await stranger.order(id)) == ["not_found"]
    assert codes(await stranger.post(f"/tables/{id}/cancel", {})) == ["not_found"]
    assert codes(await me.post(f"/tables/{id}/cancel", {}, at=HILLA)) == ["not_found"]
    await other.stop()


async def test_restaurants_have_pages_and_stand_in_the_directory(me: Guest, city):
    async with httpx.AsyncClient(trust_env=False) as http:
        page = (await http.get(f"{me.urls[GROUP]}/")).text
        directory = (await http.get(f"{city.base}/directory")).json()
        status = (await http.get(f"{city.base}/")).text
    assert "Trattoria Lume" in page
    assert "Sun closed" in page
    [group, hilla] = directory["tables"]
    assert (group["url"], hilla["url"]) == (me.urls[GROUP], me.urls[HILLA])
    assert {x["id"] for x in group["restaurants"]} >= {"juniper", "lume"}
    assert "Petite Ourse" in status


async def test_bookings_survive_a_kill_and_tell_a_delay_once(me: Guest, tools, tmp_path: Path):
    city = tools.CityProcess(tmp_path).start()
    wallet = await me.platform.wallet(city.bank)
    mine = Guest(me.platform, wallet, city.urls["tables"], tools)
    await me.platform.fault(city, "kitchen_delayed", merchant="satama", seconds=1)
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.post(f"{city.base}/city/kill_at", json={"point": "in_step"})
    id = await mine.book(await mine.offer())
    city.wait()
    city.start()
    mine.urls = city.urls["tables"]
    assert kinds(await mine.until(id, "delayed")) == ["confirmed", "delayed"]
    city.stop()
