"""What goes into a session besides the device's own messages, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lapel.devices.cues import Cue
from lapel.devices.errors import DeviceError, WireError
from lapel.devices.profile import DeviceProfile
from lapel.devices.wire import AudioFrame, DeviceMessage, Resume, State

# In.


@dataclass(frozen=True, slots=True)
class Attached:
    """A socket with this session: the first one, or a later one that resumes it."""

    profile: DeviceProfile
    resume: Resume | None = None


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The socket is gone."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; due at `DeviceSession.wake_at`."""


@dataclass(frozen=True, slots=True)
class Tell:
    """`cue` is already the part that this device carries."""

    cue: Cue


@dataclass(frozen=True, slots=True)
class ClearTopic:
    topic: str


@dataclass(frozen=True, slots=True)
class ShowState:
    state: State


@dataclass(frozen=True, slots=True)
class ShowTranscript:
    text: str
    final: bool
    turn: str


@dataclass(frozen=True, slots=True)
class Fail:
    code: str
    message: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class StartSpeech:
    cue: str
    text: str


@dataclass(frozen=True, slots=True)
class AddSpeech:
    cue: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class EndSpeech:
    cue: str


@dataclass(frozen=True, slots=True)
class StopSpeech:
    cue: str


@dataclass(frozen=True, slots=True)
class End:
    """The session is over; `error` is told to the device, `close_code` closes its link."""

    close_code: int
    error: DeviceError | None = None
    discard: bool = False


SessionInput = (
    DeviceMessage
    | AudioFrame
    | WireError
    | Attached
    | Disconnected
    | Tick
    | Tell
    | ClearTopic
    | ShowState
    | ShowTranscript
    | Fail
    | StartSpeech
    | AddSpeech
    | EndSpeech
    | StopSpeech
    | End
)

# Out.


@dataclass(frozen=True, slots=True)
class Send:
    """One text message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class SendAudio:
    """One binary message of the speech `stream`."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class DropAudio:
    """Forget every SendAudio of `stream` that is not on the wire yet."""

    stream: int


@dataclass(frozen=True, slots=True)
class Close:
    code: int


@dataclass(frozen=True, slots=True)
class Settled:
    """These cues need not be told again: acknowledged, expired, or replaced by a later one."""

    cues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpeechOver:
    """`finished` and `stopped` are the device's report; `unreported` means that it never came."""

    cue: str
    state: Literal["finished", "stopped", "unreported", "gone"]
    played_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is gone for good."""


Command = Send | SendAudio | DropAudio | Close | Settled | SpeechOver | Ended
