"""A speaker that makes no sound: it plays at a given speed and reports what a real one would."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.devices.wire import AudioCursor, AudioFrame, Playback, PlaybackState, SpeechStart


@dataclass(slots=True)
class _Speech:
    cue: str
    stream: int
    frame_s: float
    next: int = 0
    total: int | None = None
    heard_s: float = 0.0
    started: bool = False

    @property
    def there_s(self) -> float:
        return self.next * self.frame_s


class Speaker:
    """Plays one speech at a time; `advance` moves its own clock."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._speech: _Speech | None = None
        self._at = 0.0

    def cursor(self) -> AudioCursor | None:
        """For `resume`: the next frame that is needed."""
        speech = self._speech
        return None if speech is None else AudioCursor(speech.cue, speech.next)

    def start(self, message: SpeechStart, now: float) -> list[Playback]:
        reports = self.stop(self._speech.cue, now) if self._speech is not None else []
        self._speech = _Speech(message.cue, message.n & 0xFFFF, message.frame_ms / 1000)
        self._at = now
        return reports

    def take(self, frame: AudioFrame, now: float) -> str | None:
        """Queue a frame; the cue it belongs to, or None if it is not wanted."""
        speech = self._speech
        if speech is None or frame.stream != speech.stream or frame.sequence < speech.next:
            return None
        if speech.heard_s >= speech.there_s:
            self._at = now  # it had run dry
        speech.next = frame.sequence + 1
        return speech.cue

    def end(self, cue: str, frames: int, now: float) -> list[Playback]:
        if self._speech is not None and self._speech.cue == cue:
            self._speech.total = frames
        return self.advance(now)

    def stop(self, cue: str, now: float) -> list[Playback]:
        reports = self.advance(now)
        speech = self._speech
        if speech is None or speech.cue != cue:
            return reports
        self._speech = None
        return [*reports, _report(speech, "stopped")]

    def silence(self) -> None:
        self._speech = None

    def advance(self, now: float) -> list[Playback]:
        """Play up to `now`; what there is to report."""
        speech = self._speech
        if speech is None:
            return []
        reports: list[Playback] = []
        if speech.next and not speech.started:
            speech.started = True
            reports.append(_report(speech, "started"))
        passed = max(0.0, now - self._at) * self._speed
        self._at = now
        speech.heard_s = min(speech.there_s, speech.heard_s + passed)
        if speech.total is not None and speech.heard_s >= speech.total * speech.frame_s - 1e-6:
            self._speech = None
            reports.append(_report(speech, "finished"))
        return reports

    def wake_at(self) -> float | None:
        """When the speech will have been heard, once all of it is there."""
        speech = self._speech
        if speech is None or speech.total is None or speech.next < speech.total:
            return None
        return self._at + (speech.total * speech.frame_s - speech.heard_s) / self._speed


def _report(speech: _Speech, state: PlaybackState) -> Playback:
    return Playback(speech.cue, state, round(speech.heard_s * 1000))
