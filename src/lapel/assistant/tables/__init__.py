"""Tables in restaurants by word: a grammar, the dialogue of booking, and what is shown."""

from lapel.assistant.tables.language import load_table_words
from lapel.assistant.tables.skill import TablesSkill

__all__ = ["TablesSkill", "load_table_words"]
