"""Adults only: a cart that the City's pizzeria hands over to the buyer, and what the buyer's page does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from lapel.commerce.checkout import Checkout, CheckoutStatus, DraftLine, OrderDraft
from lapel.store import Store
from services.test_city import Shopper, _shopping, city, office
from town import Town

pytestmark = pytest.mark.net

__all__ = ["city"]


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city) as running:
        running.merchant = await running.world.food.add_merchant(city.urls["merchants"][2])
        yield running


async def wine(shopper: Shopper, item: str = "red_wine") -> Checkout:
    assert shopper.merchant is not None
    lines = (DraftLine("margherita", "Margherita", 1), DraftLine(item, "Red wine", 1))
    draft = OrderDraft(shopper.merchant.id, lines, office(shopper.city))
    quoted = await shopper.world.merchants.create_checkout(draft, shopper.key("quote"))
    await shopper.world.remember(draft, quoted.id)
    return quoted


def pressed(shopper: Shopper, quoted: Checkout, button: str) -> httpx.Response:
    """The page's button, as a browser presses it: only if the page has it."""
    page = shopper.city.http.get(quoted.continue_url)
    found = re.search(rf"action='([^']+)'><button id={button}>", page.text)
    assert found, page.text
    origin = quoted.continue_url.partition("/checkout/")[0]
    return shopper.city.http.post(origin + found[1], follow_redirects=True)


async def test_confirmed_on_the_page_and_completed_from_here(shopper: Shopper):
    quoted = await wine(shopper)
    assert quoted.status is CheckoutStatus.REQUIRES_ESCALATION
    assert quoted.continue_url.startswith(shopper.city.urls["merchants"][2])
    assert [m.severity for m in quoted.messages if m.code == "age_verification"] == [
        "requires_buyer_review"
    ]
    held = await shopper.place(quoted)
    assert held.status is CheckoutStatus.REQUIRES_ESCALATION
    assert "Thank you" in pressed(shopper, quoted, "confirm").text
    ready = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert ready.status is CheckoutStatus.READY_FOR_COMPLETE
    assert (ready.total, ready.hash()) == (quoted.total, quoted.hash())
    done = await shopper.place(ready)
    assert done.status is CheckoutStatus.COMPLETED
    assert done.total == quoted.total


async def test_finished_on_the_page_without_a_bank(shopper: Shopper):
    quoted = await wine(shopper, "lager")
    pressed(shopper, quoted, "finish")
    done = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert done.status is CheckoutStatus.COMPLETED
    assert done.total == quoted.total
    told = await shopper.until("delivered")
    assert (told.id, told.checkout_id) == (done.order_id, quoted.id)
    page = shopper.city.http.get(quoted.continue_url)
    assert "<form" not in page.text


async def test_a_cart_for_everybody_has_no_buttons(shopper: Shopper):
    quoted = await wine(shopper, "cola")
    assert quoted.status is CheckoutStatus.READY_FOR_COMPLETE
    page = shopper.city.http.get(quoted.continue_url)
    assert page.status_code == 200
    assert "<form" not in page.text
    for act in ("confirm", "finish"):
        answer = shopper.city.http.post(f"{quoted.continue_url}/{act}")
        assert answer.status_code == 404
    still = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert still.status is CheckoutStatus.READY_FOR_COMPLETE
