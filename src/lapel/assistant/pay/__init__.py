"""Money between people by word: a grammar, the dialogue, and what is shown of it."""

from lapel.assistant.pay.cues import Telling as PayTelling
from lapel.assistant.pay.cues import asked_about_code
from lapel.assistant.pay.skill import PaySkill, transfer_draft

__all__ = ["PaySkill", "PayTelling", "asked_about_code", "transfer_draft"]
