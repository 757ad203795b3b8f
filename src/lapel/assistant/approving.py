"""What a gesture means for a pending approval. Pure policy: no model has a say in it.

A purchase is approved only by a deliberate gesture of a worn, paired device after the amount was
really shown or read out, and never by a gesture so soon after the question that it must have meant
something else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lapel.assistant.compose import approval_topic
from lapel.assistant.delivery import Carrier, is_worn
from lapel.devices import Family, Gesture, GestureMade

_TOUCH_SCREENS = frozenset({Family.PHONE, Family.BROWSER, Family.TERMINAL})
"""On these a bare touch means nothing: the button that was pressed must be named."""


BACK_S = 0.5
"""A device that comes back repeats what it could not send. A press may then be hours old, so one
that names no card is none of consent."""


class Pending(Protocol):
    """A question that waits for a gesture."""

    @property
    def id(self) -> str: ...
    @property
    def asked_at(self) -> float: ...
    @property
    def limit_id(self) -> str: ...


class Meaning(StrEnum):
    APPROVE = "approve"
    REFUSE = "refuse"
    NOTHING = "nothing"
    TOO_SOON = "too_soon"
    NOT_WORN = "not_worn"
    NOT_SHOWN = "not_shown"
    OUTDATED = "outdated"
    UNCLEAR = "unclear"
    CANNOT_CONFIRM = "cannot_confirm"


WORDS = {
    Meaning.TOO_SOON: "That was too quick for me, so nothing was ordered. Press again to order.",
    Meaning.NOT_WORN: (
        "It is not worn, so nothing was ordered. Put the device on, then confirm with it."
    ),
    Meaning.NOT_SHOWN: (
        "I could not show or read you the price yet, so nothing was ordered. "
        "Confirm when you know it."
    ),
    Meaning.OUTDATED: (
        "That card is out of date. Nothing was ordered from it. Look at the newest one."
    ),
    Meaning.UNCLEAR: (
        "Two orders wait for you, so nothing was ordered. "
        "Use the button of the one you mean, or say cancel."
    ),
    Meaning.CANNOT_CONFIRM: (
        "This device cannot confirm a purchase, so nothing was ordered. Use the ring or the phone."
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """Which devices showed the amount of an approval, and which read it to the end."""

    shown_on: tuple[str, ...] = ()
    read_on: tuple[str, ...] = ()


def meaning(
    made: GestureMade,
    device: Carrier,
    pending: Pending | None,
    told: Told,
    *,
    now: float,
    settle_s: float,
    back_s: float = math.inf,
    alone: bool = True,
) -> Meaning:
    """What `made` means, given what is pending and what the user has been told of it.

    `back_s` is how long ago the device joined or came back, `alone` whether nothing else pends.
    """
    wish = _wish(made, device)
    if wish is Meaning.NOTHING:
        return wish
    if made.topic and (pending is None or made.topic != approval_topic(pending.id)):
        return Meaning.OUTDATED
    if pending is None or (pending.limit_id and wish is not Meaning.REFUSE):
        return Meaning.NOTHING  # what is ordered by itself can only be undone
    if not (alone or made.topic):
        return Meaning.UNCLEAR
    if wish is Meaning.REFUSE:
        return wish  # saying no takes no authority
    if not is_worn(device):
        return Meaning.NOT_WORN
    if not (made.action or device.profile.confirm.gesture):
        return Meaning.CANNOT_CONFIRM
    if not (told.shown_on or told.read_on):
        return Meaning.NOT_SHOWN
    if now - pending.asked_at < settle_s or (back_s < BACK_S and not made.topic):
        return Meaning.TOO_SOON
    return Meaning.APPROVE


def _wish(made: GestureMade, device: Carrier) -> Meaning:
    if made.action:
        known = {"approve": Meaning.APPROVE, "refuse": Meaning.REFUSE}
        return known.get(made.action, Meaning.NOTHING)
    if device.profile.family in _TOUCH_SCREENS:
        return Meaning.NOTHING
    match made.gesture:
        case Gesture.PRESS:
            return Meaning.APPROVE
        case Gesture.LONG_PRESS:
            return Meaning.REFUSE
        case _:
            return Meaning.NOTHING
