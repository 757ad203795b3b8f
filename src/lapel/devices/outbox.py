"""Reliable messages that the device has not acknowledged yet, in the order of their numbers.

When full (256 messages or 1 MiB), what a later message of the same topic replaces is dropped, and
the start and end of speech that is over; if that frees nothing, the session cannot be kept.
A cue that expired, and speech that ended, while the link was down is not sent again. All of these
leave a gap in the numbers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from lapel.devices.wire import Clear, CueMessage, Reliable, encode

LIMIT = 256
BYTES = 1024 * 1024


class OutboxFull(Exception):
    """Nothing can be dropped without losing a cue."""


@dataclass(slots=True)
class _Entry:
    n: int
    data: bytes
    topic: str | None
    cue: str | None
    told_at: float
    expiring: CueMessage | None


class Outbox:
    def __init__(self, limit: int = LIMIT, max_bytes: int = BYTES) -> None:
        self._limit = limit
        self._max_bytes = max_bytes
        self._entries: deque[_Entry] = deque()
        self._bytes = 0
        self._over: set[str] = set()
        self.last = 0
        self.acknowledged = 0

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, make: Callable[[int], Reliable], now: float) -> tuple[bytes, list[str]]:
        """Number and keep a message; returns its bytes and the cues that it settles by replacing.

        Raises OutboxFull, after which the session is lost.
        """
        message = make(self.last + 1)
        data = encode(message)
        entry = _Entry(message.n, data, None, None, now, None)
        match message:
            case CueMessage(cue=cue):
                entry.topic, entry.cue = cue.topic, cue.id
                entry.expiring = message if cue.expires_s is not None else None
            case Clear(topic=topic):
                entry.topic = topic
            case _:
                entry.cue = message.cue
        self._entries.append(entry)
        self._bytes += len(data)
        settled = self._shed() if self._is_over() else []
        if self._is_over():
            raise OutboxFull
        self.last = message.n
        return data, settled

    def acknowledge(self, cursor: int) -> list[str]:
        """Forget what the device acted on; returns the ids of the cues among it."""
        settled: list[str] = []
        while self._entries and self._entries[0].n <= cursor:
            entry = self._entries.popleft()
            self._bytes -= len(entry.data)
            if entry.topic is not None and entry.cue is not None:
                settled.append(entry.cue)
            elif entry.cue is not None and entry.cue in self._over:
                self._forget_speech(entry.cue)
        self.acknowledged = max(self.acknowledged, min(cursor, self.last))
        return settled

    def replay(self, now: float) -> tuple[list[bytes], list[str]]:
        """What is sent again after a resume, and the cues that expired meanwhile."""
        data: list[bytes] = []
        expired: list[str] = []
        kept: deque[_Entry] = deque()
        for entry in self._entries:
            over = entry.topic is None and entry.cue in self._over
            fresh = None if over else _aged(entry, now)
            if fresh is None:
                if not over and entry.cue is not None:
                    expired.append(entry.cue)
                self._bytes -= len(entry.data)
                continue
            kept.append(entry)
            data.append(fresh)
        self._entries = kept
        self._over.clear()  # nothing of theirs is left
        return data, expired

    def speech_is_over(self, cue: str) -> None:
        """The messages around this speech are worth nothing any more."""
        self._over.add(cue)
        self._forget_speech(cue)

    def _forget_speech(self, cue: str) -> None:
        if not any(entry.topic is None and entry.cue == cue for entry in self._entries):
            self._over.discard(cue)

    def _is_over(self) -> bool:
        return len(self._entries) > self._limit or self._bytes > self._max_bytes

    def _shed(self) -> list[str]:
        later: set[str] = set()
        kept: deque[_Entry] = deque()
        settled: list[str] = []
        for entry in reversed(self._entries):
            over = entry.topic is None and entry.cue in self._over
            if over or entry.topic in later:
                self._bytes -= len(entry.data)
                if entry.topic is not None and entry.cue is not None:
                    settled.append(entry.cue)
                continue
            if entry.topic is not None:
                later.add(entry.topic)
            kept.appendleft(entry)
        self._entries = kept
        self._over = {
            cue for cue in self._over if any(e.topic is None and e.cue == cue for e in kept)
        }
        settled.reverse()
        return settled


def _aged(entry: _Entry, now: float) -> bytes | None:
    """The bytes to send now: what is left of the time of a cue that expires, None if nothing is."""
    message = entry.expiring
    if message is None or message.cue.expires_s is None:
        return entry.data
    left = message.cue.expires_s - (now - entry.told_at)
    if left <= 0:
        return None
    cue = msgspec.structs.replace(message.cue, expires_s=round(left, 3))
    return encode(msgspec.structs.replace(message, cue=cue))
