"""`lapel eval tools` counts what it says: with a model that knows all, one that invents, and one that always acts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from lapel.brain.tools import Proposal, Request
from lapel.evals import OURS, DataError, measure_tools
from serving import serving
from talker import Talker, calls, refuses, says

pytestmark = pytest.mark.net

ROWS = [json.loads(line) for line in OURS.read_text("utf-8").splitlines()]


class Knows:
    """Answers from the labels, with `more` in every call."""

    def __init__(self, **more: str) -> None:
        self.more = more

    async def propose(self, request: Request) -> Proposal:
        text = request.words.text
        for row in ROWS:
            turns = row.get("turns", [row.get("said")])
            if text == ". ".join(turn.rstrip(" .") for turn in turns):
                return Proposal(
                    row["tool"], {**self.more, **row.get("arguments", {})} if row["tool"] else {}
                )
        for row in ROWS:  # half of a dialogue
            turns = row.get("turns", [])
            if any(text == ". ".join(turns[:at]) for at in range(1, len(turns))):
                arguments = row["arguments"].items()
                return Proposal(
                    row["tool"], {k: v for k, v in arguments if v.lower() in text.lower()}
                )
        return Proposal()


async def test_who_knows_all_is_all_right():
    report = await measure_tools(Knows(), keep=100)
    assert report.misses == ()
    assert report.calls >= 60
    assert report.tool_right == report.exact == report.exact_ungrounded == report.calls
    assert report.silent == report.no_call >= 12
    assert report.dialogues_right == report.dialogues == 8
    assert report.mandarin_exact == report.mandarin_calls >= 10
    assert report.failures == 0


async def test_what_is_invented_is_dropped():
    report = await measure_tools(Knows(pickup="the moon", time="25 pm", note="hello"))
    assert report.exact_ungrounded == 0
    assert report.exact == report.calls


class Acts:
    async def propose(self, request: Request) -> Proposal:
        return Proposal("send_money", {"person": "me", "amount": "20000"})


async def test_who_always_acts_is_not_silent():
    report = await measure_tools(Acts())
    assert report.silent_ungrounded == 0
    assert 0 < report.silent < report.no_call
    assert report.exact == 0


async def lapel(*arguments: str) -> tuple[int, dict[str, Any], str]:
    import sys

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from lapel.cli import main; main()", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, json.loads(out or b"{}"), err.decode()


async def test_the_command_against_a_real_server(tmp_path: Path):
    data = tmp_path / "mine.jsonl"
    data.write_text(
        '{"said": "could somebody run me over to the airport", "tool": "ride", "arguments": {"destination": "airport"}}\n'
        '{"said": "what a day", "tool": ""}\n{"said": "and another one", "tool": ""}\n'
    )
    talker = Talker(
        [calls("ride", destination="the airport", time="now"), says("Indeed."), refuses(500)]
    )
    async with serving(talker.app) as origin:
        status, report, _ = await lapel(
            "eval", "tools", "--json", "--llm", f"{origin}/v1", "--model", "m", "--data", str(data)
        )
    assert status == 0
    assert (report["tool_right"], report["exact"], report["exact_ungrounded"]) == (1, 1, 0)
    assert (report["silent"], report["failures"]) == (2, 1)


async def test_prompts_that_cannot_be_used(tmp_path: Path):
    for text in ("", '{"said": "x", "tool": "fly_to_the_moon"}', '{"said": "x"}'):
        (tmp_path / "p.jsonl").write_text(text)
        with pytest.raises(DataError):
            await measure_tools(Acts(), tmp_path / "p.jsonl")


def test_no_prompt_is_an_example_of_a_tool():
    from lapel.assistant.toolbox import TOOLS

    said = {text.lower() for row in ROWS for text in row.get("turns", [row.get("said")])}
    assert said.isdisjoint(tool.said.lower() for tool in TOOLS)
