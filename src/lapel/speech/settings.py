"""What a deployment may choose about speech."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path


def _processor_count() -> int:
    return os.cpu_count() or 2


def _cache_dir() -> Path:
    return user_cache_path("lapel") / "speech"


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """`model_dir`: a local CTranslate2 Whisper folder that replaces the packaged weights.

    `language` is Whisper's two-letter code. `recognizer_workers` utterances are read at once, one
    thread each. `cache_dir` holds the assembled weights (145 MB).
    """

    model_dir: Path | None = None
    voice: str = "heart"
    language: str = "en"
    recognizer_workers: int = field(default_factory=_processor_count)
    cache_dir: Path = field(default_factory=_cache_dir)
