"""Speech engines that understand exactly what the test says: each frame of sound holds its word."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence

from lapel.speech import AudioFormat, Transcript, VoiceFrame

UP = 640
"""Bytes of 20 ms of the microphone: 16 kHz, 16 bit."""
FRAME_S = 0.02
SILENCE = bytes(UP)
WORD_S = 0.24
"""How long a word takes to say."""
LETTER_S = 0.065
"""How long Lapel's voice takes for a character."""
_MARK = 0x4C50
_FRAME = struct.Struct("<HHh")


class Voices:
    """Stands for `SpeechEngines`: the calls, their order in time and their results are alike."""

    def __init__(self) -> None:
        self.recognise_s = 0.12
        self.first_audio_s = 0.08
        self.judge_s = 0.004
        self.unspeakable: list[Exception] = []
        """The next speeches fail with these."""
        self._words: list[tuple[str, int]] = [("", 0)]
        self._said: list[str] = []

    # What the user says.

    def words(self, text: str, level_db: int = -20, word_s: float = WORD_S) -> list[bytes]:
        """The sound of these words, frame by frame."""
        frames: list[bytes] = []
        count = round(word_s / FRAME_S)
        for word in text.split():
            self._words.append((word, count))
            frames += [_sound(len(self._words) - 1, level_db)] * count
        return frames

    @staticmethod
    def noise(seconds: float, level_db: int = -20) -> list[bytes]:
        """A cough: as voiced as speech, and no word in it."""
        return [_sound(0, level_db)] * round(seconds / FRAME_S)

    # What Lapel says.

    @staticmethod
    def length_s(text: str) -> float:
        return max(0.3, round(len(text) * LETTER_S / FRAME_S) * FRAME_S)

    def place_of(self, payload: bytes) -> tuple[str, float]:
        """The text that a frame of speech belongs to, and the second of it."""
        said, index, _ = _FRAME.unpack_from(payload)
        return self._said[said], index * FRAME_S

    # The interface of the engines.

    async def recognize(
        self, pcm: bytes, *, hints: Sequence[str] = (), owner: str = ""
    ) -> Transcript:
        await asyncio.sleep(self.recognise_s)
        heard = [_FRAME.unpack_from(pcm, at) for at in range(0, len(pcm) - UP + 1, UP)]
        counts = Counter(word for mark, word, _ in heard if mark == _MARK)
        words = [
            self._words[word][0]
            for word, count in counts.items()
            if word and 2 * count >= self._words[word][1]
        ]
        sure = 0.9 if words else 0.0
        return Transcript(" ".join(words), sure, 1 - sure, len(pcm) / 32_000, self.recognise_s)

    async def speak(self, text: str, audio_format: AudioFormat) -> AsyncGenerator[bytes, None]:
        await asyncio.sleep(self.first_audio_s)
        if self.unspeakable:
            raise self.unspeakable.pop(0)
        self._said.append(text)
        size = audio_format.frame_samples * 2
        for index in range(round(self.length_s(text) / FRAME_S)):
            yield _FRAME.pack(len(self._said) - 1, index, 0).ljust(size, b"\1")

    def open_microphone(
        self, audio_format: AudioFormat, on_voice: Callable[[VoiceFrame], None]
    ) -> Microphone:
        assert audio_format.frame_samples * 2 == UP
        return Microphone(self.judge_s, on_voice)


class Microphone:
    """Judges each frame a moment after it came, in order."""

    def __init__(self, judge_s: float, on_voice: Callable[[VoiceFrame], None]) -> None:
        self._judge_s = judge_s
        self._on_voice = on_voice
        self._waiting: deque[bytes] = deque()
        self._kept = bytearray()
        self._drains: list[asyncio.Future[None]] = []
        self._closed = False

    @property
    def position_s(self) -> float:
        return len(self._kept) / UP * FRAME_S

    def feed(self, frame: bytes) -> None:
        if not self._closed:
            self._waiting.append(frame)
            asyncio.get_running_loop().call_later(self._judge_s, self._judge)

    def lost(self, frames: int) -> None:
        for _ in range(frames):
            self.feed(SILENCE)

    def audio(self, start_s: float, end_s: float | None = None) -> bytes:
        last = self.position_s if end_s is None else end_s
        return bytes(self._kept[round(start_s / FRAME_S) * UP : round(last / FRAME_S) * UP])

    async def drain(self) -> None:
        if self._waiting and not self._closed:
            drained: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._drains.append(drained)
            await drained

    def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        self._settle()

    def _judge(self) -> None:
        if self._closed or not self._waiting:
            return
        frame = self._waiting.popleft()
        mark, _, level_db = _FRAME.unpack_from(frame)
        speech = mark == _MARK
        start_s = self.position_s
        self._kept += frame
        self._on_voice(
            VoiceFrame(start_s, FRAME_S, speech, 0.95 if speech else 0.05, float(level_db))
        )
        if not self._waiting:
            self._settle()

    def _settle(self) -> None:
        for drained in self._drains:
            if not drained.done():
                drained.set_result(None)
        self._drains.clear()


def _sound(word: int, level_db: int) -> bytes:
    return _FRAME.pack(_MARK, word, level_db).ljust(UP, b"\1")
