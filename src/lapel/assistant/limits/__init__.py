"""Standing limits by word and on cards."""

from lapel.assistant.limits.cues import question as limit_question
from lapel.assistant.limits.cues import settled as limit_settled
from lapel.assistant.limits.cues import topic_of as limit_topic
from lapel.assistant.limits.skill import LimitsSkill, goods_called
from lapel.assistant.limits.skill import called as shop_called

__all__ = [
    "LimitsSkill",
    "goods_called",
    "limit_question",
    "limit_settled",
    "limit_topic",
    "shop_called",
]
