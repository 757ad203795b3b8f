"""Picking it up at the City's shops: no courier, no address of the user's, ready at the counter."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from lapel.commerce import TO_BE_FETCHED, fetched_at
from lapel.commerce.checkout import CheckoutStatus, DraftLine, OrderDraft
from lapel.commerce.ports import Nonsense, Refused
from lapel.store import Store
from services.hostile import Hostile, Json
from services.shopper import World
from services.test_city import Shopper, _shopping, city, office
from services.test_conformance import MODELS, Heard, faults
from town import Town

pytestmark = pytest.mark.net

__all__ = ["city"]
COLA = DraftLine("cola", "Cola", 2)


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city) as running:
        running.merchant = await running.world.food.add_merchant(city.urls["merchants"][2])
        yield running


def fetched(shopper: Shopper, quantity: int = 2) -> OrderDraft:
    assert shopper.merchant is not None
    line = replace_quantity(COLA, quantity)
    return OrderDraft(shopper.merchant.id, (line,), TO_BE_FETCHED, pickup=True)


def replace_quantity(line: DraftLine, quantity: int) -> DraftLine:
    return DraftLine(line.item_id, line.title, quantity)


async def test_from_the_price_to_the_counter(shopper: Shopper, monkeypatch: pytest.MonkeyPatch):
    heard = Heard()
    heard.listen(monkeypatch)
    draft = fetched(shopper)
    quoted = await shopper.world.merchants.create_checkout(draft, shopper.key("quote"))
    await shopper.world.remember(draft, quoted.id)
    assert quoted.status is CheckoutStatus.READY_FOR_COMPLETE
    assert quoted.pickup
    assert fetched_at(quoted) == "Forno Nero, Sofiankatu 4"
    assert quoted.total == sum((x.total for x in quoted.lines[1:]), quoted.lines[0].total)
    assert quoted.eta_minutes is not None
    again = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert again.hash() == quoted.hash() != replace(quoted, pickup=False).hash()
    placed = await shopper.place(quoted)
    assert placed.hash() == quoted.hash()
    order = await shopper.until("collected")
    assert [x.kind for x in order.events] == [
        "processing", "preparing", "ready_for_pickup", "collected",
    ]  # fmt: skip
    assert all(event.tracking_url == "" for event in order.events)
    private = office(shopper.city)
    judged = [(what, json.loads(body)) for what, body in heard.said if what in MODELS]
    assert [x for what, body in judged for x in faults(what, body)] == []
    for text in [body.decode() for what, body in heard.said if what.endswith("asks")]:
        assert private.street not in text
        assert private.postal_code not in text
        assert "context" not in text


async def test_from_the_door_to_the_counter_and_back(shopper: Shopper):
    merchants = shopper.world.merchants
    there = OrderDraft(fetched(shopper).merchant_id, (COLA,), office(shopper.city))
    first = await merchants.create_checkout(there, shopper.key("quote"))
    second = await merchants.update_checkout(first.id, fetched(shopper), shopper.key("quote"))
    assert (second.id, second.pickup, second.address.label) == (first.id, True, "Forno Nero")
    assert second.total < first.total
    third = await merchants.update_checkout(first.id, there, shopper.key("quote"))
    assert third.hash() == first.hash()


async def test_a_shop_without_a_counter(shopper: Shopper, city: Town):
    shopper.merchant = await shopper.world.food.add_merchant(city.urls["merchants"][5])
    draft = fetched(shopper)
    line = DraftLine("jasmine_tea", "Jasmine tea", 1)
    [menu] = [
        x
        for x in await shopper.world.food.menus(refresh=True)
        if x.merchant_id == draft.merchant_id
    ]
    line = DraftLine(menu.items[0].id, menu.items[0].title, 1)
    with pytest.raises(Refused) as refused:
        await shopper.world.merchants.create_checkout(
            OrderDraft(draft.merchant_id, (line,), TO_BE_FETCHED, pickup=True), shopper.key("quote")
        )
    assert refused.value.code == "no_pickup"
    assert "delivers only" in refused.value.text


# Merchants that mean something else by it.


def counter(hostile: Hostile, *places: Json, selected: str | None = "p_1") -> None:
    def bend(checkout: Json) -> None:
        [method] = checkout["fulfillment"]["methods"]
        method |= {
            "type": "pickup",
            "destinations": list(places),
            "selected_destination_id": selected,
        }
        group = method["groups"][0]
        group["options"] = [
            {"id": "slow", "title": "Counter", "totals": [{"type": "total", "amount": 0}]}
        ]
        checkout["status"] = "ready_for_complete"
        checkout["totals"] = [x for x in checkout["totals"] if x["type"] != "fulfillment"]
        total = next(x for x in checkout["totals"] if x["type"] == "total")
        total["amount"] = sum(x["amount"] for x in checkout["totals"] if x["type"] != "total")

    hostile.bend = bend


PLACE = {"id": "p_1", "name": "Uptown", "address": {"street_address": "High Street 1"}}


def to_fetch(world: World, merchant_id: str) -> OrderDraft:
    line = DraftLine("v_muffin", "Blueberry muffin", 1)
    return OrderDraft(merchant_id, (line,), TO_BE_FETCHED, pickup=True)


async def test_a_place_is_what_the_merchant_names(world: World):
    merchant = await world.meet()
    counter(world.hostile, PLACE)
    quoted = await world.merchants.create_checkout(to_fetch(world, merchant.id), "k")
    assert fetched_at(quoted) == "Uptown, High Street 1"
    moved = {**PLACE, "address": {"street_address": "Low Street 9"}}
    counter(world.hostile, moved)
    now = await world.merchants.get_checkout(merchant.id, quoted.id)
    assert now.hash() != quoted.hash()


async def test_a_merchant_that_brings_what_was_to_be_fetched(world: World):
    merchant = await world.meet()
    with pytest.raises(Refused) as refused:
        await world.merchants.create_checkout(to_fetch(world, merchant.id), "k")
    assert refused.value.code == "no_pickup"


async def test_a_counter_that_is_nowhere(world: World):
    merchant = await world.meet()
    counter(world.hostile)
    with pytest.raises(Nonsense) as odd:
        await world.merchants.create_checkout(to_fetch(world, merchant.id), "k")
    assert odd.value.code == "address_changed"


async def test_a_merchant_that_keeps_to_the_counter_what_was_to_be_brought(world: World):
    merchant = await world.meet()
    counter(world.hostile, PLACE)
    with pytest.raises(Refused) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.code == "no_delivery"
