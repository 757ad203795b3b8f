"""kill -9 at every point of every write: after a restart there is exactly one effect or none."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid

import httpx
import pytest

pytestmark = pytest.mark.crash

SCONE = {"item": {"id": "scone"}, "quantity": 2}
COMPLETING = [
    "before_attempt",
    "after_attempt",
    "before_capture",
    "in_capture",
    "after_capture",
    "before_order",
    "in_order",
    "after_order",
]


@pytest.fixture
def mortal(tmp_path, tools):
    running = tools.CityProcess(tmp_path / "city", "--speed", "2000").start()
    yield running
    if running.process.poll() is None:
        running.stop()


async def _arm(city, platform, point: str, after: int = 0) -> None:
    body = {"point": point, "after": after}
    answer = await platform.http.post(f"{city.base}/city/kill_at", json=body)
    assert answer.status_code == 200


async def _dies(city, attempt) -> None:
    with pytest.raises(httpx.TransportError):
        await attempt()
    assert city.wait() == -9
    before = city.urls
    city.start()
    assert city.urls == before


@pytest.mark.parametrize("point", COMPLETING)
async def test_completing(mortal, platform, tools, point):
    checkout = await platform.create(mortal.coffee, [SCONE])
    wallet = await platform.wallet(mortal.bank)
    token = await platform.token(wallet, checkout)
    key = str(uuid.uuid4())
    await _arm(mortal, platform, point)

    async def attempt():
        return await platform.complete(mortal.coffee, checkout, token, key)

    await _dies(mortal, attempt)
    if point == "before_attempt":
        assert (await wallet.money())["balance"] == 50_000
    done = (await attempt()).json()
    assert done["status"] == "completed"
    again = (await attempt()).json()
    assert again == done
    money = await wallet.money()
    assert money["balance"] == 50_000 - tools.total_of(checkout)
    assert money["held"] == 0
    await platform.until(
        lambda: platform.webhooks and len(platform.orders()[-1]["fulfillment"]["events"]) == 5
    )
    assert {o["id"] for o in platform.orders()} == {done["order"]["id"]}
    mortal.stop()
    with sqlite3.connect(mortal.data / "city.sqlite3") as books:
        assert books.execute("SELECT COUNT(*) FROM orders").fetchone()[0] == 1
        assert (
            books.execute("SELECT COUNT(*) FROM transfers WHERE kind = 'payment'").fetchone()[0]
            == 1
        )
        assert books.execute("SELECT SUM(amount) FROM entries").fetchone()[0] == 0
        left = books.execute("SELECT remaining FROM shelves WHERE item = 'scone'").fetchone()[0]
        assert left == 80 - 2, "the shelf lost two scones, once"
    books.close()


@pytest.mark.parametrize("point", ["after_attempt", "after_capture"])
async def test_nobody_comes_back_and_the_city_still_finishes(mortal, platform, tools, point):
    checkout = await platform.create(mortal.coffee, [SCONE])
    wallet = await platform.wallet(mortal.bank)
    token = await platform.token(wallet, checkout)
    await _arm(mortal, platform, point)
    await _dies(mortal, lambda: platform.complete(mortal.coffee, checkout, token))
    url = f"{mortal.coffee}/checkout-sessions/{checkout['id']}"
    read = (await platform.send("GET", url)).json()
    assert read["status"] == "completed"
    assert (await wallet.money())["balance"] == 50_000 - tools.total_of(checkout)


async def test_a_hold_voided_before_the_city_can_finish(mortal, platform):
    """The wallet gives up while the merchant is down; the bank is up only together with it here."""
    checkout = await platform.create(mortal.coffee, [SCONE])
    wallet = await platform.wallet(mortal.bank)
    token = await platform.token(wallet, checkout)
    key = str(uuid.uuid4())
    await _arm(mortal, platform, "after_attempt")
    with pytest.raises(httpx.TransportError):
        await platform.complete(mortal.coffee, checkout, token, key)
    assert mortal.wait() == -9
    with sqlite3.connect(mortal.data / "city.sqlite3") as books:
        books.execute("UPDATE authorizations SET state = 'voided'")
    books.close()
    mortal.start()
    answer = (await platform.complete(mortal.coffee, checkout, token, key)).json()
    assert answer["status"] == "ready_for_complete"
    assert answer["messages"][0]["code"] == "payment_failed"
    assert (await wallet.money())["balance"] == 50_000


@pytest.mark.parametrize("point", ["before_checkout", "in_checkout", "after_checkout"])
async def test_creating(mortal, platform, point):
    await platform.http.get(f"{mortal.coffee}/.well-known/ucp")
    await _arm(mortal, platform, point)
    url = f"{mortal.coffee}/checkout-sessions"
    key = str(uuid.uuid4())

    async def attempt():
        return await platform.send("POST", url, {"line_items": [SCONE]}, key)

    await _dies(mortal, attempt)
    first, second = await attempt(), await attempt()
    assert first.content == second.content
    mortal.stop()
    with sqlite3.connect(mortal.data / "city.sqlite3") as books:
        assert books.execute("SELECT COUNT(*) FROM checkouts").fetchone()[0] == 1
    books.close()


@pytest.mark.parametrize("point", ["before_authorize", "in_authorize", "after_authorize"])
async def test_authorising(mortal, platform, point):
    wallet = await platform.wallet(mortal.bank)
    await _arm(mortal, platform, point)
    key = str(uuid.uuid4())
    await _dies(mortal, lambda: wallet.authorize("mer_umi", 999, key))
    answers = [await wallet.authorize("mer_umi", 999, key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert (await wallet.money())["held"] == 999


@pytest.mark.parametrize("point", ["before_release", "in_release", "after_release"])
async def test_releasing(mortal, platform, point):
    wallet = await platform.wallet(mortal.bank)
    made = (await wallet.authorize("mer_umi", 999)).json()
    await _arm(mortal, platform, point)
    key = str(uuid.uuid4())
    await _dies(mortal, lambda: wallet.post(f"/authorizations/{made['id']}/void", key=key))
    answer = await wallet.post(f"/authorizations/{made['id']}/void", key=key)
    assert answer.json()["state"] == "voided"
    assert (await wallet.money())["held"] == 0


@pytest.mark.parametrize(
    "point", ["before_step", "in_step", "after_step", "before_webhook", "after_webhook"]
)
async def test_delivering(mortal, platform, point):
    checkout = await platform.create(mortal.coffee, [SCONE])
    wallet = await platform.wallet(mortal.bank)
    token = await platform.token(wallet, checkout)
    await _arm(mortal, platform, point, after=1)
    await platform.complete(mortal.coffee, checkout, token)
    # In a thread: the platform is to take the webhooks meanwhile.
    assert await asyncio.to_thread(mortal.wait) == -9
    await asyncio.to_thread(mortal.start)
    await platform.until(
        lambda: platform.webhooks and len(platform.orders()[-1]["fulfillment"]["events"]) == 5
    )
    last = platform.orders()[-1]["fulfillment"]["events"]
    assert [e["type"] for e in last] == [
        "processing",
        "preparing",
        "picked_up",
        "in_transit",
        "delivered",
    ]
    assert [e["occurred_at"] for e in last] == sorted(e["occurred_at"] for e in last)
    by_webhook = {h["webhook-id"]: body for h, body in platform.webhooks}
    assert len(by_webhook) == 5, "a repetition has the same id"


async def test_city_time_goes_on_where_it_was(mortal, platform):
    async def time() -> str:
        return (await platform.http.get(f"{mortal.base}/city/state")).json()["time"]

    checkout = await platform.create(mortal.coffee, [SCONE])
    wallet = await platform.wallet(mortal.bank)
    await platform.complete(mortal.coffee, checkout, await platform.token(wallet, checkout))
    await platform.until(
        lambda: platform.webhooks and len(platform.orders()[-1]["fulfillment"]["events"]) >= 3
    )
    happened = platform.orders()[-1]["fulfillment"]["events"][-1]["occurred_at"]
    mortal.kill()
    mortal.start()
    assert await time() >= happened
