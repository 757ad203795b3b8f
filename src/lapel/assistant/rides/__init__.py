"""Rides by word: a grammar, the dialogue of asking for one, and what is shown of it."""

from lapel.assistant.rides.skill import RideSkill

__all__ = ["RideSkill"]
