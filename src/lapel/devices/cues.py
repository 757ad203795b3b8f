"""Cues: what the assistant wants the user to see, hear or feel; any device can carry a part."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from lapel.devices.profile import DeviceProfile, Family, Pattern

_OPENS_PAGES = frozenset({Family.PHONE, Family.BROWSER, Family.TERMINAL})
_HAVE_PASSKEYS = frozenset({Family.PHONE, Family.BROWSER})
PASSKEY_ACTION = "passkey"
"""The action of a button that the device answers with a passkey, and not with a gesture."""

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


class CardLink(msgspec.Struct, frozen=True):
    """A page of a merchant's, for the user to open; a device never opens it by itself."""

    url: str
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
    link: CardLink | None = None


class Cue(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to tell. A later cue with the same `topic` replaces the card of an earlier one."""

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
            card=_readable(self.card, profile) if profile.displays else None,
            haptic=_felt(self.haptic, profile),
        )

    @property
    def empty(self) -> bool:
        return not (self.speech or self.card or self.haptic)


def _readable(card: Card | None, profile: DeviceProfile) -> Card | None:
    """A link goes only to devices that can open a page: it may let whoever has it go on there.

    A button that takes a passkey goes only to devices that can have one.
    """
    if card is None:
        return None
    if card.link is not None and profile.family not in _OPENS_PAGES:
        card = msgspec.structs.replace(card, link=None)
    if profile.family not in _HAVE_PASSKEYS:
        actions = tuple(each for each in card.actions if each.action != PASSKEY_ACTION)
        if actions != card.actions:
            card = msgspec.structs.replace(card, actions=actions)
    return card


def fitted(cue: Cue, limit: int) -> Cue | None:
    """`cue` within `limit` bytes of JSON: without the streets, then without the map; else None."""
    if len(msgspec.json.encode(cue)) <= limit:
        return cue
    card = cue.card
    if card is None or card.map is None:
        return None
    smaller = msgspec.structs.replace(card.map, streets=()) if card.map.streets else None
    thinner = msgspec.structs.replace(card, map=smaller)
    return fitted(msgspec.structs.replace(cue, card=thinner), limit)


def _felt(haptic: Pattern | None, profile: DeviceProfile) -> Pattern | None:
    """The pattern, or the device's first one where it has others only."""
    patterns = [pattern for entry in profile.haptics for pattern in entry.patterns]
    if haptic is None or not patterns:
        return None
    return haptic if haptic in patterns else patterns[0]
