"""The JSON API of connected services: which MCP servers there are, and what was asked of them."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.services.connected import Server, ServerError, Servers, ToolCall, ToolCalls
from lapel.web.api import LARGEST, Answer, Api
from lapel.web.gate import body_of, refused

_STATUS = {"unknown_server": 404, "name_taken": 409}


class _New(msgspec.Struct):
    """A server at a URL; without one, the program of that name in the data folder's file."""

    url: str = ""
    name: str = ""
    token: str = ""


class ConnectedApi:
    """Under /api/services."""

    def __init__(self, api: Api, servers: Servers, calls: ToolCalls) -> None:
        self._api = api
        self._servers = servers
        self._calls = calls

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/services", self._list),
            route("/api/services", self._add, "POST"),
            route("/api/services/calls", self._list_calls),
            route("/api/services/{name}/check", self._check, "POST"),
            route("/api/services/{name}", self._remove, "DELETE"),
        ]

    async def _list(self, _: Request, user_id: str) -> Response:
        return JSONResponse([_shown(server) for server in await self._servers.all()])

    async def _add(self, request: Request, user_id: str) -> Response:
        wanted = msgspec.json.decode(await body_of(request, LARGEST), type=_New)
        try:
            server = await self._servers.add(url=wanted.url, name=wanted.name, token=wanted.token)
        except ServerError as error:
            return _refused(error)
        return JSONResponse(_shown(server))

    async def _check(self, request: Request, user_id: str) -> Response:
        try:
            found = await self._servers.check(str(request.path_params["name"]))
        except ServerError as error:
            return _refused(error)
        return JSONResponse(_shown(found.server) | {"trouble": found.trouble or None})

    async def _remove(self, request: Request, user_id: str) -> Response:
        try:
            server = await self._servers.remove(str(request.path_params["name"]))
        except ServerError as error:
            return _refused(error)
        return JSONResponse(_shown(server))

    async def _list_calls(self, _: Request, user_id: str) -> Response:
        """The newest first, with what was agreed to and by which gesture."""
        return JSONResponse([_called(call) for call in await self._calls.latest(user_id)])


def _called(call: ToolCall) -> Answer:
    return {
        "id": call.id,
        "service": call.server_name,
        "tool": call.tool,
        "arguments": call.arguments,
        "said": call.said,
        "state": call.state.value,
        "asked_at": call.asked_at,
        "text": call.text,
        "evidence": msgspec.json.decode(call.evidence) if call.evidence else None,
    }


def _shown(server: Server) -> Answer:
    """Without its token."""
    return {
        "id": server.id,
        "name": server.name,
        "url": server.url,
        "command": list(server.command),
        "seen_at": server.seen_at,
        "tools": [
            {
                "name": tool.name,
                "called": tool.called,
                "description": tool.description,
                "free": tool.free,
                "arguments": [
                    {"name": x.name, "kind": x.kind, "required": x.required} for x in tool.fields
                ],
            }
            for tool in server.tools
        ],
    }


def _refused(error: ServerError) -> Response:
    return refused(error.text, error.code, _STATUS.get(error.code, 400))
