"""How the user answered, as it is kept: the device, the gesture, what was shown and read."""

from __future__ import annotations

from lapel.assistant.approving import Told
from lapel.assistant.matters import Gestured
from lapel.commerce import Evidence


def evidence_of(done: Gestured, told: Told) -> Evidence:
    """The evidence of a gesture about a cue that was told like this."""
    link, made = done.link, done.made
    return Evidence(
        device_id=link.device_id,
        device_name=link.profile.name or link.profile.family.value,
        family=link.profile.family.value,
        gesture=made.action or made.gesture.value,
        at=done.at,
        shown_on=told.shown_on,
        read_aloud_on=told.read_on,
    )
