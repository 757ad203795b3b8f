"""A model file on this machine: started when it is first asked, stopped when nobody asks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import sys
from importlib.util import find_spec
from pathlib import Path

import httpx

from lapel.brain.tools import Proposal, Request
from lapel.models.chat import Chat
from lapel.models.errors import EngineMissing, ModelFailed

START_S = 120.0
STOP_S = 5.0
IDLE_S = 900.0
"""A model that nobody asked for so long gives its memory back."""


class Local:
    """A GGUF file behind the same API, in a child process."""

    def __init__(
        self, http: httpx.AsyncClient, file: Path, *, answers: bool = False, idle_s: float = IDLE_S
    ) -> None:
        self._http = http
        self._file = file
        self._answers = answers
        self._idle_s = idle_s
        self._process: asyncio.subprocess.Process | None = None
        self._chat: Chat | None = None
        self._starting = asyncio.Lock()
        self._stop: asyncio.TimerHandle | None = None
        self._busy = 0

    async def propose(self, request: Request) -> Proposal:
        """Raises EngineMissing without the extra, ModelFailed where it does not run."""
        self._busy += 1
        try:
            return await (await self.chat()).propose(request)
        finally:
            self._busy -= 1
            self._rest()

    async def chat(self) -> Chat:
        """The running model, started if need be. A start goes on when its first asker gives up."""
        return await asyncio.shield(asyncio.ensure_future(self._started()))

    async def _started(self) -> Chat:
        async with self._starting:
            if self._process is not None and self._process.returncode is None and self._chat:
                return self._chat
            if find_spec("xllamacpp") is None:
                raise EngineMissing("what runs local models is not installed")
            key = secrets.token_hex(16)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "lapel.models.serving",
                str(self._file),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={**os.environ, "LAPEL_MODEL_KEY": key},
                start_new_session=True,
            )
            url = await self._address(self._process)
            self._chat = Chat(
                self._http, f"{url}/v1", "local", key, style="json", answers=self._answers
            )
            self._rest()
            return self._chat

    async def _address(self, process: asyncio.subprocess.Process) -> str:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                while line := (await process.stdout.readline()).decode().strip():
                    if line.startswith("http://127.0.0.1:"):
                        return line
        except TimeoutError:
            pass
        await _end(process)
        raise ModelFailed("the local model does not start")

    def _rest(self) -> None:
        """Stop it when nobody asks for long."""
        if self._stop is not None:
            self._stop.cancel()
        loop = asyncio.get_running_loop()
        self._stop = loop.call_later(self._idle_s, self._idle)

    def _idle(self) -> None:
        if self._busy:
            self._rest()
        elif self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()  # it ends with its input
            self._process = self._chat = None

    async def close(self) -> None:
        """Stop it; it can be asked again."""
        if self._stop is not None:
            self._stop.cancel()
        process, self._process, self._chat = self._process, None, None
        if process is not None:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
