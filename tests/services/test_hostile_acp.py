"""The hostile merchant behind ACP: its most dangerous tricks end as they do over UCP."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from lapel.commerce import Nonsense, OrderState, PortError
from lapel.services import AcpInbox, BankPayments, WebhookError, access_from
from lapel.services.connectors.acp.client import signature
from lapel.services.connectors.acp.feed import read_feed
from services import hostile_cases as cases
from services.hostile_buyer import Buyer, Visit, lapel
from services.hostile_cases import Bend, Ending
from services.hostile_front import Trick
from services.hostile_seller import SECRET, HostileSeller
from services.test_hostile import asked, ends

pytestmark = [pytest.mark.net, pytest.mark.asyncio(loop_scope="module")]

UCPS_OWN = {"version_changed_before_paying", "escalated_before_paying"}
QUOTES = [
    "total_above_its_parts",
    "total_below_its_parts",
    "subtotal_above_the_lines",
    "line_that_is_not_price_times_quantity",
    "negative_delivery",
    "negative_tax",
    "discount_that_adds",
    "discount_below_nothing",
    "everything_for_nothing",
    "fee_that_is_not_in_the_total",
    "two_totals",
    "no_totals",
    "delivery_dearer_than_its_option",
    "amount_as_a_fraction",
    "amount_as_text",
    "amount_that_is_missing",
    "negative_price",
    "quantity_of_nothing",
    "price_beyond_the_limit",
    "another_currency",
    "line_swapped",
    "line_added",
    "line_removed",
    "quantity_raised",
    "a_hundred_lines",
    "address_changed",
    "address_lost",
    "completed_at_once",
    "no_id",
    "no_way_to_pay",
    "nobody_to_pay",
    "unknown_way_to_pay",
    "bank_of_the_thief",
    "link_is_a_script",
    "link_to_another_host",
    "link_with_a_name_in_it",
]
WIRE = [
    "the_same_key_twice",
    "nested_without_end",
    "not_a_number",
    "half_an_answer",
    "a_web_page",
    "a_hundred_megabytes",
    "a_hundred_megabytes_announced",
    "gzip_bomb",
    "status_500",
    "hangs_up",
    "redirect_to_loopback",
    "redirect_to_the_cloud",
]
LOST = [
    "completes_but_status_500",
    "completes_but_hangs_up",
    "completes_but_half_an_answer",
    "completes_but_a_hundred_megabytes",
    "never_completes_but_status_500",
    "never_completes_but_hangs_up",
    "never_completes_but_status_404",
]


def of(found: dict, names: list[str]) -> dict:
    return {name: found[name] for name in names}


CASES: dict[str, dict] = {
    "quote": of(cases.QUOTES, QUOTES),
    "meanwhile": {k: v for k, v in cases.MEANWHILE.items() if k not in UCPS_OWN},
    "completion": cases.COMPLETIONS,
    "wire": of(cases.WIRE, WIRE),
    "lost": of(cases.AFTER_THE_MONEY, LOST),
}


def named(kind: str) -> list:
    return [pytest.param(*value, id=name) for name, value in CASES[kind].items()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def buyer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Buyer]:
    async with lapel(tmp_path_factory.mktemp("hostile-acp")) as running:
        yield running


@pytest.mark.parametrize(("bend", "ending"), named("quote"))
async def test_a_price_that_is_none(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop(kind=HostileSeller) as visit:
        visit.hostile.bend = bend
        order = await visit.begin()
        if order.state is OrderState.AWAITING_APPROVAL:
            await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named("meanwhile"))
async def test_a_session_that_changes_while_the_user_says_yes(
    buyer: Buyer, bend: Bend, ending: Ending
):
    async with buyer.shop(kind=HostileSeller) as visit:
        await asked(visit)
        visit.hostile.bend = bend
        await visit.approve()
        await ends(visit, ending)
        assert visit.hostile.orders == {}


@pytest.mark.parametrize(("bend", "ending"), named("completion"))
async def test_a_seller_that_completes_something_else(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop(kind=HostileSeller) as visit:
        visit.hostile.bend = cases.once_completed(bend)
        await asked(visit)
        await visit.approve()
        await ends(visit, ending)


@pytest.mark.parametrize(("play", "ending"), named("wire"))
async def test_bytes_that_are_no_answer(buyer: Buyer, play: cases.Play, ending: Ending):
    async with buyer.shop(kind=HostileSeller) as visit:
        visit.front.tricks["create"] = Trick(play)
        await visit.begin()
        await ends(visit, ending)


@pytest.mark.parametrize(("trick", "ending"), named("lost"))
async def test_a_completion_whose_answer_is_lost(buyer: Buyer, trick: Trick, ending: Ending):
    async with buyer.shop(kind=HostileSeller) as visit:
        await asked(visit)
        visit.front.tricks["complete"] = trick
        await visit.approve()
        await ends(visit, ending)


def status(name: str) -> Bend:
    return cases.field_("status", name)


STATUSES: dict[str, tuple[Bend, Ending]] = {
    "bank_check_that_lapel_cannot_make": (
        status("authentication_required"),
        Ending(OrderState.FAILED, "wants a check by your bank that Lapel cannot make."),
    ),
    "seller_that_decides_first": (
        status("pending_approval"),
        Ending(OrderState.FAILED, "must first approve this order itself"),
    ),
    "session_that_has_expired": (
        status("expired"),
        Ending(OrderState.FAILED, "Nothing was ordered."),
    ),
}


@pytest.mark.parametrize(
    ("bend", "ending"), [pytest.param(*value, id=name) for name, value in STATUSES.items()]
)
async def test_a_status_that_only_acp_has(buyer: Buyer, bend: Bend, ending: Ending):
    async with buyer.shop(kind=HostileSeller) as visit:
        visit.hostile.bend = bend
        await visit.begin()
        await ends(visit, ending)


async def test_seller_that_decides_for_ever_with_the_money(buyer: Buyer):
    async with buyer.shop(kind=HostileSeller) as visit:
        visit.hostile.bend = cases.once_completed(status("pending_approval"))
        await asked(visit)
        await visit.approve()
        await ends(visit, cases.KEEPS_CHECKING)


async def test_bank_that_allows_more_than_was_asked(buyer: Buyer):
    async with buyer.shop(kind=HostileSeller) as visit:
        quoted = (await asked(visit)).checkout
        assert quoted is not None
        assert quoted.payment is not None
        world, bank = buyer.world, f"{buyer.bank.origin}/bank"
        payments = BankPayments(world.store, world.http, sandboxes=[bank])
        buyer.bank.mischief = "bank_allows_more"
        try:
            with pytest.raises(Nonsense):
                await payments.authorize("u_1", quoted.payment, quoted.total, "h", "k")
        finally:
            buyer.bank.mischief = ""


async def test_feed_at_a_private_address(buyer: Buyer):
    """Of a seller that is not on this machine; one that is may point at its own."""
    async with buyer.shop(kind=HostileSeller) as visit:
        known = await buyer.world.registry.get(visit.merchant.id)
        far = replace(known, url="https://shop.example")
        access = access_from("k", feed_url="http://127.0.0.1:1/feed")
        with pytest.raises(PortError) as refused:
            await read_feed(buyer.world.http, far, access)
        assert refused.value.code == "unsafe_url"


async def push(visit: Visit, headers: dict[str, str], body: bytes) -> str:
    world = visit.buyer.world
    inbox = AcpInbox(
        world.store, world.registry, world.accesses, world.merchants, clock=world.clock
    )
    try:
        await inbox.receive(visit.merchant.id, headers, body, visit.buyer.orders.merchant_reports)
    except WebhookError as error:
        return error.code
    return ""


def seller(visit: Visit) -> HostileSeller:
    assert isinstance(visit.hostile, HostileSeller)
    return visit.hostile


FORGED: dict[str, tuple[Callable[[dict[str, str], bytes], tuple[dict[str, str], bytes]], str]] = {
    "event_without_a_signature": (lambda headers, body: ({}, body), "signature_missing"),
    "event_of_another_body": (
        lambda headers, body: (headers, body.replace(b"delivered", b"delivere_")),
        "signature_invalid",
    ),
    "event_at_another_time": (
        lambda headers, body: (
            {"Merchant-Signature": re.sub(r"t=\d+", "t=9", headers["Merchant-Signature"])},
            body,
        ),
        "signature_invalid",
    ),
    "event_with_a_signature_that_cannot_be_read": (
        lambda headers, body: ({"Merchant-Signature": "t=now,v1=yes"}, body),
        "signature_invalid",
    ),
}


@pytest.mark.parametrize(
    ("forge", "code"), [pytest.param(*value, id=name) for name, value in FORGED.items()]
)
async def test_an_event_that_is_not_to_be_believed(buyer: Buyer, forge, code: str):
    async with buyer.shop(kind=HostileSeller) as visit:
        await asked(visit)
        await visit.approve()
        before = await visit.said()
        [order_id] = visit.hostile.orders
        order = seller(visit).acp_order(order_id, "delivered")
        headers, body = seller(visit).event(order, at=int(buyer.world.clock()))
        assert await push(visit, *forge(headers, body)) == code
        assert await visit.said() == before
        await ends(visit, cases.UNTOUCHED)


async def test_event_that_was_sent_before(buyer: Buyer):
    async with buyer.shop(kind=HostileSeller) as visit:
        await asked(visit)
        await visit.approve()
        [order_id] = visit.hostile.orders
        sender, now = seller(visit), int(buyer.world.clock())
        sent = sender.event(sender.acp_order(order_id, "delivered"), at=now)
        assert await push(visit, *sent) == ""
        assert await push(visit, *sent) == "replayed"
        old = sender.event(sender.acp_order(order_id, "delivered"), at=now - 400)
        assert await push(visit, *old) == "stale"
        foreign = sender.event(sender.acp_order(order_id, "canceled"), at=now, secret="t" * 32)
        assert await push(visit, *foreign) == "signature_invalid"
        await visit.until({OrderState.DELIVERED})
        await ends(visit, cases.DELIVERED)


async def test_refund_that_is_larger_than_the_order(buyer: Buyer):
    async with buyer.shop(kind=HostileSeller) as visit:
        await asked(visit)
        await visit.approve()
        [order_id] = visit.hostile.orders
        back = {
            "id": "adj_1", "type": "refund", "status": "completed", "amount": 999_999,
            "currency": "eur", "occurred_at": "2026-11-24T12:00:00Z",
        }  # fmt: skip
        order = seller(visit).acp_order(order_id, "in_transit", adjustments=[back])
        sent = seller(visit).event(order, at=int(buyer.world.clock()))
        assert await push(visit, *sent) == "malformed"
        await ends(visit, cases.UNTOUCHED)


async def test_order_of_another_seller(buyer: Buyer):
    async with buyer.shop(kind=HostileSeller) as mine, buyer.shop(kind=HostileSeller) as thief:
        await asked(mine)
        await mine.approve()
        [order_id] = mine.hostile.orders
        before = await mine.said()
        order = seller(mine).acp_order(order_id, "canceled")
        sent = seller(thief).event(order, at=int(buyer.world.clock()), secret=SECRET)
        assert await push(thief, *sent) == ""  # well signed, and about nothing of theirs
        assert await mine.said() == before
        await ends(mine, cases.UNTOUCHED)


async def test_only_what_the_order_needs_leaves_and_every_call_is_dressed(buyer: Buyer):
    async with buyer.shop(kind=HostileSeller) as visit:
        await asked(visit)
        await visit.approve()
        sent = [call for call in visit.hostile.calls if "checkout_sessions" in call[1]]
        assert {path.rpartition("/")[2] for _, path, _, _ in sent} >= {"complete"}
        for method, path, headers, body in sent:
            assert headers["api-version"] == "2026-04-17", path
            assert headers["authorization"] == "Bearer t_1"
            assert ("idempotency-key" in headers) == (method == "POST")
            assert headers["signature"] == signature(SECRET, headers["timestamp"], body)
            for private in (b"office", b"latitude", b"60.16", b"u_1", b"@"):
                assert private not in body
        [hold] = visit.holds()
        asked_for = [json.loads(x[3]) for x in buyer.bank.calls if "delegate_payment" in x[1]]
        allowance = asked_for[-1]["allowance"]
        assert (allowance["reason"], allowance["max_amount"]) == ("one_time", hold["amount"])
        assert allowance["checkout_session_id"] in visit.hostile.checkouts
        assert allowance["merchant_id"] == "acc_shop"


OWN = [
    *STATUSES, *FORGED, "seller_that_decides_for_ever_with_the_money",
    "bank_that_allows_more_than_was_asked", "feed_at_a_private_address",
    "event_that_was_sent_before", "refund_that_is_larger_than_the_order",
    "order_of_another_seller",
]  # fmt: skip


async def test_there_are_that_many_ways():
    """Each by its name; the page that lists them is held to this."""
    names = [*OWN, *(name for found in CASES.values() for name in found)]
    assert len(names) == len(set(names))
    page = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")
    section = page.partition("## The hostile merchant through ACP")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z0-9_]{4,})`", section)) == set(names)
