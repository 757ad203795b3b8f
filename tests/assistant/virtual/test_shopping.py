"""Stores in virtual time: found, ranked with the reason, ordered, and sent back for a stated fee."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stage.market import says
from stage.shops import MENUS, Street
from stage.wearing import EARBUDS, PHONE, RING, Worn
from stage.world import World

from lapel.assistant import SavedPlaces, ShopSkill
from lapel.brain import Menu, MenuItem
from lapel.commerce import (
    Address,
    MerchantAdjustment,
    MerchantOrder,
    Money,
    OrderState,
    ReturnLine,
    SendBack,
)
from lapel.commerce.ports import Refused, Unreachable
from lapel.commerce.request import Request
from lapel.services.goods import Offer, ReturnOffer, Way

pytestmark = pytest.mark.unit


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


TODAY = Way("today", "Courier", eur(690), 180)
OFFERS = (
    Offer("volt", "Volt", "volt_charger", "Charger", eur(1990), (TODAY, Way("post", "Post", eur(490), 2880))),
    Offer("kulma", "Kulma", "kulma_charger", "Charger", eur(1590), (Way("post", "Post", eur(590), 4320),)),
)  # fmt: skip
PIZZAS = (
    Menu("forno", "Forno", (MenuItem("m1", "Margherita", eur(1190)),)),
    Menu("stack", "Stack", (MenuItem("m2", "Pizza margherita", eur(1090)),)),
    Menu("shut", "Shut", (MenuItem("m3", "Margherita", eur(100)),), open_now=False),
)


class Stores(Street):
    """Also what `ShopSkill` needs of `Shopping`."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.searched: list[tuple[str, Address | None]] = []
        self.fee = 490
        self.asked_for = self._taken_back
        for offer in OFFERS:
            self.set(f"price:{offer.item_id}", offer.price.minor)
        for menu in PIZZAS:
            self.set(f"price:{menu.items[0].id}", menu.items[0].price.minor)

    def _unit(self, item: str) -> int:
        return int(self.knob(f"price:{item}"))

    async def search(self, text: str, to: Address | None) -> list[Offer]:
        if self.down:
            raise Unreachable("no answer")
        self.searched.append((text, to))
        return list(OFFERS) if "charger" in text else []

    async def menus(self) -> Sequence[Menu]:
        return (*MENUS, *PIZZAS)

    async def returnable(self, merchant_id: str, order_id: str) -> ReturnOffer:
        if self.fee < 0:
            raise Refused("Volt does not take that back any more.", code="return_closed")
        lines = (("li_1", "Charger", 1, eur(1990)),)
        return ReturnOffer(eur(self.fee), "buyer", "2026-12-24T12:00:00+02:00", lines)

    def _taken_back(self, order_id: str, request: Request) -> MerchantOrder:
        return self.report(self.db.execute("select checkout_id from orders").fetchone()[0])

    def _order(self, *args: Any) -> MerchantOrder:
        made = super()._order(*args)
        if not self.asked:
            return made
        lines = tuple((x.line_id, x.quantity) for x in self.asked[0][1].lines)
        back = MerchantAdjustment("adj_r", "refund", "pending", eur(-1500))
        gone = MerchantAdjustment("adj_g", "return", "pending", lines=lines)
        return replace(made, adjustments=(gone, back))


@asynccontextmanager
async def stores() -> AsyncIterator[tuple[World, Stores, Worn, Worn]]:
    world = World()
    street = world.street = Stores()

    def skills(user_id: str):
        places = SavedPlaces(world.record, user_id)
        zone = ZoneInfo("UTC")
        return (ShopSkill(user_id, world.orders, street, street.menus, places, zone),)

    world.skills = skills
    async with world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        yield world, street, phone, ring


async def test_offers_are_ranked_by_the_price_at_the_door_and_say_why() -> None:
    async with stores() as (world, street, phone, _):
        text = await says(world, phone, "find me a phone charger", "Cheapest first")
        assert "Charger at Kulma is the cheapest: 21.80 EUR with delivery, within 3 days." in text
        assert "Charger at Volt: 24.80 EUR, 3.00 EUR more, but within 2 days." in text
        [(asked, place)] = street.searched
        assert asked == "phone charger"
        assert place is not None
        fast = await says(world, phone, "find me a charger as soon as possible", "Fastest first")
        assert "Charger at Volt is there first: 26.80 EUR with delivery, within 3 hours." in fast
        assert await world.orders.list(world.user_id) == []


@pytest.mark.parametrize(
    ("words", "merchant", "fastest"),
    [
        ("the second one", "volt", False),
        ("the cheapest", "kulma", False),
        ("the one that comes today", "volt", True),
        ("the one from Kulma", "kulma", False),
    ],
)
async def test_one_of_them_is_ordered(words: str, merchant: str, fastest: bool) -> None:
    async with stores() as (world, street, phone, ring):
        await says(world, phone, "find me a phone charger", "Cheapest first")
        phone.type(words)
        await world.asked()
        await world.passes(1)
        ring.press()
        order = await world.state(OrderState.PLACED)
        assert (order.merchant_id, order.draft.fastest) == (merchant, fastest)
        assert len(street.placed()) == 1


async def test_an_offer_is_taken_by_its_button_and_dropped_by_a_word() -> None:
    async with stores() as (world, street, phone, _):
        await says(world, phone, "find me a phone charger", "Cheapest first")
        card = next(cue for cue in phone.told() if cue.card and cue.card.actions)
        assert card.card is not None
        phone.tap(card.card.actions[1].action, card.topic)
        await world.asked()
        phone.type("cancel")
        await world.state(OrderState.CANCELED)
        phone.tap("shop:99:0", card.topic)
        await world.until(lambda: any("out of date" in x for x in phone.texts()))
        assert street.placed() == []


async def test_a_dish_is_compared_over_the_shops_that_are_open() -> None:
    async with stores() as (world, street, phone, _):
        text = await says(world, phone, "who has the cheapest margherita", "Stack is the cheapest")
        assert "Pizza margherita at Stack is the cheapest: 10.90 EUR before delivery." in text
        assert "Margherita at Forno: 11.90 EUR, 1.00 EUR more, before delivery." in text
        assert "Shut" not in text
        assert "By price alone" in phone.told()[-1].card.footer  # type: ignore[union-attr]
        phone.type("the first one")
        await world.asked()
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert order.draft.lines[0].item_id == "m2"
        assert street.asked == []


async def test_what_no_shop_has_and_shops_that_are_silent() -> None:
    async with stores() as (world, street, phone, _):
        await says(world, phone, "compare unicorns", "No shop has unicorns")
        street.down = True
        await says(world, phone, "find me a phone charger", "The shops do not answer")


async def delivered(world: World, phone: Worn, ring: Worn) -> None:
    await says(world, phone, "find me a phone charger", "Cheapest first")
    phone.type("the one from volt")
    await world.asked()
    await world.passes(1)
    ring.press()
    world.deliver(await world.state(OrderState.PLACED))
    await world.state(OrderState.DELIVERED, within_s=200)


async def test_a_return_is_asked_about_with_its_fee_and_told_to_the_shop_once() -> None:
    async with stores() as (world, street, phone, ring):
        await delivered(world, phone, ring)
        text = await says(world, phone, "i want to return the charger", "Shall I?")
        assert (
            "takes Charger back until 24 December. It keeps 4 euros 90. You pay the post. "
            "You get 15 euros back. Shall I?"
        ) in text
        assert street.asked == []
        phone.type("yes")
        await world.until(lambda: world.of_kind("ask_done"))
        [(_, request, key)] = street.asked
        order = await world.state(OrderState.DELIVERED)
        assert request == SendBack((ReturnLine("li_1", 1),), eur(490), "Charger")
        assert key == f"{order.id}:0:ask:0"
        assert world.of_kind("refund_promised")


async def test_a_return_that_is_not_wanted_or_not_possible_changes_nothing() -> None:
    async with stores() as (world, street, phone, ring):
        await delivered(world, phone, ring)
        await says(world, phone, "return the charger", "Shall I?")
        await says(world, phone, "no", "you keep it")
        street.fee = -1
        await says(world, phone, "return the charger", "does not take that back any more")
        assert street.asked == []
