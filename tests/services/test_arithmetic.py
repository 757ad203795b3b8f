import copy

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapel.commerce.ports import Nonsense
from lapel.services.connectors.ucp.arithmetic import check_checkout, check_delivery
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody
from services.hostile import LATTE, MUFFIN, Hostile

pytestmark = pytest.mark.unit

LINES = st.lists(
    st.tuples(st.sampled_from([LATTE, MUFFIN]), st.integers(1, 99)), min_size=1, max_size=6
)


def checkout(lines: list[tuple[str, int]]) -> dict:
    asked = {
        "line_items": [{"item": {"id": item}, "quantity": n} for item, n in lines],
        "fulfillment": {"methods": [{"destinations": [{"street_address": "x"}]}]},
    }
    made = Hostile()._priced("chk", asked)
    made["totals"][1:1] = [{"type": "discount", "amount": -10}, {"type": "fee", "amount": 10}]
    return made


def amounts(made: dict) -> list[tuple[dict, str]]:
    """Every place where a number of money stands that the user would pay by."""
    found = [(entry, "amount") for entry in made["totals"]]
    for line in made["line_items"]:
        found += [(entry, "amount") for entry in line["totals"]]
        found += [(line["item"], "price"), (line, "quantity")]
    return found


def total(made: dict) -> int:
    body = msgspec.json.decode(msgspec.json.encode(made), type=CheckoutBody)
    check_delivery(body)
    return check_checkout(body)


@given(LINES)
@settings(max_examples=30, deadline=None)
def test_right_sums_pass(lines: list[tuple[str, int]]):
    prices = {LATTE: 520, MUFFIN: 380}
    assert total(checkout(lines)) == sum(prices[item] * n for item, n in lines) + 290


@given(LINES, st.integers(0, 1000), st.integers(-500, 500).filter(bool))
@settings(max_examples=200, deadline=None)
def test_no_single_number_can_be_changed(lines: list[tuple[str, int]], at: int, by: int):
    made = copy.deepcopy(checkout(lines))
    places = amounts(made)
    entry, name = places[at % len(places)]
    entry[name] += by
    with pytest.raises((Nonsense, msgspec.ValidationError)):
        total(made)
