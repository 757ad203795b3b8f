import pytest
from conftest import World
from hostile import LATTE, Hostile, serving

from lapel.brain.menu import OptionValue
from lapel.commerce.money import Money
from lapel.commerce.ports import Unreachable

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


async def test_a_menu_is_read_again_when_it_is_old_or_told_so(world: World):
    await world.meet()
    await world.food.menus()

    def searches() -> int:
        return sum(call[1] == "/catalog/search" for call in world.hostile.calls)

    read = searches()
    await world.food.menus()
    assert searches() == read
    world.clock.now += 181
    await world.food.menus()
    assert searches() == 2 * read
    await world.food.menus(refresh=True)
    assert searches() == 3 * read
    [merchant] = await world.registry.all()
    world.food.sold_out(merchant.id)
    await world.food.menus()
    assert searches() == 4 * read


async def test_one_dead_merchant_hides_no_other(world: World):
    await world.meet()
    other = Hostile()
    async with serving(other.app()) as origin:
        other.origin = origin
        dead = await world.food.add_merchant(origin)
        assert len(await world.food.menus()) == 2
    world.clock.now += 181
    assert len(await world.food.menus()) == 2, "the last menu is still shown"
    assert isinstance(world.food.failures()[dead.id], Unreachable)
    world.clock.now += 3601
    assert [x.merchant_id for x in await world.food.menus()] != [dead.id]
    assert len(await world.food.menus()) == 1


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
