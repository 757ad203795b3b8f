"""A failure in three parts, and what a user can do about it as the devices can offer it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from lapel.failures.codes import Code


class Way(StrEnum):
    """What can be done. The assistant offers it in words, and as a button where it has one."""

    AGAIN = "again"
    """Ask for the same again."""
    ELSEWHERE = "elsewhere"
    """Ask another shop for the same."""
    REST = "rest"
    """The same without the thing that is not to be had."""
    PLACE = "place"
    """The same, brought to another address."""
    OTHERWISE = "otherwise"
    """Say something else: whatever is said next is understood by itself."""
    ANSWER = "answer"
    """Answer the question that is shown."""
    WAIT = "wait"
    """Lapel goes on by itself and tells how it ends."""
    LIMIT = "limit"
    """Raise a limit of one's own."""
    SHOP = "shop"
    """Ask the shop."""
    BANK = "bank"
    """Look at the account, or ask the bank."""
    PAGE = "page"
    """Go on at the shop's own page."""
    NOTHING = "nothing"
    SETUP = "setup"
    """Mend it outside of the conversation: in the console, the settings or on the command line."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`codes` share the three parts; these are sentences without their full stop."""

    codes: tuple[Code, ...]
    way: Way
    happened: str
    cost: str
    remedy: str
    say: str = ""
    """What can be done, as it is said aloud, where the way alone does not say it well."""

    def __post_init__(self) -> None:
        if not (self.codes and self.happened and self.cost and self.remedy):
            raise ValueError(f"{self.codes} lacks one of its three parts")

    @property
    def is_free(self) -> bool:
        """Whether nothing was spent and nothing has to come back."""
        return self.cost.startswith("Nothing") and not self.cost.startswith("Nothing in the end")

    @property
    def cost_said(self) -> str:
        """What it cost, as a sentence for the ear."""
        first = re.split(r"[;:]", self.cost)[0]
        whole = re.match(r"Nothing (?:new )?(?:was|is) ", first)
        return f"{first}." if whole else f"It costs {first[0].lower()}{first[1:]}."


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page of errors."""

    title: str
    rows: tuple[Failure, ...]
