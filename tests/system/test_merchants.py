"""`lapel merchants`: list, check, remove, against real shops of the City and one that lacks something."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lapel.devices import Family
from services.hostile import Hostile
from serving import serving
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net


def lapel(town: Town, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lapel")), *words, "--data", str(town.folder / "lapel")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def asked(town: Town, *words: str) -> Any:
    return json.loads(lapel(town, *words, "--json")[1])


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    merchant = Hostile()
    async with serving(merchant.app()) as origin:
        merchant.origin = origin
        yield merchant


def test_the_list_names_every_shop(text_town: Town):
    found = asked(text_town, "merchants", "list")
    assert {row["url"] for row in found} >= set(text_town.urls["merchants"])
    speaks = {"ucp": {"2026-04-08", "2026-01-11"}, "acp": {"2026-04-17"}}
    assert all(row["version"] in speaks[row["protocol"]] and row["seen_at"] > 0 for row in found)
    assert "dev.ucp.shopping.checkout" in found[0]["capabilities"]
    status, shown = lapel(text_town, "merchants", "list")
    assert status == 0
    assert found[0]["name"] in shown
    assert "fulfillment, order" in shown


def test_a_shop_of_the_city_lacks_nothing(text_town: Town):
    url = text_town.urls["merchants"][0]
    name = next(x["name"] for x in asked(text_town, "merchants", "list") if x["url"] == url)
    status, shown = lapel(text_town, "merchants", "check", name.upper())
    assert status == 0, shown
    assert f"{name}: Lapel can buy here." in shown
    found = asked(text_town, "merchants", "check", url)
    assert (found["can_buy"], found["signatures"], found["version"]) == (
        True,
        "right",
        "2026-04-08",
    )
    assert [x["usable"] for x in found["payment_handlers"]] == [True]
    assert found["products"] > 5
    assert found["lacks"] == found["warns"] == []


@pytest.mark.parametrize(
    ("kind", "which", "is_for", "words"),
    [
        ("merchants", 6, "food", ("over MCP", "signed, and rightly", "things for sale")),
        ("stores", 0, "groceries", ("Lapel can buy here", "groceries")),
        ("stores", 1, "goods", ("Lapel can buy here", "retail")),
        (
            "rides",
            0,
            "rides",
            ("Lapel can take rides with it", "places for", "signed, and rightly"),
        ),
        ("travel", 0, "travel", ("Lapel can book there", "from Helsinki to Berlin", "signed, and")),
        ("travel", 2, "travel", ("Lapel can book there", "rooms in Helsinki")),
        ("tables", 0, "tables", ("Lapel can book tables there", "tables for two", "signed, and")),
        ("pay", 0, "money", ("Lapel can send money by it", "knows its own codes")),
        ("acp", 0, "shop", ("ACP 2026-04-17 over REST", "not signed, as is usual there")),
        ("older", 0, "shop", ("UCP 2026-01-11 over REST", "its webhooks alone tell", "feed")),
    ],
)
def test_every_kind_of_merchant_is_looked_at_for_what_it_is(
    text_town: Town, kind: str, which: int, is_for: str, words: tuple[str, ...]
):
    url = text_town.urls[kind][which]
    if kind == "acp":
        text_town.wait_for_menu("Lumo Candles")  # it gives its key when it is added
    status, shown = lapel(text_town, "merchants", "check", url)
    assert status == 0, shown
    for each in words:
        assert each in shown, shown
    assert "lacks" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 100
    assert asked(text_town, "merchants", "check", url)["kind"] == is_for


def test_what_is_no_merchant_is_told_where_it_belongs(text_town: Town):
    status, shown = lapel(text_town, "merchants", "check", text_town.urls["city"])
    assert status == 1
    assert "publishes no UCP profile" in shown
    assert "lapel services add" in shown
    status, shown = lapel(text_town, "merchants", "add", "https://old.example", "--feed", "x")
    assert status == 2
    assert "commerce.feeds" in shown


async def test_what_a_shop_lacks_is_said(text_town: Town, hostile: Hostile):
    def poor(profile: dict[str, Any]) -> None:
        capabilities = profile["ucp"]["capabilities"]
        del capabilities["dev.ucp.shopping.fulfillment"], capabilities["dev.ucp.shopping.order"]
        profile["signing_keys"][0]["crv"] = "P-521"

    hostile.bend_profile, hostile.sign_answers = poor, False
    status, shown = await asyncio.to_thread(lapel, text_town, "merchants", "check", hostile.origin)
    assert status == 1
    for words in (
        "Lapel cannot buy here", "it does not deliver", "by none of its payment handlers",
        "it reports nothing of an order", "webhooks are refused", "not signed", "P-521",
    ):  # fmt: skip
        assert words in shown, shown
    found = await asyncio.to_thread(asked, text_town, "merchants", "list")
    assert hostile.origin not in {row["url"] for row in found}


async def test_a_shop_without_an_answer_or_of_another_version(text_town: Town, hostile: Hostile):
    hostile.mischief = "search_500"
    found = await asyncio.to_thread(asked, text_town, "merchants", "check", hostile.origin)
    assert (found["can_buy"], found["signatures"]) == (False, "unknown")
    hostile.mischief = ""
    hostile.bend_profile = lambda profile: profile["ucp"].update(version="2031-01-01")
    found = await asyncio.to_thread(asked, text_town, "merchants", "check", hostile.origin)
    assert (found["can_buy"], found["version"]) == (False, "")
    assert "2031-01-01" in found["lacks"][0]


@pytest.mark.parametrize(
    ("which", "words"),
    [
        ("http://127.0.0.1:1", "cannot be reached"),
        ("http://10.0.0.1", "plain http is accepted on loopback only"),
        ("Nobody's", "give its URL"),
    ],
)
def test_what_is_no_shop(text_town: Town, which: str, words: str):
    status, shown = lapel(text_town, "merchants", "check", which)
    assert status == 1
    assert words in shown


def test_a_shop_that_is_not_known_cannot_be_removed(text_town: Town):
    status, shown = lapel(text_town, "merchants", "remove", "Nobody's")
    assert status == 1
    assert "there is no shop" in shown


async def test_a_shop_goes_when_its_orders_are_over_and_the_receipts_stay(text_town: Town):
    await asyncio.to_thread(text_town.speed, 60)
    async with Wearer(text_town.device_url, text_town.token, Family.PHONE, Family.RING) as me:
        me.type("two lattes and a blueberry muffin to my office")
        await me[Family.PHONE].asks()
        order = (await asyncio.to_thread(text_town.orders))[0]
        refused = await asyncio.to_thread(
            lapel, text_town, "merchants", "remove", order["merchant_name"]
        )
        assert refused[0] == 1
        assert "under way" in refused[1]
        await asyncio.sleep(0.6)  # longer than a gesture must come after the question
        me.press()
        await asyncio.to_thread(text_town.wait_for_order, "placed", "delivered")
        await asyncio.to_thread(text_town.speed, 3600)
        await asyncio.to_thread(text_town.wait_for_order, "delivered")
    status, shown = await asyncio.to_thread(
        lapel, text_town, "merchants", "remove", order["merchant_name"]
    )
    assert (status, "Removed" in shown) == (0, True), shown
    left = await asyncio.to_thread(asked, text_town, "merchants", "list")
    assert order["merchant_name"] not in {row["name"] for row in left}
    kept = (await asyncio.to_thread(text_town.orders))[0]
    assert (kept["id"], kept["merchant_name"]) == (order["id"], order["merchant_name"])
    receipt = await asyncio.to_thread(text_town.api, f"/api/orders/{order['id']}/receipt")
    assert receipt
