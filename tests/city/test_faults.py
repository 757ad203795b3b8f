"""Each fault, forced, does what it is documented to do."""

from __future__ import annotations

import uuid
from itertools import pairwise

import httpx
import pytest

pytestmark = [pytest.mark.net, pytest.mark.usefixtures("no_faults_left")]

TEA = {"item": {"id": "earl_grey"}, "quantity": 3}


async def _quoted(city, platform, item: str = "earl_grey") -> tuple:
    checkout = await platform.create(city.coffee, [{**TEA, "item": {"id": item}}])
    wallet = await platform.wallet(city.bank)
    return checkout, wallet, await platform.token(wallet, checkout)


async def test_a_declined_payment(city, platform, tools):
    checkout = await platform.create(city.coffee, [TEA])
    wallet = await platform.wallet(city.bank)
    await platform.fault(city, "decline_payment", merchant="blue-door")
    key = str(uuid.uuid4())
    payee, total = tools.payee_of(checkout), tools.total_of(checkout)
    refused = await wallet.authorize(payee, total, key)
    assert (refused.status_code, refused.json()["code"]) == (402, "card_declined")
    assert (await wallet.authorize(payee, total, key)).content == refused.content
    assert (await wallet.authorize(payee, total)).status_code == 201


async def test_a_raised_price_is_not_paid(city, platform, tools):
    checkout, wallet, token = await _quoted(city, platform, "pour_over")
    await platform.fault(city, "price_raise", merchant="blue-door", operation="complete")
    changed = (await platform.complete(city.coffee, checkout, token)).json()
    assert changed["status"] == "ready_for_complete"
    assert changed["messages"][0]["code"] == "price_changed"
    assert "order" not in changed
    assert tools.total_of(changed) == tools.total_of(checkout) + 3 * 45
    assert (await wallet.money())["balance"] == 50_000
    stale = (await platform.complete(city.coffee, changed, token)).json()
    assert stale["messages"][0]["code"] == "payment_failed", "the old hold is for the old total"
    token = await platform.token(wallet, changed)
    assert (await platform.complete(city.coffee, changed, token)).json()["status"] == "completed"


async def test_sold_out_meanwhile(city, platform):
    checkout, wallet, token = await _quoted(city, platform, "cheesecake")
    await platform.fault(city, "sold_out", operation="complete")
    changed = (await platform.complete(city.coffee, checkout, token)).json()
    assert changed["status"] == "incomplete"
    assert changed["messages"][0]["code"] == "out_of_stock"
    assert (await wallet.money())["balance"] == 50_000
    empty = await platform.create(city.coffee, [{"item": {"id": "cheesecake"}, "quantity": 1}])
    assert empty["ucp"]["status"] == "error"
    assert empty["messages"][0]["code"] == "out_of_stock"
    shown = await platform.send("POST", f"{city.coffee}/catalog/product", {"id": "cheesecake"})
    assert not shown.json()["product"]["variants"][0]["availability"]["available"]


async def test_closed(city, platform):
    await platform.fault(city, "closed", operation="create")
    refused = await platform.create(city.coffee, [TEA])
    assert refused["messages"][0]["code"] == "merchant_closed"
    assert refused["messages"][0]["severity"] == "unrecoverable"
    checkout, wallet, token = await _quoted(city, platform)
    await platform.fault(city, "closed", operation="complete")
    late = (await platform.complete(city.coffee, checkout, token)).json()
    assert (late["status"], late["messages"][0]["code"]) == ("incomplete", "merchant_closed")
    assert (await wallet.money())["balance"] == 50_000


async def test_overcharge_is_stopped_by_the_bank(city, platform):
    checkout, wallet, token = await _quoted(city, platform)
    await platform.fault(city, "overcharge")
    refused = (await platform.complete(city.coffee, checkout, token)).json()
    assert refused["status"] == "ready_for_complete"
    assert "amount_mismatch" in refused["messages"][0]["content"]
    assert (await wallet.money())["balance"] == 50_000
    done = (await platform.complete(city.coffee, checkout, token)).json()
    assert done["status"] == "completed", "with a new key the same hold still works"


async def test_a_wrong_total(city, platform, tools):
    await platform.fault(city, "wrong_total")
    checkout = await platform.create(city.coffee, [TEA])
    parts = {t["type"]: t["amount"] for t in checkout["totals"]}
    assert parts["total"] == sum(v for k, v in parts.items() if k != "total") + 100


@pytest.mark.parametrize("fault", ["http_500_after", "nonsense", "timeout"])
async def test_a_lost_answer_is_found_with_the_same_key(city, platform, tools, fault):
    checkout, wallet, token = await _quoted(city, platform)
    more = {"seconds": 0.3} if fault == "timeout" else {}
    await platform.fault(city, fault, operation="complete", merchant="blue-door", **more)
    key = str(uuid.uuid4())
    if fault == "timeout":
        url = f"{city.coffee}/checkout-sessions/{checkout['id']}/complete"
        platform.http.timeout = httpx.Timeout(0.2)
        with pytest.raises(httpx.ReadTimeout):
            await platform.send("POST", url, tools.payment(token), key)
        platform.http.timeout = httpx.Timeout(60)
    else:
        lost = await platform.complete(city.coffee, checkout, token, key)
        if fault == "nonsense":
            with pytest.raises(ValueError, match=r"char|Expecting|Unterminated"):
                lost.json()
        else:
            assert lost.status_code == 500
    assert (await wallet.money())["balance"] == 50_000 - tools.total_of(checkout)
    found = (await platform.complete(city.coffee, checkout, token, key)).json()
    assert found["status"] == "completed"
    assert (await wallet.money())["balance"] == 50_000 - tools.total_of(checkout)


async def test_an_error_before_the_effect_has_none(city, platform):
    checkout, wallet, token = await _quoted(city, platform)
    await platform.fault(city, "http_500_before", operation="complete", times=2)
    key = str(uuid.uuid4())
    codes = [
        (await platform.complete(city.coffee, checkout, token, key)).status_code for _ in range(2)
    ]
    assert codes == [500, 500]
    assert (await wallet.money())["balance"] == 50_000
    done = await platform.complete(city.coffee, checkout, token, key)
    assert done.json()["status"] == "completed"


async def test_the_bank_can_fail_too(city, platform, tools):
    checkout = await platform.create(city.coffee, [TEA])
    wallet = await platform.wallet(city.bank)
    await platform.fault(city, "http_500_after", merchant="bank", operation="authorize")
    key = str(uuid.uuid4())
    payee, total = tools.payee_of(checkout), tools.total_of(checkout)
    assert (await wallet.authorize(payee, total, key)).status_code == 500
    assert (await wallet.authorize(payee, total, key)).status_code == 201
    assert (await wallet.money())["held"] == total


async def _ended(platform, kind: str) -> list[dict]:
    await platform.until(
        lambda: any(o["fulfillment"]["events"][-1]["type"] == kind for o in platform.orders())
    )
    return platform.orders()


async def test_the_merchant_cancels_and_refunds(city, platform, tools):
    checkout, wallet, token = await _quoted(city, platform)
    await platform.fault(city, "merchant_cancels")
    await platform.complete(city.coffee, checkout, token)
    last = (await _ended(platform, "canceled"))[-1]
    kinds = {a["type"]: a for a in last["adjustments"]}
    assert set(kinds) == {"cancellation", "refund"}
    assert kinds["refund"]["totals"][0]["amount"] == -tools.total_of(checkout)
    assert {(x["status"], x["quantity"]["total"]) for x in last["line_items"]} == {("removed", 0)}
    assert (await wallet.money())["balance"] == 50_000


async def test_a_late_courier_and_a_closed_door(city, platform):
    checkout, _, token = await _quoted(city, platform)
    await platform.fault(city, "courier_late")
    await platform.fault(city, "failed_attempt")
    await platform.complete(city.coffee, checkout, token)
    last = (await _ended(platform, "delivered"))[-1]
    kinds = [e["type"] for e in last["fulfillment"]["events"]]
    assert kinds == [
        "processing",
        "preparing",
        "picked_up",
        "in_transit",
        "in_transit",
        "failed_attempt",
        "delivered",
    ]


def _counts(platform) -> list[int]:
    return [len(o["fulfillment"]["events"]) for o in platform.orders()]


async def test_webhooks_lost_twice_and_out_of_order(city, platform):
    await platform.fault(city, "webhook_lost")
    checkout, _, token = await _quoted(city, platform)
    await platform.complete(city.coffee, checkout, token)
    await _ended(platform, "delivered")
    assert _counts(platform) == [2, 3, 4, 5], "the first was lost"

    platform.webhooks.clear()
    await platform.fault(city, "webhook_twice")
    checkout, _, token = await _quoted(city, platform)
    await platform.complete(city.coffee, checkout, token)
    await _ended(platform, "delivered")
    assert _counts(platform) == [1, 1, 2, 3, 4, 5]
    ids = [headers["webhook-id"] for headers, _ in platform.webhooks]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 5

    platform.webhooks.clear()
    await platform.fault(city, "webhook_out_of_order")
    checkout, _, token = await _quoted(city, platform)
    await platform.complete(city.coffee, checkout, token)
    await _ended(platform, "delivered")
    counts = _counts(platform)
    assert sorted(counts) == [1, 2, 3, 4, 5]
    assert any(a > b for a, b in pairwise(counts))


async def test_controls_are_listed_checked_and_forgotten(city, platform):
    url = f"{city.base}/city/faults"
    await platform.fault(city, "slow", merchant="umi", times=3, operation="search", seconds=9)
    left = (await platform.http.get(url)).json()["forced"]
    assert left == [
        {"merchant": "umi", "fault": "slow", "times": 3, "operation": "search", "seconds": 9.0}
    ]
    for bad in (
        {"fault": "x"},
        {"fault": "slow", "merchant": "x"},
        {"fault": "slow", "operation": "x"},
    ):
        assert (await platform.http.post(url, json=bad)).status_code == 400
    assert (await platform.http.delete(url)).json()["forced"] == []
    kill = await platform.http.post(f"{city.base}/city/kill_at", json={"point": "nowhere"})
    assert kill.status_code == 400
