import asyncio

import pytest

from lapel.brain.menu import OptionValue
from lapel.commerce.money import Money
from lapel.commerce.ports import Refused, Unreachable
from services.hostile import LATTE, Hostile
from services.shopper import World
from serving import serving

pytestmark = pytest.mark.net


async def test_a_menu(world: World):
    merchant = await world.meet()
    [menu] = await world.food.menus()
    assert (menu.merchant_id, menu.merchant_name) == (merchant.id, "Hostile Café")
    assert (menu.aliases, menu.tags) == (("the hostile",), ("x",))
    assert (menu.open_now, menu.opens_text, menu.currency) == (False, "opens at 8", "EUR")
    assert [x.title for x in menu.items] == ["Latte", "Blueberry muffin"]
    latte = menu.items[0]
    assert (latte.id, latte.price, latte.category) == (LATTE, Money(520, "EUR"), "Drinks")
    assert latte.aliases == ("caffe latte",)
    [milk] = latte.groups
    assert (milk.required, milk.multiple, milk.default) == (True, False, "milk.whole")
    assert milk.values[1] == OptionValue("milk.oat", "Oat milk", ("oat",), 50, True)
    assert not milk.values[2].available


def searches(world: World) -> int:
    return sum(call[1] == "/catalog/search" for call in world.hostile.calls)


async def renewed(world: World) -> None:
    """Wait for the renewal that goes on in the background."""
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == "menus"]
    await asyncio.wait([task])


async def test_an_old_menu_is_renewed_while_it_is_shown(world: World):
    await world.meet()
    await world.food.menus()
    read = searches(world)
    await world.food.menus()
    assert searches(world) == read
    world.clock.now += 181
    world.hostile.products = world.hostile.products[:1]
    [menu] = await world.food.menus()
    assert len(menu.items) == 2
    await renewed(world)
    [menu] = await world.food.menus()
    assert len(menu.items) == 1


async def test_a_menu_is_read_first_when_told_so(world: World):
    merchant = await world.meet()
    await world.food.menus()
    world.hostile.products = world.hostile.products[:1]
    [menu] = await world.food.menus(refresh=True)
    assert len(menu.items) == 1
    world.hostile.products = world.hostile.products * 3
    world.food.sold_out(merchant.id)
    before = searches(world)
    await world.food.menus()
    assert searches(world) == before + 3


async def test_a_refusal_that_shows_the_menu_to_be_old_renews_it(world: World):
    merchant = await world.meet()
    await world.food.menus()
    gone = {"type": "error", "code": "out_of_stock", "content": "", "severity": "recoverable"}
    world.hostile.bend = lambda checkout: checkout.update(status="incomplete", messages=[gone])
    with pytest.raises(Refused):
        await world.merchants.create_checkout(world.draft(merchant), "k")
    world.hostile.products = world.hostile.products[:1]
    [menu] = await world.food.menus()
    assert len(menu.items) == 1


async def test_one_dead_merchant_hides_no_other(world: World):
    await world.meet()
    other = Hostile()
    async with serving(other.app()) as origin:
        other.origin = origin
        dead = await world.food.add_merchant(origin)
        assert len(await world.food.menus()) == 2
    world.clock.now += 181
    assert len(await world.food.menus(refresh=True)) == 2, "the last menu is still shown"
    assert isinstance(world.food.failures()[dead.id], Unreachable)
    world.clock.now += 3601
    [menu] = await world.food.menus(refresh=True)
    assert menu.merchant_id != dead.id


async def test_a_silent_merchant_is_not_waited_for_again(world: World):
    await world.meet()
    await world.food.menus()
    world.clock.now += 181
    world.hostile.mischief = "search_silent"
    before = searches(world)
    assert len(await world.food.menus()) == 1
    assert searches(world) == before, "the answer did not wait for the call"
    await world.food.close()


@pytest.mark.parametrize("mischief", ["search_500", "same_cursor"])
async def test_a_broken_catalogue(world: World, mischief: str):
    await world.meet()
    if mischief == "same_cursor":
        world.hostile.products = world.hostile.products * 3
    world.hostile.mischief = mischief
    assert await world.food.menus() == []
    before = len(world.hostile.calls)
    assert await world.food.menus() == []
    assert len(world.hostile.calls) == before, "a failing merchant is left alone for a while"


async def test_other_people_s_text_is_tamed(world: World):
    world.hostile.products = [
        {**world.hostile.products[1], "title": "Muffin\u0000\n\u202eevil" + "x" * 500}
    ]
    await world.meet()
    [menu] = await world.food.menus()
    assert menu.items[0].title.startswith("Muffin evilx")
    assert len(menu.items[0].title) == 120


async def test_modifiers_count_only_with_the_extension(world: World):
    world.hostile.food = False
    await world.meet()
    [menu] = await world.food.menus()
    assert menu.items[0].groups == ()


async def test_defaults_are_known_once_the_menu_is(world: World):
    merchant = await world.meet()
    assert world.food.defaults(merchant.id, LATTE) is None
    await world.food.menus()
    assert world.food.defaults(merchant.id, LATTE) == {"milk.whole"}
