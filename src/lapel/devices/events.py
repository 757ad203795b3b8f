"""What a device's user did, as the assistant hears it."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.devices.profile import Gesture
from lapel.devices.wire import ListenMode, PlaybackState


@dataclass(frozen=True, slots=True)
class TextTyped:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class ListenStarted:
    """The microphone's stream is open; `auto` leaves the end of speech to Lapel."""

    stream: int
    mode: ListenMode


@dataclass(frozen=True, slots=True)
class ListenStopped:
    stream: int


@dataclass(frozen=True, slots=True)
class AudioArrived:
    """One frame; `missing` (at most 10) frames before it were lost and want silence."""

    stream: int
    payload: bytes
    missing: int = 0


@dataclass(frozen=True, slots=True)
class GestureMade:
    """`action` and `topic` name the button of a card, where there was one."""

    id: str
    input: str
    gesture: Gesture
    action: str | None = None
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class PlaybackReported:
    """What the speaker really did; `played_s` is how much was heard."""

    cue: str
    state: PlaybackState
    played_s: float


@dataclass(frozen=True, slots=True)
class WearChanged:
    on_body: bool


@dataclass(frozen=True, slots=True)
class BatteryReported:
    level: int
    charging: bool


@dataclass(frozen=True, slots=True)
class PositionReported:
    """Degrees (WGS 84), metres, seconds since 1970 (0: now)."""

    lat: float
    lon: float
    accuracy_m: float = 0.0
    at: float = 0.0


DeviceEvent = (
    TextTyped
    | ListenStarted
    | ListenStopped
    | AudioArrived
    | GestureMade
    | PlaybackReported
    | WearChanged
    | BatteryReported
    | PositionReported
)
