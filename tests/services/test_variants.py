import msgspec
import pytest

from lapel.commerce.ports import Refused
from lapel.services.connectors.ucp.variants import groups_of, resolve
from lapel.services.connectors.ucp.wire.catalogue import Product
from services.hostile import SHIRT

pytestmark = pytest.mark.unit

SHIRTS = msgspec.convert(SHIRT, Product)
FEATURED = SHIRTS.variants[0].id


def value(group: str, label: str) -> str:
    found = next(x for x in groups_of(SHIRTS) if x.title == group)
    return next(x.id for x in found.values if x.title == label)


def test_options_become_groups():
    size, colour = groups_of(SHIRTS)
    assert (size.title, size.required, size.multiple) == ("Size", True, False)
    assert [x.title for x in size.values] == ["Small", "Large"]
    assert [x.price_delta for x in size.values] == [0, 200]
    assert size.default == value("Size", "Small")
    assert colour.default == value("Colour", "Blue")
    assert all(x.available for x in size.values + colour.values)


@pytest.mark.parametrize(
    ("chosen", "variant"),
    [
        ((), "gid://shop/Small|Blue"),
        ((("Size", "Large"), ("Colour", "Red")), "gid://shop/Large|Red"),
        ((("Colour", "Red"), ("Size", "Small")), "gid://shop/Small|Red"),
        ((("Size", "Large"),), "gid://shop/Large|Blue"),
        ((("Size", "Small"),), "gid://shop/Small|Blue"),
        ((("Colour", "Red"),), "gid://shop/Small|Red"),
    ],
)
def test_the_way_back(chosen: tuple[tuple[str, str], ...], variant: str):
    """What was not said stays as it is in the featured variant."""
    options = [value(group, label) for group, label in chosen]
    assert resolve(FEATURED, [*options, "oat"]) == (variant, ("oat",))


def test_a_combination_that_is_not_sold():
    lone = msgspec.structs.replace(SHIRTS, variants=SHIRTS.variants[:1] + SHIRTS.variants[2:3])
    size, colour = groups_of(lone)
    large = next(x.id for x in size.values if x.title == "Large")
    blue = next(x.id for x in colour.values if x.title == "Blue")
    with pytest.raises(Refused) as refused:
        resolve(FEATURED, [large, blue])
    assert refused.value.code == "option_invalid"


def test_one_variant_has_no_groups():
    assert groups_of(msgspec.structs.replace(SHIRTS, variants=SHIRTS.variants[:1])) == ()
