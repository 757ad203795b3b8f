"""Standing limits by word and on cards."""

from lapel.assistant.limits.cues import question as limit_question
from lapel.assistant.limits.skill import LimitsSkill
from lapel.assistant.limits.skill import called as shop_called

__all__ = ["LimitsSkill", "limit_question", "shop_called"]
