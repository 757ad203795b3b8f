"""Microphone streams, and the one thread that listens to all of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from lapel.speech.errors import SpeechClosed
from lapel.speech.formats import AudioFormat
from lapel.speech.results import VoiceFrame

if TYPE_CHECKING:
    from lapel.speech._ear import Arrival, Ear, Heard
    from lapel.speech._silero import Silero

RATE: Final = 16_000
KEPT_S: Final = 30.0
INBOX_FRAMES: Final = 256  # when full the oldest is dropped and heard as a gap
LONGEST_GAP_S: Final = 30.0

# With few streams a frame is judged as it comes. With more, passes start this far apart, so that
# one run of the network judges many streams: a third less CPU for at most 10 ms.
FEW_STREAMS: Final = 4
PASS_S: Final = 0.010
PASS_FRAMES: Final = 16  # of one stream in one pass; the rest waits for the next
PASS_STREAMS: Final = 128

OnVoice = Callable[[VoiceFrame], None]


class MicrophoneStream:
    """One microphone: frames in, judgements out, and the last 30 s to hear again.

    Times are seconds of sound since the stream was opened. Lives on the event loop.
    """

    def __init__(
        self, front_end: FrontEnd, ear: Ear, audio_format: AudioFormat, on_voice: OnVoice
    ) -> None:
        self._front_end, self._ear = front_end, ear
        self._on_voice = on_voice
        self._longest_gap = int(LONGEST_GAP_S * 1000) // audio_format.frame_ms
        self._inbox: deque[Arrival] = deque()
        self._fed = self._done = 0
        self._drains: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._kept = bytearray()
        self._end_samples = 0
        self._closed = False
        self.dropped = 0
        self.damaged = 0

    @property
    def position_s(self) -> float:
        """How much sound has been heard."""
        return self._end_samples / RATE

    def feed(self, frame: bytes) -> None:
        """Take one encoded frame. Never blocks; after `close` the frame is ignored."""
        if self._closed:
            return
        self._inbox.append(frame)
        self._fed += 1
        if len(self._inbox) > INBOX_FRAMES:
            self._drop_oldest()
        self._front_end.wake(self)

    def lost(self, frames: int) -> None:
        """So many frames never came: Opus guesses, longer gaps are silence (at most 30 s)."""
        if self._closed or frames <= 0:
            return
        self._inbox.append(min(frames, self._longest_gap))
        self._fed += 1
        if len(self._inbox) > INBOX_FRAMES:
            self._drop_oldest()
        self._front_end.wake(self)

    def audio(self, start_s: float, end_s: float | None = None) -> bytes:
        """PCM, 16-bit, 16 kHz, of what is still kept between the two times."""
        first = self._end_samples - len(self._kept) // 2
        start = min(max(round(start_s * RATE), first), self._end_samples)
        end = self._end_samples if end_s is None else round(end_s * RATE)
        end = min(max(end, start), self._end_samples)
        return bytes(self._kept[2 * (start - first) : 2 * (end - first)])

    async def drain(self) -> None:
        """Wait until everything fed so far has been judged, but for what fills no 32 ms window."""
        if self._done >= self._fed or self._closed:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._drains.append((self._fed, waiting))
        await waiting

    def close(self) -> None:
        """Stop listening; what waits is forgotten, no further judgement is reported."""
        if self._closed:
            return
        self._closed = True
        self._inbox.clear()
        self._front_end.forget(self)
        self._settle(self._fed)

    def _drop_oldest(self) -> None:
        """The oldest frame becomes a gap at the head, so that times stay right."""
        oldest, second = self._inbox.popleft(), self._inbox.popleft()
        missing = [item if isinstance(item, int) else 1 for item in (oldest, second)]
        self.dropped += sum(isinstance(item, bytes) for item in (oldest, second))
        self._inbox.appendleft(min(sum(missing), self._longest_gap))
        self._done += 1

    def take(self) -> list[Arrival]:
        """For the front end: what one pass may judge now."""
        return [self._inbox.popleft() for _ in range(min(PASS_FRAMES, len(self._inbox)))]

    @property
    def waiting(self) -> bool:
        return bool(self._inbox)

    @property
    def ear(self) -> Ear:
        return self._ear

    def accept(self, heard: Heard | None, count: int) -> None:
        """For the front end: the outcome of one pass over `count` items."""
        if self._closed:
            return
        try:
            if heard is not None:
                self._report(heard)
        finally:
            self._done += count
            self._settle(self._done)

    def _report(self, heard: Heard) -> None:
        self._keep(heard.pcm)
        self.damaged += heard.damaged
        for frame in heard.frames:
            if not self._closed:
                self._on_voice(frame)

    def _keep(self, pcm: bytes) -> None:
        self._kept += pcm
        self._end_samples += len(pcm) // 2
        surplus = len(self._kept) - int(KEPT_S * RATE) * 2
        if surplus > 0:
            del self._kept[:surplus]

    def _settle(self, done: int) -> None:
        while self._drains and self._drains[0][0] <= done:
            waiting = self._drains.popleft()[1]
            if not waiting.done():
                waiting.set_result(None)


class FrontEnd:
    """Gathers what the streams have and gives it to one thread, pass by pass."""

    def __init__(self, silero: Silero) -> None:
        self._silero = silero
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="lapel-front-end")
        self._open: set[MicrophoneStream] = set()
        self._ready: dict[MicrophoneStream, None] = {}  # in the order of their turns
        self._running = False
        self._timer: asyncio.TimerHandle | None = None
        self._last_pass_s = 0.0
        self._closed = False

    def open(self, audio_format: AudioFormat, on_voice: OnVoice) -> MicrophoneStream:
        if self._closed:
            raise SpeechClosed
        from lapel.speech._ear import Ear

        stream = MicrophoneStream(self, Ear(audio_format), audio_format, on_voice)
        self._open.add(stream)
        return stream

    def wake(self, stream: MicrophoneStream) -> None:
        self._ready.setdefault(stream)
        self._schedule()

    def forget(self, stream: MicrophoneStream) -> None:
        self._open.discard(stream)
        self._ready.pop(stream, None)

    async def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for stream in tuple(self._open):
            stream.close()
        await asyncio.to_thread(self._executor.shutdown, wait=True)

    def _schedule(self) -> None:
        if self._running or self._timer is not None or not self._ready or self._closed:
            return
        loop = asyncio.get_running_loop()
        due_s = self._last_pass_s + (PASS_S if len(self._open) > FEW_STREAMS else 0.0)
        if loop.time() >= due_s:
            self._begin()
        else:
            self._timer = loop.call_at(due_s, self._begin)

    def _begin(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        self._last_pass_s = loop.time()
        streams = list(self._ready)[:PASS_STREAMS]
        for stream in streams:
            del self._ready[stream]
        work = [(stream, stream.take()) for stream in streams]
        if not work:
            return
        self._running = True
        future = self._executor.submit(
            _listen, self._silero, [(stream.ear, items) for stream, items in work]
        )
        future.add_done_callback(
            lambda ended: loop.call_soon_threadsafe(
                self._end, [(stream, len(items)) for stream, items in work], ended
            )
        )

    def _end(self, work: list[tuple[MicrophoneStream, int]], ended: Future[list[Heard]]) -> None:
        self._running = False
        error = ended.exception()
        found = [None] * len(work) if error else ended.result()
        loop = asyncio.get_running_loop()
        if error:
            loop.call_exception_handler(
                {"message": "a pass of the speech front end failed", "exception": error}
            )
        for (stream, count), heard in zip(work, found, strict=True):
            if stream.waiting:
                self._ready.setdefault(stream)
            # Each on its own turn of the loop: one listener's failure stays its own.
            loop.call_soon(stream.accept, heard, count)
        self._schedule()


def _listen(silero: Silero, work: list[tuple[Ear, list[Arrival]]]) -> list[Heard]:
    from lapel.speech._ear import judge

    return judge(silero, work)
