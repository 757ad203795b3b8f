"""What was bought and what was spent, told when it is asked for."""

from lapel.assistant.history.periods import Period, bounds
from lapel.assistant.history.skill import HistorySkill, Wish, wish_of

__all__ = ["HistorySkill", "Period", "Wish", "bounds", "wish_of"]
