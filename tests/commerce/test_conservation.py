"""Whatever fails and in whatever order: what is kept is what was placed, and each user hears once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from commerce_town import draft
from commerce_world import QUICK, TAP, wrong_in

from lapel.commerce import ApprovalError, OrderError, OrderState

pytestmark = pytest.mark.net

OPS = (
    *("get", "complete", "cancel", "order", "authorize", "state", "release"),
    *("get", "complete", "authorize", "release", "complete", "create", "update"),
)
"""What may fail: mostly what comes after the user's yes."""
ENDS = frozenset(
    {
        OrderState.REFUSED,
        OrderState.LAPSED,
        OrderState.CANCELED,
        OrderState.PLACED,
        OrderState.DELIVERED,
        OrderState.REFUNDED,
        OrderState.FAILED,
    }
)


@pytest.mark.parametrize("seed", range(6))
async def test_money_is_conserved(world, seed):
    chance = random.Random(seed)
    town = world.town
    for _ in range(70):
        op = chance.choice(OPS)
        quiet = op in ("create", "update")
        town.fail(op, chance.choice(["down", "lost"] if quiet else ["down", "lost", "nonsense"]))
    if seed % 3 == 1:
        town.set("refuse:complete", "No.")
    orders = await asyncio.gather(*(user(world, i, chance.randrange(10**6)) for i in range(12)))
    town.heal()
    for order_id in orders:
        await world.state(order_id, *ENDS)
    await settled(world, orders)
    placed = 0
    for order_id in orders:
        order = await world.orders.get(order_id)
        stands = order.state in (OrderState.PLACED, OrderState.DELIVERED)
        placed += order.total.minor if stands else 0
        assert (order.receipt is not None) == stands
        kinds = Counter(await world.kinds(order_id))
        for once in ("placed", "refunded", "delivered", "lapsed", "refused", "canceled"):
            assert kinds[once] <= 1
        endings = kinds["placed"] + kinds["refunded"] + kinds["payment_declined"]
        assert endings <= 1
        assert kinds["approved"] - kinds["price_changed"] == endings
    assert town.money_kept() == placed
    assert sum(total for _, total in town.placed()) == placed
    assert "authorized" not in [state for _, state, _, _ in town.holds()]
    assert town.violations() == []
    moves = town.moves()
    assert await world.store.read(lambda c: wrong_in(c, moves)) == []


async def user(world, number: int, seed: int) -> str:
    """Somebody who approves, refuses, changes their mind, or walks away; with prices moving."""
    chance = random.Random(seed)
    order_id = await world.orders.begin(f"u_{number}", draft(("latte", 1 + chance.randrange(3))))
    while (order := await world.orders.get(order_id)).state not in ENDS:
        if order.state is OrderState.AWAITING_APPROVAL and order.approval is not None:
            await act(world, order, chance)
        await asyncio.sleep(0.005)
    return order_id


async def act(world, order, chance: random.Random) -> None:
    try:
        match chance.choice(["approve", "approve", "refuse", "revise", "cancel", "price"]):
            case "revise":
                await world.orders.revise(order.id, draft(("muffin", 1 + chance.randrange(4))))
            case "cancel":
                await world.orders.cancel(order.id)
            case "price":
                world.town.set("price:latte", 400 + chance.randrange(200))
            case decision:
                await world.orders.decide(
                    order.approval.id, decision, TAP, checkout_hash=order.approval.checkout_hash
                )
    except (ApprovalError, OrderError) as error:
        assert error.code in {"void", "expired", "already_decided", "too_late", "closed"}  # noqa: PT017


async def settled(world, orders: list[str]) -> None:
    """A restart changes nothing of what has come to rest."""
    before = [(await world.orders.get(order_id)).state for order_id in orders]
    await world.stop()
    await world.start(QUICK)
    assert [(await world.orders.get(order_id)).state for order_id in orders] == before
