"""Standing limits: what is bought without asking, and all that must not be."""

from __future__ import annotations

import asyncio
import shutil
import time
from dataclasses import replace

import commerce_town
import msgspec
import pytest
import sqlalchemy as sa
from commerce_town import LATTES, TARGET, TOTAL, draft
from commerce_world import QUICK, TAP, running

from lapel.commerce import (
    Evidence,
    Item,
    LimitError,
    LimitState,
    LimitTerms,
    OrderState,
    Party,
    verify,
)
from lapel.store import schema

pytestmark = pytest.mark.unit

BLUE = Party("blue", "Blue")
ON_SCREEN = Evidence("d_phone", "Phone", "phone", "approve", 1764000000.0, ("Phone",))
SHORT = replace(QUICK, undo_s=0.05)
LONG = replace(QUICK, undo_s=60.0)


def terms(**changed) -> LimitTerms:
    usual = LimitTerms("EUR", 2000, 5000, "week", int(time.time()) + 86400, (BLUE,))
    return msgspec.structs.replace(usual, **changed)


async def allowed(world, user: str = "u_0", **changed):
    """A limit that the user agreed to on a phone."""
    limit = await world.orders.standing.propose(user, terms(**changed))
    return await world.orders.standing.decide(
        limit.id, "approve", ON_SCREEN, terms_hash=limit.terms.hash(), user_id=user
    )


async def asked_or_told(world, wanted=LATTES, user: str = "u_0") -> tuple[str, str]:
    """A new order, and whether it was asked about or told."""
    order_id = await world.orders.begin(user, wanted)
    order = await world.state(order_id, OrderState.AWAITING_APPROVAL)
    return order_id, "told" if order.approval.limit_id else "asked"


async def spent(world, user: str = "u_0") -> tuple[int, int]:
    (now,) = await world.orders.standing.live(user)
    return now.used.amount.minor, now.used.purchases


async def nothing_more_opens(world, wanted=LATTES) -> None:
    order_id, how = await asked_or_told(world, wanted)
    assert how == "asked"
    await world.orders.cancel(order_id)


@pytest.fixture
def folder(tmp_path, untouched):
    """The files of a Lapel that has served nobody yet."""
    shutil.copytree(untouched, tmp_path, dirs_exist_ok=True)
    return tmp_path


def town_with(folder, policy, url=None):
    return running(folder, url, policy)


async def test_a_limit_for_certain_goods_is_for_nothing_else(folder):
    async with town_with(folder, SHORT) as world:
        await world.placed()
        had = await world.orders.standing.bought("u_0", [BLUE])
        assert [item.id for item in had] == [line.item_id for line in LATTES.lines]
        assert await world.orders.standing.bought("u_1", [BLUE]) == []
        latte, _ = had
        await allowed(world, items=(latte,))
        await nothing_more_opens(world)  # there is a muffin in it
        limit = await allowed(world, items=tuple(had))
        order_id, how = await asked_or_told(world)
        assert how == "told"
        order = await world.state(order_id, OrderState.PLACED)
        assert verify(order.receipt).consent.gesture == "within_limit"
        await allowed(world, items=(Item("other", "Something else"),))
        assert (await world.orders.standing.get(limit.id)).state is LimitState.REPLACED
        await nothing_more_opens(world)


def test_terms_with_goods_name_one_shop_and_each_once():
    item = Item("latte", "Iced latte")
    now = time.time()
    assert terms(items=(item,)).fault(now) == ""
    assert "one shop" in terms(items=(item,), merchants=()).fault(now)
    assert "twice" in terms(items=(item, item)).fault(now)
    assert "at most" in terms(items=tuple(Item(str(n), "x") for n in range(21))).fault(now)


async def test_within_a_limit_it_is_told_ordered_when_the_window_ends_and_proved(place):
    async with town_with(place[0], SHORT, place[1]) as world:
        limit = await allowed(world)
        order_id = await world.orders.begin("u_0", LATTES)
        order = await world.state(order_id, OrderState.PLACED)
        kinds = await world.kinds(order_id)
        assert kinds == ["quoted", "within_limit", "approved", "paid", "placed"]
        assert await spent(world) == (TOTAL, 1)
        world.balanced(TOTAL)
        receipt = verify(order.receipt)
        assert receipt.consent.gesture == "within_limit"
        assert receipt.mandates.standing.limit_id == limit.id
        notice = await world.event(order_id, "within_limit")
        assert "within your limit" in notice.text
        assert "Say stop" in notice.text


async def test_a_limit_is_set_on_a_screen_and_by_nothing_else(folder):
    async with town_with(folder, LONG) as world:
        standing = world.orders.standing
        limit = await standing.propose("u_0", terms())
        agreed = {"terms_hash": limit.terms.hash(), "user_id": "u_0"}
        elsewhere = replace(ON_SCREEN, device_name="Tablet")
        for evidence in (TAP, elsewhere, replace(ON_SCREEN, gesture="press")):
            with pytest.raises(LimitError) as caught:
                await standing.decide(limit.id, "approve", evidence, **agreed)
            assert caught.value.code == "needs_screen"
        for changed, code in (
            ({"terms_hash": "0" * 64}, "hash_mismatch"),
            ({"user_id": "u_1"}, "wrong_user"),
        ):
            with pytest.raises(LimitError) as caught:
                await standing.decide(limit.id, "approve", ON_SCREEN, **{**agreed, **changed})
            assert caught.value.code == code
        await nothing_more_opens(world)
        await standing.decide(limit.id, "approve", ON_SCREEN, **agreed)
        again = await standing.decide(limit.id, "approve", ON_SCREEN, **agreed)
        assert again.state is LimitState.LIVE
        with pytest.raises(LimitError) as caught:
            await standing.decide(limit.id, "refuse", TAP, **agreed)
        assert caught.value.code == "already_decided"
        assert (await asked_or_told(world))[1] == "told"


async def test_a_question_about_a_limit_that_nobody_answered_in_time_is_over(folder):
    async with town_with(folder, LONG) as world:
        standing = world.orders.standing
        limit = await standing.propose("u_0", terms(valid_until=int(time.time()) + 864000))
        world.skew = 301.0
        with pytest.raises(LimitError) as caught:
            await standing.decide(limit.id, "approve", ON_SCREEN, terms_hash=limit.terms.hash())
        assert caught.value.code == "expired"
        assert await standing.asked("u_0") == []


BAD = [
    ({"most_minor": 0}, "bad_terms"),
    ({"most_minor": -1}, "bad_terms"),
    ({"most_minor": 5001}, "bad_terms"),
    ({"budget_minor": 5050}, "bad_terms"),
    ({"currency": "euro"}, "bad_terms"),
    ({"valid_until": 1}, "bad_terms"),
    ({"valid_until": int(time.time()) + 400 * 86400}, "bad_terms"),
    ({"merchants": (BLUE, BLUE)}, "bad_terms"),
    ({"purchases": -1}, "bad_terms"),
    ({"most_minor": 20001, "budget_minor": 30000}, "too_large"),
    ({"currency": "USD"}, "too_large"),
]


async def test_a_limit_that_nobody_should_agree_to_is_not_asked_about(folder):
    async with town_with(folder, LONG) as world:
        for changed, code in BAD:
            with pytest.raises(LimitError) as caught:
                await world.orders.standing.propose("u_0", terms(**changed))
            assert (changed, caught.value.code) == (changed, code)
        assert await world.orders.standing.asked("u_0") == []


COVERED = [
    ({"most_minor": TOTAL}, "told"),
    ({"most_minor": TOTAL - 1}, "asked"),
    ({"budget_minor": 1700, "most_minor": 1700}, "told"),
    ({"budget_minor": 1600, "most_minor": 1600}, "asked"),
    ({"merchants": (Party("red", "Red"),)}, "asked"),
    ({"merchants": (Party("red", "Red"), BLUE)}, "told"),
    ({"merchants": ()}, "asked"),  # never paid there before
]


async def test_what_a_limit_covers(folder):
    async with town_with(folder, LONG) as world:
        for n, (changed, how) in enumerate(COVERED):
            await allowed(world, f"u_{n}", **changed)
            found = (await asked_or_told(world, user=f"u_{n}"))[1]
            assert (changed, found) == (changed, how)
        assert (await asked_or_told(world, user="u_19"))[1] == "asked"


async def test_any_shop_means_one_that_was_paid_before(folder):
    async with town_with(folder, LONG) as world:
        await world.placed()
        await allowed(world, merchants=())
        assert (await asked_or_told(world))[1] == "told"
        assert (await asked_or_told(world, draft(merchant="green")))[1] == "asked"


async def test_another_account_and_a_large_amount_are_always_asked_about(folder, monkeypatch):
    async with town_with(folder, LONG) as world:
        await world.placed()
        await allowed(world)
        monkeypatch.setattr(commerce_town, "TARGET", replace(TARGET, payee="another-account"))
        await nothing_more_opens(world)
        monkeypatch.setattr(commerce_town, "TARGET", TARGET)
        await world.stop()
        await world.start(replace(LONG, screen_over={"EUR": TOTAL - 1}))
        await nothing_more_opens(world)


async def test_it_ends_with_its_time_with_the_key_and_on_a_clock_that_goes_back(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        world.skew = -3600.0
        await nothing_more_opens(world)
        world.skew = 86400.0
        await nothing_more_opens(world)
        world.skew = 0.0
        await world.store.write(lambda c: world.orders.vault.rotate(c, "u_0", world.clock()))
        await nothing_more_opens(world)
        (now,) = await world.orders.standing.live("u_0")
        assert not now.stands


async def test_the_budget_and_the_number_roll_with_the_period(folder):
    async with town_with(folder, SHORT) as world:
        await allowed(world, budget_minor=4000, valid_until=int(time.time()) + 30 * 86400)
        for _ in range(2):
            await world.state(await world.orders.begin("u_0", LATTES), OrderState.PLACED)
        await nothing_more_opens(world)
        world.skew = 6.9 * 86400
        await nothing_more_opens(world)
        world.skew = 7.1 * 86400
        assert await spent(world) == (0, 0)
        await world.state(await world.orders.begin("u_0", LATTES), OrderState.PLACED)
        world.skew = 0.0  # what was booked after now counts as well
        assert await spent(world) == (3 * TOTAL, 3)
        await nothing_more_opens(world)
        await allowed(world, purchases=1, valid_until=int(time.time()) + 86400)
        assert await spent(world) == (0, 0)
        await world.state(await world.orders.begin("u_0", LATTES), OrderState.PLACED)
        await nothing_more_opens(world)


async def test_many_orders_at_once_never_take_more_than_the_budget(place):
    async with town_with(place[0], replace(SHORT, undo_s=0.3), place[1]) as world:
        await allowed(world, budget_minor=5000)
        orders = await asyncio.gather(*(world.orders.begin("u_0", LATTES) for _ in range(8)))
        states = (OrderState.PLACED, OrderState.AWAITING_APPROVAL)
        found = [await world.state(order_id, *states) for order_id in orders]
        told = [order for order in found if order.approval.limit_id]
        assert len(told) == 5000 // TOTAL
        for order in told:
            await world.state(order.id, OrderState.PLACED)
        assert await spent(world) == (3 * TOTAL, 3)
        world.balanced(*[TOTAL] * 3)


async def test_revoked_in_the_window_it_becomes_an_ordinary_question(place):
    async with town_with(place[0], LONG, place[1]) as world:
        limit = await allowed(world)
        order_id, how = await asked_or_told(world)
        assert how == "told"
        with pytest.raises(LimitError) as caught:
            await world.orders.standing.revoke("u_1", limit.id)
        assert caught.value.code == "unknown"
        await world.orders.standing.revoke("u_0", limit.id)
        await world.orders.standing.revoke("u_0", limit.id)
        await world.event(order_id, "approval_needed")
        kinds = await world.kinds(order_id)
        assert kinds[1:3] == ["within_limit", "limit_ended"]
        assert world.town.calls("authorize") == 0
        await world.approve(order_id)
        order = await world.state(order_id, OrderState.PLACED)
        assert verify(order.receipt).mandates.standing is None
        world.balanced(TOTAL)


async def test_a_new_limit_for_the_same_shop_takes_the_place_of_the_old_one(folder):
    async with town_with(folder, LONG) as world:
        old = await allowed(world)
        order_id, _ = await asked_or_told(world)
        new = await allowed(world, most_minor=TOTAL - 1)
        await world.event(order_id, "approval_needed")
        assert [now.limit.id for now in await world.orders.standing.live("u_0")] == [new.id]
        assert (await world.orders.standing.get(old.id)).state is LimitState.REPLACED


async def test_undone_in_the_window_nothing_is_ordered_and_nothing_is_booked(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        order_id, _ = await asked_or_told(world)
        assert await spent(world) == (TOTAL, 1)  # promised
        notice = await world.event(order_id, "within_limit")
        await world.orders.decide(notice.data["approval_id"], "refuse", TAP, checkout_hash="")
        await world.state(order_id, OrderState.REFUSED)
        assert await spent(world) == (0, 0)
        other, _ = await asked_or_told(world)
        await world.orders.cancel(other)
        assert await spent(world) == (0, 0)
        assert world.town.calls("authorize") == 0


async def test_no_is_heard_even_when_the_window_has_just_ended(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        order_id, _ = await asked_or_told(world)
        notice = await world.event(order_id, "within_limit")
        world.skew = 61.0
        refused = await world.refused_decision(notice)
        assert refused == "expired"
        await world.orders.decide(notice.data["approval_id"], "refuse", TAP, checkout_hash="")
        assert (await world.orders.get(order_id)).state is OrderState.REFUSED


async def test_what_is_changed_in_the_window_is_priced_and_told_anew(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        order_id, _ = await asked_or_told(world)
        notice = await world.event(order_id, "within_limit")
        await world.orders.revise(order_id, draft(("latte", 1)))
        await world.event(order_id, "within_limit", 2)
        assert await world.refused_decision(notice) == "void"
        assert await spent(world) == (490 + 340, 1)
        await world.orders.revise(order_id, draft(("latte", 4)))
        await world.event(order_id, "approval_needed")
        assert await spent(world) == (0, 0)


async def test_a_price_that_moves_in_the_window_is_asked_about_and_frees_the_budget(folder):
    async with town_with(folder, replace(SHORT, undo_s=0.3)) as world:
        await allowed(world)
        order_id, how = await asked_or_told(world)
        assert how == "told"
        world.town.set("price:latte", 500)
        await world.event(order_id, "approval_needed")
        assert "price_changed" in await world.kinds(order_id)
        assert await spent(world) == (0, 0)
        await world.orders.cancel(order_id)
        await world.state(order_id, OrderState.CANCELED)
        world.balanced()


async def test_a_window_that_lapel_slept_through_becomes_a_question(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        order_id, _ = await asked_or_told(world)
        await world.stop()
        world.forget_workflows()
        world.skew = 66.0
        await world.start(LONG)
        await world.event(order_id, "approval_needed")
        assert world.town.calls("authorize") == 0


async def test_a_window_goes_on_after_a_restart(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        order_id, _ = await asked_or_told(world)
        await world.stop()
        world.forget_workflows()
        world.skew = 59.7
        await world.start(LONG)
        await world.state(order_id, OrderState.PLACED)
        assert await world.kinds(order_id) == [
            "quoted",
            "within_limit",
            "approved",
            "paid",
            "placed",
        ]
        world.balanced(TOTAL)


@pytest.mark.parametrize("back", ["declined", "refused", "canceled", "part"])
async def test_the_budget_gets_back_what_the_books_get_back(folder, back):
    async with town_with(folder, SHORT) as world:
        await allowed(world)
        if back == "declined":
            world.town.set("refuse:authorize", "No.")
        if back == "refused":
            world.town.set("refuse:complete", "We are out of milk.")
        order_id = await world.orders.begin("u_0", LATTES)
        if back == "declined":
            await world.state(order_id, OrderState.FAILED)
        elif back == "refused":
            await world.state(order_id, OrderState.REFUNDED)
        else:
            order = await world.state(order_id, OrderState.PLACED)
            assert await spent(world) == (TOTAL, 1)
            if back == "canceled":
                report = world.town.report(order.checkout_id, canceled=True)
                await world.orders.merchant_reports(report)
                await world.state(order_id, OrderState.REFUNDED)
            else:
                world.town.promise_back(order.checkout_id, 320)
                world.town.give_part(order.authorization_id, 320)
                await world.orders.merchant_reports(world.town.report(order.checkout_id))
                while (await spent(world))[0] == TOTAL:
                    await asyncio.sleep(0.02)
        assert await spent(world) == ((TOTAL - 320, 1) if back == "part" else (0, 0))


async def test_who_presses_in_the_window_has_agreed_and_nothing_is_booked(folder):
    async with town_with(folder, LONG) as world:
        await allowed(world)
        order_id, _ = await asked_or_told(world)
        notice = await world.event(order_id, "within_limit")
        await world.orders.decide(
            notice.data["approval_id"], "approve", TAP, checkout_hash=notice.data["checkout_hash"]
        )
        order = await world.state(order_id, OrderState.PLACED)
        assert verify(order.receipt).consent.gesture == "press"
        booked = await world.store.read(
            lambda c: c.execute(sa.select(sa.func.count()).select_from(schema.limit_bookings)).scalar()
        )  # fmt: skip
        assert booked == 0
