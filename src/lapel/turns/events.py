"""What the turn machine is told.

Stream time (`start_s`) counts the seconds of audio received from one microphone. It never goes
back, not even when the microphone is closed and opened again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MicrophoneMode(StrEnum):
    """Who finds the end of speech: Lapel, or the user by letting go of a button."""

    AUTO = "auto"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class MicrophoneOpened:
    """A device's microphone streams. Manual mode starts a turn at once.

    `interrupts` is false for a microphone that hears our own speech (no echo cancellation): it is
    not listened to while something plays.
    """

    source: str
    mode: MicrophoneMode
    interrupts: bool = True


@dataclass(frozen=True, slots=True)
class MicrophoneClosed:
    """The stream ended: let go, switched off, or the link was lost. What was heard is used."""

    source: str


@dataclass(frozen=True, slots=True)
class VoiceJudged:
    """One stretch of audio and whether it holds speech. Stretches from the past are ignored."""

    source: str
    start_s: float
    duration_s: float
    speech: bool
    probability: float
    level_db: float


@dataclass(frozen=True, slots=True)
class TextEntered:
    """The user typed. Cancels speech that is not answered yet, and stops what plays for good."""

    source: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcribed:
    """The answer to `Recognize` number `request`. An empty text means that there was no speech."""

    turn: int
    request: int
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class CompletenessJudged:
    """Whether the words of `request` make a whole request; None where nobody can tell."""

    turn: int
    request: int
    complete: bool | None


@dataclass(frozen=True, slots=True)
class ReplyReady:
    """The turn has had its effects, and `cue` (None: nothing) is about to be spoken.

    Feed it in the same step that applies the effects: until then `CancelTurn` may come, and means
    that there must be none. `length_s` is the length of the speech where it is known already.
    """

    turn: int
    cue: str | None
    length_s: float | None = None


@dataclass(frozen=True, slots=True)
class TurnDropped:
    """The words were for nobody: no effect, nothing to say."""

    turn: int


@dataclass(frozen=True, slots=True)
class Announced:
    """Lapel is about to speak on its own account; the user may interrupt it like a reply."""

    cue: str
    length_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpeechMeasured:
    """The whole speech of this cue has been made: it is this long."""

    cue: str
    length_s: float


@dataclass(frozen=True, slots=True)
class PlaybackStarted:
    """The device began to play the cue, or went on with it after `ResumeSpeaking`."""

    cue: str


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """The device has played the cue to its end."""

    cue: str


@dataclass(frozen=True, slots=True)
class PlaybackStopped:
    """The device stopped the cue; `played_s` of it was heard since it last started or went on."""

    cue: str
    played_s: float


@dataclass(frozen=True, slots=True)
class PlaybackLost:
    """The device that was to play the cue is gone."""

    cue: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The time of the last `WakeAt` has come. An early or a needless one does no harm."""


Event = (
    MicrophoneOpened
    | MicrophoneClosed
    | VoiceJudged
    | TextEntered
    | Transcribed
    | CompletenessJudged
    | ReplyReady
    | TurnDropped
    | Announced
    | SpeechMeasured
    | PlaybackStarted
    | PlaybackFinished
    | PlaybackStopped
    | PlaybackLost
    | Tick
)
