"""Which devices carry a cue: cards on every worn screen, one voice, a pulse where it is felt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from lapel.devices import Cue, DeviceProfile, Family

_HELD = frozenset({Family.PHONE, Family.BROWSER, Family.TERMINAL, Family.SPEAKER, Family.RECORDER})
"""Families that are not worn on the body: being linked is all that can be asked of them."""


class Carrier(Protocol):
    """What delivery must know of a link."""

    @property
    def session_id(self) -> str: ...
    @property
    def profile(self) -> DeviceProfile: ...
    @property
    def on_body(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """The part of a cue that one device gets."""

    session_id: str
    cue: Cue


def is_worn(carrier: Carrier) -> bool:
    """Whether the user can notice this device now."""
    if carrier.profile.family in _HELD or not carrier.profile.wear.detects:
        return True
    return carrier.on_body


def parcels(cue: Cue, carriers: Sequence[Carrier], asked_on: str | None = None) -> list[Parcel]:
    """Divide `cue` among `carriers`; `asked_on` is the session that the user spoke or typed on.

    A device that carries nothing of it is not in the answer. Where nobody has a speaker, the device
    that asked still gets the words, to show them.
    """
    present = [carrier for carrier in carriers if is_worn(carrier)]
    voice = speaker_for(present, asked_on) if cue.speech else None
    made: list[Parcel] = []
    for carrier in present:
        part = cue.for_profile(carrier.profile)
        if voice is None or carrier.session_id != voice.session_id:
            part = msgspec.structs.replace(part, speech="")
        if not part.empty:
            made.append(Parcel(carrier.session_id, part))
    return made


def speaker_for(present: Sequence[Carrier], asked_on: str | None = None) -> Carrier | None:
    """The one device that speaks: a private speaker first, then the one that asked, then any."""
    return max(
        (carrier for carrier in present if carrier.profile.speakers),
        key=lambda carrier: _voice_rank(carrier, asked_on),
        default=None,
    )


def _voice_rank(carrier: Carrier, asked_on: str | None) -> tuple[bool, bool, bool, str]:
    private = any(speaker.private for speaker in carrier.profile.speakers)
    return (
        private,
        carrier.session_id == asked_on,
        carrier.profile.family not in _HELD,
        carrier.session_id,
    )


def confirmers(present: Sequence[Carrier]) -> list[Carrier]:
    """Worn devices whose gesture can answer an approval."""
    return [
        carrier
        for carrier in present
        if is_worn(carrier)
        and (
            carrier.profile.confirm.gesture
            or carrier.profile.family in {Family.PHONE, Family.BROWSER}
        )
    ]
