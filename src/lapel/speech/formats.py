"""Audio formats as they are negotiated: one direction, mono."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Codec(StrEnum):
    OPUS = "opus"
    PCM16 = "pcm16"


class AudioFormat(msgspec.Struct, frozen=True):
    """One direction of audio: mono, `rate` in Hz, `frame_ms` in milliseconds (10, 20 or 60)."""

    codec: Codec
    rate: int
    frame_ms: int

    @property
    def frame_samples(self) -> int:
        return self.rate * self.frame_ms // 1000
