"""One model behind the OpenAI API, wherever it runs: a request out, a proposal back.

The answer is read as a stream, so that giving up ends it at the server too, and one that never ends
is cut off.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
import msgspec

from lapel.brain.tools import Proposal, Request
from lapel.models import prompting
from lapel.models.errors import ModelFailed

MOST_BYTES = 256_000
"""Of one answer, with the wrapping of its stream."""
MOST_TOKENS = 200
CONNECT_S = 5.0


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Called(msgspec.Struct):
    index: int = 0
    function: _Function = msgspec.field(default_factory=_Function)


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_Called] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    message: _Delta | None = None


class _Piece(msgspec.Struct):
    choices: list[_Choice] = msgspec.field(default_factory=list[_Choice])
    error: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


@dataclass(slots=True)
class _Heard:
    """What came so far: of several calls the first one counts."""

    text: list[str] = field(default_factory=list[str])
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])

    def add(self, piece: bytes) -> None:
        try:
            found = msgspec.json.decode(piece, type=_Piece)
        except msgspec.DecodeError as error:
            raise ModelFailed("its answer is not the OpenAI API's") from error
        if found.error:
            raise ModelFailed("it reported a fault of its own")
        for choice in found.choices[:1]:
            delta = choice.message or choice.delta
            self.text.append(delta.content or "")
            for called in delta.tool_calls or []:
                if called.index == 0:
                    self.name += called.function.name or ""
                    self.arguments.append(called.function.arguments or "")


@dataclass(frozen=True, slots=True)
class Chat:
    """`url` is what stands before `/chat/completions`."""

    http: httpx.AsyncClient
    url: str
    model: str
    key: str = field(default="", repr=False)
    style: Literal["tools", "json"] = "tools"
    answers: bool = False

    async def propose(self, request: Request) -> Proposal:
        """What the model makes of the words. Raises ModelFailed; never with what was said."""
        asked = {
            "model": self.model,
            "stream": True,
            "temperature": 0,
            "max_tokens": MOST_TOKENS,
            **prompting.body(request, self.style, answers=self.answers),
        }
        heard = _Heard()
        async for piece in self._pieces(asked):
            heard.add(piece)
        if heard.name:
            return prompting.proposal_of_call(heard.name, "".join(heard.arguments))
        return prompting.proposal_of_text("".join(heard.text), self.style)

    async def check(self) -> None:
        """Whether it answers at all, by words of ours. Raises ModelFailed."""
        asked = {
            "model": self.model,
            "stream": True,
            "max_tokens": 4,
            "messages": [{"role": "user", "content": "Say yes."}],
        }
        heard = _Heard()
        async for piece in self._pieces(asked):
            heard.add(piece)
        if not "".join(heard.text).strip():
            raise ModelFailed("it answered with nothing")

    async def _pieces(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        """The pieces of the answer as JSON; of a server that does not stream there is one."""
        headers = {"authorization": f"Bearer {self.key}"} if self.key else {}
        url = f"{self.url}/chat/completions"
        try:
            async with self.http.stream("POST", url, json=asked, headers=headers) as answer:
                if answer.status_code != 200:
                    raise ModelFailed(f"it answered with status {answer.status_code}")
                whole = not answer.headers.get("content-type", "").startswith("text/event-stream")
                async for piece in _bounded(answer, whole=whole):
                    yield piece
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelFailed(f"it cannot be reached: {type(error).__name__}") from error


async def _bounded(answer: httpx.Response, *, whole: bool) -> AsyncIterator[bytes]:
    """Raises ModelFailed for an answer that does not end."""
    size, rest = 0, b""
    async for chunk in answer.aiter_bytes():
        size += len(chunk)
        if size > MOST_BYTES:
            raise ModelFailed("its answer does not end")
        rest += chunk
        if whole:
            continue
        *lines, rest = rest.split(b"\n")
        for line in lines:
            data = line.strip().removeprefix(b"data:").strip()
            if data == b"[DONE]":
                return
            if line.startswith(b"data:"):
                yield data
    if whole and rest:
        yield rest


def open_models() -> httpx.AsyncClient:
    """The client for models: no proxies and no redirects, which could lead words elsewhere."""
    timeout = httpx.Timeout(None, connect=CONNECT_S)  # who asks has a limit for the whole
    return httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=timeout)
