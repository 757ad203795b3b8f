"""The skill of MCP servers: a tool's arguments from words, consent, and the answer.

A tool that only reads runs at once. Every other one is asked about first, on a device: a card with
the exact tool and arguments, and a deliberate gesture. What a server answers is told, never obeyed.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lapel.assistant.connected import wording
from lapel.assistant.connected.grammar import ListServices, UseTool, WhatCan, WhichTool, read
from lapel.assistant.connected.tools import tools
from lapel.assistant.skills import Asked, Heard, Outcome, Teller
from lapel.brain import tools as brain_tools
from lapel.commerce import Evidence
from lapel.devices import Card
from lapel.services.connected import (
    Answered,
    Asks,
    Failed,
    Field,
    Question,
    Server,
    Servers,
    State,
    Tool,
    ToolCall,
    ToolCalls,
    Unfit,
    missing,
    value_of,
)

QUESTION_S = 90.0
"""A question for an argument waits so long for its answer."""
CONSENT_S = 180.0
"""How long a question for consent can be answered."""
PATIENCE_S = 2.5
"""How long a turn waits for a server; what comes later is told when it comes."""
_STOP = frozenset({"never mind", "nevermind", "stop", "cancel", "forget it", "leave it"})


@dataclass(slots=True)
class _Filling:
    """Arguments of a tool, or answers to a server, that are being asked for one by one."""

    server: Server
    tool: Tool
    said: str
    values: dict[str, Any]
    asked: Field
    at: float
    call: ToolCall | None = None
    """The call whose server asks; None while the tool was not called yet."""

    @property
    def fields(self) -> Sequence[Field]:
        question = self.call.question if self.call else None
        return self.tool.fields if question is None else question.fields


@dataclass(slots=True)
class _Turn:
    """What a turn did, to take it back."""

    number: int = -1
    before: _Filling | None = None
    asked: str = ""


class ConnectedSkill:
    """One user's. Implements `Skill` and `Asker`."""

    def __init__(
        self,
        user_id: str,
        servers: Servers,
        calls: ToolCalls,
        teller: Teller,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._user_id = user_id
        self._servers = servers
        self._calls = calls
        self._teller = teller
        self._clock = clock
        self._filling: _Filling | None = None
        self._turn = _Turn()
        self._known: tuple[Server, ...] = ()
        self._running: set[asyncio.Task[ToolCall]] = set()

    async def hear(self, heard: Heard) -> Outcome | None:
        """Use the tool that is named, or take the answer to the question that was asked."""
        filling, self._filling = self._filling, None
        self._turn = _Turn(heard.turn, filling)
        self._known = await self._servers.all()
        wish = read(heard.words.text, self._known)
        match wish:
            case ListServices():
                text, card = wording.overview(self._known)
                return Outcome(text, card)
            case WhatCan(server) | WhichTool(server):
                text, card = wording.tools(server)
                return Outcome(text, card)
            case UseTool(server, tool, said):
                return await self._use(server, tool, said, heard.words.text)
            case None:
                pass
        if filling is None or heard.at - filling.at > QUESTION_S:
            return None
        return await self._filled(filling, heard.words.text)

    async def undo(self, turn: int) -> None:
        """The user went on speaking: the question of this turn is taken back."""
        if self._turn.number != turn:
            return
        undone, self._turn = self._turn, _Turn()
        self._filling = undone.before
        if undone.asked:
            await self._calls.move(undone.asked, {State.ASKING}, State.LAPSED)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        return None

    def tools(self) -> Sequence[brain_tools.Tool]:
        return tools(self._known)

    def hints(self) -> Sequence[str]:
        return [f"ask {server.name}" for server in self._known]

    # From words to arguments. --------------------------------------------------------------------

    async def _use(self, server: Server, tool: Tool, said: str, whole: str) -> Outcome:
        values: dict[str, Any] = {}
        needed = [each for each in tool.fields if each.required]
        if said and not needed and tool.fields:
            needed = [each for each in tool.fields if each.kind == "string"][:1]
        if said and needed:
            try:
                values[needed[0].name] = value_of(said, needed[0])
            except Unfit as error:
                return self._ask(_Filling(server, tool, whole, {}, needed[0], 0.0), str(error))
        elif said and not tool.fields:
            return Outcome(f"{wording.name_of(tool.called)} takes nothing more. Say only its name.")
        return await self._go_on(_Filling(server, tool, whole, values, Field("", ""), 0.0))

    async def _filled(self, filling: _Filling, text: str) -> Outcome | None:
        if text.casefold().strip(" .!?") in _STOP:
            if filling.call is not None:
                return await self._answer_server(filling, None)
            return Outcome(wording.NEVER_MIND)
        try:
            filling.values[filling.asked.name] = value_of(text, filling.asked)
        except Unfit as error:
            return self._ask(filling, str(error))
        return await self._go_on(filling)

    async def _go_on(self, filling: _Filling) -> Outcome:
        """Ask for the next argument, or call the tool with all of them."""
        try:
            wanted = missing(filling.fields, filling.values)
        except Unfit as error:
            who = wording.name_of(filling.server.name)
            return Outcome(f"I cannot use {filling.tool.called} of {who}: {error}.")
        if wanted is not None:
            filling.asked = wanted
            return self._ask(filling)
        if filling.call is not None:
            return await self._answer_server(filling, filling.values)
        return await self._call(filling)

    def _ask(self, filling: _Filling, trouble: str = "") -> Outcome:
        filling.at = self._clock()
        self._filling = filling
        question = wording.ask_for(filling.asked)
        said = f"{trouble[:1].upper()}{trouble[1:]}. " if trouble else ""
        return Outcome(said + question)

    # Calling. ------------------------------------------------------------------------------------

    async def _call(self, filling: _Filling) -> Outcome:
        server, tool, now = filling.server, filling.tool, self._clock()
        call = ToolCall(
            id=f"t_{secrets.token_hex(10)}",
            user_id=self._user_id,
            server_id=server.id,
            server_name=server.name,
            tool=tool.name,
            tool_called=tool.called,
            mark=tool.mark,
            arguments=filling.values,
            said=filling.said,
            state=State.RUNNING if tool.free else State.ASKING,
            asked_at=now,
            expires_at=now + CONSENT_S,
            began_at=now,
            where=server.where,
            destructive=tool.destructive,
            outside=tool.outside,
        )
        await self._calls.add(call)
        if tool.free:
            return await self._run(call)
        self._turn.asked = call.id
        await self._teller.tell(self._user_id, [wording.question(call, now=now)])
        return Outcome(wording.ASKED)

    async def _run(self, call: ToolCall, content: dict[str, Any] | None = None) -> Outcome:
        """Run it, and answer at once if the server is quick; later by a cue if it is not."""
        task = asyncio.create_task(self._finish(call, content), name=f"tool {call.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
        if task not in done:
            task.add_done_callback(self._tell_later)
            return Outcome(wording.WAIT.format(server=wording.name_of(call.server_name)))
        return await self._outcome(task.result())

    def _tell_later(self, task: asyncio.Task[ToolCall]) -> None:
        if not task.cancelled() and task.exception() is None:
            later = asyncio.create_task(self._tell(task.result()))
            self._running.add(later)  # type: ignore[arg-type]
            later.add_done_callback(self._running.discard)  # type: ignore[arg-type]

    async def _finish(self, call: ToolCall, content: dict[str, Any] | None) -> ToolCall:
        """The call once it has run; what came of it is in the record first."""
        came = await self._servers.call(call, content)
        change: tuple[State, dict[str, Any]]
        match came:
            case Answered(text):
                change = State.DONE, {"text": text}
            case Failed(text, unknown):
                lost = unknown and not await self._is_free(call)
                change = (State.UNKNOWN if lost else State.FAILED), {"text": text}
            case Asks(question, state):
                change = self._questioned(question, state)
        moved = await self._calls.move(call.id, {State.RUNNING}, change[0], **change[1])
        return moved or call

    def _questioned(self, question: Question, state: str) -> tuple[State, dict[str, Any]]:
        asks = State.ASKING if question.is_consent else State.QUESTIONED
        now = self._clock()
        return asks, {
            "question": question,
            "request_state": state,
            "asked_at": now,
            "expires_at": now + CONSENT_S,
        }

    async def _is_free(self, call: ToolCall) -> bool:
        servers = await self._servers.all()
        tools = [tool for server in servers if server.id == call.server_id for tool in server.tools]
        return any(tool.name == call.tool and tool.free for tool in tools)

    async def _outcome(self, call: ToolCall) -> Outcome:
        match call.state:
            case State.ASKING:
                await self._teller.tell(self._user_id, [wording.question(call, now=self._clock())])
                return Outcome(wording.ASKED)
            case State.QUESTIONED:
                return await self._ask_for(call)
            case _:
                text, card = _told(call)
                return Outcome(text, card)

    async def _tell(self, call: ToolCall) -> None:
        """By itself, after the turn."""
        if call.state is State.ASKING:
            cue = wording.question(call, now=self._clock())
        elif call.state is State.QUESTIONED:
            cue = wording.told(call, (await self._ask_for(call)).text)
        else:
            cue = wording.told(call, *_told(call))
        await self._teller.tell(self._user_id, [cue])

    async def _ask_for(self, call: ToolCall) -> Outcome:
        """Put the server's question, as its own words, and ask for its first field."""
        question = call.question
        server = next((x for x in await self._servers.all() if x.id == call.server_id), None)
        tool = next((x for x in server.tools if x.name == call.tool), None) if server else None
        if question is None or server is None or tool is None:
            return Outcome(wording.unknown(call))
        filling = _Filling(server, tool, call.said, {}, Field("", ""), self._clock(), call)
        try:
            wanted = missing(question.fields, {}) or next(iter(question.fields), None)
        except Unfit:
            wanted = None
        if wanted is None:
            return await self._answer_server(filling, None)
        filling.asked = wanted
        who = wording.name_of(call.server_name)
        return Outcome(f"{who} asks: {question.text} {self._ask(filling).text}")

    async def _answer_server(self, filling: _Filling, content: dict[str, Any] | None) -> Outcome:
        call = filling.call
        if call is None:
            raise ValueError("nobody has asked")
        moved = await self._calls.move(
            call.id, {State.QUESTIONED}, State.RUNNING, began_at=self._clock()
        )
        return Outcome(wording.NEVER_MIND) if moved is None else await self._run(moved, content)

    # Consent (Asker). ----------------------------------------------------------------------------

    async def asked(self) -> Sequence[Asked]:
        """The questions for consent that can still be answered."""
        now = self._clock()
        open_ones: list[Asked] = []
        for call in await self._calls.of(self._user_id, State.ASKING):
            if call.expires_at <= now:
                await self._calls.move(call.id, {State.ASKING}, State.LAPSED)
                continue
            open_ones.append(Asked(call.id, call.asked_at, wording.question(call, now=now)))
        return open_ones

    async def decided(self, asked: Asked, *, yes: bool, evidence: Evidence) -> Outcome:
        """Run what was agreed to, exactly that, once; or leave it."""
        call = await self._calls.get(asked.id)
        now = self._clock()
        if call is None or wording.question(call, now=now).id != asked.cue.id:
            return Outcome(wording.NOT_DONE)  # the question has changed since it was shown
        proof = msgspec.json.encode([call.hash(), evidence]).decode()
        if not yes and call.question is None:
            await self._calls.move(call.id, {State.ASKING}, State.REFUSED, evidence=proof)
            return Outcome(wording.NOT_DONE)
        moved = await self._calls.move(
            call.id, {State.ASKING}, State.RUNNING, evidence=proof, began_at=now
        )
        if moved is None:
            return Outcome(wording.NOT_DONE)
        if call.question is None:
            return await self._run(moved)
        content = {call.question.fields[0].name: True} if yes else None
        return await self._run(moved, content)


def _told(call: ToolCall) -> tuple[str, Card | None]:
    match call.state:
        case State.DONE:
            return wording.answer(call)
        case State.UNKNOWN:
            return wording.unknown(call), None
        case _:
            return wording.failure(call), None
