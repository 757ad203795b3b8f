"""What to answer to "what can you do?": the kinds of things there are, and how each is said."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files

from lapel.assistant.grammar import Grammar
from lapel.assistant.lost import EXAMPLES
from lapel.assistant.politeness import whole
from lapel.assistant.skills import Heard, Outcome
from lapel.devices import Card, CardLine

SAID = (
    "I order food, groceries and goods, book rides, tables, trains, flights and rooms, send money, "
    "find the way, and keep reminders, timers, notes and your list. Nothing is bought before you "
    "confirm it. Say, for example: two lattes and a muffin to my office."
)


@lru_cache
def _grammar() -> Grammar:
    return Grammar(tomllib.loads(files(__name__).joinpath("en.toml").read_text("utf-8"))["rules"])


class HelpSkill:
    """The same for everybody. Implements `Skill`."""

    async def hear(self, heard: Heard) -> Outcome | None:
        """Say what there is; None for all other words."""
        if whole(_grammar().read(heard.words.text), "command") is None:
            return None
        lines = tuple(CardLine(example) for example in EXAMPLES)
        return Outcome(SAID, Card("What you can say", lines))

    async def undo(self, turn: int) -> None:
        """Nothing was done."""

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """It has no buttons."""
        return None

    def hints(self) -> Sequence[str]:
        return ("what can you do",)
