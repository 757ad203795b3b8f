"""Languages of travel: one TOML file each, on top of the times and numbers of reminders."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from lapel.assistant.personal.language import Words, with_rules

__all__ = ["load_travel_words"]


@lru_cache
def load_travel_words(code: str = "en") -> Words:
    """The language called `code`; raises FileNotFoundError where there is none."""
    file = files(__name__).joinpath(f"{code}.toml")
    return with_rules(tomllib.loads(file.read_text("utf-8"))["rules"], code)
