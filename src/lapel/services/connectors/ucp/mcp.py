"""UCP's binding to the Model Context Protocol: the verbs of REST as tools, over streamable HTTP.

A call of a tool is one POST, signed like any other. No model stands in between: the tools are
known by their names, and what a server says of them is never read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp.statuses import raise_for_status, said_no
from lapel.services.connectors.ucp.tools import Tool
from lapel.services.fetch import Answer, decode

PROTOCOL = "2025-06-18"
"""Of MCP, for servers that take a call without a word before it, or with a handshake."""
MODERN = "2026-07-28"
ACCEPT = "application/json, text/event-stream"
_SESSION_LIMIT = 512
_AGAIN = frozenset({400, 404, 405, 406})
"""Statuses by which a server may mean that it wants to be spoken to in another way."""
_PRIVATE = (-32000, -32001)
"""UCP's own errors, which have nothing to do with how the server is spoken to."""
_NONE = msgspec.Raw(b"null")
T = TypeVar("T")


class Manner(StrEnum):
    """How a server wants to be spoken to; the first that it takes is kept."""

    PLAIN = "plain"
    SESSION = "session"
    MODERN = "modern"


class _ErrorData(msgspec.Struct, frozen=True):
    code: str = ""
    retry_after: float | None = None


class _Error(msgspec.Struct, frozen=True):
    code: int
    message: str = ""
    data: msgspec.Raw = _NONE


class _Content(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""


class _Result(msgspec.Struct, frozen=True):
    structured: msgspec.Raw = msgspec.field(default=_NONE, name="structuredContent")
    content: tuple[_Content, ...] = ()
    failed: bool = msgspec.field(default=False, name="isError")


class _Message(msgspec.Struct, frozen=True):
    jsonrpc: str
    id: int | str | None = None
    method: str = ""
    result: _Result | None = None
    error: _Error | None = None


class Send(Protocol):
    """One signed POST with an Idempotency-Key, if any; the answer's signature is not looked at."""

    async def __call__(self, headers: Mapping[str, str], content: bytes, key: str) -> Answer: ...


class McpCalls:
    """Calls of tools at many merchants; remembers how each wants to be spoken to."""

    def __init__(self, profile_url: str) -> None:
        self._profile_url = profile_url
        self._manners: dict[str, Manner] = {}
        self._sessions: dict[str, str] = {}

    async def call(self, url: str, tool: Tool, key: str, send: Send, whose: str) -> Answer:
        """The answer to the tool, as it came. `key` is the Idempotency-Key, empty for reads.

        The same key is the same bytes, as long as the server is spoken to in the same manner.
        """
        known = self._manners.get(url)
        answer = await self._in(known or Manner.PLAIN, url, tool, key, send)
        if known is Manner.SESSION and answer.status == 404:
            self._sessions.pop(url, None)  # the session is over, as sessions are: a new one
            answer = await self._in(known, url, tool, key, send)
        if known is None and _other_manner(answer, whose):
            for manner in (Manner.SESSION, Manner.MODERN):
                other = await self._in(manner, url, tool, key, send)
                if not _other_manner(other, whose):
                    self._manners[url] = manner
                    return other
        elif known is None and answer.status == 200:
            self._manners[url] = Manner.PLAIN
        return answer

    async def _in(self, manner: Manner, url: str, tool: Tool, key: str, send: Send) -> Answer:
        headers = {"accept": ACCEPT, "MCP-Protocol-Version": PROTOCOL}
        if manner is Manner.SESSION:
            session = await self._session(url, send)
            if session:
                headers["Mcp-Session-Id"] = session
        if manner is Manner.MODERN:
            headers |= {
                "MCP-Protocol-Version": MODERN,
                "Mcp-Method": "tools/call",
                "Mcp-Name": tool.name,
            }
        return await send(headers, self._request(tool, key, modern=manner is Manner.MODERN), key)

    def _request(self, tool: Tool, key: str, *, modern: bool) -> bytes:
        meta: dict[str, object] = {"ucp-agent": {"profile": self._profile_url}}
        if key:
            meta["idempotency-key"] = key
        params: dict[str, object] = {
            "name": tool.name,
            "arguments": {"meta": meta, **tool.arguments},
        }
        if modern:
            params["_meta"] = {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
            }
        return _rpc("tools/call", params)

    async def _session(self, url: str, send: Send) -> str:
        """The session of an earlier handshake, or a new one; empty where the server has none."""
        if url in self._sessions:
            return self._sessions[url]
        params = {
            "protocolVersion": PROTOCOL,
            "capabilities": {},
            "clientInfo": {"name": "lapel", "version": "1"},
        }
        headers = {"accept": ACCEPT}
        answer = await send(headers, _rpc("initialize", params), "")
        session = answer.headers.get("mcp-session-id", "")
        if answer.status != 200 or len(session) > _SESSION_LIMIT or not session.isprintable():
            return ""
        headers |= {"MCP-Protocol-Version": PROTOCOL}
        if session:
            headers["Mcp-Session-Id"] = session
        note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        await send(headers, msgspec.json.encode(note), "")
        self._sessions[url] = session
        return session


def content_of(answer: Answer, shape: type[T], whose: str) -> T:
    """What the tool gave, in its wire shape; PortError for what is no answer of UCP's.

    A tool that says that it has failed leaves open what it has done: Unreachable.
    """
    try:
        message = _message(answer, whose)
    except Nonsense:
        raise_for_status(answer, whose)
        raise
    if message.error is not None:
        raise _refusal(message.error, answer, whose)
    raise_for_status(answer, whose)
    result = message.result
    if result is None:
        raise Nonsense(f"{whose!r} answers a tool with neither a result nor an error")
    if bytes(result.structured) != bytes(_NONE):
        return decode(bytes(result.structured), shape, whose)
    if result.failed:
        raise Unreachable(f"{whose!r} says that its tool has failed; the effect is unknown")
    texts = [part.text for part in result.content if part.type == "text"]
    if len(texts) != 1:
        raise Nonsense(f"{whose!r} answers a tool without structured content")
    return decode(texts[0].encode(), shape, whose)


def _rpc(method: str, params: object) -> bytes:
    """The id is always 1: a request repeated under its key is the same bytes."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return msgspec.json.encode(request)


def _message(answer: Answer, whose: str) -> _Message:
    """The one answer to request 1; of a stream of events, the event that holds it."""
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        found = [decode(answer.body, _Message, whose)]
    else:
        found = [decode(data, _Message, whose) for data in _events(answer.body)]
        found = [message for message in found if not message.method]
    answers = [message for message in found if message.id == 1 and message.jsonrpc == "2.0"]
    if len(answers) != 1 or len(found) != 1:
        raise Nonsense(f"{whose!r} gave {len(found)} answers where one was asked for")
    [message] = answers
    if (message.result is None) == (message.error is None):
        raise Nonsense(f"{whose!r} answers with a result and an error, or with neither")
    return message


def _events(stream: bytes) -> list[bytes]:
    """The data of each server-sent event."""
    found: list[bytes] = []
    for block in re.split(rb"\r\n\r\n|\n\n|\r\r", stream):
        lines = re.split(rb"\r\n|\n|\r", block)
        data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
        if any(part.strip() for part in data):
            found.append(b"\n".join(data))
    return found


def _other_manner(answer: Answer, whose: str) -> bool:
    """Whether the server has refused the manner of speaking, and not the call."""
    if answer.status not in _AGAIN:
        return False
    try:
        error = decode(answer.body, _Message, whose).error
    except Nonsense:
        return True
    return error is None or error.code not in _PRIVATE


def _refusal(error: _Error, answer: Answer, whose: str) -> Refused | Unreachable | Nonsense:
    """What an error of JSON-RPC means. The HTTP status is UCP's first word, where it is one."""
    try:
        data = msgspec.json.decode(bytes(error.data), type=_ErrorData)
    except msgspec.DecodeError:
        data = _ErrorData()
    if answer.status not in (200, 201):
        return said_no(answer.status, data.code, whose)
    match error.code, data.code:
        case -32602 | -32601, _:
            return said_no(400, data.code or str(error.code), whose)
        case -32001, "version_unsupported" | "invalid_profile_url" | "profile_malformed":
            return said_no(422, data.code, whose)
        case -32000, "idempotency_conflict":
            return said_no(409, data.code, whose)
        case -32000, code if code.startswith(("signature_", "key_not", "unauth")):
            return said_no(401, data.code, whose)
        case _:
            return Unreachable(f"{whose!r} answers with error {error.code}; its effect is unknown")
