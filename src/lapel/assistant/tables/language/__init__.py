"""Languages of tables in restaurants: one TOML file each, on top of the times of reminders."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from lapel.assistant.personal.language import Words, with_rules

__all__ = ["load_table_words"]


@lru_cache
def load_table_words(code: str = "en") -> Words:
    """The language called `code`; raises FileNotFoundError where there is none."""
    file = files(__name__).joinpath(f"{code}.toml")
    data = tomllib.loads(file.read_text("utf-8"))
    return with_rules(data["rules"], code, data["words"]["not_in_label"])
