"""Cues: what the assistant wants the user to see, hear or feel, in a form that any device can carry a part of."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from lapel.devices.profile import DeviceProfile, Pattern

Point = tuple[float, float]
"""Latitude and longitude in degrees (WGS 84)."""


class CueKind(StrEnum):
    REPLY = "reply"
    APPROVAL = "approval"
    ORDER = "order"
    RECEIPT = "receipt"
    NOTICE = "notice"


class CardLine(msgspec.Struct, frozen=True, omit_defaults=True):
    text: str
    value: str = ""


class CardAction(msgspec.Struct, frozen=True):
    action: str
    label: str


class Progress(msgspec.Struct, frozen=True):
    """`at` is the index of the step that is under way; `len(steps)` when all are done."""

    steps: tuple[str, ...]
    at: int


class MapView(msgspec.Struct, frozen=True, omit_defaults=True):
    route: tuple[Point, ...] = ()
    courier: Point | None = None
    destination: Point | None = None
    streets: tuple[tuple[Point, ...], ...] = ()


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    title: str
    lines: tuple[CardLine, ...] = ()
    total: str = ""
    body: str = ""
    footer: str = ""
    actions: tuple[CardAction, ...] = ()
    progress: Progress | None = None
    map: MapView | None = None


class Cue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to tell. `topic` groups: a later cue with the same topic replaces the card of an earlier one."""

    id: str
    topic: str
    kind: CueKind
    speech: str = ""
    card: Card | None = None
    haptic: Pattern | None = None
    expires_s: float | None = None

    def for_profile(self, profile: DeviceProfile) -> Cue:
        """The part of this cue that a device with `profile` can carry."""
        return msgspec.structs.replace(
            self,
            speech=self.speech if profile.speakers else "",
            card=self.card if profile.displays else None,
            haptic=self.haptic if profile.haptics else None,
        )

    @property
    def empty(self) -> bool:
        return not (self.speech or self.card or self.haptic)
