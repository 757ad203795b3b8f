"""The City's tools, called by the MCP package's own client."""

from __future__ import annotations

import uuid

import pytest
from mcp.client import Client

pytestmark = pytest.mark.net


async def test_the_package_s_client_shops_at_the_florist(city, tools):
    platform = await tools.Platform(signs=False).start()
    florist = city.urls["merchants"][6]
    meta = {"ucp-agent": {"profile": f"{platform.url}/profile"}}
    try:
        async with Client(f"{florist}/ucp/mcp") as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert {"search_catalog", "create_checkout", "complete_checkout"} <= names
            found = await client.call_tool(
                "search_catalog", {"meta": meta, "catalog": {"query": "roses"}}
            )
            assert found.structured_content["products"][0]["variants"][0]["id"] == "red_roses"
            lines = [{"item": {"id": "red_roses"}, "quantity": 1}]
            method = {"type": "shipping", "destinations": [tools.OFFICE]}
            cart = {"line_items": lines, "fulfillment": {"methods": [method]}}
            keyed = {**meta, "idempotency-key": str(uuid.uuid4())}
            made = await client.call_tool("create_checkout", {"meta": keyed, "checkout": cart})
            again = await client.call_tool("create_checkout", {"meta": keyed, "checkout": cart})
            checkout = made.structured_content
            assert checkout["status"] == "ready_for_complete"
            assert again.structured_content == checkout
            wallet = await platform.wallet(city.bank)
            token = await platform.token(wallet, checkout)
            pays = {**meta, "idempotency-key": str(uuid.uuid4())}
            done = await client.call_tool(
                "complete_checkout",
                {"meta": pays, "id": checkout["id"], "checkout": tools.payment(token)},
            )
            assert done.structured_content["status"] == "completed"
            gone = await client.call_tool("get_checkout", {"meta": meta, "id": "chk_none"})
            assert gone.structured_content["ucp"]["status"] == "error"
    finally:
        await platform.stop()


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"params": {"name": "drop_table", "arguments": {}}}, 200, -32602),
        ({"method": "resources/list"}, 200, -32601),
        ({"jsonrpc": "1.0"}, 400, -32600),
        ({"params": {"name": "get_checkout", "arguments": {"id": "x"}}}, 400, -32602),
    ],
)
async def test_what_is_not_understood_is_said_in_json_rpc(
    city, platform, change: dict, status: int, code: int
):
    url = f"{city.urls['merchants'][6]}/ucp/mcp"
    arguments = {"meta": {"ucp-agent": {"profile": f"{platform.url}/profile"}}, "id": "x"}
    call = {
        "jsonrpc": "2.0",
        "id": 5,
        "method": "tools/call",
        "params": {"name": "get_checkout", "arguments": arguments},
    }
    answer = await platform.send("POST", url, {**call, **change})
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code


async def test_who_signs_must_sign_the_call(city, platform):
    url = f"{city.urls['merchants'][6]}/ucp/mcp"
    arguments = {"meta": {"ucp-agent": {"profile": f"{platform.url}/profile"}}, "id": "x"}
    call = {
        "jsonrpc": "2.0",
        "id": 5,
        "method": "tools/call",
        "params": {"name": "get_checkout", "arguments": arguments},
    }
    forged = await platform.send("POST", url, call, headers={"Signature": "sig1=:AAAA:"})
    assert forged.status_code == 401
    assert forged.json()["error"]["data"]["code"] == "signature_invalid"
    other = {**arguments, "meta": {"ucp-agent": {"profile": "https://thief.example/ucp"}}}
    call["params"] = {"name": "get_checkout", "arguments": other}
    assert (await platform.send("POST", url, call)).status_code == 400
