"""Siirto: money to people, requests, codes of shops; each moved once, and never what is not there."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest

pytestmark = pytest.mark.net

PAY = "dev.lapel.pay"


class Payer:
    """A platform that sends money by Siirto, and a wallet that it comes out of."""

    def __init__(self, platform, wallet, city) -> None:
        self.platform, self.wallet, self.city = platform, wallet, city
        self.base = city.urls["pay"][0]

    async def post(self, path: str, body: dict, key: str | None = None) -> dict:
        answer = await self.platform.send("POST", f"{self.base}{path}", body, key)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def quote(self, payee: str = "@anna", amount: int = 1250, **more) -> dict:
        transfer = {"kind": "send", "payee": payee, "amount": amount, "currency": "EUR", **more}
        body = {
            "line_items": [{"item": {"id": "transfer"}, "quantity": 1}],
            "transfer": transfer,
        }
        return await self.post("/checkout-sessions", body)

    async def buy(self, checkout: dict, key: str | None = None) -> dict:
        token = await self.platform.token(self.wallet, checkout)
        return (await self.platform.complete(self.base, checkout, token, key)).json()

    async def city_post(self, path: str, body: dict) -> dict:
        answer = await self.platform.http.post(f"{self.city.base}{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def balance_of(self, handle: str) -> int:
        found = (await self.platform.http.get(f"{self.city.base}/city/people")).json()["people"]
        return next(x["balance"] for x in found if x["handle"] == handle)

    async def money(self) -> int:
        return (await self.wallet.money())["balance"]


@pytest.fixture(scope="module")
def city(tools, tmp_path_factory):
    running = tools.CityProcess(tmp_path_factory.mktemp("pay"), "--speed", "6000").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
async def payer(city, tools, no_faults_left):
    platform = await tools.Platform({**tools.CAPABILITIES, PAY: "2026-11-01"}).start()
    wallet = await platform.wallet(city.bank)
    yield Payer(platform, wallet, city)
    await platform.stop()


def codes_of(answer: dict) -> list[str]:
    return [x["code"] for x in answer["messages"] if x["type"] == "error"]


async def test_money_to_somebody_is_moved_once_and_stated_by_the_bank(payer):
    before = await payer.balance_of("@anna")
    quote = await payer.quote(note="lunch")
    assert quote["transfer"]["payee"] == {"handle": "@anna", "name": "Anna Korhonen"}
    done = await payer.buy(quote, key="the-same-key")
    assert done["status"] == "completed"
    token = "tok_of_no_use"
    again = await payer.platform.complete(payer.base, quote, token, "another-key")
    assert codes_of(again.json()) == ["checkout_completed"]
    assert await payer.balance_of("@anna") == before + 1250
    assert await payer.money() == 50_000 - 1250
    order = (await payer.platform.send("GET", f"{payer.base}/orders/{done['order']['id']}")).json()
    assert [x["type"] for x in order["fulfillment"]["events"]] == ["transferred"]
    await payer.platform.until(lambda: any(o["id"] == order["id"] for o in payer.platform.orders()))


@pytest.mark.parametrize(
    ("payee", "amount", "code"),
    [("@nobody", 1250, "payee_not_found"), ("+358409999999", 100, "payee_not_found")],
)
async def test_nobody_of_that_name(payer, payee, amount, code):
    assert codes_of(await payer.quote(payee, amount)) == [code]


async def test_a_telephone_number_is_an_alias(payer):
    quote = await payer.quote("+358 40 1000002")
    assert quote["transfer"]["payee"]["handle"] == "@ben"


async def test_more_than_there_is_stays(payer, tools):
    for _ in range(2):
        await payer.buy(await payer.quote("@ben", 25_000))
    quote = await payer.quote("@ben", 1)
    answer = await payer.wallet.authorize(tools.payee_of(quote), 1)
    assert answer.json()["code"] == "insufficient_funds"
    assert await payer.money() == 0


async def test_a_request_is_paid_once_whoever_tries(payer):
    me = (await payer.wallet.money())["handle"]
    asked = await payer.city_post(
        "/city/people/@ben/ask", {"amount": 700, "note": "taxi", "to": me}
    )
    wanted = {"kind": "request", "request_id": asked["id"]}
    first, second = [await payer.quote("@ben", 700, **wanted) for _ in range(2)]
    assert first["transfer"]["note"] == "taxi"
    assert codes_of(await payer.quote("@ben", 600, **wanted)) == ["amount_changed"]
    assert codes_of(await payer.quote("@anna", 700, **wanted)) == ["request_not_found"]
    assert (await payer.buy(first))["status"] == "completed"
    assert codes_of(await payer.buy(second)) == ["request_closed"]
    assert codes_of(await payer.quote("@ben", 700, **wanted)) == ["request_closed"]
    listed = await payer.wallet.get("/requests")
    assert [(x["id"], x["state"]) for x in listed["incoming"]] == [(asked["id"], "paid")]
    assert await payer.money() == 50_000 - 700


async def test_asking_people_who_pay_decline_and_forget(payer):
    async def ask(payer_: str, key: str) -> dict:
        body = {"payer": payer_, "amount": 500, "currency": "EUR"}
        return (await payer.wallet.post("/requests", body, key)).json()

    asked = [await ask("@anna", "ask-anna-1"), await ask("@cleo", "ask-cleo-1")]
    assert await ask("@anna", "ask-anna-1") == asked[0]
    forgotten = await ask("@dan", "ask-dan-01")
    states: dict[str, str] = {}
    for _ in range(200):
        listed = (await payer.wallet.get("/requests"))["outgoing"]
        states = {x["id"]: x["state"] for x in listed}
        if "open" not in [states[x["id"]] for x in asked]:
            break
        await asyncio.sleep(0.05)
    assert [states[x["id"]] for x in asked] == ["paid", "declined"]
    assert states[forgotten["id"]] == "open"
    assert len(states) == 3
    gone = await payer.wallet.post(f"/requests/{forgotten['id']}/cancel")
    assert gone.json()["state"] == "canceled"
    assert await payer.money() == 50_500
    entries = (await payer.wallet.get(f"/accounts/{payer.wallet.account}/entries"))["entries"]
    assert entries[-1]["amount"] == 500


async def test_nobody_answers_for_another(payer):
    me = (await payer.wallet.money())["handle"]
    asked = await payer.city_post("/city/people/@ben/ask", {"amount": 700, "to": me})
    stranger = await payer.platform.wallet(payer.city.bank)
    for verb in ("decline", "cancel"):
        answer = await stranger.post(f"/requests/{asked['id']}/{verb}")
        assert answer.status_code == 404
    assert (await stranger.get("/requests"))["incoming"] == []
    assert (await payer.wallet.post(f"/requests/{asked['id']}/decline")).json()[
        "state"
    ] == "declined"
    answer = await payer.wallet.post(f"/requests/{asked['id']}/cancel")
    assert answer.status_code == 404


async def test_a_code_is_what_the_shop_has_signed(payer):
    made = await payer.city_post("/city/codes", {"shop": "blue-door", "amount": 890})
    code = made["code"]
    looked = await payer.post("/pay/codes", {"code": code})
    assert looked["transfer"]["amount"] == 890
    payee = looked["transfer"]["payee"]["handle"]
    wanted = {"kind": "code", "code": code}
    assert codes_of(await payer.quote(payee, 891, **wanted)) == ["amount_changed"]
    assert codes_of(await payer.quote("@ben", 890, **wanted)) == ["code_invalid"]
    start, _, jws = code.rpartition("/")
    header, body, signature = jws.split(".")
    other = (await payer.city_post("/city/codes", {"shop": "blue-door", "amount": 1}))["code"]
    forged = [
        f"{start}/{header}.{other.rpartition('/')[2].split('.')[1]}.{signature}",
        f"https://evil.example/c/{jws}",
        f"{start}/{body}",
        code + "A" * 2000,
        "javascript:alert(1)",
    ]
    for text in forged:
        assert codes_of(await payer.post("/pay/codes", {"code": text})) == ["code_invalid"]
    first, second = [await payer.quote(payee, 890, **wanted) for _ in range(2)]
    assert (await payer.buy(first))["status"] == "completed"
    assert codes_of(await payer.buy(second)) == ["code_paid"]
    assert codes_of(await payer.post("/pay/codes", {"code": code})) == ["code_paid"]
    assert await payer.money() == 50_000 - 890


async def test_the_till_shows_a_code_that_a_camera_reads(payer):
    page = (await payer.platform.http.get(f"{payer.base}/till/blue-door?amount=250")).text
    assert "<svg" in page
    assert "2.50 EUR" in page
    missing = await payer.platform.http.get(f"{payer.base}/till/none")
    assert missing.status_code == 404


async def test_a_bank_that_dies_in_the_middle_moves_it_once(city, tools, tmp_path):
    dying = tools.CityProcess(tmp_path / "city").start()
    platform = await tools.Platform({**tools.CAPABILITIES, PAY: "2026-11-01"}).start()
    try:
        payer = Payer(platform, await platform.wallet(dying.bank), dying)
        quote = await payer.quote("@anna", 1000)
        token = await platform.token(payer.wallet, quote)
        await platform.fault(dying, "http_500_after", merchant="siirto", operation="complete")
        lost = await platform.complete(payer.base, quote, token, "one-and-only-key")
        assert lost.status_code == 500
        dying.kill()
        dying.start()
        assert urlsplit(dying.urls["pay"][0]).port == urlsplit(payer.base).port
        again = await platform.complete(payer.base, quote, token, "one-and-only-key")
        assert again.json()["status"] == "completed"
        assert await payer.balance_of("@anna") == 51_000
        assert await payer.money() == 49_000
    finally:
        await platform.stop()
        dying.stop()


def test_the_desk_takes_json_alone(city):
    answer = httpx.post(
        f"{city.base}/city/codes", content=json.dumps({"shop": "blue-door"}), trust_env=False
    )
    assert answer.status_code == 415
