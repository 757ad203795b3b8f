"""Dialogues with the calls that a perfect agent makes, as Taskmaster-4 lays them out.

A line is a dialogue: `id`, `turns`; a turn has `speaker`, `text` and `calls`; a call has
`api_call`, `request` and `response`, both JSON in a string. What is no JSON stays in the data with
`broken` set and is not scored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from lapel.evals.data import DataError, lines

WRITES = frozenset({"add_order_item", "update_order_item", "update_order", "finish_order"})
"""The calls that change an order or send it off."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API as it was recorded."""

    name: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    speaker: str
    text: str
    calls: tuple[Call, ...] = ()

    @property
    def users(self) -> bool:
        return self.speaker == "user"

    @property
    def broken(self) -> bool:
        return any(call.broken for call in self.calls)


@dataclass(frozen=True, slots=True)
class Dialogue:
    id: str
    turns: tuple[Turn, ...]

    @property
    def writes(self) -> bool:
        return any(call.name in WRITES for turn in self.turns for call in turn.calls)

    @property
    def broken(self) -> bool:
        return any(turn.broken for turn in self.turns)


def dialogues(path: Path) -> Iterator[Dialogue]:
    """The dialogues of a file, plain or gzipped. DataError for another layout."""
    for number, row in lines(path):
        try:
            turns = tuple(_turn(turn) for turn in cast("list[dict[str, Any]]", row["turns"]))
            yield Dialogue(str(row["id"]), turns)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}, line {number}: no dialogue: {error!r}") from error


def _turn(turn: dict[str, Any]) -> Turn:
    calls = cast("list[dict[str, Any]]", turn.get("calls") or [])
    return Turn(str(turn["speaker"]), str(turn["text"]), tuple(_call(call) for call in calls))


def _call(call: dict[str, Any]) -> Call:
    request, response = _object(call.get("request")), _object(call.get("response"))
    broken = request is None or response is None
    return Call(str(call["api_call"]), request or {}, response or {}, broken)


def _object(text: str | None) -> dict[str, Any] | None:
    """What the JSON says, {} of none, None where it is no JSON object."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
