"""The speech of a session: one at a time, from `speech_start` to the device's report."""

from __future__ import annotations

from typing import Literal

from lapel.devices.commands import DropAudio, SendAudio, SpeechOver
from lapel.devices.outgoing import Outgoing
from lapel.devices.playout import Playout
from lapel.devices.wire import (
    Playback,
    Resume,
    SpeechEnd,
    SpeechStart,
    SpeechStop,
)
from lapel.speech.formats import AudioFormat

REPORT_S = 5.0
"""How long after its end the device may take to report that speech was heard."""
STOP_REPORT_S = 1.0


class Speaking:
    def __init__(self, out: Outgoing, audio: AudioFormat | None) -> None:
        self._out = out
        self._audio = audio
        self._now: Playout | None = None

    @property
    def room(self) -> bool:
        return self._now is not None and not self._now.stopped and self._now.room

    @property
    def heard(self) -> Playout | None:
        return self._now

    def start(self, cue: str, text: str, now: float) -> None:
        audio = self._audio
        if audio is None:
            self._out.add(SpeechOver(cue, "gone", 0.0))
            return
        if self._now is not None:
            self.stop(now)
            self._over("unreported", now)

        def make(n: int) -> SpeechStart:
            return SpeechStart(n, cue, audio.codec, audio.rate, audio.frame_ms, text)

        self._now = Playout(cue, self._out.reliable(make, now), audio)

    def add(self, cue: str, payload: bytes, now: float) -> None:
        speech = self._current(cue)
        if speech is not None:
            speech.add(payload)
            self.pump(now)

    def end(self, cue: str, now: float) -> None:
        speech = self._current(cue)
        if speech is not None:
            speech.end()
            self.pump(now)

    def stop(self, now: float) -> None:
        """Barge-in: nothing of the stream is sent after `speech_stop`."""
        speech = self._now
        if speech is None or speech.stopped:
            return
        speech.stopped = True
        speech.report_by = now + STOP_REPORT_S
        self._out.add(DropAudio(speech.stream))
        self._out.send(self._stop_message(speech))

    def report(self, message: Playback, now: float) -> None:
        """The device's own word on what was heard."""
        speech = self._now
        if speech is None or speech.cue != message.cue or message.state == "started":
            return
        self._out.add(DropAudio(speech.stream))
        self._over(message.state, now, message.played_ms / 1000)

    def resume(self, resume: Resume, now: float) -> None:
        """After the replay: continue where the device is, or tell it again to be silent."""
        speech, cursor = self._now, resume.audio_cursor
        if cursor is not None and (speech is None or speech.cue != cursor.cue):
            self._out.send(SpeechStop(cursor.cue, 0))
        if speech is None:
            return
        if speech.stopped:
            self._out.send(self._stop_message(speech))
        elif cursor is not None and cursor.cue == speech.cue:
            speech.rewind(cursor.next)
        elif resume.cursor < speech.n:
            speech.rewind(0)
        self.pump(now)
        if speech.end_sent and not speech.stopped:
            speech.report_by = speech.over_at(now) + REPORT_S

    def pump(self, now: float) -> None:
        """Send what is due, and the end once everything is sent."""
        speech = self._now
        if speech is None or not self._out.connected:
            return
        for data in speech.due(now):
            self._out.add(SendAudio(speech.stream, data))
        if speech.all_sent and not speech.end_sent:
            frames = speech.total or 0
            cue = speech.cue
            self._out.reliable(lambda n: SpeechEnd(n, cue, frames), now)
            speech.end_sent = True
            speech.report_by = speech.over_at(now) + REPORT_S

    def tick(self, now: float) -> None:
        self.pump(now)
        speech = self._now
        if speech is None or speech.report_by is None or now < speech.report_by:
            return
        if speech.stopped:
            self._over("stopped", now)
        elif self._out.connected:
            self._over("unreported", now)

    def give_up(self, now: float) -> None:
        """The session is gone."""
        if self._now is not None:
            self._over("gone", now)

    def wake_at(self) -> list[float]:
        speech = self._now
        if speech is None:
            return []
        times: list[float] = []
        if speech.report_by is not None and (self._out.connected or speech.stopped):
            times.append(speech.report_by)
        frames = speech.wake_at() if self._out.connected else None
        if frames is not None:
            times.append(frames)
        return times

    def _current(self, cue: str) -> Playout | None:
        speech = self._now
        if speech is None or speech.cue != cue or speech.stopped or speech.total is not None:
            return None
        return speech

    def _stop_message(self, speech: Playout) -> SpeechStop:
        return SpeechStop(speech.cue, speech.next * speech.format.frame_ms)

    def _over(
        self,
        state: Literal["finished", "stopped", "unreported", "gone"],
        now: float,
        played_s: float | None = None,
    ) -> None:
        speech, self._now = self._now, None
        if speech is not None:
            heard = speech.heard_s(now) if played_s is None else played_s
            self._out.outbox.speech_is_over(speech.cue)
            self._out.add(SpeechOver(speech.cue, state, heard))
