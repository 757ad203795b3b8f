"""An order that its user fetches: asked with the place, told when it is ready, over when it is fetched."""

from __future__ import annotations

import pytest
from stage.shops import PRICES
from stage.wearing import EARBUDS, GLASSES, PHONE, RING
from stage.world import World

from lapel.commerce import Money, OrderState
from lapel.devices import Pattern

pytestmark = pytest.mark.unit


async def test_from_the_words_to_the_counter() -> None:
    async with World() as world:
        phone, glasses, earbuds, ring = await world.wear(PHONE, GLASSES, EARBUDS, RING)
        phone.type("two lattes for pickup at Blue Door")
        await world.asked()
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert order.approval is not None
        assert order.draft.pickup
        assert order.draft.address.street == ""
        asked = phone.cards[f"approval:{order.approval.id}"]
        assert asked.total == str(Money(2 * PRICES["latte"], "EUR"))
        assert "To pick up at Shop blue, Shop Street 1" in asked.body
        await world.quiet()
        assert any("to pick up at Shop blue, Shop Street 1" in text for text, _ in earbuds.heard())
        ring.press()
        await world.state(OrderState.PLACED)
        await world.until(lambda: world.of_kind("placed"))
        report = world.street.report(order.checkout_id, "preparing", "ready_for_pickup")
        await world.orders.merchant_reports(report)
        await world.until(lambda: world.of_kind("ready"))
        await world.quiet()
        ready = "Your order is ready for pick-up at Shop blue, Shop Street 1."
        assert sum(ready in text for text, _ in earbuds.heard()) == 1
        card = glasses.cards[f"order:{order.id}"]
        assert card.progress is not None
        assert card.progress.steps == ("Ordered", "Preparing", "Ready", "Picked up")
        assert card.progress.at == 2
        assert Pattern.DOUBLE in [cue.haptic for cue in ring.told()]
        await world.orders.merchant_reports(world.street.report(order.checkout_id, "collected"))
        order = await world.state(OrderState.DELIVERED)
        assert order.receipt is not None
        assert '"pickup":true' in order.receipt
        receipt = phone.cards[f"receipt:{order.id}"]
        assert "To pick up at Shop blue, Shop Street 1" in receipt.body


async def test_the_usual_is_fetched_again() -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        phone.type("two lattes for pickup at Blue Door")
        await world.asked()
        first = await world.state(OrderState.AWAITING_APPROVAL)
        await world.quiet()
        ring.press()
        await world.state(OrderState.PLACED)
        await world.orders.merchant_reports(world.street.report(first.checkout_id, "collected"))
        await world.state(OrderState.DELIVERED)
        phone.type("the usual")
        await world.asked(2)
        again = await world.state(OrderState.AWAITING_APPROVAL)
        assert again.id != first.id
        assert again.draft.pickup
        phone.type("have it delivered to my office")
        await world.asked(3)
        changed = await world.state(OrderState.AWAITING_APPROVAL)
        assert (changed.draft.pickup, changed.draft.address.label) == (False, "office")
