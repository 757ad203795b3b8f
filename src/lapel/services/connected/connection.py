"""One line to one MCP server. This is the only module that loads the `mcp` package.

A line is opened by the first call and closed after `IDLE_S`. It belongs to one task, which serves
one call after the other; whoever waits too long, or breaks the line, breaks this line alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import mcp_types as types
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.session import ElicitationFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from lapel.services.connected.asking import DECLINED, LIVE, OpenCall
from lapel.services.connected.model import Answered, Asks, Failed, Outcome, Server, Tool
from lapel.services.connected.program import started
from lapel.services.connected.reading import kept, question_of, text_of, tools_of

OPEN_S = 20.0
CALL_S = 30.0
IDLE_S = 120.0
WAITING = 16
"""Calls that may wait for a line; more are refused."""
BODY = 4 << 20
"""Bytes of one answer: over HTTP, and of a line of a program's."""
LONGEST_S = 1800.0
"""A call that stays open for the user's answers; the server's own time is `CALL_S` each."""

_NO_ANSWER = frozenset({types.CONNECTION_CLOSED, types.REQUEST_TIMEOUT})
"""Codes that the client makes itself where the server has said nothing."""

Job = Callable[[Client], Awaitable[Any]]


class Dead(Exception):
    """The server cannot be talked to; `sent` when a call was under way and may have happened."""

    def __init__(self, text: str, *, sent: bool = False) -> None:
        super().__init__(text)
        self.sent = sent


class Refusal(Exception):
    """The server answers that it will not; the line is as good as before."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call of a tool. `mark` is that of the tool which the user agreed to.

    `answers` and `state` go back to a server that has asked something.
    """

    tool: str
    mark: str
    arguments: dict[str, Any]
    answers: dict[str, Any] | None = None
    state: str = ""


class Line:
    """Use `tools` and `call` from anywhere; `close` when the server is no longer known."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._jobs: asyncio.Queue[tuple[Job, asyncio.Future[Any]]] = asyncio.Queue(WAITING)
        self._task: asyncio.Task[None] | None = None
        self._open: OpenCall | None = None
        self._breaking = False
        self._troubles: list[str] = []
        """What a program has done to the connection."""

    async def tools(self) -> tuple[str, tuple[Tool, ...]]:
        """What the server calls itself, and its tools. Dead when it cannot be had."""

        async def job(client: Client) -> tuple[str, tuple[Tool, ...]]:
            listed = await client.list_tools()
            info = client.server_info
            return (info.name if info else ""), tools_of(listed.tools)

        return cast("tuple[str, tuple[Tool, ...]]", await self._ask(job))

    async def call(self, request: Request) -> Outcome:
        """Call a tool once; nothing is ever tried again by itself."""
        if request.state.startswith(LIVE):
            return await self._go_on(request)

        async def job(client: Client) -> Outcome:
            if self._open is not None:
                await self._open.dismiss()
            listed = tools_of((await client.list_tools()).tools)
            tool = next((x for x in listed if x.name == request.tool), None)
            if tool is None or tool.mark != request.mark:
                return Failed("The tool is not what it was any more, so I did not use it.")
            self._open = OpenCall(_sent(client, request), CALL_S)
            return await self._open.outcome()

        return cast("Outcome", await self._ask(job))

    async def _go_on(self, request: Request) -> Outcome:
        """The answer to a question that was asked in the middle of a call that is still open."""
        open_call = self._open
        if open_call is None or open_call.name != request.state or open_call.is_over:
            return Failed("It does not wait for that answer any more.", unknown=True)

        async def job(_: Client) -> Outcome:
            return await open_call.answered(request.answers or {})

        return cast("Outcome", await self._ask(job))

    async def read(self, tool: str, arguments: dict[str, Any]) -> str:
        """The whole text of a tool's answer, for a program to read. Dead where there is none."""

        async def job(client: Client) -> str:
            try:
                answer = await client.call_tool(tool, arguments)
            except MCPError as error:
                raise Refusal(kept(error.error.message)) from error
            text = "".join(block.text for block in answer.content if block.type == "text")
            if answer.is_error or len(text) > BODY:
                raise Refusal(kept(text))
            return text

        return cast("str", await self._ask(job))

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, job: Job) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._breaking and self._task is not None:
            await asyncio.wait({self._task})  # the next one gets a line of its own
        try:
            self._jobs.put_nowait((job, answer))
        except asyncio.QueueFull:
            raise Dead("too many calls wait for it") from None
        if self._task is None or self._task.done():
            self._breaking = False
            self._task = asyncio.create_task(self._serve(), name=f"mcp {self._server.id}")
        return await answer

    async def _serve(self) -> None:
        why = "it ended"
        self._troubles = troubles = list[str]()
        try:
            async with AsyncExitStack() as stack:
                async with asyncio.timeout(OPEN_S):
                    client = await _open(self._server, stack, self._asked, troubles)
                while True:
                    await self._next(client)
        except TimeoutError:
            why = "it did not answer in time"
        except _Idle:
            pass
        except Exception as error:  # the boundary of one server: others must not suffer from it
            why = _reason(error)
        finally:
            if self._open is not None:
                self._open.cancel()
            why = troubles[0] if troubles else why
            while not self._jobs.empty():
                _, answer = self._jobs.get_nowait()
                if not answer.done():
                    answer.set_exception(Dead(why))

    async def _next(self, client: Client) -> None:
        """Serve one call; a call that fails in an odd way takes the line down with it."""
        try:
            job, answer = await asyncio.wait_for(self._jobs.get(), IDLE_S)
        except TimeoutError:
            if self._open is not None and not self._open.is_over:
                return  # the user is still asked
            raise _Idle from None
        try:
            async with asyncio.timeout(OPEN_S + CALL_S):
                found = await job(client)
        except Refusal as error:
            if not answer.done():
                answer.set_exception(error)
            return
        except BaseException as error:
            self._breaking = True
            if not answer.done():
                why = self._troubles[0] if self._troubles else _reason(error)
                answer.set_exception(Dead(why, sent=True))
            raise
        if not answer.done():
            answer.set_result(found)

    async def _asked(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult:
        """A question in the middle of a call; one without a call is declined."""
        return DECLINED if self._open is None else await self._open.ask(params)


class _Idle(Exception):
    pass


async def _sent(client: Client, request: Request) -> Outcome:
    try:
        answer = await client.session.call_tool(
            request.tool,
            request.arguments,
            LONGEST_S,
            input_responses=request.answers,
            request_state=request.state or None,
            allow_input_required=True,
        )
    except MCPError as error:
        if error.error.code in _NO_ANSWER:
            raise  # the line has broken under the call, which may have happened
        return Failed(kept(error.error.message))
    return _outcome(answer)


def _outcome(answer: types.CallToolResult | types.InputRequiredResult) -> Outcome:
    if isinstance(answer, types.InputRequiredResult):
        question = question_of(answer.input_requests or {})
        if question is None:
            return Failed("It asks for something that I cannot ask you.")
        return Asks(question, answer.request_state or "")
    text = text_of(answer.content)
    return Failed(text) if answer.is_error else Answered(text)


def answer_to(key: str, content: dict[str, Any] | None) -> dict[str, Any]:
    """The user's answer to a server's question; None declines it."""
    if content is None:
        return {key: types.ElicitResult(action="decline")}
    return {key: types.ElicitResult(action="accept", content=content)}


async def _open(
    server: Server, stack: AsyncExitStack, asked: ElicitationFnT, troubles: list[str]
) -> Client:
    """A client that is connected. What goes wrong with a program later is put into `troubles`."""
    if server.command:
        transport = started(server.command, BODY, troubles)
    else:
        headers = {"authorization": f"Bearer {server.token}"} if server.token else {}
        http = await stack.enter_async_context(
            httpx2.AsyncClient(
                transport=_Bounded(), headers=headers, trust_env=False, timeout=CALL_S
            )
        )
        transport = streamable_http_client(server.url, http_client=http, max_sse_event_size=BODY)
    client = Client(transport, read_timeout_seconds=CALL_S, elicitation_callback=asked, cache=None)
    return await stack.enter_async_context(client)


class _Bounded(httpx2.AsyncHTTPTransport):
    """No answer of more than `BODY` bytes is read, streams of events by the event aside."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        events = response.headers.get("content-type", "").startswith("text/event-stream")
        if not events:
            response.stream = _Counted(cast("httpx2.AsyncByteStream", response.stream))
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = BODY
        async for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise httpx2.ReadError(f"an answer of more than {BODY} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


def _reason(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    if isinstance(error, FileNotFoundError | PermissionError):
        return "its program cannot be started"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    return kept(str(error))[:200] or type(error).__name__
