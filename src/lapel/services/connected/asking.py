"""A call of a tool on its way, whose server may ask something in the middle of it.

Servers of MCP's earlier versions ask while the call is open, and wait. The question is handed out
like that of a newer server, with a name instead of a state; the call stays open until the user has
answered, and is never sent again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine
from typing import Any

import mcp_types as types

from lapel.services.connected.model import Asks, Failed, Outcome, Question
from lapel.services.connected.reading import question_of

LIVE = "live:"
"""What the name of an open call begins with, where a newer server's state would stand."""
HUMAN_S = 200.0
"""How long a server is kept waiting for the user; questions for consent lapse a little earlier."""
QUESTIONS = 8
"""Questions of one call that are put to the user; further ones are declined."""
_KEY = "live"
DECLINED = types.ElicitResult(action="decline")


class OpenCall:
    """`sending` sends the call and brings its outcome; the server has `server_s` at a time."""

    def __init__(self, sending: Coroutine[Any, Any, Outcome], server_s: float) -> None:
        self.name = f"{LIVE}{secrets.token_hex(8)}"
        self._task = asyncio.create_task(sending, name=f"mcp call {self.name}")
        self._server_s = server_s
        self._asked: asyncio.Future[Question] = asyncio.get_running_loop().create_future()
        self._answer: asyncio.Future[types.ElicitResult] | None = None
        self._questions = 0

    @property
    def is_over(self) -> bool:
        return self._task.done()

    async def outcome(self) -> Outcome:
        """How the call ended, or the next question. TimeoutError when the server does neither."""
        await asyncio.wait(
            {self._task, self._asked},
            timeout=self._server_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self._task.done():
            return self._task.result()
        if self._asked.done():
            return Asks(self._asked.result(), self.name)
        raise TimeoutError

    async def ask(self, params: types.ElicitRequestParams) -> types.ElicitResult:
        """The user's answer to what the server asks; declined where nobody can be asked that."""
        question = question_of({_KEY: types.ElicitRequest(params=params)})
        if question is None or self._answer is not None or self._questions >= QUESTIONS:
            return DECLINED
        self._questions += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._asked.set_result(question)
        try:
            async with asyncio.timeout(HUMAN_S):
                return await self._answer
        except TimeoutError:
            return types.ElicitResult(action="cancel")
        finally:
            self._answer = None

    async def answered(self, answers: dict[str, Any]) -> Outcome:
        """Hand the user's answer to the server, and go on waiting."""
        answer = self._answer
        if answer is None or answer.done():
            return Failed("It does not wait for that answer any more.", unknown=True)
        self._asked = asyncio.get_running_loop().create_future()
        answer.set_result(answers[_KEY])
        return await self.outcome()

    async def dismiss(self) -> None:
        """The user has gone on to something else: an open question is told to have none."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(types.ElicitResult(action="cancel"))
            await asyncio.wait({self._task}, timeout=self._server_s)
        self.cancel()

    def cancel(self) -> None:
        self._task.cancel()
