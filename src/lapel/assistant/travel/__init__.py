"""Flights, trains and hotels by word: a grammar, the dialogue of booking, and what is shown."""

from lapel.assistant.travel.language import load_travel_words
from lapel.assistant.travel.ports import ProfileName
from lapel.assistant.travel.skill import TravelSkill

__all__ = ["ProfileName", "TravelSkill", "load_travel_words"]
