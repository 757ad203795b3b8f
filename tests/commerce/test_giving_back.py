"""What a company returns of a booking that was given back: in the books once, told once, come or missed."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from commerce_market import APPLES, FLIGHT, GROCERIES, KEEPS, RIDE, TABLE, Market, eur
from commerce_town import LATTES, sending
from commerce_world import ON_SCREEN, QUICK, World
from test_asking import market

from lapel.commerce import Books, Change, OrderError, OrderState, cancellation, fees, ledger

pytestmark = pytest.mark.net

KINDS = {"ride": RIDE, "flight": FLIGHT, "table": TABLE}


async def given_back(world: World, wanted):
    order = await world.placed(wanted)
    await world.orders.ask(order.id, cancellation(order, eur(KEEPS)))
    await world.event(order.id, "ask_done")
    order = await world.orders.get(order.id)
    assert order.state is OrderState.CANCELED
    with pytest.raises(OrderError) as caught:  # dropping it would say that nothing was charged
        await world.orders.cancel(order.id)
    assert caught.value.code == "closed"
    return order


async def comes_back(world: World, order, minor: int) -> None:
    """The company returns so much at the bank, and says so."""
    market: Market = world.town
    market.promise_back(order.checkout_id, minor)
    market.give_part(order.authorization_id, minor)
    await world.orders.merchant_reports(market.report(order.checkout_id))


async def settled(world: World, order) -> None:
    while (await world.store.read(lambda c: ledger.standing(c, order.id))).get(ledger.TRANSIT):
        await asyncio.sleep(0.01)


async def differences(world: World):
    return (await Books(world.store, world.town).check("u_0")).differences


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fee_that_is_returned_later_is_booked_and_told_once(kind, tmp_path):
    async with market(tmp_path) as world:
        order = await given_back(world, KINDS[kind])
        await settled(world, order)
        assert await differences(world) == ()
        await comes_back(world, order, 150)
        await settled(world, order)
        assert await differences(world) == ()
        again = world.town.report(order.checkout_id)
        await world.orders.merchant_reports(again)
        await comes_back(world, order, KEEPS - 150)
        await world.orders.merchant_reports(again)  # an old one comes late
        await settled(world, order)
        assert await differences(world) == ()
        told = [e.text for e in await world.orders.history(order.id) if e.kind == "part_refunded"]
        gives = "The shop gives you"
        assert told == [f"{gives} 1 euro 50 back.", f"{gives} 2 euros 50 back."]
        world.balanced()
        assert await world.store.read(lambda c: ledger.charged(c, order.id)) == 0


async def test_what_was_booked_at_once_is_not_booked_again(tmp_path):
    """Of rides the record may hold one entry for all that came back."""
    async with market(tmp_path) as world:
        order = await world.placed(RIDE)
        back = order.total - eur(KEEPS)
        world.town.promise_back(order.checkout_id, 1000)
        world.town.promise_back(order.checkout_id, back.minor - 1000)
        world.town.promise_back(order.checkout_id, 100)
        report = world.town.report(order.checkout_id)

        def work(connection):
            assert ledger.refund_due(connection, order, back, "due:fee", 0.0)
            before = replace(report, adjustments=report.adjustments[:2])
            assert fees.expect_refunds(connection, order, before, 0.0) == set()
            assert fees.expect_refunds(connection, order, report, 0.0) == {"adj_2"}
            assert fees.expect_refunds(connection, order, report, 0.0) == set()
            return ledger.charged(connection, order.id)

        assert await world.store.write(work) == KEEPS - 100


async def test_money_in_another_currency_is_not_taken_for_the_orders(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(LATTES)
        world.town.promise_back(order.checkout_id, 100)
        report = world.town.report(order.checkout_id)
        yen = replace(report.adjustments[0], amount=replace(-eur(100), currency="JPY"))
        await world.orders.merchant_reports(replace(report, adjustments=(yen,)))
        assert await differences(world) == ()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_company_that_returns_less_than_it_says_gives_it_all_back(kind, tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(KINDS[kind])
        world.town.fail("ask", "always down")
        await world.orders.ask(order.id, cancellation(order, eur(KEEPS)))
        world.town.promise_back(order.checkout_id, 1)
        world.town.give_part(order.authorization_id, 1)
        await world.orders.merchant_reports(world.town.report(order.checkout_id, canceled=True))
        await world.state(order.id, OrderState.REFUNDED)
        told = await world.event(order.id, "merchant_canceled")
        assert told.text.startswith("The company gives back less than it says")
        world.balanced()


async def test_what_a_cheaper_way_brings_is_booked_before_the_ride_is_over(tmp_path):
    async with market(tmp_path, policy=replace(QUICK, track_s=1000.0)) as world:
        order = await world.placed(RIDE)
        world.town.promise_back(order.checkout_id, 300)
        world.town.give_part(order.authorization_id, 300)
        await world.orders.merchant_reports(world.town.report(order.checkout_id, "dropped_off"))
        await world.state(order.id, OrderState.DELIVERED)
        await settled(world, order)
        assert await differences(world) == ()
        assert (await world.kinds(order.id)).count("part_refunded") == 1


async def test_a_ride_is_not_over_with_another_destination(tmp_path):
    async with market(tmp_path, policy=replace(QUICK, track_s=1000.0)) as world:
        order = await world.placed(RIDE)
        reports = (("driver_assigned", "destination_changed"), ("tipped",), ("dropped_off",))
        for n, kinds in enumerate(reports):
            assert (await world.orders.get(order.id)).state is OrderState.PLACED, n
            await world.orders.merchant_reports(world.town.report(order.checkout_id, *kinds))
        await world.state(order.id, OrderState.DELIVERED)


async def test_what_comes_back_of_a_transfer_under_way_is_booked(tmp_path):
    async with market(tmp_path, policy=replace(QUICK, track_s=1000.0)) as world:
        order_id, _ = await world.asked(sending())
        await world.approve(order_id, evidence=ON_SCREEN)
        order = await world.state(order_id, OrderState.PLACED)
        await comes_back(world, order, 150)
        await settled(world, order)
        assert await differences(world) == ()
        await world.orders.merchant_reports(world.town.report(order.checkout_id, "transferred"))
        await world.state(order_id, OrderState.DELIVERED)
        assert (await world.kinds(order_id))[-2:] == ["part_refunded", "transferred"]
        assert await differences(world) == ()


async def test_what_a_grocer_returns_with_its_bill_is_booked(tmp_path):
    async with market(tmp_path) as world:
        order = await world.placed(GROCERIES)
        asked = await world.event(order.id, "substitution_asked")
        line, item = asked.data["line_id"], asked.data["item_id"]
        await world.orders.answer_substitution(order.id, line, item, False)
        await world.event(order.id, "substitution_sent")
        number = order.merchant_order_id
        world.town.promise_back(order.checkout_id, 100)
        world.town.pack(number)
        world.town.give_part(order.authorization_id, 100)
        await world.orders.merchant_reports(world.town.report(order.checkout_id))
        await world.event(order.id, "billed")
        await settled(world, order)
        assert await differences(world) == ()
        world.balanced(APPLES - 100)


async def test_a_change_is_not_given_back_by_itself(tmp_path):
    async with market(tmp_path) as world:
        assert FLIGHT.journey is not None
        booking = await world.placed(FLIGHT)
        dearer = Change("journey", "of_2")
        paid = replace_journey(FLIGHT, booking_id=booking.merchant_order_id)
        change = await world.placed(paid)
        for request in (cancellation(change, eur(KEEPS)), dearer):
            with pytest.raises(OrderError) as caught:
                await world.orders.ask(change.id, request)
            assert caught.value.code == "closed"


def replace_journey(wanted, **values):
    from msgspec.structs import replace as of

    return of(wanted, journey=of(wanted.journey, **values))
