"""The English voice: hibari, from the files inside its package; never its downloads.

The one module that touches hibari, which ships without types.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# (the Protocols below state what is used of it)

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from lapel.speech._signal import Floats, fade_edges, to_floats, to_pcm
from lapel.speech.spoken import spoken

RATE: Final = 24_000
CACHE_BYTES: Final = 8 << 20  # about 170 s of speech; the least recently said goes first

_QUIET: Final = 0.003  # of full scale: the voice's own silence at both ends
_LEAD_S: Final = 0.02
_TAIL_S: Final = 0.12


class _Engine(Protocol):
    def phonemize(self, text: str) -> list[str]: ...
    def ids(self, phonemes: str) -> list[int]: ...
    def from_ids(
        self, ids: list[int], speed: float, rng: np.random.Generator
    ) -> NDArray[np.float32]: ...


class Voice:
    """A loaded voice; `say` may run in several threads."""

    def __init__(self, model: Path) -> None:
        from hibari import Hibari

        # With the file named, hibari never looks a voice up and so never fetches one.
        self._engine = cast(_Engine, Hibari(model=str(model), threads=1))
        self._reading = threading.Lock()  # its reading of words keeps state
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._keeping = threading.Lock()
        self.say("Ready.")

    def say(self, clause: str) -> Floats:
        """Samples at RATE; none where the voice can read nothing in the clause."""
        text = spoken(clause)
        with self._keeping:
            if (pcm := self._kept.get(text)) is not None:
                self._kept.move_to_end(text)
                return to_floats(pcm)
        samples = self._synthesize(text)
        self._keep(text, to_pcm(samples))
        return samples

    def _synthesize(self, text: str) -> Floats:
        with self._reading:
            spells = [self._engine.ids(sounds) for sounds in self._engine.phonemize(text)]
        random = np.random.default_rng(zlib.crc32(text.encode()))
        parts = [self._engine.from_ids(ids, 1.0, random) for ids in spells]
        if not parts:
            return np.zeros(0, np.float32)
        return fade_edges(_trim(np.concatenate(parts)), RATE)

    def _keep(self, text: str, pcm: bytes) -> None:
        if len(pcm) > CACHE_BYTES // 8:
            return
        with self._keeping:
            self._kept_bytes += len(pcm) - len(self._kept.pop(text, b""))
            self._kept[text] = pcm
            while self._kept_bytes > CACHE_BYTES:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])


def _trim(samples: Floats) -> Floats:
    """Shorten the silence around a clause: the first sound comes sooner, pauses stay even."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    if not len(loud):
        return samples[:0]
    start = max(0, int(loud[0]) - int(_LEAD_S * RATE))
    end = int(loud[-1]) + int(_TAIL_S * RATE)
    return samples[start:end]
