"""What is chosen so far has a price before all is said, where the shop keeps carts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from stage.wearing import PHONE, RING
from stage.world import World

from lapel.commerce import Money, OrderDraft, OrderState

pytestmark = pytest.mark.unit


@dataclass
class Kept:
    id: str
    total: Money


@dataclass
class Counter:
    """Keeps whatever it is given, at a price for each."""

    drafts: list[OrderDraft] = field(default_factory=list)
    silent: bool = False

    async def keep(self, draft: OrderDraft) -> Kept | None:
        self.drafts.append(draft)
        many = sum(line.quantity for line in draft.lines)
        return None if self.silent else Kept(draft.cart_id or "cart_1", Money(490 * many, "EUR"))


@pytest.mark.parametrize("silent", [False, True])
async def test_the_price_so_far_is_told_with_the_question(silent: bool) -> None:
    async with World() as world:
        phone, ring = await world.wear(PHONE, RING)
        counter = Counter(silent=silent)
        world.assistant.conversation.carts = counter
        phone.type("two lattes to the moon base")
        await world.until(lambda: phone.texts())
        said = " ".join(phone.texts())
        assert ("about 9 euros 80 so far" in said) is not silent
        assert "Where should it go" in said
        [draft] = counter.drafts
        assert draft.address.street == ""
        await world.crash()
        await world.open()
        await world.back()
        phone.type("to my office")
        await world.asked()
        order = await world.state(OrderState.AWAITING_APPROVAL)
        assert order.draft.cart_id == ("" if silent else "cart_1")
        ring.press()
        await world.state(OrderState.PLACED)
