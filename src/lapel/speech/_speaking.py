"""A reply on its way to sound: clause by clause, a few frames at a time, in worker threads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final

import numpy as np

from lapel.speech._hibari import RATE, Voice
from lapel.speech._opus import OpusEncoder
from lapel.speech._signal import Floats, Resampler, to_pcm
from lapel.speech.clauses import clauses
from lapel.speech.formats import AudioFormat, Codec
from lapel.speech.framing import Reframer
from lapel.speech.scripts import ASCII_SENTENCE_MARKS, CLOSERS, SENTENCE_MARKS
from lapel.speech.workers import WorkerPool

FIRST_PIECE_S: Final = 0.06  # encoded with the first clause, so that sound starts at once
PIECE_S: Final = 0.3  # of one speaker before the next one has a turn
SENTENCE_PAUSE_S: Final = 0.2


async def speak(
    voice: Voice, pool: WorkerPool, owner: str, text: str, audio_format: AudioFormat
) -> AsyncGenerator[bytes, None]:
    """Encoded frames of the text; the work is at most one piece ahead of who listens."""
    line = _Line(voice, text, audio_format)
    ahead = asyncio.create_task(pool.run(owner, line.next_frames))
    try:
        while (frames := await ahead) is not None:
            ahead = asyncio.create_task(pool.run(owner, line.next_frames))
            for frame in frames:
                yield frame
    finally:
        ahead.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ahead


class _Line:
    """One reply's state; used by one thread at a time, and only in worker threads."""

    def __init__(self, voice: Voice, text: str, audio_format: AudioFormat) -> None:
        self._voice, self._clauses = voice, clauses(text)
        self._format = audio_format
        self._resampler = Resampler(RATE, audio_format.rate)
        self._reframer = Reframer(2 * audio_format.frame_samples)
        self._encoder = OpusEncoder(audio_format.rate) if audio_format.codec is Codec.OPUS else None
        self._frames: list[bytes] = []  # PCM, waiting to be encoded
        self._pause: Floats = np.zeros(0, np.float32)
        self._started = self._ended = self._audible = False

    def next_frames(self) -> list[bytes] | None:
        """The next piece; None after the last."""
        while not self._frames and not self._ended:
            self._say_next()
        if not self._frames:
            return None
        piece_s = PIECE_S if self._started else FIRST_PIECE_S
        self._started = True
        count = max(1, int(piece_s * 1000) // self._format.frame_ms)
        piece, self._frames = self._frames[:count], self._frames[count:]
        if self._encoder is None:
            return piece
        return [self._encoder.encode(frame) for frame in piece]

    def _say_next(self) -> None:
        clause = next(self._clauses, None)
        if clause is None:
            self._ended = True
            if self._audible:
                self._frames = self._reframer.feed(to_pcm(self._resampler.flush()))
                self._frames += self._reframer.flush()
            return
        said = self._voice.say(clause)
        if not len(said):
            return
        self._audible = True
        samples = np.concatenate([self._pause, said])
        self._frames = self._reframer.feed(to_pcm(self._resampler.feed(samples)))
        long_pause = clause.rstrip(CLOSERS)[-1:] in ASCII_SENTENCE_MARKS + SENTENCE_MARKS
        self._pause = np.zeros(int(RATE * SENTENCE_PAUSE_S) if long_pause else 0, np.float32)
