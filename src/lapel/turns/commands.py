"""What the turn machine asks for, and what it reports about a turn that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What the user may see on a light or an icon."""

    IDLE = "idle"
    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    INTERRUPTED = "interrupted"


class Outcome(StrEnum):
    """How a turn ended."""

    REPLIED = "replied"  # heard to its end, acknowledged by the device
    SILENT = "silent"  # answered without speech
    DROPPED = "dropped"  # the words were for nobody
    NOTHING_HEARD = "nothing_heard"  # a noise, or no words in it
    CONTINUED = "continued"  # the user went on: a later turn holds the words
    CANCELLED = "cancelled"  # the user typed instead
    INTERRUPTED = "interrupted"  # the user spoke or typed while it was spoken
    LOST = "lost"  # the device left, or never acknowledged
    TIMED_OUT = "timed_out"  # no transcript or no reply in time
    REFUSED = "refused"  # too many turns at once


@dataclass(frozen=True, slots=True)
class Stages:
    """The wait from the end of speech to the first audio, cut into parts that sum up to it."""

    silence_s: float  # deliberate: to be sure that the user has finished
    recognition_s: float  # of the transcript, beyond the silence
    queue_s: float  # behind an earlier turn
    interpretation_s: float
    speech_s: float  # making the first audio, sending it, and the device's start

    @property
    def total_s(self) -> float:
        return (
            self.silence_s
            + self.recognition_s
            + self.queue_s
            + self.interpretation_s
            + self.speech_s
        )


@dataclass(frozen=True, slots=True)
class TurnTimings:
    """When each step of a turn came, on the caller's clock; None for a step that it never reached.

    `ended` is when the end of speech was decided, `recognised` when its words could be used (never
    before `ended`, even if they were guessed earlier), `interpreted` when `Interpret` went out.
    """

    speech_end: float | None = None
    ended: float | None = None
    recognised: float | None = None
    interpreted: float | None = None
    reply_ready: float | None = None
    first_audio: float | None = None
    played: float | None = None

    @property
    def stages(self) -> Stages | None:
        """The parts of the wait; None where the turn never came to speak."""
        if (
            self.speech_end is None
            or self.ended is None
            or self.recognised is None
            or self.interpreted is None
            or self.reply_ready is None
            or self.first_audio is None
        ):
            return None
        return Stages(
            silence_s=self.ended - self.speech_end,
            recognition_s=self.recognised - self.ended,
            queue_s=self.interpreted - self.recognised,
            interpretation_s=self.reply_ready - self.interpreted,
            speech_s=self.first_audio - self.reply_ready,
        )


@dataclass(frozen=True, slots=True)
class Recognize:
    """Transcribe this span of the microphone's stream; answer with `Transcribed`, same `request`.

    A speculative one comes during a pause and is cancelled if the user goes on.
    """

    turn: int
    request: int
    source: str
    start_s: float
    end_s: float
    speculative: bool


@dataclass(frozen=True, slots=True)
class CancelRecognition:
    """The answer to `request` is no longer wanted."""

    turn: int
    request: int


@dataclass(frozen=True, slots=True)
class Interpret:
    """These are the user's words: act on them. Once a turn. `text_id` is that of a typed text."""

    turn: int
    source: str
    text: str
    confidence: float
    typed: bool
    text_id: str = ""


@dataclass(frozen=True, slots=True)
class CancelTurn:
    """Stop interpreting this turn; it must have no effect. Never after its `ReplyReady`."""

    turn: int


@dataclass(frozen=True, slots=True)
class StopSpeaking:
    """Silence this cue now and keep it: `ResumeSpeaking` or `DropSpeaking` follows."""

    cue: str


@dataclass(frozen=True, slots=True)
class ResumeSpeaking:
    """It was a noise: go on with the cue from this second of it."""

    cue: str
    from_s: float


@dataclass(frozen=True, slots=True)
class DropSpeaking:
    """The cue will not be spoken any more: forget its audio."""

    cue: str


@dataclass(frozen=True, slots=True)
class ShowState:
    """The state has changed. `source` is the microphone that is listened to, if any."""

    state: State
    source: str | None = None


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Feed a `Tick` at this time. Replaces the one before."""

    at: float


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The turn is over; nothing more is said about it. Once for each turn."""

    turn: int
    outcome: Outcome
    timings: TurnTimings


Command = (
    Recognize
    | CancelRecognition
    | Interpret
    | CancelTurn
    | StopSpeaking
    | ResumeSpeaking
    | DropSpeaking
    | ShowState
    | WakeAt
    | TurnEnded
)
