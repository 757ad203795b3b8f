"""UCP over MCP: a shop of the City that offers nothing else, and servers that others have written."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from mcp.server import MCPServer
from mcp.types import CallToolResult, TextContent
from starlette.applications import Starlette
from starlette.routing import Mount

from lapel.commerce.checkout import CheckoutStatus
from lapel.commerce.ports import Refused
from lapel.services.connectors.ucp import client, mcp, tools
from lapel.services.connectors.ucp.profile import MCP, REST
from lapel.store import Store
from services import hostile_mcp, test_city
from services.hostile import Hostile
from services.shopper import Clock, World, build
from serving import serving
from town import Town

pytestmark = pytest.mark.net

PETAL = 6


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("city"), speed=600)
    yield running
    running.close()


async def test_a_shop_that_offers_tools_alone_from_its_url_to_the_door(
    store: Store, http: httpx.AsyncClient, city: Town, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, str, dict[str, Any]]] = []
    honest = client.fetch

    async def fetch(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> Any:
        body = json.loads(more["content"])
        asked.append((method, httpx.URL(url).path, more["headers"] | {"body": body}))
        return await honest(http, method, url, **more)

    monkeypatch.setattr(client, "fetch", fetch)
    async with test_city._shopping(store, http, city, PETAL) as shopper:
        assert shopper.merchant is not None
        assert shopper.merchant.profile.transport == MCP
        assert shopper.menu is not None
        assert shopper.menu.merchant_name == "Petal & Stem"
        quoted = await shopper.quote(2)
        again = await shopper.world.merchants.get_checkout(quoted.merchant_id, quoted.id)
        assert again.hash() == quoted.hash()
        changed = await shopper.world.merchants.update_checkout(
            quoted.id, shopper.order(1), shopper.key("update")
        )
        await shopper.world.remember(shopper.order(1), "later")
        assert changed.total < quoted.total
        given_up = await shopper.quote(1)
        gone = await shopper.world.merchants.cancel_checkout(
            given_up.merchant_id, given_up.id, shopper.key("cancel")
        )
        assert gone.status is CheckoutStatus.CANCELED
        placed = await shopper.place(await shopper.quote(1))
        order = await shopper.until("delivered")
        assert order.id == placed.order_id
        found = await shopper.world.merchants.get_order(placed.merchant_id, placed.order_id)
        assert found.total == placed.total
        assert shopper.world.client.signs(shopper.merchant.id)
    tools = [said["body"]["params"]["name"] for _, _, said in asked]
    assert set(tools) == {
        "search_catalog", "create_checkout", "get_checkout", "update_checkout", "cancel_checkout",
        "complete_checkout", "get_order",
    }  # fmt: skip
    for method, path, said in asked:
        assert (method, path) == ("POST", "/ucp/mcp")
        meta = said["body"]["params"]["arguments"]["meta"]
        assert f'profile="{meta["ucp-agent"]["profile"]}"' == said["UCP-Agent"]
        assert meta.get("idempotency-key") == said.get("Idempotency-Key")
        assert said["Request-Id"]
        assert "content-digest" in said["Signature-Input"]
        reads = said["body"]["params"]["name"] in ("get_checkout", "get_order")
        assert reads == ("Idempotency-Key" not in said)


async def test_a_call_repeated_under_its_key_is_one_effect(
    store: Store, http: httpx.AsyncClient, city: Town
):
    async with test_city._shopping(store, http, city, PETAL) as shopper:
        draft, key = shopper.order(1), shopper.key("quote")
        first = await shopper.world.merchants.create_checkout(draft, key)
        again = await shopper.world.merchants.create_checkout(draft, key)
        assert again == first


# Servers of the MCP package, as others write them, before the same merchant.


def theirs(hostile: Hostile, *, structured: bool = True) -> MCPServer:
    server = MCPServer("shop")

    def tool(name: str, payload: str) -> None:
        async def run(
            meta: dict[str, Any],
            id: str = "",
            checkout: dict[str, Any] | None = None,
            catalog: dict[str, Any] | None = None,
        ) -> CallToolResult:
            arguments = {"id": id, "checkout": checkout or {}, "catalog": catalog or {}}
            call = {"id": 1, "params": {"name": name, "arguments": arguments}}
            headers = {"ucp-agent": "x", "idempotency-key": meta.get("idempotency-key", "")}
            status, answer = await hostile_mcp.called(hostile, call, headers)
            assert status == 200, answer
            found = answer["result"]["structuredContent"]
            text = TextContent(type="text", text=json.dumps(found))
            return CallToolResult(content=[text], structured_content=found if structured else None)

        server.add_tool(run, name=name, description=payload, structured_output=False)

    for name, (_, _, payload) in hostile_mcp.PATHS.items():
        tool(name, payload)
    return server


@contextlib.asynccontextmanager
async def shop_of(
    store: Store, http: httpx.AsyncClient, structured: bool = True, **options: Any
) -> AsyncIterator[World]:
    hostile = Hostile()
    app = theirs(hostile, structured=structured).streamable_http_app(**options)
    before = hostile.bend_profile

    def publish(profile: dict[str, Any]) -> None:
        before(profile)
        endpoint = f"{hostile.origin}/mcp"
        [service] = profile["ucp"]["services"]["dev.ucp.shopping"]
        service |= {"transport": "mcp", "endpoint": endpoint}

    hostile.bend_profile = publish
    whole = Starlette(routes=[*hostile.app().routes[:1], Mount("/", app)])
    async with app.router.lifespan_context(app), serving(whole) as origin:
        hostile.origin = origin
        world = build(store, http, hostile, Clock())
        yield world
        await world.food.close()


@pytest.mark.parametrize(
    "options",
    [
        {"stateless_http": True, "json_response": True},
        {"stateless_http": True},
        {"stateless_http": False, "json_response": True},
        {"stateless_http": False},
        {"stateless_http": True, "json_response": True, "structured": False},
    ],
    ids=["json", "events", "session", "session_and_events", "text_alone"],
)
async def test_servers_of_the_package(
    store: Store, http: httpx.AsyncClient, options: dict[str, Any]
):
    async with shop_of(store, http, **options) as world:
        merchant = await world.meet()
        [menu] = await world.food.menus()
        assert [item.title for item in menu.items] == ["Latte", "Blueberry muffin"]
        quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
        assert quoted.total.minor == 1810
        assert quoted == await world.merchants.create_checkout(world.draft(merchant), "k")
        assert len(world.hostile.checkouts) == 1


async def test_a_session_that_is_over_is_begun_anew(store: Store, http: httpx.AsyncClient):
    async with shop_of(store, http, stateless_http=False) as world:
        merchant = await world.meet()
        await world.food.menus()
        [url] = world.client._tools._sessions
        world.client._tools._sessions[url] = "0" * 32
        quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
        assert quoted.total.minor == 1810


async def test_a_server_of_the_newest_protocol_is_spoken_to_in_it(
    store: Store, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """Whoever knows calls in the manner of 2026-07-28 only refuses the others."""
    async with shop_of(store, http, stateless_http=True, json_response=True) as world:
        monkeypatch.setattr(mcp, "PROTOCOL", "2099-01-01")
        merchant = await world.meet()
        quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
        assert quoted.total.minor == 1810
        assert list(world.client._tools._manners.values()) == [mcp.Manner.MODERN]


async def test_rest_is_preferred_where_both_are_offered(store: Store, http: httpx.AsyncClient):
    hostile = Hostile()
    hostile_mcp.behind_tools(hostile)
    publish = hostile.bend_profile

    def both(profile: dict[str, Any]) -> None:
        rest = profile["ucp"]["services"]["dev.ucp.shopping"]
        publish(profile)
        profile["ucp"]["services"]["dev.ucp.shopping"] += rest

    hostile.bend_profile = both
    async with serving(hostile.app()) as origin:
        hostile.origin = origin
        world = build(store, http, hostile, Clock())
        merchant = await world.meet()
        assert (merchant.profile.transport, merchant.profile.endpoint) == (REST, origin)


def test_what_has_no_tool_is_refused():
    with pytest.raises(Refused):
        tools.tool_of("POST", "/orders/o_1/nothing_of_the_kind", {})
    tool = tools.tool_of("PUT", "/checkout-sessions/a%2Fb", {"x": 1})
    assert (tool.name, tool.arguments) == ("update_checkout", {"id": "a/b", "checkout": {"x": 1}})
    ride = tools.tool_of("POST", "/rides/r%2F1/cancel", {"most": 4})
    assert (ride.name, ride.arguments) == ("cancel_ride", {"id": "r/1", "ride": {"most": 4}})
    asked = tools.tool_of("POST", "/rides/estimate", {"x": 1})
    assert (asked.name, asked.arguments) == ("estimate_rides", {"ride": {"x": 1}})
