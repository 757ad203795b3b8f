"""The front end's thread: frames of many streams -> PCM at 16 kHz and judged windows.

Everything here belongs to that one thread. An Ear is the state of one stream; the model is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lapel.speech._opus import BadPacket, OpusDecoder
from lapel.speech._signal import SILENT_DB, Floats, Resampler, level_db, to_floats, to_pcm
from lapel.speech._silero import STATE, WINDOW, Silero
from lapel.speech.formats import AudioFormat, Codec
from lapel.speech.results import VoiceFrame

RATE: Final = 16_000
WINDOW_S: Final = WINDOW / RATE

# The energy gate: a window this quiet is not speech, unless speech was just heard. On 30 labelled
# recordings it skips 56 of 8,184 windows and changes one judgement; on an idle line nearly all.
GATE_DB: Final = -60.0
GATE_AFTER: Final = 10  # windows without speech before the gate may close
SPEECH_FROM: Final = 0.5
SPEECH_UNTIL: Final = 0.35  # best frame F1 of the pairs measured
CONCEALED_S: Final = 0.1  # libopus fades out by then; a longer gap goes on as silence


Arrival = bytes | int  # one encoded frame, or how many frames never came


@dataclass(slots=True)
class Heard:
    """What one pass found in one stream."""

    pcm: bytes = b""
    frames: list[VoiceFrame] = field(default_factory=list[VoiceFrame])
    damaged: int = 0


class Ear:
    """Decoder, resampler and voice state of one stream."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._frame_samples = RATE * audio_format.frame_ms // 1000
        self._opus = OpusDecoder(RATE) if audio_format.codec is Codec.OPUS else None
        self._resampler = Resampler(audio_format.rate, RATE)
        self._resampled = audio_format.rate != RATE
        self._rest = np.zeros(0, np.float32)
        self._judged = 0
        self.state = np.zeros(STATE, np.float32)
        self.speech = False
        self.quiet = GATE_AFTER

    def decode(self, items: Sequence[Arrival], heard: Heard) -> list[Floats]:
        """The whole windows that are now complete; the PCM is added to `heard`."""
        pieces = [self._decode(item, heard) for item in items]
        heard.pcm += b"".join(pieces)
        sound = np.concatenate([self._rest, to_floats(b"".join(pieces))])
        count = len(sound) // WINDOW
        self._rest = sound[count * WINDOW :]
        return list(sound[: count * WINDOW].reshape(count, WINDOW))

    def judged(self, probability: float, level: float) -> VoiceFrame:
        self.speech = probability >= (SPEECH_UNTIL if self.speech else SPEECH_FROM)
        self.quiet = 0 if self.speech else self.quiet + 1
        start_s = self._judged * WINDOW_S
        self._judged += 1
        return VoiceFrame(start_s, WINDOW_S, self.speech, probability, level)

    def _decode(self, item: Arrival, heard: Heard) -> bytes:
        if isinstance(item, int):
            return self._fill(item)
        if self._opus is None:
            heard.damaged += len(item) % 2
            if not self._resampled:
                return item[: len(item) - len(item) % 2]
            return to_pcm(self._resampler.feed(to_floats(item)))
        try:
            return self._opus.decode(item)
        except BadPacket:
            heard.damaged += 1
            return self._fill(1)

    def _fill(self, frames: int) -> bytes:
        guessed = 0
        if self._opus is not None:
            guessed = min(frames, max(1, int(CONCEALED_S * RATE) // self._frame_samples))
        filled = [self._conceal() for _ in range(guessed)]
        return b"".join(filled) + bytes(2 * self._frame_samples * (frames - guessed))

    def _conceal(self) -> bytes:
        if self._opus is None:
            return bytes(2 * self._frame_samples)
        return self._opus.conceal(self._frame_samples)


def judge(silero: Silero, streams: Sequence[tuple[Ear, Sequence[Arrival]]]) -> list[Heard]:
    """One pass over all streams that have something; the answers are in the streams' order."""
    found = [Heard() for _ in streams]
    windows = [ear.decode(items, heard) for (ear, items), heard in zip(streams, found, strict=True)]
    for step in range(max(map(len, windows), default=0)):
        due = [index for index, mine in enumerate(windows) if step < len(mine)]
        ears = [streams[index][0] for index in due]
        sounds = [windows[index][step] for index in due]
        for index, ear, verdict in zip(due, ears, _judge(silero, ears, sounds), strict=True):
            found[index].frames.append(ear.judged(*verdict))
    return found


def _judge(
    silero: Silero, ears: Sequence[Ear], sounds: Sequence[Floats]
) -> list[tuple[float, float]]:
    """Probability and level of one window of each ear, all in one run of the network."""
    levels = [level_db(sound) for sound in sounds]
    open_at = [
        at
        for at, (ear, level) in enumerate(zip(ears, levels, strict=True))
        if level > SILENT_DB and (level >= GATE_DB or ear.quiet < GATE_AFTER)
    ]
    chances = [0.0] * len(ears)
    if open_at:
        states = np.stack([ears[at].state for at in open_at])
        judged = silero.judge(np.stack([sounds[at] for at in open_at]), states)
        for at, state, chance in zip(open_at, states, judged, strict=True):
            ears[at].state[:] = state
            chances[at] = float(chance)
    return list(zip(chances, levels, strict=True))
