"""The microphone's stream on its way up: which one is open, in which order, with which gaps."""

from __future__ import annotations

from lapel.devices.audio import check_frame
from lapel.devices.errors import AudioNotOpen, AudioOrder, Unavailable
from lapel.devices.events import AudioArrived, DeviceEvent, ListenStarted, ListenStopped
from lapel.devices.inbox import MISSING
from lapel.devices.wire import AudioFrame, Listen
from lapel.speech.formats import AudioFormat


class MicrophoneStream:
    """At most one stream is open; its number is the device's, or the count of its starts."""

    def __init__(self, audio: AudioFormat | None) -> None:
        self._audio = audio
        self._number = 0
        self._open = False
        self._next = 0

    def listen(self, message: Listen) -> list[DeviceEvent]:
        if self._audio is None:
            raise Unavailable("`welcome` agreed on no audio up; Lapel runs without speech")
        if message.state == "stop":
            return self._stop()
        if self._open and message.stream == self._number:
            return []  # said again after a resume
        events = self._stop()
        follows = (self._number + 1) & 0xFFFF
        self._number = follows if message.stream is None else message.stream
        self._open, self._next = True, 0
        return [*events, ListenStarted(self._number, message.mode)]

    def frame(self, frame: AudioFrame) -> list[DeviceEvent]:
        if self._audio is None or not self._open or frame.stream != self._number:
            raise AudioNotOpen(f"no stream {frame.stream} is open; send `listen start` first")
        if frame.sequence < self._next:
            raise AudioOrder(f"frame {frame.sequence} after {self._next - 1}; it was dropped")
        check_frame(frame.payload, self._audio, last=frame.last)
        events: list[DeviceEvent] = []
        if frame.payload:
            missing = min(MISSING, frame.sequence - self._next)
            events.append(AudioArrived(frame.stream, frame.payload, missing))
        self._next = frame.sequence + 1
        return [*events, *self._stop()] if frame.last else events

    def _stop(self) -> list[DeviceEvent]:
        if not self._open:
            return []
        self._open = False
        return [ListenStopped(self._number)]
