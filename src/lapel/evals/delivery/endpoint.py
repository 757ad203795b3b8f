"""A language model at the desk, by any endpoint that speaks OpenAI's chat completions."""

from __future__ import annotations

from typing import Any, cast

import httpx

from lapel.evals.delivery.desk import Desk
from lapel.evals.delivery.tasks import Task

_ROUNDS = 30
_SECONDS = 300.0
_ROLE = (
    "You order deliveries for a user with the tools that you are given. Read what the user wants,"
    " look at the stores and their products, and create exactly the orders that fulfil the wish:"
    " one order a store and address. Use ids and attributes as the tools state them. Ask nothing;"
    " when all orders are made, say so."
)


class EndpointError(RuntimeError):
    """The endpoint did not answer as one that speaks chat completions; the words say how."""


def _tool(name: str, description: str, **parameters: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": parameters, "required": list(parameters)}
    told = {"name": name, "description": description, "parameters": schema}
    return {"type": "function", "function": told}


_TEXT = {"type": "string"}
_ITEM = {
    "type": "object",
    "properties": {"product_id": _TEXT, "quantity": {"type": "integer"}, "attributes": _TEXT},
    "required": ["product_id", "quantity"],
}
TOOLS = [
    _tool("list_stores", "All stores, with ratings and addresses."),
    _tool("list_products", "What a store sells, with prices and attributes.", store_id=_TEXT),
    _tool("list_orders", "The orders that there are."),
    _tool(
        "create_order", "Orders products of one store to one of the user's addresses.",
        store_id=_TEXT, items={"type": "array", "items": _ITEM}, address=_TEXT,
    ),
    _tool("cancel_order", "Takes an order back.", order_id=_TEXT),
]  # fmt: skip


def serve(task: Task, desk: Desk, client: httpx.Client, url: str, model: str) -> int:
    """Lets the model make the orders; how often it was asked. Raises EndpointError."""
    told = (
        f"Time: {task.time}\nMy addresses: {dict(task.addresses)}\nAbout me: {dict(task.profile)}\n"
        f"What I want: {task.wish}"
    )
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": _ROLE},
        {"role": "user", "content": told},
    ]
    for asked in range(1, _ROUNDS + 1):
        message = _complete(client, url, model, messages)
        messages.append(message)
        calls = cast("list[dict[str, Any]]", message.get("tool_calls") or [])
        for call in calls:
            answer = desk.call(call["function"]["name"], call["function"]["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": answer})
        if not calls:
            return asked
    return _ROUNDS


def _complete(
    client: httpx.Client, url: str, model: str, messages: list[dict[str, Any]]
) -> dict[str, Any]:
    wanted = {"model": model, "messages": messages, "tools": TOOLS, "temperature": 0}
    try:
        answer = client.post(f"{url.rstrip('/')}/chat/completions", json=wanted, timeout=_SECONDS)
        answer.raise_for_status()
        return answer.json()["choices"][0]["message"]
    except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
        raise EndpointError(f"{url} does not answer chat completions: {error!r}") from error
