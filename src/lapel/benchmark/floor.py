"""The limit beside the measurement: what the same models cost here with nothing around them."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lapel.speech import AudioFormat, Codec, SpeechEngines
from lapel.turns import TurnSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds on an idle machine: one recognition, the first frame of a new sentence, and silence.

    `silence_s` is deliberate: how long Lapel waits after a whole request before it answers.
    """

    recognition_s: float
    first_frame_s: float
    silence_s: float

    @property
    def first_audio_s(self) -> float:
        """Silence, and first audio after it; recognition is hidden in the silence if it fits."""
        hidden = TurnSettings().speculate_after_s + self.recognition_s
        return max(self.silence_s, hidden) + self.first_frame_s


async def measure(engines: SpeechEngines, spoken: Mapping[str, bytes]) -> Limits:
    """Each sentence once, after one for warmth."""
    recognitions: list[float] = []
    first_frames: list[float] = []
    audio_format = AudioFormat(Codec.PCM16, 16000, 20)
    for index, (sentence, pcm) in enumerate([*[*spoken.items()][:1], *spoken.items()]):
        started = time.perf_counter()
        await engines.recognize(pcm)
        recognitions.append(time.perf_counter() - started)
        frames = engines.speak(f"Number {index}: {sentence}, from the shop.", audio_format)
        started = time.perf_counter()
        await anext(frames)
        first_frames.append(time.perf_counter() - started)
        await frames.aclose()
    return Limits(
        statistics.median(recognitions[1:]),
        statistics.median(first_frames[1:]),
        TurnSettings().complete_delay_s,
    )


def machine() -> str:
    """One line about where this ran."""
    model = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    load = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    processor = f"{os.cpu_count()} x {model or platform.machine()}"
    return f"{processor}, Python {platform.python_version()}, {load}"
