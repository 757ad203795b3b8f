"""Reminders, timers and notes: what is understood, what is done, how it is said."""

from lapel.assistant.personal.language import Words, load_words
from lapel.assistant.personal.reading import answer_when, requests
from lapel.assistant.personal.skill import PersonalSkill
from lapel.assistant.personal.wording import Wording

__all__ = ["PersonalSkill", "Wording", "Words", "answer_when", "load_words", "requests"]
