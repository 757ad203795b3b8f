"""The same key has one effect and one answer, byte for byte."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from contextlib import closing

import pytest

pytestmark = pytest.mark.net

MOCHA = {"item": {"id": "mocha"}, "quantity": 1}


def _kept(answer) -> tuple:
    names = ("content-digest", "signature", "signature-input")
    return answer.status_code, answer.content, [answer.headers.get(n) for n in names]


async def test_create_update_and_cancel(city, platform):
    url = f"{city.coffee}/checkout-sessions"
    key = str(uuid.uuid4())
    first = await platform.send("POST", url, {"line_items": [MOCHA]}, key)
    again = await platform.send("POST", url, {"line_items": [MOCHA]}, key)
    assert _kept(first) == _kept(again)
    other = await platform.send("POST", url, {"line_items": [{**MOCHA, "quantity": 2}]}, key)
    assert other.status_code == 409
    assert other.json()["code"] == "idempotency_conflict"
    one = f"{url}/{first.json()['id']}"
    elsewhere = await platform.send("PUT", one, {"line_items": [MOCHA]}, key)
    assert elsewhere.status_code == 409
    key = str(uuid.uuid4())
    first = await platform.send("POST", f"{one}/cancel", {}, key)
    again = await platform.send("POST", f"{one}/cancel", {}, key)
    assert first.json()["status"] == "canceled"
    assert _kept(first) == _kept(again)


async def test_complete_at_the_same_time_and_later(city, platform, tools):
    checkout = await platform.create(city.coffee, [MOCHA])
    wallet = await platform.wallet(city.bank)
    token = await platform.token(wallet, checkout)
    key = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(platform.complete(city.coffee, checkout, token, key) for _ in range(6))
    )
    answers.append(await platform.complete(city.coffee, checkout, token, key))
    assert len({str(_kept(a)) for a in answers}) == 1
    assert answers[0].json()["status"] == "completed"
    money = await wallet.money()
    assert money["balance"] == 50_000 - tools.total_of(checkout)
    with_other_key = (await platform.complete(city.coffee, checkout, token)).json()
    assert with_other_key["messages"][0]["code"] == "checkout_completed"
    assert with_other_key["order"] == answers[0].json()["order"]


async def test_two_platforms_do_not_share_keys(city, platform, tools):
    other = await tools.Platform().start()
    try:
        key = str(uuid.uuid4())
        url = f"{city.coffee}/checkout-sessions"
        mine = await platform.send("POST", url, {"line_items": [MOCHA]}, key)
        theirs = await other.send("POST", url, {"line_items": [MOCHA]}, key)
        assert mine.json()["id"] != theirs.json()["id"]
    finally:
        await other.stop()


async def test_the_bank(city, platform, tools):
    wallet = await platform.wallet(city.bank)
    key = str(uuid.uuid4())
    first = await wallet.authorize("mer_blue-door", 700, key)
    again = await wallet.authorize("mer_blue-door", 700, key)
    assert first.status_code == 201
    assert first.content == again.content
    assert (await wallet.money())["held"] == 700
    assert (await wallet.authorize("mer_blue-door", 701, key)).status_code == 409

    poor = str(uuid.uuid4())
    await wallet.authorize("mer_blue-door", 29_000)
    refused = await wallet.authorize("mer_blue-door", 29_000, poor)
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_funds")
    assert (await wallet.authorize("mer_blue-door", 29_000, poor)).content == refused.content

    id = first.json()["id"]
    void = str(uuid.uuid4())
    answers = [await wallet.post(f"/authorizations/{id}/void", key=void) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["state"] == "voided"
    assert (await wallet.get(f"/authorizations/{id}"))["state"] == "voided"


async def test_a_voided_hold_buys_nothing(city, platform):
    checkout = await platform.create(city.coffee, [MOCHA])
    wallet = await platform.wallet(city.bank)
    made = (await wallet.authorize("mer_blue-door", 900)).json()
    await wallet.post(f"/authorizations/{made['id']}/void")
    answer = (await platform.complete(city.coffee, checkout, made["token"])).json()
    assert answer["status"] == "ready_for_complete"
    assert answer["messages"][0]["code"] == "payment_failed"
    good = await platform.token(wallet, checkout)
    assert (await platform.complete(city.coffee, checkout, good)).json()["status"] == "completed"


async def test_a_refund_is_known_to_the_ledger(city, platform, tools):
    checkout = await platform.create(city.coffee, [MOCHA])
    wallet = await platform.wallet(city.bank)
    made = (await wallet.authorize(tools.payee_of(checkout), tools.total_of(checkout))).json()
    await platform.complete(city.coffee, checkout, made["token"])
    late = await wallet.post(f"/authorizations/{made['id']}/void")
    assert (late.status_code, late.json()["code"]) == (409, "already_captured")
    back = await wallet.post(f"/authorizations/{made['id']}/refund")
    assert back.json()["state"] == "refunded"
    entries = (await wallet.get(f"/accounts/{wallet.account}/entries"))["entries"]
    assert [e["kind"] for e in entries] == ["opening", "payment", "refund"]
    assert sum(e["amount"] for e in entries) == 50_000 == (await wallet.money())["balance"]


async def test_parts_go_back_once_a_key_by_payer_or_merchant(city, platform, tools):
    checkout = await platform.create(city.coffee, [MOCHA])
    total = tools.total_of(checkout)
    wallet = await platform.wallet(city.bank)
    made = (await wallet.authorize(tools.payee_of(checkout), total)).json()
    assert (made["capture"], made["captured"], made["refunded"]) == ("exact", 0, 0)
    await platform.complete(city.coffee, checkout, made["token"])
    path, key = f"/authorizations/{made['id']}/refund", str(uuid.uuid4())
    answers = [await wallet.post(path, {"amount": 100}, key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert (answers[0].json()["state"], answers[0].json()["refunded"]) == ("captured", 100)
    assert (await wallet.post(path, {"amount": 101}, key)).status_code == 409
    too_much = await wallet.post(path, {"amount": total})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "refund_too_large")
    wrong = await wallet.post(path, {"amount": -1})
    assert wrong.status_code in {400, 422}

    with closing(sqlite3.connect(city.data / "city.sqlite3")) as books:
        [(secret,)] = books.execute(
            "SELECT value FROM facts WHERE key = 'bank_secret:blue-door'"
        ).fetchall()
    shop = {"Authorization": f"Bearer {secret}"}
    headers = {**shop, "Idempotency-Key": str(uuid.uuid4())}
    body = {"amount": 50, "reference": "no sugar"}
    by_shop = await wallet.http.post(f"{city.bank}{path}", json=body, headers=headers)
    assert by_shop.json()["refunded"] == 150
    seen = await wallet.http.get(f"{city.bank}/authorizations/{made['id']}", headers=shop)
    assert seen.json()["refunded"] == 150
    stranger = await platform.wallet(city.bank)
    assert (await stranger.post(path, {"amount": 1})).status_code == 404

    entries = (await wallet.get(f"/accounts/{wallet.account}/entries"))["entries"]
    shown = [(e["kind"], e["amount"], e["authorization"]) for e in entries[1:]]
    assert shown == [
        ("payment", -total, made["id"]),
        ("refund", 100, made["id"]),
        ("refund", 50, made["id"]),
    ]


async def test_keys_and_secrets_are_required(city, platform):
    url = f"{city.coffee}/checkout-sessions"
    missing = await platform.send(
        "POST", url, {"line_items": [MOCHA]}, headers={"Idempotency-Key": ""}
    )
    assert missing.status_code in {400, 401}
    wallet = await platform.wallet(city.bank)
    bare = await platform.http.post(f"{city.bank}/authorizations", json={})
    assert bare.status_code == 400
    stranger = await platform.wallet(city.bank)
    theirs = await platform.http.get(
        f"{city.bank}/accounts/{wallet.account}", headers=stranger.headers
    )
    assert theirs.status_code == 403
    nobody = await platform.http.get(f"{city.bank}/accounts/{wallet.account}")
    assert nobody.status_code == 401


async def test_who_does_not_sign_is_turned_away(city, platform, tools):
    url = f"{city.coffee}/checkout-sessions"
    platform.signs, _ = False, platform.signs
    unsigned_profile = await platform.create(city.coffee, [MOCHA])
    assert unsigned_profile["status"] == "ready_for_complete", "a profile without keys may shop"
    read = await platform.send("GET", f"{city.coffee}/orders/ord_x")
    assert read.json()["messages"][0]["code"] == "unauthorized", "but not read orders"

    signing = await tools.Platform().start()
    try:
        await signing.create(city.coffee, [MOCHA])
        signing.signs = False
        bare = await signing.send("POST", url, {"line_items": [MOCHA]})
        assert (bare.status_code, bare.json()["code"]) == (401, "signature_missing")
        signing.signs = True
        forged = await signing.send(
            "POST", url, {"line_items": [MOCHA]}, headers={"Idempotency-Key": "x" * 20}
        )
        assert (forged.status_code, forged.json()["code"]) == (401, "signature_invalid")
    finally:
        await signing.stop()


async def test_profiles_that_cannot_be_used(city, platform):
    url = f"{city.coffee}/catalog/search"
    for agent, status, code in (
        ('profile="http://example.com/p"', 400, "invalid_profile_url"),
        ("nonsense", 400, "invalid_profile_url"),
        ('profile="http://127.0.0.1:9/p"', 424, "profile_unreachable"),
        (f'profile="{city.base}/nothing"', 424, "profile_unreachable"),
        (f'profile="{city.base}/directory"', 422, "profile_malformed"),
    ):
        answer = await platform.http.post(url, json={"query": "x"}, headers={"UCP-Agent": agent})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
