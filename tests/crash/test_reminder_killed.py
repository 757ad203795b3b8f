"""Timers with real programs: asked for in a terminal, told once, also when Lapel is killed between due and told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer, text_of

pytestmark = pytest.mark.crash

DYING = str(Path(__file__).with_name("dying.py"))
LAPEL = str(Path(sys.executable).with_name("lapel"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.close()


def lapel(town: Town, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [LAPEL, *arguments, "--data", str(town.folder / "lapel")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def rang(me: Wearer) -> list[str]:
    return [
        text_of(shown.cue)
        for shown in me[Family.GLASSES].cues
        if shown.cue.topic.startswith("reminder:") and not shown.again
    ]


async def ringing(me: Wearer) -> None:
    await me[Family.GLASSES].says("is done")
    await asyncio.sleep(1)  # nothing more may come


async def test_a_timer_of_two_seconds_is_told_once(town: Town):
    town.open_gateway("--text")
    async with Wearer(town.device_url, town.token, Family.GLASSES) as me:
        asked = await asyncio.to_thread(lapel, town, "ask", "set a timer for 2 seconds")
        assert asked.stdout.startswith("Timer for 2 seconds."), asked.stderr
        await ringing(me)
        assert len(rang(me)) == 1
    assert json.loads(lapel(town, "reminders", "--json").stdout) == []

    added = lapel(town, "reminders", "add", "call Anna", "--at", "tomorrow at 9")
    assert added.stdout.strip() == "tomorrow at 9 am: call Anna", added.stderr
    (row,) = json.loads(lapel(town, "reminders", "--json").stdout)
    assert "call Anna" in lapel(town, "reminders").stdout
    assert "no time" in lapel(town, "reminders", "add", "x", "--at", "two lattes").stderr
    assert "passed" in lapel(town, "reminders", "add", "x", "--at", "2020-01-01T10:00").stderr
    assert lapel(town, "reminders", "remove", row["id"]).returncode == 0
    assert lapel(town, "reminders", "remove", row["id"]).returncode == 1

    assert lapel(town, "notes", "add", "the wifi code is 4711").stdout.strip() == "Noted."
    (note,) = json.loads(lapel(town, "notes", "--json").stdout)
    assert note["text"] == "the wifi code is 4711"
    assert "4711" in lapel(town, "ask", "read my notes").stdout
    assert lapel(town, "notes", "remove", note["id"]).returncode == 0
    assert "No notes" in lapel(town, "notes").stdout


async def test_killed_between_due_and_told_it_is_told_once(town: Town):
    town.open_gateway("--text", wrapper=[sys.executable, DYING, "brought_up:before"])
    dying = town.gateway
    assert dying is not None
    lapel(town, "ask", "set a timer for 2 seconds")
    until = time.monotonic() + 30
    while dying.ended() is None:
        assert time.monotonic() < until, "the point was never reached"
        await asyncio.sleep(0.05)
    assert dying.ended() == -9
    assert town.record("SELECT state FROM reminders") == [("waiting",)]
    town.open_gateway("--text")
    async with Wearer(town.device_url, town.token, Family.GLASSES) as me:
        await ringing(me)
        assert len(rang(me)) == 1
    assert town.record("SELECT state FROM reminders") == [("told",)]
    assert town.record("SELECT count(*) FROM cues WHERE topic LIKE 'reminder:%'") == [(1,)]
