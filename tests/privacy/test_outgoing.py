"""What leaves the process while somebody talks, orders, pays and follows: what the order needs, and no more."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net

SECRETS = ("Kotkankatu", "birthday", "door code", "4711", "hallucination", "blueberry waffle")
"""Said, saved or written down by the user in this test, and nobody's business."""

MERCHANT_HEADERS = {
    "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length",
    "ucp-agent", "request-id", "idempotency-key", "content-digest", "signature", "signature-input",
    "mcp-protocol-version", "api-version", "accept-language", "timestamp", "authorization",
}  # fmt: skip
"""Of UCP over REST and MCP, and of ACP, whose key is one that the seller gave."""
BANK_HEADERS = {
    "host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length",
    "authorization", "idempotency-key",
}  # fmt: skip

MERCHANT_MAY_LEARN = re.compile(
    r"""^(?:params\.arguments\.(?:checkout|catalog|cart)\.)?(
      line_items\[\]\.(quantity|item\.id|modifiers\[\])
    | context\.(address_country|postal_code)
    | fulfillment\.methods\[\]\.(type|destinations\[\]\.(street_address|address_locality|address_country
        |postal_code|latitude|longitude))
    | payment\.instruments\[\]\.(id|handler_id|type|selected|credential\.(type|token))
    | ap2\.checkout_mandate
    | platform | webhook_url | jsonrpc | id | method | params\.name
    | params\.arguments\.(id | meta\.(idempotency-key | ucp-agent\.profile))
    | cart_id | ids\[\] | query | pagination\.(limit|cursor) | filters\.price\.min
    )$""",
    re.VERBOSE,
)
"""Members of the bodies that merchants get; `docs/privacy.md` says what each is for."""
RESTAURANT_MAY_LEARN = re.compile(
    r"""^(date | time | tolerance_minutes | party | words | place | radius_m
    | near\.(latitude|longitude)
    | line_items\[\]\.(quantity|item\.id) | table\.(action|guest)
    | payment\.instruments\[\]\.(id|handler_id|type|selected|credential\.(type|token))
    )$""",
    re.VERBOSE,
)
DRIVERS_MAY_LEARN = re.compile(
    r"""^(text | limit | pickup_at | (trip\.)?(pickup|destination)\.(latitude | longitude
        | street_address | address_locality | postal_code | address_country)
    | line_items\[\]\.(quantity|item\.id) | trip\.pickup_at
    | payment\.instruments\[\]\.(id|handler_id|type|selected|credential\.(type|token))
    )$""",
    re.VERBOSE,
)
DRIVERS = {"Lokki Rides"}
RESTAURANTS = {"Satama Tables", "Hilla"}
BANK_MAY_LEARN = re.compile(
    r"^(owner|account|amount|currency|payee|handler_id|reference|expires_s|capture)$"
)


@dataclass(frozen=True)
class Sent:
    method: str
    url: str
    headers: dict[str, str]
    body: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def members(self) -> set[str]:
        return set(paths(json.loads(self.body))) if self.body else set()


def paths(value: Any, here: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{here}.{name}" if here else name)
    elif isinstance(value, list):
        for inner in value:
            yield from paths(inner, f"{here}[]")
    else:
        yield here


class Watched(Town):
    """A town whose Lapel writes down what leaves it."""

    @property
    def log(self) -> Path:
        return self.folder / "outgoing.jsonl"

    def lines(self, kind: str) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]
        return [row for row in rows if row["kind"] == kind]

    def sent(self) -> list[Sent]:
        return [
            Sent(row["method"], row["url"], {k.lower(): v for k, v in row["headers"]}, row["body"])
            for row in self.lines("request")
        ]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    town = Watched(tmp_path_factory.mktemp("town"), speed=600)
    try:
        outgoing = Path(__file__).with_name("outgoing.py")
        town.open_gateway("--text", wrapper=[sys.executable, str(outgoing), str(town.log)])
        town.wait_for_menus()
        until = time.monotonic() + 30  # they are met one after the other, behind the start
        while not set(merchants(town).values()) >= RESTAURANTS:
            assert time.monotonic() < until
            time.sleep(0.1)
        asyncio.run(a_day(town))
        yield town
    finally:
        town.close()


async def a_day(town: Watched) -> None:
    """Chatter, a note, a reminder, two orders at two shops, one of them refused, one followed to the door."""
    secret = {"street": "Kotkankatu 13", "city": "Helsinki", "postal_code": "00510", "country": "FI",
              "latitude": 60.19, "longitude": 24.95}  # fmt: skip
    town.api("/api/addresses/mother", "PUT", secret)
    async with Wearer(town.device_url, town.token, Family.GLASSES, Family.RING, Family.PHONE) as me:
        hud = me[Family.GLASSES]
        me.type("I had a hallucination of a blueberry waffle")
        await me[Family.PHONE].says("did not understand")
        me.type("note that the door code is 4711")
        me.type("remind me of the birthday tomorrow at nine")
        await me[Family.PHONE].says("tomorrow at 9")
        me.type("two iced lattes and a blueberry muffin to my office")
        await hud.asks()
        me.press(long=True)
        await hud.says("did not order")
        hud.forget()
        me.type("a margherita to my office")
        await hud.asks()
        await asyncio.sleep(0.6)  # longer than a gesture must come after the question
        me.press()
        await hud.says("delivered", timeout_s=60)
        hud.forget()
        me.type("a table for two near my office tomorrow at seven in the evening")
        await me[Family.PHONE].says("Trattoria Lume")
        me.type("Trattoria Lume")
        await me[Family.PHONE].says("Under which name?")
        me.type("Anna Virtanen")
        await hud.asks()
        await asyncio.sleep(0.6)
        me.press()
        await hud.says("Your table is booked")
        hud.forget()
        me.type("an economy ride home from the office tomorrow at 1 pm")
        await hud.asks()
        await asyncio.sleep(0.6)
        me.press()
        await hud.says("Your ride is booked for")


def merchants(town: Watched) -> dict[str, str]:
    return {m["url"].rstrip("/"): m["name"] for m in town.api("/api/merchants")}


def test_only_the_parties_of_the_users_own_settings_are_called(watched: Watched):
    known = (
        set(watched.urls["merchants"]) if "merchants" in watched.urls else set(merchants(watched))
    )
    banks = {endpoint for (endpoint,) in watched.record("SELECT endpoint FROM wallets")}
    origins = {f"{urlsplit(u).scheme}://{urlsplit(u).netloc}" for u in (*known, *merchants(watched), *banks, watched.urls["city"])}  # fmt: skip
    assert {sent.origin for sent in watched.sent()} <= origins
    ports = {urlsplit(origin).port for origin in origins}
    assert {tuple(line["to"])[1] for line in watched.lines("connect")} <= ports
    assert {line["name"] for line in watched.lines("lookup")} <= {"127.0.0.1", "localhost", "None"}


def test_nobody_is_told_what_is_nobodys_business(watched: Watched):
    users = [id for (id,) in watched.record("SELECT id FROM users")]
    devices = [name for (name,) in watched.record("SELECT id FROM devices")]
    orders = [id for (id,) in watched.record("SELECT id FROM orders")]
    assert users
    assert orders
    for sent in watched.sent():
        whole = f"{sent.url} {sent.headers} {sent.body}"
        told = [
            word for word in (*SECRETS, *users, *devices, *orders, watched.token) if word in whole
        ]
        assert told == [], (sent.method, sent.url)


def test_a_shop_learns_the_cart_and_the_door_and_no_more(watched: Watched):
    shops = merchants(watched)
    seen: dict[str, set[str]] = {}
    for sent in watched.sent():
        if shops.get(sent.origin) in RESTAURANTS | DRIVERS:
            continue
        if sent.origin in shops and "/bank" not in sent.url:
            extra = sent.headers.keys() - MERCHANT_HEADERS
            assert not extra, (sent.url, extra)
            unknown = {path for path in sent.members() if not MERCHANT_MAY_LEARN.match(path)}
            assert not unknown, (sent.url, unknown)
            seen.setdefault(shops[sent.origin], set()).update(sent.members())
    # It is a whole order that was looked at, and the shop that nothing was wanted from saw no address.
    assert "fulfillment.methods[].destinations[].street_address" in seen["Forno Nero"]
    assert any(path.startswith("payment") for path in seen["Forno Nero"])
    assert not any(path.startswith(("fulfillment", "payment", "buyer")) for path in seen.get("Umi Sushi and Ramen", set()))  # fmt: skip
    # The one that was refused knows the cart that it priced; it got no money and no mandate.
    assert not any(path.startswith(("payment", "ap2")) for path in seen["Blue Door Coffee"])


def test_a_restaurant_learns_name_party_and_time_and_no_address(watched: Watched):
    shops = merchants(watched)
    office = next(x for x in watched.api("/api/addresses") if x["label"] == "office")
    exact = {office["street"], str(office["latitude"]), str(office["longitude"])}
    seen: dict[str, set[str]] = {}
    for sent in watched.sent():
        name = shops.get(sent.origin, "")
        if name not in RESTAURANTS or "/bank" in sent.url:
            continue
        extra = sent.headers.keys() - MERCHANT_HEADERS
        assert not extra, (sent.url, extra)
        unknown = {path for path in sent.members() if not RESTAURANT_MAY_LEARN.match(path)}
        assert not unknown, (sent.url, unknown)
        assert not [word for word in exact if word in sent.body], sent.body
        near = json.loads(sent.body).get("near") if sent.body else None
        if near is not None:
            assert all(round(degrees, 2) == degrees for degrees in near.values())
            seen.setdefault(name, set()).add("about where")
        seen.setdefault(name, set()).update(sent.members())
    # Both were asked; the one that was not chosen knows no name.
    assert all("about where" in seen[name] for name in RESTAURANTS)
    assert "table.guest" in seen["Satama Tables"]
    assert not any(path.startswith(("table", "payment")) for path in seen["Hilla"])


def test_a_ride_company_learns_both_ends_and_the_time_and_not_what_they_are_called(
    watched: Watched,
):
    shops = merchants(watched)
    seen: set[str] = set()
    for sent in watched.sent():
        if shops.get(sent.origin) not in DRIVERS or "/bank" in sent.url:
            continue
        extra = sent.headers.keys() - MERCHANT_HEADERS
        assert not extra, (sent.url, extra)
        unknown = {path for path in sent.members() if not DRIVERS_MAY_LEARN.match(path)}
        assert not unknown, (sent.url, unknown)
        told = [word for word in ("office", "home", "tomorrow") if f'"{word}"' in sent.body]
        assert told == [], sent.body
        seen |= sent.members()
    assert {"trip.pickup_at", "trip.pickup.latitude", "pickup_at"} <= seen


def test_the_bank_learns_the_payment_and_not_what_was_bought(watched: Watched):
    banks = {endpoint for (endpoint,) in watched.record("SELECT endpoint FROM wallets")}
    calls = [sent for sent in watched.sent() if any(sent.url.startswith(bank) for bank in banks)]
    assert any("authoriz" in sent.url for sent in calls)
    for sent in calls:
        extra = sent.headers.keys() - BANK_HEADERS
        assert not extra, (sent.url, extra)
        unknown = {path for path in sent.members() if not BANK_MAY_LEARN.match(path)}
        assert not unknown, (sent.url, unknown)
        assert "argherita" not in sent.body
        assert "street" not in sent.body


def test_two_shops_see_no_number_that_is_the_same(watched: Watched):
    """Keys of one order are of no use to find another by."""
    by_shop: dict[str, set[str]] = {}
    for sent in watched.sent():
        for name in ("idempotency-key", "request-id"):
            if name in sent.headers:
                by_shop.setdefault(sent.origin, set()).add(sent.headers[name])
    shops = list(by_shop.values())
    assert len(shops) >= 2
    assert sum(len(keys) for keys in shops) == len(set().union(*shops))
