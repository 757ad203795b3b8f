"""A catalogue by its ids: what is in a cart is looked up again, and products are read in full."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
import pytest_asyncio

from lapel.commerce import Refused, unheeded
from lapel.commerce.checkout import DraftLine
from lapel.commerce.order import OrderState
from lapel.services.connectors.ucp import catalogue
from lapel.store import Store
from services import hostile_catalogue as cases
from services.hostile import LATTE, MUFFIN, SHIRT, TEA, Hostile, _product
from services.hostile_buyer import Buyer, lapel
from services.hostile_front import Trick
from services.shopper import Clock, World, build
from serving import serving

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("lookup")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def world(store: Store, http: httpx.AsyncClient) -> AsyncIterator[World]:
    hostile = Hostile()
    cases.offering()(hostile)
    async with serving(hostile.app()) as origin:
        hostile.origin = origin
        made = build(store, http, hostile, Clock())
        yield made
        await made.food.close()


def calls(world: World, path: str) -> list[dict]:
    return [json.loads(body) for _, to, _, body in world.hostile.calls if to == path]


async def test_a_menu_that_is_fresh_needs_no_second_look(world: World):
    merchant = await world.meet()
    await world.food.menus()
    await world.merchants.create_checkout(world.draft(merchant), "k1")
    assert calls(world, "/catalog/lookup") == []
    world.clock.now += 31
    await world.merchants.create_checkout(world.draft(merchant), "k2")
    assert calls(world, "/catalog/lookup") == [{"ids": [LATTE, MUFFIN]}]


async def test_what_is_gone_is_named_before_a_checkout_is_made(world: World):
    merchant = await world.meet()
    await world.food.menus()
    world.clock.now += 31
    world.hostile.products = world.hostile.products[:1]
    with pytest.raises(Refused) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.text == "Hostile Café does not sell Blueberry muffin."
    assert world.hostile.checkouts == {}
    [menu] = await world.food.menus()
    assert [item.id for item in menu.items] == [LATTE]


async def test_a_price_that_is_not_the_menu_s_is_told(world: World):
    merchant = await world.meet()
    await world.food.menus()
    world.clock.now += 31
    world.hostile.prices = {**world.hostile.prices, MUFFIN: 400}
    latte, muffin = world.hostile.products
    dearer = {**muffin["variants"][0], "price": {"amount": 400, "currency": "EUR"}}
    world.hostile.products = [latte, {**muffin, "variants": [dearer]}]
    draft = world.draft(merchant)
    checkout = await world.merchants.create_checkout(draft, "k")
    assert unheeded(checkout, draft) == ["A thing has a new price, 4 euros."]


async def test_products_are_read_in_full_where_a_search_shows_a_part(world: World):
    listed = {**SHIRT, "variants": SHIRT["variants"][:1]}
    world.hostile.products = [SHIRT]
    merchant = await world.meet()
    menu = await menu_of_a_search_that_shows(world, listed)
    assert [[value.title for value in group.values] for group in menu.items[0].groups] == [
        ["Small", "Large"],
        ["Blue", "Red"],
    ]
    large = next(x for x in menu.items[0].groups[0].values if x.title == "Large")
    assert large.price_delta == 200
    assert menu.items[0].id == SHIRT["variants"][0]["id"]
    assert calls(world, "/catalog/product") == [{"id": "p_shirt"}]
    world.clock.now += 181
    await menu_of_a_search_that_shows(world, listed)
    assert len(calls(world, "/catalog/product")) == 1, "it is remembered while nothing has changed"
    assert merchant.id == menu.merchant_id


async def menu_of_a_search_that_shows(world: World, listed: dict):
    honest = catalogue._page

    async def page(client, merchant, cursor):
        found = await honest(client, merchant, cursor)
        [whole] = found.products
        part = msgspec.structs.replace(whole, variants=whole.variants[: len(listed["variants"])])
        return msgspec.structs.replace(found, products=(part,))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_page", page)
        [menu] = await world.food.menus(refresh=True)
    return menu


async def test_what_was_had_before_is_on_a_menu_however_long(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(catalogue, "PAGES", 1)
    world.hostile.products = [*world.hostile.products, _product("p_tea", "Tea", 300)]
    merchant = await world.meet()
    [menu] = await world.food.menus()
    assert [item.id for item in menu.items] == [LATTE]
    had = world.draft(merchant, DraftLine(TEA, "Tea", 1))
    await world.remember(had, "chk_9", order_id="ord_9")
    [menu] = await world.food.menus(refresh=True)
    assert [item.id for item in menu.items] == [LATTE, TEA]


@pytest.mark.parametrize("name", cases.LOOKUPS)
async def test_a_look_up_that_lies(buyer: Buyer, name: str, monkeypatch: pytest.MonkeyPatch):
    bend, says = cases.LOOKUPS[name]
    plain = isinstance(bend, Trick)
    async with buyer.shop(cases.offering() if plain else cases.offering(bend)) as visit:
        if plain:
            monkeypatch.setattr("lapel.services.connectors.ucp.rechecking.PATIENCE_S", 0.2)
            visit.front.tricks["lookup"] = bend
        order = await visit.begin()
        assert "lookup" in visit.front.seen
        if says == cases.GOES_ON:
            assert order.state is OrderState.AWAITING_APPROVAL, await visit.said()
            assert order.total is not None
            assert order.total.minor == 1810
            assert (await visit.approve()).state is OrderState.PLACED
        else:
            assert order.state is OrderState.FAILED
            assert says in await visit.said()
            assert visit.hostile.checkouts == {}
        await visit.no_wrong_money()


@pytest.mark.parametrize("name", cases.PRODUCTS_IN_FULL)
async def test_a_product_in_full_that_lies(buyer: Buyer, name: str):
    async with buyer.shop(cases.offering(cases.PRODUCTS_IN_FULL[name])) as visit:
        lone = {**SHIRT, "variants": SHIRT["variants"][:1]}
        visit.hostile.products = [lone]
        menus = await buyer.world.food.menus(refresh=True)
        menu = next(x for x in menus if x.merchant_id == visit.merchant.id)
        assert "product" in visit.front.seen
        assert [(x.id, x.groups, x.price.minor) for x in menu.items] == [
            (lone["variants"][0]["id"], (), 1000)
        ]
