"""A server's program over its standard streams, one line a message, each bounded.

The package's own transport reads a line of any length; this one gives up on a server that does not
end its line. The program runs in a session of its own, so that what it has started ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.stdio import get_default_environment
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

STOP_S = 2.0
"""How long a program may take to end by itself once its input is closed."""

Streams = tuple[
    MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]
]


@asynccontextmanager
async def started(
    command: tuple[str, ...], limit: int, troubles: list[str]
) -> AsyncGenerator[Streams]:
    """The two streams of a running program. Raises OSError when it cannot be started.

    It sees a few harmless variables of the environment, and none of Lapel's. A line of more than
    `limit` bytes ends the connection; `troubles` then says why.
    """
    program = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=get_default_environment(),
        limit=limit,
        start_new_session=True,
    )
    came, heard = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, going = anyio.create_memory_object_stream[SessionMessage](0)
    reading = asyncio.create_task(_read(program, came, limit, troubles))
    writing = asyncio.create_task(_write(program, going, came))
    try:
        yield heard, sent
    finally:
        for task in (reading, writing):
            task.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)
        for stream in (came, heard, sent, going):
            stream.close()
        await asyncio.shield(_stopped(program))


async def _read(
    program: asyncio.subprocess.Process,
    came: MemoryObjectSendStream[SessionMessage | Exception],
    limit: int,
    troubles: list[str],
) -> None:
    out = program.stdout
    assert out is not None
    async with came:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            while True:
                try:
                    line = await out.readline()
                except ValueError:
                    troubles.append(f"it sent a line of more than {limit} bytes")
                    return
                if not line:
                    return
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValidationError as error:
                    await came.send(error)
                else:
                    await came.send(SessionMessage(message))


async def _write(
    program: asyncio.subprocess.Process,
    going: MemoryObjectReceiveStream[SessionMessage],
    came: MemoryObjectSendStream[SessionMessage | Exception],
) -> None:
    to = program.stdin
    assert to is not None
    try:
        async for message in going:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            to.write(text.encode() + b"\n")
            await to.drain()
    except ConnectionError:
        came.close()  # whoever waits for an answer shall not wait for ever


async def _stopped(program: asyncio.subprocess.Process) -> None:
    """Its input is closed, then it is asked, then it is ended."""
    if program.stdin is not None:
        program.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await program.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, number)
    await program.wait()
