"""Under all faults at once, a patient client gets every order once or not at all, and the books agree."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import uuid

import httpx
import pytest

from city.shops import city_shops

pytestmark = pytest.mark.net

ORDERS = 30


@pytest.fixture
def rough(tmp_path, tools):
    running = tools.CityProcess(
        tmp_path, "--speed", "2000", "--faults", "rough", "--seed", "3"
    ).start()
    yield running
    if running.process.poll() is None:
        running.stop()


async def _patiently(attempt, tries: int = 12) -> dict:
    """The same request with the same key until there is a sensible answer."""
    for _ in range(tries):
        try:
            answer = await attempt()
            if answer.status_code < 500:
                return answer.json()
        except (httpx.TransportError, json.JSONDecodeError):
            continue
    raise AssertionError("no answer")


async def _shop(rough, platform, wallet, tools, item: str) -> str | None:
    """One order; gives its id, or None when the merchant said no for good."""
    url = f"{rough.coffee}/checkout-sessions"
    method = {"type": "shipping", "destinations": [tools.OFFICE]}
    lines = [{"item": {"id": item}, "quantity": 1}]
    body = {"line_items": lines, "fulfillment": {"methods": [method]}}
    key = str(uuid.uuid4())
    checkout = await _patiently(lambda: platform.send("POST", url, body, key))
    for _ in range(6):
        if checkout.get("status") != "ready_for_complete":
            return None
        total = tools.total_of(checkout)
        key = str(uuid.uuid4())
        hold = await _patiently(lambda t=total, k=key: wallet.authorize("mer_blue-door", t, k))
        if "token" not in hold:
            continue
        key = str(uuid.uuid4())
        token = hold["token"]
        checkout = await _patiently(
            lambda c=checkout, t=token, k=key: platform.complete(rough.coffee, c, t, k)
        )
        if checkout["status"] == "completed":
            return checkout["order"]["id"]
        key = str(uuid.uuid4())
        path = f"/authorizations/{hold['id']}/void"
        released = await _patiently(lambda p=path, k=key: wallet.post(p, key=k))
        assert released["state"] == "voided"
    return None


async def test_books_and_orders_agree(rough, platform, tools):
    platform.http.timeout = httpx.Timeout(4)
    gate = asyncio.Semaphore(10)

    async def one(item: str) -> str | None:
        async with gate:
            return await _shop(rough, platform, await _open(rough, platform), tools, item)

    items = sorted(city_shops()["blue-door"].dishes)[:ORDERS]
    assert len(items) == ORDERS
    placed = await asyncio.gather(*(one(item) for item in items))
    ids = [id for id in placed if id is not None]
    assert len(ids) == len(set(ids)) > ORDERS // 2
    rough.stop()
    with sqlite3.connect(rough.data / "city.sqlite3") as books:
        orders = {row[0] for row in books.execute("SELECT id FROM orders")}
        assert orders == set(ids), "no order that the client does not know of"
        paid = books.execute(
            "SELECT COUNT(*) FROM authorizations WHERE state IN ('captured', 'refunded')"
        ).fetchone()[0]
        assert paid == len(ids)
        refunded = books.execute(
            "SELECT COUNT(*) FROM authorizations WHERE state = 'refunded'"
        ).fetchone()[0]
        canceled = books.execute(
            "SELECT COUNT(*) FROM orders WHERE status = 'canceled'"
        ).fetchone()[0]
        assert refunded == canceled
        assert books.execute("SELECT SUM(amount) FROM entries").fetchone()[0] == 0
        assert not books.execute(
            "SELECT 1 FROM checkouts WHERE status = 'complete_in_progress'"
        ).fetchall()
    books.close()


async def _open(rough, platform):
    for _ in range(12):
        try:
            return await platform.wallet(rough.bank)
        except (AssertionError, httpx.TransportError, json.JSONDecodeError):
            continue
    raise AssertionError("the bank opens no account")
