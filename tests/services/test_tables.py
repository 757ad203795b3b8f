"""What restaurants answer to a search is checked against what was asked, and sorted; and what they are told of a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from types import SimpleNamespace

import msgspec
import pytest

from lapel.commerce import Change, Money, Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp.asking import ask
from lapel.services.connectors.ucp.profile import TABLES
from lapel.services.tables import Tables, Wanted, draft_of

pytestmark = pytest.mark.unit

HERE = (60.171206, 24.941209)
WANTED = Wanted(2, date(2026, 11, 27), time(19))


def entry(at: str = "19:00", name: str = "Rose", **changes: object) -> dict:
    """An offer as a restaurant would write it."""
    day, begins = "2026-11-27", time.fromisoformat(at)
    ends = begins.replace(hour=begins.hour + 2)
    return {
        "id": f"{name}.{at}",
        "restaurant": {
            "id": name.lower(),
            "name": name,
            "street_address": "Mikonkatu 8",
            "address_locality": "Helsinki",
            "latitude": HERE[0],
            "longitude": HERE[1],
            "time_zone": "Europe/Helsinki",
        },
        "begins": f"{day}T{begins:%H:%M}:00+02:00",
        "ends": f"{day}T{ends:%H:%M}:00+02:00",
        "party": 2,
        "prepaid": "deposit",
        "per_person": 1000,
        "price": {"amount": 2000, "currency": "EUR"},
        "cancellation": {"free_until": f"{day}T15:00:00+02:00", "fee": 2000},
        **changes,
    }


def elsewhere(north: float) -> dict:
    return entry()["restaurant"] | {"latitude": HERE[0] + north}


class Town:
    """Companies that answer as they are told to; `asked` is what they heard."""

    def __init__(self, *answers: dict | Exception) -> None:
        self.answers = dict(enumerate(answers))
        self.asked: list[dict] = []

    async def all(self) -> list:
        profile = SimpleNamespace(capabilities=frozenset({TABLES}))
        return [SimpleNamespace(id=n, name=f"Company {n}", profile=profile) for n in self.answers]

    async def write(self, company, method, path, body, key, shape):
        assert (method, path) == ("POST", "/tables/search")
        self.asked.append(body)
        answer = self.answers[company.id]
        if isinstance(answer, Exception):
            raise answer
        return msgspec.convert(answer, shape)

    async def search(self, wanted: Wanted = WANTED) -> list[str]:
        found = await Tables(self, self).search(wanted)  # type: ignore[arg-type]
        return [offer.table.offer_id for offer in found]


def offering(*entries: dict, **more: object) -> dict:
    return {"offers": list(entries), **more}


def refusing(code: str) -> dict:
    return offering(messages=[{"type": "error", "code": code, "content": "no"}])


async def test_the_nearest_in_time_come_first_then_in_place_then_the_cheapest():
    cheap = {"per_person": 500, "price": {"amount": 1000, "currency": "EUR"}}
    town = Town(
        offering(entry("19:30", "Late"), entry("19:00", "Dear"), entry("18:45", "Early")),
        offering(
            entry(name="Far", restaurant=elsewhere(0.01), id="Far"), entry(name="Cheap", **cheap)
        ),
    )
    found = await town.search(replace(WANTED, near=HERE))
    assert found == ["Cheap.19:00", "Dear.19:00", "Far", "Early.18:45", "Late.19:30"]


async def test_what_was_not_asked_for_is_no_offer():
    town = Town(
        offering(
            entry(id="good"),
            entry(party=4, per_person=500, id="for four"),
            entry("20:30", id="too late"),
            entry("17:59", id="too early"),
            entry(restaurant=elsewhere(0.05), id="too far"),
            entry(name="Thorn", id="another"),
        )
    )
    wanted = replace(WANTED, near=HERE, restaurant_id="rose")
    assert await town.search(wanted) == ["good"]


async def test_a_price_that_is_not_what_its_people_pay_is_nonsense():
    for price in ({"amount": 1999, "currency": "EUR"}, {"amount": 0, "currency": "EUR"}):
        with pytest.raises(Nonsense):
            await Town(offering(entry(price=price))).search()
    lying = offering(entry(price={"amount": 1, "currency": "EUR"}))
    assert await Town(lying, offering(entry(id="honest"))).search() == ["honest"]


async def test_a_company_that_fails_hides_no_other_and_a_refusal_comes_before_a_silence():
    silent = Unreachable("nothing")
    assert await Town(silent, offering(entry(id="here"))).search() == ["here"]
    with pytest.raises(Refused) as refused:
        await Town(silent, refusing("party_too_large")).search()
    assert refused.value.code == "party_too_large"
    with pytest.raises(Unreachable):
        await Town(silent).search()
    assert await Town().search() == []


async def test_a_point_is_told_to_a_kilometre_and_measured_at_home():
    town = Town(offering(entry()))
    tables = Tables(town, town)  # type: ignore[arg-type]
    [offer] = await tables.search(replace(WANTED, near=(HERE[0] + 0.003, HERE[1]), radius_m=500))
    [asked] = town.asked
    assert asked["near"] == {"latitude": 60.17, "longitude": 24.94}
    assert asked["radius_m"] == 1500
    assert offer.distance_m == pytest.approx(334, abs=3)
    assert "place" not in asked


async def test_words_for_a_place_are_told_and_measured_from_where_the_company_looked():
    near = {"latitude": HERE[0], "longitude": HERE[1]}
    town = Town(offering(entry(), near=near))
    tables = Tables(town, town)  # type: ignore[arg-type]
    [offer] = await tables.search(replace(WANTED, place="station", tolerance=timedelta(hours=2)))
    [asked] = town.asked
    assert (asked["place"], asked["time"], asked["tolerance_minutes"]) == ("station", "19:00", 120)
    assert "near" not in asked
    assert offer.distance_m == 0
    draft = draft_of(offer, "Anna Virtanen", booking_id="table_1")
    assert draft.table is not None
    assert (draft.table.guest, draft.is_change, draft.is_goods) == ("Anna Virtanen", True, False)
    assert offer.price == Money(2000, "EUR")


class Desk:
    """A restaurant that says of every change that it is made, and of which booking it was."""

    def __init__(self, offer: str, owed: int, *, applied: bool) -> None:
        self.offer, self.change = offer, {"applied": applied, "owed": owed}

    async def get(self, merchant_id: str):
        profile = SimpleNamespace(url="https://rose.example/.well-known/ucp")
        return SimpleNamespace(id=merchant_id, name="Rose", profile=profile)

    async def write(self, company, method, path, body, key, shape):
        assert (method, path) == ("POST", "/tables/table_1/change")
        line = {"id": "li_1", "quantity": {"total": 1}}
        order = {
            "ucp": {"version": "2026-04-08"},
            "id": "table_1",
            "currency": "EUR",
            "line_items": [line],
            "totals": [{"type": "subtotal", "amount": 2000}, {"type": "total", "amount": 2000}],
            "table": entry(offer=self.offer, guest="Anna", status="changed"),
            "table_change": self.change,
        }
        return msgspec.convert(order, shape)


@pytest.mark.parametrize(
    ("offer", "owed", "applied", "fine"),
    [("new", 0, True, True), ("new", -500, True, True), ("old", 500, False, True),
     ("new", 500, True, False), ("third", 0, True, False)],
)  # fmt: skip
async def test_a_change_is_to_what_was_asked_and_costs_nothing(offer, owed, applied, fine):
    desk = Desk(offer, owed, applied=applied)
    rose = await desk.get("rose")
    change = ask(desk, rose, "table_1", Change("table", "new"), "key-1")  # type: ignore[arg-type]
    if not fine or not applied:
        with pytest.raises(Nonsense if not fine else Refused):
            await change
        return
    made = await change
    assert made.table is not None
    assert made.table.table.offer_id == "new"


async def test_a_change_that_was_only_priced_must_not_be_made():
    desk = Desk("new", 0, applied=True)
    with pytest.raises(Nonsense):
        await Tables(desk, desk).price_change("rose", "table_1", "new")  # type: ignore[arg-type]
