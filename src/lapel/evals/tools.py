"""How well a model chooses tools: by itself, and what is left of that when it is grounded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from lapel.assistant.toolbox import TOOLS
from lapel.brain import Source, Utterance, Words
from lapel.brain.dialogue import Dialogue
from lapel.brain.grounding import grounded, same_words
from lapel.brain.provenance import Facts, Thing
from lapel.brain.tools import Ask, Call, Proposal, Request, Thought
from lapel.brain.withheld import withheld
from lapel.evals.data import DataError, lines, percentile
from lapel.models import ModelError

OURS = Path(__file__).parent / "prompts" / "tools.jsonl"
FACTS = Facts({Thing.ADDRESS: {"home": "home", "office": "office"}})
PATIENCE_S = 120.0
"""Longer than anybody waits, so that a slow machine does not make a model look worse."""


class Proposer(Protocol):
    """A model; raises ModelError."""

    async def propose(self, request: Request) -> Proposal: ...


class Wrong(msgspec.Struct, frozen=True):
    """What was said, what it should have come to, and what it came to; "" is no tool."""

    said: str
    wanted: str
    got: str


class ToolsReport(msgspec.Struct, frozen=True):
    """`tool_right` and `exact` are of `calls`; `exact_ungrounded` is what the model gave by itself.

    `silent` of `no_call` prompts came to nothing, `silent_ungrounded` by the model alone.
    `dialogues_right` of `dialogues` came to the right call with their turns joined by code. Times
    are of one request, in seconds of the clock.
    """

    calls: int
    tool_right: int
    exact: int
    exact_ungrounded: int
    no_call: int
    silent: int
    silent_ungrounded: int
    dialogues: int
    dialogues_right: int
    failures: int
    first_s: float
    p50_s: float
    p95_s: float
    mandarin_calls: int
    mandarin_tool_right: int
    mandarin_exact: int
    misses: tuple[Wrong, ...] = ()


class _Prompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tool: str
    said: str = ""
    turns: tuple[str, ...] = ()
    arguments: dict[str, str] = msgspec.field(default_factory=dict[str, str])


@dataclass
class _Measured:
    """A model as a `Thinker`, with its times. `last` is what it gave."""

    model: Proposer
    times: list[float] = field(default_factory=list[float])
    failures: int = 0
    last: Proposal = field(default_factory=Proposal)
    ready: bool = True

    async def think(self, request: Request) -> Thought:
        began = time.monotonic()
        self.last = Proposal()
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.last = await self.model.propose(request)
        except (ModelError, TimeoutError):
            self.failures += 1
        self.times.append(time.monotonic() - began)
        return grounded(self.last, request)


async def measure_tools(
    model: Proposer,
    data: Path = OURS,
    *,
    keep: int = 0,
    each: Callable[[int], None] = lambda _: None,
) -> ToolsReport:
    """Every prompt of `data` to `model`, one after the other. Raises DataError."""
    prompts = _prompts(data)
    measured = _Measured(model)
    count = dict.fromkeys(
        ("calls", "tool", "exact", "raw", "none", "silent", "quiet", "dialogues", "joined"), 0
    )
    chinese = dict.fromkeys(("calls", "tool", "exact"), 0)
    misses: list[Wrong] = []
    for at, prompt in enumerate(prompts):
        thought = await _thought(measured, prompt)
        tool, given = _given(thought)
        right = tool == prompt.tool and _same(given, prompt.arguments)
        if prompt.turns:
            count["dialogues"] += 1
            count["joined"] += right
        elif prompt.tool:
            raw = measured.last.tool == prompt.tool
            for which in (count, chinese) if not prompt.said.isascii() else (count,):
                which["calls"] += 1
                which["tool"] += tool == prompt.tool
                which["exact"] += right
            count["raw"] += raw and _same(measured.last.arguments, prompt.arguments)
        else:
            right = tool == ""
            count["none"] += 1
            count["silent"] += right
            count["quiet"] += not measured.last.tool
        if not right:
            said = prompt.said or " / ".join(prompt.turns)
            misses.append(Wrong(said, _shown(prompt.tool, prompt.arguments), _shown(tool, given)))
        each(at + 1)
    times = measured.times
    return ToolsReport(
        calls=count["calls"],
        tool_right=count["tool"],
        exact=count["exact"],
        exact_ungrounded=count["raw"],
        no_call=count["none"],
        silent=count["silent"],
        silent_ungrounded=count["quiet"],
        dialogues=count["dialogues"],
        dialogues_right=count["joined"],
        failures=measured.failures,
        first_s=round(times[0], 3),
        p50_s=round(percentile(times, 0.5), 3),
        p95_s=round(percentile(times, 0.95), 3),
        mandarin_calls=chinese["calls"],
        mandarin_tool_right=chinese["tool"],
        mandarin_exact=chinese["exact"],
        misses=tuple(misses[:keep]),
    )


async def _thought(measured: _Measured, prompt: _Prompt) -> Thought:
    """What one prompt comes to; of several turns, what the last one does."""
    dialogue = Dialogue(measured)
    thought: Thought = None
    for text in prompt.turns or (prompt.said,):
        words = Words(Utterance(text, Source.TYPED))
        asked = Request(words, TOOLS, FACTS, withheld(text))
        thought = await dialogue.hear(asked, 0.0)
    return thought


def _given(thought: Thought) -> tuple[str, Mapping[str, str]]:
    call = thought.call if isinstance(thought, Ask) else thought
    if not isinstance(call, Call):
        return "", {}
    return call.tool.name, {name: value.text for name, value in call.arguments.items()}


def _same(given: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Without regard to case, articles, plurals and how numbers are written."""
    return given.keys() == wanted.keys() and all(
        same_words(given[name], wanted[name]) for name in wanted
    )


def _shown(tool: str, arguments: Mapping[str, str]) -> str:
    return f"{tool}({', '.join(f'{name}={value}' for name, value in arguments.items())})"


def _prompts(data: Path) -> Sequence[_Prompt]:
    found: list[_Prompt] = []
    names = {tool.name for tool in TOOLS}
    for number, row in lines(data):
        try:
            prompt = msgspec.convert(row, _Prompt)
        except msgspec.ValidationError as error:
            raise DataError(f"{data}, line {number}: {error}") from error
        if prompt.tool and prompt.tool not in names:
            raise DataError(f"{data}, line {number}: there is no tool {prompt.tool!r}")
        found.append(prompt)
    if not found:
        raise DataError(f"{data} holds no prompts")
    return found
