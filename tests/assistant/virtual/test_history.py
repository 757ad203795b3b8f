"""Looking back: what was spent and ordered, out of the ledger and the record."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from stage.loop import wall
from stage.shops import price
from stage.wearing import PHONE, RING, Worn
from stage.world import World

from lapel.assistant.history import HistorySkill
from lapel.commerce import Books, Money, OrderState

pytestmark = pytest.mark.unit


async def asked(world: World, phone: Worn, text: str) -> str:
    before = len(phone.texts())
    phone.type(text)
    await world.until(lambda: len(phone.texts()) > before)
    return phone.texts()[-1].removeprefix("Lapel | ")


async def test_what_was_spent_and_bought_is_told_and_what_was_not_taken_is_not() -> None:
    async with World() as world:

        def looking_back(user_id: str) -> tuple[HistorySkill]:
            books = Books(world.record, world.street)
            return (HistorySkill(user_id, world.orders, books, ZoneInfo("UTC"), wall),)

        world.skills = looking_back
        phone, ring = await world.wear(PHONE, RING)
        assert await asked(world, phone, "how much did i spend") == (
            "You have spent nothing this month."
        )
        assert await asked(world, phone, "what was my last order") == (
            "You have not ordered anything yet."
        )
        for n, press_long in enumerate((False, False, True), 1):
            phone.type("a ramen to my office" if n == 2 else "two lattes to my office")
            await world.asked(n)
            ring.press(long=press_long)
            await world.state(OrderState.REFUSED if press_long else OrderState.PLACED)
        orders = [x for x in await world.orders.list(world.user_id) if x.state is OrderState.PLACED]
        total = sum(x.total.minor for x in orders if x.total)
        assert total == sum(x[2] for x in world.street.holds())
        said = await asked(world, phone, "how much did i spend today")
        assert said.endswith(str(Money(total, "EUR")))
        names = {x.merchant_name for x in orders}
        assert len(names) == 2
        assert all(name in said for name in names)
        said = await asked(world, phone, f"how much did i spend at {orders[1].merchant_name}")
        assert price(latte=2) == str(orders[1].total)
        assert said.endswith(price(latte=2))
        assert await asked(world, phone, "how much did i spend yesterday") == (
            "You have spent nothing yesterday."
        )
        said = await asked(world, phone, "what did i order today")
        assert "two lattes" in said
        assert "ramen" in said
        said = await asked(world, phone, "what was my last order")
        assert "ramen" in said
        assert "latte" not in said
