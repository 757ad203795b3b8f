"""What the engines report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one utterance.

    `confidence` is the mean probability of the words, 0..1. `no_speech` is the probability that
    there were none; `text` is empty where the recogniser takes the sound for no speech at all.
    """

    text: str
    confidence: float
    no_speech: float
    audio_s: float
    compute_s: float


@dataclass(frozen=True, slots=True)
class VoiceFrame:
    """The judgement of one window of a stream; times count from the stream's opening."""

    start_s: float
    duration_s: float
    speech: bool
    probability: float
    level_db: float
