"""One speech on its way down: paced, kept for a resume, stopped at once."""

from __future__ import annotations

from collections import deque

from lapel.devices.wire import AudioFrame, encode_audio
from lapel.speech.formats import AudioFormat

AHEAD_S = 0.4
"""How far audio may run ahead of real time."""
BATCH_S = 0.06
"""A timer wakes for this much audio, not for every frame."""
WAITING_S = 0.5
"""Audio that may wait to be sent before the voice is held back."""
KEPT_S = 30.0
"""Audio already sent that is kept for a resume."""
KEPT_BYTES = int(KEPT_S * 24000 * 2)


class Playout:
    """The frames of one cue. `base` is the oldest frame kept, `next` the next one to send."""

    def __init__(self, cue: str, n: int, audio: AudioFormat) -> None:
        self.cue = cue
        self.stream = n & 0xFFFF
        self.n = n
        self.format = audio
        self.frame_s = audio.frame_ms / 1000
        self.base = 0
        self.next = 0
        self.total: int | None = None
        self.stopped = False
        self.end_sent = False
        self.report_by: float | None = None
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        # Frame `_origin` is heard at `_origin_at`, so frame i at _origin_at + (i - _origin) frames.
        self._origin = 0
        self._origin_at: float | None = None

    @property
    def produced(self) -> int:
        return self.base + len(self._frames)

    @property
    def room(self) -> bool:
        """Whether the voice may hand over another frame."""
        return (self.produced - self.next) * self.frame_s < WAITING_S

    @property
    def all_sent(self) -> bool:
        return self.total is not None and self.next >= self.total

    def add(self, payload: bytes) -> None:
        self._frames.append(payload)
        self._bytes += len(payload)

    def end(self) -> None:
        self.total = self.produced

    def due(self, now: float) -> list[bytes]:
        """The binary messages that may be sent by `now`."""
        messages: list[bytes] = []
        if self.stopped:
            return messages
        while self.next < self.produced and self._ends_at(now) - AHEAD_S <= now + 1e-6:
            last = self.total is not None and self.next == self.total - 1
            payload = self._frames[self.next - self.base]
            messages.append(encode_audio(AudioFrame(self.stream, self.next, payload, last)))
            self.next += 1
        self._forget_old()
        return messages

    def wake_at(self) -> float | None:
        """When the next frames are worth a timer."""
        waiting = self.produced - self.next
        if self.stopped or not waiting or self._origin_at is None:
            return None
        batch = max(0, min(waiting, round(BATCH_S / self.frame_s)) - 1)
        return self._origin_at + (self.next + batch + 1 - self._origin) * self.frame_s - AHEAD_S

    def rewind(self, next_frame: int) -> None:
        """Continue at `next_frame`, or at the oldest one kept."""
        self.next = max(self.base, min(next_frame, self.next))

    def heard_s(self, now: float) -> float:
        """How much the user has heard, as far as Lapel can tell."""
        if self._origin_at is None:
            return 0.0
        heard = self._origin * self.frame_s + max(0.0, now - self._origin_at)
        return min(self.next * self.frame_s, heard)

    def over_at(self, now: float) -> float:
        """When the last frame sent will have been heard."""
        return now + max(0.0, self.next * self.frame_s - self.heard_s(now))

    def _ends_at(self, now: float) -> float:
        """When the next frame will have been heard; a device that ran dry starts again now."""
        if self._origin_at is not None:
            at = self._origin_at + (self.next - self._origin) * self.frame_s
            if at >= now:
                return at + self.frame_s
        self._origin, self._origin_at = self.next, now
        return now + self.frame_s

    def _forget_old(self) -> None:
        keep = round(KEPT_S / self.frame_s)
        while self.next - self.base > keep or (self._bytes > KEPT_BYTES and self.base < self.next):
            self._bytes -= len(self._frames.popleft())
            self.base += 1
