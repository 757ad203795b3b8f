"""The user's assistant: conversation, presence, delivery of cues, approvals by gesture."""

from lapel.assistant.actor import Assistant, Ground
from lapel.assistant.house import House
from lapel.assistant.places import PlaceError, SavedPlaces

__all__ = ["Assistant", "Ground", "House", "PlaceError", "SavedPlaces"]
