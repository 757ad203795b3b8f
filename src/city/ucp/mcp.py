"""UCP's binding to the Model Context Protocol: the same operations as tools over streamable HTTP.

Stateless: every POST is one call and gets one JSON answer. A handshake is answered for those who
begin with one, but no session is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from city.errors import ProtocolError
from city.http import read_body
from city.replay import Answer
from city.ucp.quote import Json
from city.ucp.wire import parse

MCP_PATH = "/ucp/mcp"
PROTOCOLS = ("2025-06-18", "2025-03-26", "2025-11-25")
"""Of MCP; a client that wants another is offered the first."""

_INVALID, _NO_METHOD, _BAD_PARAMS, _UCP, _DISCOVERY = -32600, -32601, -32602, -32000, -32001
_DISCOVERING = frozenset(
    {"invalid_profile_url", "profile_unreachable", "profile_malformed", "version_unsupported"}
)

Sign = Callable[[int, bytes], Iterable[tuple[str, str]]]
"""(status, body) -> the headers that sign the answer."""
Serve = Callable[[Request, bytes, Request, bytes], Awaitable[Answer]]
"""(request, sent, asked, body): what came and was signed, and the call of REST behind it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A verb of REST as a tool; `{id}` in `path` names a resource.

    `payload` is the argument that is its body; empty where there is none.
    """

    name: str
    payload: str
    method: str
    path: str
    serve: Serve


SESSIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "create": ("create_checkout", "checkout"),
        "get": ("get_checkout", ""),
        "update": ("update_checkout", "checkout"),
        "complete": ("complete_checkout", "checkout"),
        "cancel": ("cancel_checkout", ""),
        "order": ("get_order", ""),
    }
)
"""Operation -> UCP's tool and its payload; what shops and companies of services share."""
SHOPPING: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **SESSIONS,
        "search": ("search_catalog", "catalog"),
        "lookup": ("lookup_catalog", "catalog"),
        "product": ("get_product", "catalog"),
        "create_cart": ("create_cart", "cart"),
        "get_cart": ("get_cart", ""),
        "update_cart": ("update_cart", "cart"),
        "cancel_cart": ("cancel_cart", ""),
        "substitute": ("answer_substitution", "groceries"),
        "return": ("return_items", "retail"),
    }
)
"""The same for shops, with the verbs of the extensions for groceries and goods."""


class _Agent(msgspec.Struct):
    profile: str


class _Meta(msgspec.Struct):
    agent: _Agent = msgspec.field(name="ucp-agent")
    key: str = msgspec.field(default="", name="idempotency-key")


class _Arguments(msgspec.Struct):
    """What every tool takes; its body is looked for by the name of its payload."""

    meta: _Meta
    id: str = ""


class _Params(msgspec.Struct):
    name: str = ""
    arguments: msgspec.Raw = msgspec.Raw(b"{}")
    protocol: str = msgspec.field(default="", name="protocolVersion")


class _Call(msgspec.Struct):
    jsonrpc: Literal["2.0"]
    method: str
    id: int | str | None = None
    params: _Params = msgspec.field(default_factory=_Params)


class _Said(msgspec.Struct):
    """What REST says with a status of its own."""

    code: str = ""
    content: str = ""


class Tools:
    """The tools of one merchant, which is called `name`."""

    def __init__(self, tools: Iterable[Tool], sign: Sign, name: str) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._sign = sign
        self._name = name

    def routes(self) -> list[Route]:
        return [Route(MCP_PATH, self._post, methods=["POST"])]

    async def _post(self, request: Request) -> Response:
        sent = await read_body(request)
        try:
            call = msgspec.json.decode(sent, type=_Call)
        except (msgspec.MsgspecError, RecursionError):
            return _error(None, _INVALID, "this is no JSON-RPC 2.0 request", {}, 400)
        if call.id is None:
            return Response(status_code=202)
        match call.method:
            case "initialize":
                wanted = call.params.protocol
                return _result(
                    call.id,
                    {
                        "protocolVersion": wanted if wanted in PROTOCOLS else PROTOCOLS[0],
                        "capabilities": {"tools": {}},
                        "serverInfo": {"name": self._name, "version": "1"},
                    },
                )
            case "ping":
                return _result(call.id, {})
            case "tools/list":
                return _result(call.id, {"tools": self._listed()})
            case "tools/call":
                return await self._called(request, sent, call.id, call.params)
            case method:
                return _error(call.id, _NO_METHOD, f"there is no method {method!r}", {}, 200)

    def _listed(self) -> list[Json]:
        return [_described(tool) for tool in self._tools.values()]

    async def _called(
        self, request: Request, sent: bytes, id: int | str, params: _Params
    ) -> Response:
        tool = self._tools.get(params.name)
        if tool is None:
            return _error(id, _BAD_PARAMS, f"there is no tool {params.name!r}", {}, 200)
        try:
            arguments = parse(bytes(params.arguments), _Arguments)
            body = _body(bytes(params.arguments), tool.payload)
            signed, asked = _as_rest(request, tool, arguments)
            made = await tool.serve(signed, sent, asked, body)
        except ProtocolError as error:
            made = _refused(error)
        return self._wrapped(id, made, request.headers.get("request-id"))

    def _wrapped(self, id: int | str, made: Answer, request_id: str | None) -> Response:
        """A UCP body as the result, signed anew; what REST says with a status, status and all."""
        if made.status not in (200, 201):
            return _failed(id, made)
        text = msgspec.json.encode(made.body.decode("utf-8", "replace"))
        head = b'{"jsonrpc":"2.0","id":' + msgspec.json.encode(id)
        result = b',"result":{"structuredContent":' + made.body
        body = head + result + b',"content":[{"type":"text","text":' + text + b"}]}}"
        headers = dict(self._sign(200, body))
        if request_id:
            headers["Request-Id"] = request_id
        return _raw(body, 200, headers)


def _body(arguments: bytes, payload: str) -> bytes:
    if not payload:
        return b"{}"
    found = parse(arguments, dict[str, msgspec.Raw]).get(payload)
    return b"{}" if found is None else bytes(found)


def _as_rest(request: Request, tool: Tool, arguments: _Arguments) -> tuple[Request, Request]:
    """The request with a UCP-Agent, and the call of REST that the tool stands for.

    What stands in the metadata and in a header must be the same; the header is what is signed.
    """
    agent, key = f'profile="{arguments.meta.agent.profile}"', arguments.meta.key
    headers = dict(request.headers)
    if headers.setdefault("ucp-agent", agent) != agent:
        raise ProtocolError(
            "UCP-Agent and meta name different profiles", code="invalid_profile_url"
        )
    if key and headers.setdefault("idempotency-key", key) != key:
        raise ProtocolError("Idempotency-Key and meta differ", code="idempotency_key_required")
    whole: Scope = {**request.scope, "headers": Headers(headers).raw}
    path = tool.path.replace("{id}", arguments.id)
    asked: Scope = {
        **whole,
        "method": tool.method,
        "path": path,
        "raw_path": path.encode(),
        "path_params": {"id": arguments.id},
    }
    return Request(whole), Request(asked)


def _refused(error: ProtocolError) -> Answer:
    said = {"code": error.code, "content": error.text}
    return Answer(error.status, msgspec.json.encode(said))


def _failed(id: int | str, made: Answer) -> Response:
    try:
        said = msgspec.json.decode(made.body, type=_Said)
    except msgspec.MsgspecError:
        said = _Said()
    code = _BAD_PARAMS if made.status == 400 else _UCP
    code = _DISCOVERY if said.code in _DISCOVERING else code
    data: Json = {"code": said.code, "content": said.content}
    return _error(id, code, said.content or "refused", data, made.status)


def _result(id: int | str, result: Json) -> Response:
    return _raw(msgspec.json.encode({"jsonrpc": "2.0", "id": id, "result": result}), 200)


def _error(id: int | str | None, code: int, text: str, data: Json, status: int) -> Response:
    error: Json = {"code": code, "message": text}
    if data:
        error["data"] = data
    return _raw(msgspec.json.encode({"jsonrpc": "2.0", "id": id, "error": error}), status)


def _raw(body: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, dict(headers or {}), media_type="application/json")


def _described(tool: Tool) -> Json:
    """The tool for clients that ask: what it takes is UCP's schema, or its extension's."""
    properties: Json = {"meta": {"type": "object"}}
    if "{id}" in tool.path:
        properties["id"] = {"type": "string"}
    if tool.payload:
        properties[tool.payload] = {"type": "object"}
    schema: Json = {"type": "object", "required": list(properties), "properties": properties}
    text = f"UCP: {tool.name.replace('_', ' ')}."
    return {"name": tool.name, "description": text, "inputSchema": schema}
