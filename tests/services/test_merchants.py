import json

import httpx
import pytest

from lapel.commerce.checkout import CheckoutStatus, DraftLine
from lapel.commerce.money import Money
from lapel.commerce.ports import Credential, Nonsense, PortError, Refused, Unreachable
from lapel.services.connectors.ucp.variants import groups_of
from lapel.services.connectors.ucp.wire.catalogue import Product
from lapel.store import Store
from services.hostile import LATTE, MUFFIN, SHIRT, Hostile, Json
from services.shopper import OFFICE, Clock, World, build

pytestmark = pytest.mark.net

PAID = Credential("auth_1", "tok_1", "dev.lapel.city.bank", "city_bank")


async def test_the_whole_way(world: World):
    merchant = await world.meet()
    draft = world.draft(merchant)
    quoted = await world.merchants.create_checkout(draft, "o1:1:quote")
    assert quoted.status is CheckoutStatus.READY_FOR_COMPLETE
    assert quoted.merchant_name == "Hostile Café"
    assert quoted.total == Money(2 * 570 + 380 + 290, "EUR")
    assert [(x.kind, x.label) for x in quoted.totals] == [
        ("subtotal", "Items"),
        ("fulfillment", "Delivery"),
        ("total", "Total"),
    ]
    assert (quoted.lines[0].item_id, quoted.lines[0].options) == (LATTE, ("milk.oat",))
    assert quoted.lines[0].total == Money(1140, "EUR")
    assert quoted.lines[1].note == "warm, please"
    assert quoted.address == OFFICE
    assert quoted.payment is not None
    assert (quoted.payment.handler_id, quoted.payment.payee) == ("city_bank", "acc_shop")
    assert quoted.eta_minutes == 30
    await world.remember(draft, quoted.id)
    again = await world.merchants.get_checkout(merchant.id, quoted.id)
    assert again.hash() == quoted.hash()
    done = await world.merchants.complete_checkout(merchant.id, quoted.id, PAID, "o1:1:place")
    assert (done.status, done.order_id) == (CheckoutStatus.COMPLETED, "ord_1")
    assert done.hash() == quoted.hash()
    order = await world.merchants.get_order(merchant.id, "ord_1")
    assert (order.checkout_id, order.total) == (quoted.id, quoted.total)
    with pytest.raises(Refused) as refused:
        await world.merchants.cancel_checkout(merchant.id, quoted.id, "o1:1:cancel")
    assert refused.value.code == "already_completed"


async def test_what_is_sent(world: World):
    merchant = await world.meet()
    await world.merchants.create_checkout(world.draft(merchant), "o1:1:quote")
    method, path, headers, body = world.hostile.calls[-1]
    assert (method, path) == ("POST", "/checkout-sessions")
    assert headers["ucp-agent"] == 'profile="http://127.0.0.1:8600/.well-known/ucp"'
    assert len(headers["idempotency-key"]) == 36
    assert len(headers["request-id"]) == 36
    assert "@authority" in headers["signature-input"]
    sent = json.loads(body)
    assert sent["line_items"][0] == {
        "item": {"id": LATTE},
        "quantity": 2,
        "modifiers": ["milk.oat"],
    }
    assert sent["line_items"][1]["note"] == "warm, please"
    [destination] = sent["fulfillment"]["methods"][0]["destinations"]
    assert destination == {
        "street_address": OFFICE.street,
        "address_locality": "Helsinki",
        "postal_code": "00100",
        "address_country": "FI",
        "latitude": OFFICE.latitude,
        "longitude": OFFICE.longitude,
        "instructions": "Ring twice",
    }


async def test_the_same_key_has_one_effect(world: World):
    merchant = await world.meet()
    draft = world.draft(merchant)
    first = await world.merchants.create_checkout(draft, "k")
    second = await world.merchants.create_checkout(draft, "k")
    assert first == second
    assert world.hostile.effects() == 1
    await world.merchants.create_checkout(draft, "another")
    assert world.hostile.effects() == 2


async def test_an_error_after_the_effect_is_unreachable_and_mends_with_the_same_key(world: World):
    merchant = await world.meet()
    draft = world.draft(merchant)
    world.hostile.mischief = "500_after"
    with pytest.raises(Unreachable):
        await world.merchants.create_checkout(draft, "k")
    world.hostile.mischief = ""
    assert (await world.merchants.create_checkout(draft, "k")).id == "chk_1"
    assert world.hostile.effects() == 1


async def test_update_replaces_everything(world: World):
    merchant = await world.meet()
    first = await world.merchants.create_checkout(world.draft(merchant), "k1")
    tea = world.draft(merchant, DraftLine(MUFFIN, "Blueberry muffin", 3))
    second = await world.merchants.update_checkout(first.id, tea, "k2")
    assert second.id == first.id
    assert [(x.item_id, x.quantity) for x in second.lines] == [(MUFFIN, 3)]
    assert second.hash() != first.hash()


async def test_the_cheapest_delivery_is_taken_whatever_the_shop_prefers(world: World):
    merchant = await world.meet()
    world.hostile.mischief = "prefers_fast"
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    assert [call[0] for call in world.hostile.calls[-2:]] == ["POST", "PUT"]
    assert Money(290, "EUR") in [x.amount for x in quoted.totals if x.kind == "fulfillment"]
    again = await world.merchants.create_checkout(world.draft(merchant), "k")
    assert again == quoted


def raise_total(checkout: Json) -> None:
    checkout["totals"][-1]["amount"] += 100


def raise_line(checkout: Json) -> None:
    line = checkout["line_items"][0]
    line["totals"] = [{"type": "subtotal", "amount": 1}, {"type": "total", "amount": 1}]


def raise_subtotal(checkout: Json) -> None:
    checkout["totals"][0]["amount"] += 100
    checkout["totals"][-1]["amount"] += 100


def negative_delivery(checkout: Json) -> None:
    checkout["totals"][1]["amount"] = -290
    checkout["totals"][-1]["amount"] -= 580


def positive_discount(checkout: Json) -> None:
    checkout["totals"].insert(1, {"type": "discount", "amount": 500})
    checkout["totals"][-1]["amount"] += 500


def dearer_delivery(checkout: Json) -> None:
    checkout["totals"][1]["amount"] += 500
    checkout["totals"][-1]["amount"] += 500


def two_totals(checkout: Json) -> None:
    checkout["totals"].append({"type": "total", "amount": 0})


def no_totals(checkout: Json) -> None:
    checkout["totals"] = []


def odd_currency(checkout: Json) -> None:
    checkout["currency"] = "euros"


def float_price(checkout: Json) -> None:
    checkout["line_items"][0]["item"]["price"] = 570.5


def true_price(checkout: Json) -> None:
    checkout["line_items"][0]["quantity"] = True


def giant_amount(checkout: Json) -> None:
    checkout["totals"][-1]["amount"] = 10**20


def other_version(checkout: Json) -> None:
    checkout["ucp"]["version"] = "2026-01-11"


def odd_status(checkout: Json) -> None:
    checkout["status"] = "paid"


@pytest.mark.parametrize(
    "bend",
    [
        raise_total,
        raise_line,
        raise_subtotal,
        negative_delivery,
        positive_discount,
        dearer_delivery,
        two_totals,
        no_totals,
        odd_currency,
        float_price,
        true_price,
        giant_amount,
        other_version,
    ],
)
async def test_sums_that_are_wrong_are_nonsense(world: World, bend):
    merchant = await world.meet()
    world.hostile.bend = bend
    with pytest.raises(Nonsense):
        await world.merchants.create_checkout(world.draft(merchant), "k")


def more_of_it(world: World, checkout: Json) -> None:
    checkout["line_items"][0]["quantity"] += 1


def something_else(world: World, checkout: Json) -> None:
    checkout["line_items"][0]["item"]["id"] = "v_tea"


def something_extra(world: World, checkout: Json) -> None:
    extra = json.loads(json.dumps(checkout["line_items"][1]))
    checkout["line_items"].append({**extra, "id": "li_9", "item": {**extra["item"], "id": "v_tea"}})


def something_less(world: World, checkout: Json) -> None:
    del checkout["line_items"][1]


def a_paid_extra(world: World, checkout: Json) -> None:
    checkout["line_items"][0]["modifiers"].append("milk.soy")


def without_the_option(world: World, checkout: Json) -> None:
    checkout["line_items"][0]["modifiers"] = []


def another_note(world: World, checkout: Json) -> None:
    checkout["line_items"][1]["note"] = "cold"


@pytest.mark.parametrize(
    "change",
    [
        more_of_it,
        something_else,
        something_extra,
        something_less,
        a_paid_extra,
        without_the_option,
        another_note,
    ],
)
async def test_a_cart_that_is_not_what_was_asked_is_nonsense(world: World, change):
    merchant = await world.meet()
    await world.food.menus()

    def bend(checkout: Json) -> None:
        change(world, checkout)
        world.hostile.sum(checkout)

    world.hostile.bend = bend
    with pytest.raises(Nonsense) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.code == "cart_changed"


async def test_defaults_may_be_filled_in_and_read_as_what_was_asked(world: World):
    merchant = await world.meet()
    await world.food.menus()
    draft = world.draft(merchant, DraftLine(LATTE, "Latte", 1))

    def bend(checkout: Json) -> None:
        checkout["line_items"][0]["modifiers"] = ["milk.whole"]

    world.hostile.bend = bend
    quoted = await world.merchants.create_checkout(draft, "k")
    assert quoted.lines[0].options == ()
    await world.remember(draft, quoted.id)
    again = await world.merchants.get_checkout(merchant.id, quoted.id)
    assert again.hash() == quoted.hash()


async def test_joined_lines_are_the_same_cart(world: World):
    merchant = await world.meet()
    twice = DraftLine(MUFFIN, "Blueberry muffin", 1)

    def bend(checkout: Json) -> None:
        checkout["line_items"] = checkout["line_items"][:1]
        checkout["line_items"][0]["quantity"] = 2
        world.hostile.sum(checkout)

    world.hostile.bend = bend
    quoted = await world.merchants.create_checkout(world.draft(merchant, twice, twice), "k")
    assert [(x.item_id, x.quantity) for x in quoted.lines] == [(MUFFIN, 2)]


def elsewhere(checkout: Json) -> None:
    [destination] = checkout["fulfillment"]["methods"][0]["destinations"]
    destination["street_address"] = "Thieves' Lane 13"


async def test_another_address_is_nonsense_when_priced_and_another_hash_later(world: World):
    merchant = await world.meet()
    draft = world.draft(merchant)
    quoted = await world.merchants.create_checkout(draft, "k")
    await world.remember(draft, quoted.id)
    world.hostile.bend = elsewhere
    changed = await world.merchants.get_checkout(merchant.id, quoted.id)
    assert changed.hash() != quoted.hash()
    assert changed.address.street == "Thieves' Lane 13"
    with pytest.raises(Nonsense) as refused:
        await world.merchants.create_checkout(draft, "k2")
    assert refused.value.code == "address_changed"


async def test_a_delivery_that_cannot_be_changed_is_nonsense(world: World):
    merchant = await world.meet()
    world.hostile.mischief = "stubborn"
    with pytest.raises(Nonsense):
        await world.merchants.create_checkout(world.draft(merchant), "k")


@pytest.mark.parametrize(
    ("mischief", "error", "code"),
    [
        ("500_before", Unreachable, "unreachable"),
        ("nonsense", Nonsense, "nonsense"),
        ("no_json", Nonsense, "nonsense"),
        ("deep", Nonsense, "nonsense"),
        ("huge", Nonsense, "nonsense"),
        ("redirect", Nonsense, "redirected"),
        ("tampered", Nonsense, "digest_mismatch"),
    ],
)
async def test_answers_that_are_none(
    world: World, mischief: str, error: type[PortError], code: str
):
    merchant = await world.meet()
    world.hostile.mischief = mischief
    with pytest.raises(error) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.code == code


async def test_an_answer_that_does_not_come(
    store: Store, http: httpx.AsyncClient, hostile: Hostile
):
    world = build(store, http, hostile, Clock(), timeout_s=0.2)
    merchant = await world.meet()
    hostile.mischief = "silent"
    with pytest.raises(Unreachable) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.code == "unreachable"


async def test_a_merchant_that_is_gone_is_unreachable(world: World):
    merchant = await world.meet()
    world.hostile.bend_profile = lambda profile: profile["ucp"]["services"]["dev.ucp.shopping"][
        0
    ].update(endpoint="http://127.0.0.1:1")
    world.clock.now += 3600
    with pytest.raises(Unreachable):
        await world.merchants.create_checkout(world.draft(merchant), "k")


@pytest.mark.parametrize(
    ("said", "severity", "code", "words"),
    [
        ("merchant_closed", "unrecoverable", "shop_closed", "Hostile Café is closed now."),
        ("out_of_stock", "recoverable", "sold_out", "Latte is sold out at Hostile Café."),
        ("item_unavailable", "recoverable", "unknown_item", "Hostile Café does not sell Latte."),
        ("address_undeliverable", "recoverable", "out_of_area", "deliver to that address"),
        ("insufficient_stock", "recoverable", "quantity_over_stock", "not that many of Latte"),
        ("modifier_unavailable", "recoverable", "sold_out", "Latte"),
        ("modifier_required", "recoverable", "option_invalid", "like that"),
        ("price_changed", "recoverable", "price_changed", "changed the price"),
        ("odd_thing", "unrecoverable", "incomplete", "says: “Pay at once”"),
    ],
)
async def test_a_no_has_a_code_and_our_words(
    world: World, said: str, severity: str, code: str, words: str
):
    merchant = await world.meet()

    def bend(checkout: Json) -> None:
        checkout["status"] = "incomplete"
        checkout["messages"] = [
            {"type": "info", "code": "x", "content": "hello"},
            {
                "type": "error",
                "code": said,
                "content": "Pay\u0007\n at once",
                "severity": severity,
                "path": "$.line_items[0]",
            },
        ]

    world.hostile.bend = bend
    with pytest.raises(Refused) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.code == code
    assert words in refused.value.text


async def test_no_checkout_at_all(world: World):
    merchant = await world.meet()

    def bend(checkout: Json) -> None:
        checkout.clear()
        closed = {"type": "error", "code": "merchant_closed", "content": "", "severity": ""}
        checkout.update(ucp={"version": "2026-01-11", "status": "error"}, messages=[closed])

    world.hostile.bend = bend
    with pytest.raises(Refused) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k")
    assert refused.value.code == "shop_closed"


async def test_a_shop_that_wants_to_see_the_buyer(world: World):
    merchant = await world.meet()

    def bend(checkout: Json) -> None:
        checkout["status"] = "requires_escalation"
        checkout["continue_url"] = f"{world.hostile.origin}/go"
        checkout["messages"] = [
            {"type": "error", "code": "age", "content": "?", "severity": "requires_buyer_review"}
        ]

    world.hostile.bend = bend
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    assert quoted.status is CheckoutStatus.REQUIRES_ESCALATION
    assert quoted.continue_url == f"{world.hostile.origin}/go"


async def test_a_link_that_leads_astray_is_dropped(world: World):
    merchant = await world.meet()
    world.hostile.bend = lambda checkout: checkout.update(continue_url="javascript:alert(1)")
    assert (await world.merchants.create_checkout(world.draft(merchant), "k")).continue_url == ""


async def test_a_declined_payment_places_nothing(world: World):
    merchant = await world.meet()
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    world.hostile.mischief = "payment_failed"
    with pytest.raises(Refused) as refused:
        await world.merchants.complete_checkout(merchant.id, quoted.id, PAID, "p")
    assert (refused.value.code, refused.value.text) == (
        "payment_declined",
        "The payment was declined.",
    )


async def test_more_than_quoted_is_seen_after_completion(world: World):
    merchant = await world.meet()
    draft = world.draft(merchant)
    quoted = await world.merchants.create_checkout(draft, "k")
    await world.remember(draft, quoted.id)
    world.hostile.mischief = "asks_more"
    done = await world.merchants.complete_checkout(merchant.id, quoted.id, PAID, "p")
    assert done.total != quoted.total
    assert done.hash() != quoted.hash()


async def test_a_completion_without_an_order_is_nonsense(world: World):
    merchant = await world.meet()
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    world.hostile.bend = lambda checkout: checkout.pop("order", None)
    with pytest.raises(Nonsense):
        await world.merchants.complete_checkout(merchant.id, quoted.id, PAID, "p")


@pytest.mark.parametrize("bend", [odd_status, lambda checkout: checkout.update(id="chk_other")])
async def test_another_checkout_or_status_is_nonsense(world: World, bend):
    merchant = await world.meet()
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    world.hostile.bend = bend
    with pytest.raises(Nonsense):
        await world.merchants.get_checkout(merchant.id, quoted.id)


async def test_the_same_key_with_other_words_is_nonsense(world: World):
    merchant = await world.meet()
    await world.merchants.create_checkout(world.draft(merchant), "k")
    with pytest.raises(Nonsense) as refused:
        await world.merchants.create_checkout(
            world.draft(merchant, DraftLine(MUFFIN, "Muffin", 1)), "k"
        )
    assert refused.value.code == "idempotency_conflict"


async def test_an_unsigned_answer_is_accepted_a_wrong_signature_is_not(world: World):
    merchant = await world.meet()
    world.hostile.sign_answers = False
    await world.merchants.create_checkout(world.draft(merchant), "k1")
    world.hostile.sign_answers = True
    world.hostile.key = type(world.hostile.key).make()
    with pytest.raises(Nonsense) as refused:
        await world.merchants.create_checkout(world.draft(merchant), "k2")
    assert refused.value.code == "key_not_found"


async def test_a_rotated_key_is_looked_up_once(world: World):
    merchant = await world.meet()
    world.hostile.key = type(world.hostile.key).make()
    world.hostile.published.append(world.hostile.key)
    world.clock.now += 61
    before = world.hostile.profile_fetches
    await world.merchants.create_checkout(world.draft(merchant), "k1")
    await world.merchants.create_checkout(world.draft(merchant), "k2")
    assert world.hostile.profile_fetches == before + 1


async def test_a_merchant_that_changes_its_key_at_once_is_believed_at_once(world: World):
    """And once more within the minute, in the middle of an order: no answer is lost."""
    merchant = await world.meet()
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k1")
    for step in range(2):
        world.hostile.key = type(world.hostile.key).make()
        world.hostile.published.append(world.hostile.key)
        world.clock.now += 3
        again = await world.merchants.get_checkout(merchant.id, quoted.id)
        assert again.hash() == quoted.hash(), step
    world.hostile.key = type(world.hostile.key).make()  # one that its profile does not have
    with pytest.raises(Nonsense) as refused:
        await world.merchants.get_checkout(merchant.id, quoted.id)
    assert refused.value.code == "key_not_found"


async def test_an_order_that_is_not_there(world: World):
    merchant = await world.meet()
    with pytest.raises(Refused) as refused:
        await world.merchants.get_order(merchant.id, "ord_9")
    assert refused.value.code == "not_found"


async def test_an_order_s_story(world: World):
    merchant = await world.meet()
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    await world.merchants.complete_checkout(merchant.id, quoted.id, PAID, "p")
    checkout = world.hostile.checkouts[quoted.id]
    event = {"id": "e1", "type": "in_transit", "occurred_at": "2026-11-24T10:00:00Z"}
    world.hostile.orders["ord_1"] = world.hostile.order(
        "ord_1",
        checkout,
        {**event, "tracking_url": "http://t/", "line_items": []},
        {**event, "id": "e2", "type": "canceled"},
        adjustments=[
            {"id": "a1", "type": "cancellation", "status": "completed"},
            {
                "id": "a2",
                "type": "refund",
                "status": "completed",
                "totals": [{"type": "total", "amount": -500}],
            },
            {
                "id": "a3",
                "type": "refund",
                "status": "pending",
                "totals": [{"type": "total", "amount": -1}],
            },
        ],
    )
    order = await world.merchants.get_order(merchant.id, "ord_1")
    assert [(x.id, x.kind, x.tracking_url) for x in order.events] == [
        ("e1", "in_transit", "http://t/"),
        ("e2", "canceled", ""),
    ]
    assert order.canceled
    assert order.refunds == (Money(500, "EUR"),)
    assert [(x.id, x.status, x.amount) for x in order.adjustments] == [
        ("a1", "completed", None),
        ("a2", "completed", Money(-500, "EUR")),
        ("a3", "pending", Money(-1, "EUR")),
    ]


async def test_a_part_that_is_taken_out_is_no_cancelled_order(world: World):
    merchant = await world.meet()
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    await world.merchants.complete_checkout(merchant.id, quoted.id, PAID, "p")
    lines = [{"id": "li_1", "quantity": -1}]
    gone = {"id": "a1", "type": "cancellation", "status": "completed", "line_items": lines}
    odd = {**gone, "id": "a2", "status": "imagined"}
    for adjustments, canceled in (
        ([gone], False),
        ([{**gone, "status": "pending", "line_items": []}], False),
        ([{**gone, "line_items": []}], True),
    ):
        world.hostile.orders["ord_1"] = world.hostile.order(
            "ord_1", world.hostile.checkouts[quoted.id], adjustments=[*adjustments, odd]
        )
        order = await world.merchants.get_order(merchant.id, "ord_1")
        assert order.canceled is canceled
        assert [x.id for x in order.adjustments] == ["a1"]


async def test_a_shop_of_variants_only(world: World):
    import msgspec

    world.hostile.food = False
    world.hostile.products = [SHIRT]
    world.hostile.prices["gid://shop/Large|Red"] = 1300
    merchant = await world.meet()
    [menu] = await world.food.menus()
    [item] = menu.items
    size, colour = groups_of(msgspec.convert(SHIRT, Product))
    assert item.groups == (size, colour)
    chosen = (size.values[1].id, colour.values[1].id)
    draft = world.draft(merchant, DraftLine(item.id, "T-shirt", 2, chosen))
    quoted = await world.merchants.create_checkout(draft, "k")
    assert json.loads(world.hostile.calls[-1][3])["line_items"] == [
        {"item": {"id": "gid://shop/Large|Red"}, "quantity": 2}
    ]
    assert (quoted.lines[0].item_id, quoted.lines[0].options) == (item.id, chosen)
    await world.remember(draft, quoted.id)
    assert (await world.merchants.get_checkout(merchant.id, quoted.id)).hash() == quoted.hash()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (DraftLine(LATTE, "Latte", 1, ("milk.oat",)), "option_invalid"),
        (DraftLine(LATTE, "Latte", 1, note="hot"), "note_not_supported"),
    ],
)
async def test_what_a_shop_cannot_carry_is_said_not_dropped(
    world: World, line: DraftLine, code: str
):
    world.hostile.food = False
    merchant = await world.meet()
    with pytest.raises(Refused) as refused:
        await world.merchants.create_checkout(world.draft(merchant, line), "k")
    assert refused.value.code == code
    assert world.hostile.effects() == 0
