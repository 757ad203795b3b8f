"""The user's assistant: conversation, presence, delivery of cues, approvals by gesture."""

from lapel.assistant.actor import Assistant
from lapel.assistant.compose import approval_topic
from lapel.assistant.goods import ListSkill, ShopSkill
from lapel.assistant.ground import Ground
from lapel.assistant.homes import Homes
from lapel.assistant.house import House
from lapel.assistant.limits import (
    LimitsSkill,
    goods_called,
    limit_question,
    limit_settled,
    limit_topic,
    shop_called,
)
from lapel.assistant.pay import PaySkill, PayTelling, asked_about_code
from lapel.assistant.places import PlaceError, SavedPlaces
from lapel.assistant.planning.cues import agreed as plan_agreed
from lapel.assistant.planning.cues import question_id as plan_question_id
from lapel.assistant.rides import RideSkill
from lapel.assistant.skills import Heard, Outcome, Skill, Teller

__all__ = [
    "Assistant",
    "Ground",
    "Heard",
    "Homes",
    "House",
    "LimitsSkill",
    "ListSkill",
    "Outcome",
    "PaySkill",
    "PayTelling",
    "PlaceError",
    "RideSkill",
    "SavedPlaces",
    "ShopSkill",
    "Skill",
    "Teller",
    "approval_topic",
    "asked_about_code",
    "goods_called",
    "limit_question",
    "limit_settled",
    "limit_topic",
    "plan_agreed",
    "plan_question_id",
    "shop_called",
]
