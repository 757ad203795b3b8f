from __future__ import annotations

from datetime import datetime

import pytest

from city.clock import ZONE
from city.errors import DataError
from city.shops import city_shops, read_shop
from city.streets import helsinki

pytestmark = pytest.mark.unit

SMALL = """
slug = "x"
name = "X"
street_address = "Mikonkatu 15"
[hours]
all = "11:00-22:00"
mon = "closed"
fri = "11:00-02:00"
[groups.size]
title = "Size"
default = "s"
values = [{ id = "s", title = "Small" }, { id = "l", title = "Large", delta = 50 }]
[[menu.Food]]
id = "soup"
title = "Soup"
price = 500
groups = ["size=l"]
[[menu.Food]]
id = "bread"
title = "Bread"
price = 100
groups = ["size="]
"""


FOOD = {"blue-door", "kaisla", "forno-nero", "umi", "stack", "lucky-dumpling"}


def test_the_city_s_shops_are_on_the_map_with_whole_menus():
    shops = city_shops()
    assert set(shops) > FOOD
    for shop in shops.values():
        address = helsinki().find(shop.street_address)
        assert str(address) == shop.street_address
        assert helsinki().spot(address.point) is not None
        assert (20 if shop.slug in FOOD else 5) <= len(shop.dishes) <= 45
        for dish in shop.dishes.values():
            assert dish.price > 0
            for group in dish.groups:
                assert group.default is None or group.default in {v.id for v in group.values}
                assert dish.price + min(v.price_delta for v in group.values) > 0


def test_blue_door_has_what_people_ask_a_coffee_shop_for():
    shop = city_shops()["blue-door"]
    names = {n.casefold() for d in shop.dishes.values() for n in (d.title, *d.aliases)}
    asked = (
        "latte, iced latte, cappuccino, americano, espresso, mocha, iced mocha, coffee, house coffee, "
        "drip coffee, iced coffee, flat white, matcha latte, tea, blueberry muffin, croissant, banana bread"
    )
    assert set(asked.split(", ")) <= names
    values = {v.id: v for g in shop.dishes["latte"].groups for v in g.values}
    assert "sixteen ounce" in values["size.large"].aliases
    assert {"milk.oat", "milk.none", "roast.dark", "shots.triple", "sweetener.brown_sugar"} <= set(
        values
    )


def test_no_two_dishes_of_a_shop_share_a_name():
    for shop in city_shops().values():
        names = [
            n.casefold() for d in shop.dishes.values() for n in {d.title.casefold(), *d.aliases}
        ]
        twice = sorted({n for n in names if names.count(n) > 1})
        assert not twice, f"{shop.slug}: {twice}"


@pytest.mark.parametrize(
    ("when", "is_open", "text"),
    [
        ("2026-11-23 12:00", False, "opens on Tuesday at 11:00"),  # a Monday
        ("2026-11-24 10:59", False, "opens at 11:00"),
        ("2026-11-24 11:00", True, "open until 22:00"),
        ("2026-11-24 22:00", False, "opens on Wednesday at 11:00"),
        ("2026-11-28 01:59", True, "open until 02:00"),  # Friday's night
        ("2026-11-28 02:00", False, "opens at 11:00"),
        ("2026-11-29 23:00", False, "opens on Tuesday at 11:00"),
    ],
)
def test_hours(when, is_open, text):
    shop = read_shop(SMALL, "small")
    at = datetime.fromisoformat(when).replace(tzinfo=ZONE).timestamp()
    assert (shop.is_open(at), shop.opens_text(at)) == (is_open, text)


def test_one_shop_never_closes():
    for hour in range(24):
        at = datetime(2026, 11, 24, hour, 30, tzinfo=ZONE).timestamp()
        assert city_shops()["blue-door"].is_open(at)
    assert city_shops()["blue-door"].opens_text(0) == "open around the clock"


def test_an_item_can_change_or_drop_the_default_of_a_group():
    shop = read_shop(SMALL, "small")
    assert shop.dishes["soup"].groups[0].default == "size.l"
    assert shop.dishes["bread"].groups[0].default is None
    assert shop.dish("prod_soup") is shop.dish("soup")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"size=l"', '"size=xl"'),
        ('"size=l"', '"colour"'),
        ('id = "bread"', 'id = "soup"'),
        ("11:00-22:00", "eleven"),
        ("price = 500", 'price = "cheap"'),
        ('name = "X"', 'nome = "X"'),
        ("[hours]", "[hours"),
    ],
)
def test_a_broken_file_is_named(old, new):
    with pytest.raises(DataError, match="small"):
        read_shop(SMALL.replace(old, new), "small")
