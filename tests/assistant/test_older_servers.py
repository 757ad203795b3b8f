"""Servers of MCP's earlier versions: their questions reach the user, their lies and their lengths do not."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.test_connected import PRESS, Table
from lapel.assistant.connected import ConnectedSkill
from lapel.services.connected import Servers, State, ToolCalls, asking
from lapel.store import Store, schema
from services import older_tools

pytestmark = pytest.mark.net

Open = Callable[..., Awaitable[Table]]


@asynccontextmanager
async def house(folder: Path, trick: str = "") -> AsyncIterator[Table]:
    store = await Store.open(folder / "lapel.sqlite3")
    await store.write(
        lambda at: at.execute(sa.insert(schema.users).values(id="u_1", name="U", created_at=0.0))
    )
    program = [sys.executable, str(Path(older_tools.__file__)), *([trick] if trick else [])]
    servers = Servers(store, lambda: {"house": program}, lambda: 1000.0)
    calls = ToolCalls(store)
    made = Table(servers, calls, None, [], "")  # type: ignore[arg-type]
    made.skill = ConnectedSkill("u_1", servers, calls, made, lambda: made.now)
    await servers.add(name="house")
    try:
        yield made
    finally:
        await servers.close()
        await store.close()


async def test_a_question_in_the_middle_of_a_call_is_answered_in_words(tmp_path: Path):
    async with house(tmp_path) as table:
        assert await table.says("ask house party") == "I ask you first."
        said = await table.decide(yes=True)
        assert said == "House asks: How many people? Which people?"
        assert (await table.last()).state is State.QUESTIONED
        assert await table.says("ask house look") == "House says: look is done"
        assert await table.hear("seven") is None


async def test_the_answer_ends_the_call_that_is_open(tmp_path: Path):
    async with house(tmp_path) as table:
        await table.says("ask house party")
        await table.decide(yes=True)
        assert await table.says("seven") == "House says: accept {'people': 7}"
        assert (await table.last()).state is State.DONE
        await table.says("ask house party")
        await table.decide(yes=True)
        assert await table.says("never mind") == "House says: decline None"


async def test_a_question_for_consent_is_a_gesture_and_a_grave_tool_says_so(tmp_path: Path):
    async with house(tmp_path) as table:
        await table.says("ask house alarm")
        [cue] = table.cues
        assert cue.card is not None
        assert (
            cue.card.footer
            == "It may delete or overwrite something, and reach others. Press to allow"
        )
        assert "It may delete or overwrite something" in cue.speech
        await table.decide(yes=True)
        [asked] = await table.skill.asked()
        assert asked.cue.card is not None
        assert asked.cue.card.body == "House asks: “It wakes everybody. Sure?”"
        said = await table.skill.decided(asked, yes=True, evidence=PRESS)
        assert said.text == "House says: accept {'sure': True}"
        await table.says("ask house alarm")
        await table.decide(yes=True)
        [asked] = await table.skill.asked()
        said = await table.skill.decided(asked, yes=False, evidence=PRESS)
        assert said.text == "House says: decline None"


async def test_who_is_not_answered_hears_so_and_the_line_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asking, "HUMAN_S", 0.05)
    async with house(tmp_path) as table:
        await table.says("ask house party")
        await table.decide(yes=True)
        line = table.servers._lines[(await table.servers.all())[0].id]
        async with asyncio.timeout(20):
            while not (line._open and line._open.is_over):
                await asyncio.sleep(0.01)
        assert (
            await table.says("seven")
            == "I do not know whether House did it (party). Look there before you ask again."
        )
        assert await table.says("ask house look") == "House says: look is done"


async def test_after_a_restart_the_call_is_not_known_and_never_sent_again(tmp_path: Path):
    async with house(tmp_path) as table:
        await table.says("ask house party")
        await table.decide(yes=True)
        await table.servers._hang_up((await table.servers.all())[0].id)
        assert (await table.says("seven")).startswith("I do not know whether House did it")
        assert (await table.last()).state is State.UNKNOWN


async def test_a_server_that_never_stops_asking_is_declined(tmp_path: Path):
    async with house(tmp_path, "never_stops_asking") as table:
        await table.says("ask house party")
        said = await table.decide(yes=True)
        asked = 0
        while said.endswith("Which people?"):
            asked += 1
            said = await table.says("one")
        assert (asked, said) == (asking.QUESTIONS, "House says: gave up")


async def test_a_server_that_asks_for_a_model_gets_none(tmp_path: Path):
    async with house(tmp_path, "asks_a_model") as table:
        await table.says("ask house party")
        assert await table.decide(yes=True) == "House says: error None"


async def test_a_line_without_end_ends_the_line_and_nothing_else(tmp_path: Path):
    async with house(tmp_path, "line_without_end") as table:
        await table.says("ask house party")
        said = await table.decide(yes=True)
        assert said.startswith("I do not know whether House did it")
        assert "a line of more than 4194304 bytes" in (await table.last()).text
        checked = await table.servers.check("house")
        assert checked.trouble == ""


async def test_hints_are_believed_only_where_they_are_graver(tmp_path: Path):
    async with house(tmp_path) as table:
        tools = {tool.name: tool for tool in (await table.servers.all())[0].tools}
        assert {name for name, tool in tools.items() if tool.free} == {"look", "change"}
        assert {name for name, tool in tools.items() if tool.destructive} == {"alarm", "shred"}
        assert await table.says("ask house delete everything") == "I ask you first."
        assert await table.decide(yes=False) == "All right, I did not use it."
        assert await table.says("ask house look") == "House says: look is done"
        said = await table.says("ask house change")
        assert (
            said
            == "House could not do it: The tool is not what it was any more, so I did not use it."
        )
