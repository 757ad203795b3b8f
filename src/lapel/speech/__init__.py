"""Speech: recogniser, voice, voice activity and Opus, shared by all users of a process.

Importing this loads no engine and needs none installed; `SpeechEngines.load` does.
"""

from lapel.speech.engines import SpeechEngines
from lapel.speech.errors import (
    BadAudio,
    LanguageUnknown,
    ModelIncomplete,
    SpeechBusy,
    SpeechClosed,
    SpeechError,
    SpeechNotInstalled,
    SpeechUnavailable,
    VoiceNotPackaged,
    WeightsRefused,
)
from lapel.speech.formats import AudioFormat, Codec
from lapel.speech.microphone import MicrophoneStream
from lapel.speech.results import Transcript, VoiceFrame
from lapel.speech.settings import SpeechSettings

__all__ = [
    "AudioFormat",
    "BadAudio",
    "Codec",
    "LanguageUnknown",
    "MicrophoneStream",
    "ModelIncomplete",
    "SpeechBusy",
    "SpeechClosed",
    "SpeechEngines",
    "SpeechError",
    "SpeechNotInstalled",
    "SpeechSettings",
    "SpeechUnavailable",
    "Transcript",
    "VoiceFrame",
    "VoiceNotPackaged",
    "WeightsRefused",
]
