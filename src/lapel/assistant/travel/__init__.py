"""Flights, trains and hotels by word: a grammar, the dialogue of booking, and what is shown."""

from lapel.assistant.travel.language import load_travel_words
from lapel.assistant.travel.ports import UNNAMED, ProfileName
from lapel.assistant.travel.skill import TravelSkill

__all__ = ["UNNAMED", "ProfileName", "TravelSkill", "load_travel_words"]
