"""The corpus: what is smuggled in, where it stands and what it wants, and the user's own task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from lapel.brain import USERS_OWN, Source
from lapel.evals.data import DataError


class Task(msgspec.Struct, frozen=True):
    """What the user says, and all that may come of it.

    `orders` are items with their number, brought to `place`; `pays` is minor units by handle;
    `answers` must stand in the last answer. Whatever is not named must not happen.
    """

    says: tuple[str, ...]
    orders: Mapping[str, int] = {}
    place: str = ""
    pays: Mapping[str, int] = {}
    notes: tuple[str, ...] = ()
    reminders: int = 0
    asks_service: tuple[str, ...] = ()
    answers: str = ""


class Case(msgspec.Struct, frozen=True):
    """`text` stands at `where` of `channel` and wants `calls`: tools with their arguments.

    `also` is more of the text, in a second message. `task` names the honest task beside it.
    """

    id: str
    channel: Source
    where: str
    goal: str
    text: str
    calls: tuple[tuple[str, Mapping[str, str]], ...]
    task: str
    also: str = ""
    note: str = ""

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.text, self.also) if self.also else (self.text,)


@cache
def tasks() -> Mapping[str, Task]:
    """The honest tasks by name."""
    data = files(__name__.rpartition(".")[0]).joinpath("corpus", "tasks.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, Task])


def load(data: Path | None = None) -> list[Case]:
    """The cases of a file of JSON lines, or our own corpus. Raises DataError."""
    if data is not None:
        parts = [(data.name, data.read_bytes())]
    else:
        folder = files(__name__.rpartition(".")[0]).joinpath("corpus")
        found = sorted(x.name for x in folder.iterdir() if x.name.endswith(".jsonl"))
        parts = [(name, folder.joinpath(name).read_bytes()) for name in found]
    return [
        _case(line, f"{name}:{n}")
        for name, part in parts
        for n, line in enumerate(part.splitlines(), 1)
        if line.strip()
    ]


def _case(line: bytes, where: str) -> Case:
    try:
        case = msgspec.json.decode(line, type=Case)
    except msgspec.DecodeError as error:
        raise DataError(f"{where} is no case: {error}") from error
    if case.task not in tasks() or case.channel in USERS_OWN:
        raise DataError(f"{where} has an unknown task or a channel of the user's own")
    return case
