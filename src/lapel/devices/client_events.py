"""What a device sees and hears of Lapel, as the client tells it."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.devices.cues import Cue
from lapel.devices.wire import PlaybackState, State
from lapel.speech.formats import AudioFormat


@dataclass(frozen=True, slots=True)
class CodeToShow:
    """Show this code; the user enters it on the console."""

    code: str
    expires_s: float


@dataclass(frozen=True, slots=True)
class PairedAs:
    """Keep the key: it is not told again."""

    device: str
    key: str


@dataclass(frozen=True, slots=True)
class Joined:
    session: str
    device: str
    user: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The client connects again by itself."""


@dataclass(frozen=True, slots=True)
class CueShown:
    """`again`: this cue was told before, so without sound or haptic."""

    cue: Cue
    n: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class CardCleared:
    topic: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    cue: str
    text: str
    format: AudioFormat


@dataclass(frozen=True, slots=True)
class SpeechFrame:
    cue: str
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SpeechHeard:
    """The speaker is done with this speech; `played_s` of it came out."""

    cue: str
    state: PlaybackState
    played_s: float


@dataclass(frozen=True, slots=True)
class StateShown:
    state: State


@dataclass(frozen=True, slots=True)
class TranscriptShown:
    text: str
    final: bool
    turn: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Lapel answered with an error; see section 6 of the protocol."""

    code: str
    message: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """Lapel may not have read the text or gesture `id`, and its session is gone: ask the user."""

    id: str


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """The end: Lapel closed the link for good, or the client left."""

    code: int


ClientEvent = (
    CodeToShow
    | PairedAs
    | Joined
    | LinkLost
    | CueShown
    | CardCleared
    | SpeechStarted
    | SpeechFrame
    | SpeechHeard
    | StateShown
    | TranscriptShown
    | Failed
    | NotDelivered
    | LinkClosed
)
