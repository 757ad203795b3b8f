from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.shelves import Shelf
from city.shops import city_shops
from city.streets import helsinki
from city.ucp.checkout_json import totals_json
from city.ucp.quote import price_cart
from city.ucp.wire import (
    CheckoutRequest,
    Destination,
    FulfillmentRequest,
    GroupRequest,
    ItemReference,
    LineRequest,
    MethodRequest,
)

pytestmark = pytest.mark.unit

SHOP = city_shops()["blue-door"]
DOOR = helsinki().find(SHOP.street_address).point
OFFICE = Destination(street_address="Eteläesplanadi 22")


def _shelf(**changes) -> Shelf:
    return Shelf(
        shop=SHOP,
        prices=changes.get("prices", {}),
        remaining=changes.get("remaining", {}),
        is_open=changes.get("is_open", True),
        opens_text="opens at 07:00",
    )


def _line(id: str, quantity: int = 1, *modifiers: str) -> LineRequest:
    return LineRequest(item=ItemReference(id), quantity=quantity, modifiers=list(modifiers))


def _quote(*lines: LineRequest, place: Destination | None = OFFICE, option=None, shelf=None):
    places = [] if place is None else [Destination(**_fields(place))]
    groups = [GroupRequest(selected_option_id=option)] if option else []
    method = MethodRequest(destinations=places, groups=groups)
    request = CheckoutRequest(
        line_items=list(lines), fulfillment=FulfillmentRequest(methods=[method])
    )
    return price_cart(request, shelf or _shelf(), helsinki(), DOOR)


def _fields(place: Destination) -> dict:
    return {name: getattr(place, name) for name in place.__struct_fields__}


def _codes(quote) -> set[str]:
    return {note.code for note in quote.notes if note.kind == "error"}


def test_modifiers_and_defaults_make_the_price():
    line = _quote(
        _line("latte", 2, "size.large", "milk.oat", "syrup.vanilla", "syrup.caramel")
    ).lines[0]
    assert line.unit_price == 480 + 70 + 50 + 60 + 60
    assert line.total == 2 * line.unit_price
    ids = {choice.id for choice in line.choices}
    assert "roast.medium" in ids, "a default is filled in"
    assert not any(id.startswith("shots.") for id in ids), "nothing is filled in without a default"


@pytest.mark.parametrize(
    ("modifiers", "code"),
    [
        (["size.small", "size.large"], "modifier_conflict"),
        (["size.enormous"], "modifier_unknown"),
        (["temperature.warm"], "modifier_unknown"),
    ],
)
def test_impossible_choices(modifiers, code):
    quote = _quote(_line("latte", 1, *modifiers))
    assert _codes(quote) == {code}
    assert not quote.is_ready


def test_a_required_choice_without_default_must_be_made():
    shop = city_shops()["kaisla"]
    shelf = Shelf(shop, {}, {}, True, "")
    assert _codes(_quote(_line("filled_roll"), shelf=shelf)) == {"modifier_required"}
    assert _quote(_line("filled_roll", 1, "filling.ham"), shelf=shelf).is_ready


def test_stock_is_counted_over_all_lines():
    shelf = _shelf(remaining={"scone": 3})
    assert _quote(_line("scone", 3), shelf=shelf).is_ready
    assert _codes(_quote(_line("scone", 2), _line("scone", 2), shelf=shelf)) == {
        "insufficient_stock"
    }
    assert _codes(_quote(_line("scone"), shelf=_shelf(remaining={"scone": 0}))) == {"out_of_stock"}
    assert _quote(_line("latte", 99), shelf=shelf).is_ready, "made to order"


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (None, "missing"),
        (Destination(street_address="Downing Street 10"), "address_undeliverable"),
        (
            Destination(street_address="Mikonkatu 15", address_locality="Tampere"),
            "address_undeliverable",
        ),
        (Destination(street_address="Mikonkatu 15", address_country="SE"), "address_undeliverable"),
        (Destination(latitude=60.3, longitude=25.2), "address_undeliverable"),
    ],
)
def test_where_nobody_delivers(place, code):
    quote = _quote(_line("latte"), place=place)
    assert _codes(quote) == {code}
    assert quote.shipping is None


def test_coordinates_refine_a_street_or_stand_for_an_unknown_one():
    near = helsinki().find("Eteläesplanadi 20").point
    refined = Destination(
        street_address="Eteläesplanadi 22",
        latitude=near[0],
        longitude=near[1],
        address_country="FI",
    )
    far = Destination(street_address="Eteläesplanadi 22", latitude=60.179, longitude=24.95)
    alone = Destination(street_address="Somewhere 1", latitude=near[0], longitude=near[1])
    doors = [_quote(_line("latte"), place=p).delivery.point for p in (refined, far, alone, OFFICE)]
    assert doors[0] == doors[2] != doors[3]
    assert doors[1] == doors[3], "coordinates far from the street are not believed"


def test_the_fee_grows_with_the_way_and_with_haste():
    near = _quote(_line("latte", 3), place=Destination(street_address="Mikonkatu 18"))
    far = _quote(_line("latte", 3), place=Destination(street_address="Bulevardi 14"))
    fast = _quote(_line("latte", 3), option="priority")
    assert near.shipping == 190 < far.shipping
    assert fast.shipping == _quote(_line("latte", 3)).shipping + 200
    assert fast.delivery.option.latest_s < _quote(_line("latte", 3)).delivery.option.latest_s
    assert _codes(_quote(_line("latte"), option="teleport")) == {"option_unavailable"}


def test_a_closed_shop_is_not_ready():
    assert _codes(_quote(_line("latte"), shelf=_shelf(is_open=False))) == {"merchant_closed"}


CARTS = st.lists(
    st.tuples(st.sampled_from(sorted(SHOP.dishes)), st.integers(1, 5)), min_size=1, max_size=8
)


@settings(max_examples=60, deadline=None)
@given(CARTS, st.sampled_from([None, "standard", "priority"]))
def test_totals_are_the_sum_of_their_parts(cart, option):
    quote = _quote(*(_line(id, n) for id, n in cart), option=option)
    shown = totals_json(quote)
    parts = {part["type"]: part["amount"] for part in shown}
    assert len(parts) == len(shown)
    assert parts["total"] == sum(v for k, v in parts.items() if k != "total")
    assert parts["subtotal"] == sum(line.total for line in quote.lines)
    assert (parts["subtotal"] < 1000) == ("fee" in parts)
    assert 0 < quote.tax < quote.total
    ids = [line.id for line in quote.lines]
    assert len(set(ids)) == len(ids)
