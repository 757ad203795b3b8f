"""Speech to test with: the packaged voice, without an event loop."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from lapel.speech import SpeechNotInstalled, weights

if TYPE_CHECKING:
    from lapel.speech._hibari import Voice


@cache
def _voice() -> Voice:
    from lapel.speech._hibari import Voice

    return Voice(weights.voice_files("heart")["assets/hibari.onnx"])


def say_pcm(text: str, rate: int = 16_000) -> bytes:
    """The text spoken: PCM, 16-bit, mono; the test is skipped where speech is not installed."""
    try:
        weights.require_packages(["hibari", "numpy", "onnxruntime"])
    except SpeechNotInstalled as missing:
        pytest.skip(str(missing))
    from lapel.speech._hibari import RATE
    from lapel.speech._signal import Resampler, to_pcm

    resampler = Resampler(RATE, rate)
    return to_pcm(resampler.feed(_voice().say(text))) + to_pcm(resampler.flush())
