"""What the device sent and the assistant has not taken yet: bounded, audio gives way first."""

from __future__ import annotations

from collections import deque

from lapel.devices.events import AudioArrived, DeviceEvent

LIMIT = 256
MISSING = 10
"""Most lost frames that are reported with the next one."""


class Inbox:
    """When full, the oldest audio frame makes room; without one, the new event is refused."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._events: deque[DeviceEvent] = deque()
        self.dropped_frames = 0

    def __len__(self) -> int:
        return len(self._events)

    def offer(self, event: DeviceEvent) -> bool:
        """Take `event`, or say False: the device is told that Lapel is busy."""
        if len(self._events) >= self._limit and not self._drop_oldest_audio():
            if not isinstance(event, AudioArrived):
                return False
            self.dropped_frames += 1  # not worth a message
            return True
        self._events.append(event)
        return True

    def take(self) -> DeviceEvent | None:
        return self._events.popleft() if self._events else None

    def clear(self) -> None:
        self._events.clear()

    def _drop_oldest_audio(self) -> bool:
        for index, event in enumerate(self._events):
            if isinstance(event, AudioArrived):
                del self._events[index]
                self.dropped_frames += 1
                self._mark_gap(index, event)
                return True
        return False

    def _mark_gap(self, start: int, gone: AudioArrived) -> None:
        for index in range(start, len(self._events)):
            event = self._events[index]
            if isinstance(event, AudioArrived):
                if event.stream == gone.stream:
                    missing = min(MISSING, event.missing + gone.missing + 1)
                    self._events[index] = AudioArrived(event.stream, event.payload, missing)
                return
