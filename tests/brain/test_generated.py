"""Orders at menus that nobody has met before become the carts that they describe."""

from __future__ import annotations

from functools import cache

import pytest

from kitchens import TEMPLATES, Case, Speaker, got, heard, menu_of
from lapel.brain import Brain, Menu

pytestmark = pytest.mark.unit

SIZES = (10, 25, 60, 150, 500)
ORDERS = 120
NEEDED = 0.9


@cache
def met(size: int) -> tuple[Menu, Brain]:
    menu = menu_of(size, size)
    return menu, Brain([menu])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("templates", sorted(TEMPLATES))
def test_orders_at_a_menu_never_met_are_read_exactly(templates: str, size: int) -> None:
    menu, brain = met(size)
    speaker = Speaker(menu, TEMPLATES[templates], seed=size)
    missed: list[Case] = []
    for _ in range(ORDERS):
        case = speaker.case()
        if got(heard(brain, case), menu) != case.cart:
            missed.append(case)
    assert len(missed) <= ORDERS * (1 - NEEDED), missed[:5]


def test_no_pattern_stands_in_both_sets() -> None:
    dev, held_out = TEMPLATES["dev"], TEMPLATES["held_out"]
    for key in (
        "options",
        "refused",
        "more",
        "light",
        "count_corrected",
        "item_corrected",
        "both",
        "divided",
    ):
        assert not set(dev[key]) & set(held_out[key])
    for key in dev["later"]:
        assert not set(dev["later"][key]) & set(held_out["later"][key])
