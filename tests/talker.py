"""A server that speaks the OpenAI API as it is told to: well, slowly, wrongly, or without end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Reply = Callable[[dict[str, Any]], Response]


@dataclass
class Talker:
    """`replies` answers each request, the last one also all that follow; `asked` are the bodies as they came."""

    replies: list[Reply]
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when who asked went away in the middle of an endless answer."""

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self._talk, methods=["POST"])])

    async def _talk(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        self.keys.append(request.headers.get("authorization"))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(body)


def calls(name: str, **arguments: object) -> Reply:
    """A call in pieces, as real servers stream it."""
    text = json.dumps(arguments)
    half = len(text) // 2
    return pieces(
        {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": name, "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": text[:half]}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": text[half:]}}]},
        {
            "tool_calls": [
                {"index": 1, "id": "c2", "function": {"name": "another", "arguments": "{}"}}
            ]
        },
    )


def says(text: str) -> Reply:
    return pieces(
        {"role": "assistant", "content": None},
        *({"content": word} for word in text.split(" ")),
        join=" ",
    )


def pieces(*deltas: dict[str, Any], join: str = "") -> Reply:
    def reply(body: dict[str, Any]) -> Response:
        async def stream() -> AsyncIterator[str]:
            for at, delta in enumerate(deltas):
                sent = dict(delta)
                if join and sent.get("content") and at > 1:
                    sent["content"] = join + sent["content"]
                yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': sent}]})}\n\n"
            yield "data: [DONE]\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    return reply


def whole(content: str) -> Reply:
    """From a server that does not stream."""
    return lambda body: JSONResponse(
        {"choices": [{"message": {"role": "assistant", "content": content}}]}
    )


def refuses(status: int) -> Reply:
    return lambda body: JSONResponse(
        {"error": {"message": "no: " + str(body["messages"][-1])}}, status
    )


def breaks(body: dict[str, Any]) -> Response:
    return Response(
        b'data: {"choices": [{"delta": \n\ndata: [DONE]\n\n', media_type="text/event-stream"
    )


def endless(talker: Talker, every_s: float = 0.0) -> Reply:
    """Words that do not end, until who asked has gone."""

    def reply(body: dict[str, Any]) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b'data: {"choices": [{"delta": {"content": "and so on "}}]}\n\n'
                    await asyncio.sleep(every_s)
            finally:
                talker.left.set()

        return StreamingResponse(stream(), media_type="text/event-stream")

    return reply
