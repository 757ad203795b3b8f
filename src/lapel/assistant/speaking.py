"""The one voice of a user: what is said, in which order, on which device, and how it is stopped."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from lapel.devices import Link
from lapel.speech import SpeechEngines

WAITING = 8
"""Most things waiting to be said. When full the oldest announcement is dropped: its card stays."""


@dataclass(frozen=True, slots=True)
class Saying:
    """`turn` is the turn that it answers, if any. `from_s` seconds were heard already."""

    cue_id: str
    topic: str
    text: str
    session_id: str
    turn: int | None = None
    from_s: float = 0.0


class Speaking:
    """Says one thing at a time. Answers go first; announcements wait until nobody is speaking."""

    def __init__(
        self,
        engines: SpeechEngines,
        link_of: Callable[[str], Link | None],
        announced: Callable[[str], None],
        lost: Callable[[str], None],
    ) -> None:
        self._engines = engines
        self._link_of = link_of
        self._announced = announced
        self._lost = lost
        self._answers: deque[Saying] = deque(maxlen=WAITING)
        self._announcements: deque[Saying] = deque(maxlen=WAITING)
        self._changed = asyncio.Event()
        self._quiet = True
        self._current: Saying | None = None
        self._said: dict[str, Saying] = {}

    def say(self, saying: Saying) -> None:
        """Queue it. A waiting announcement with the same topic is replaced."""
        self._said = {saying.cue_id: saying} | dict(list(self._said.items())[:WAITING])
        if saying.turn is not None:
            self._answers.append(saying)
        else:
            kept = [entry for entry in self._announcements if entry.topic != saying.topic]
            self._announcements = deque([*kept, saying], maxlen=WAITING)
        self._changed.set()

    def again(self, cue_id: str, from_s: float) -> bool:
        """Go on with a cue that was stopped after `from_s` seconds."""
        saying = self._said.get(cue_id)
        if saying is None:
            return False
        self._answers.appendleft(
            Saying(cue_id, saying.topic, saying.text, saying.session_id, saying.turn or 0, from_s)
        )
        self._changed.set()
        return True

    def stop(self, cue_id: str) -> None:
        """Barge-in: silence on the wire before this returns."""
        current = self._current
        if current is not None and current.cue_id == cue_id:
            link = self._link_of(current.session_id)
            if link is not None:
                link.stop_playing()
        self._answers = deque(
            (entry for entry in self._answers if entry.cue_id != cue_id), maxlen=WAITING
        )

    def drop(self, cue_id: str) -> None:
        """The cue will not be spoken any more."""
        self.stop(cue_id)
        self._said.pop(cue_id, None)

    def withdraw(self, topic: str) -> None:
        """Nothing about `topic` needs saying any more; what is being said of it stops."""
        self._answers = deque((e for e in self._answers if e.topic != topic), maxlen=WAITING)
        self._announcements = deque(
            (e for e in self._announcements if e.topic != topic), maxlen=WAITING
        )
        if self._current is not None and self._current.topic == topic:
            self.stop(self._current.cue_id)

    def set_quiet(self, quiet: bool) -> None:
        """Whether nobody speaks or thinks now, so that an announcement may begin."""
        self._quiet = quiet
        self._changed.set()

    async def run(self) -> None:
        """Say what is queued, until cancelled."""
        while True:
            saying = await self._next()
            link = self._link_of(saying.session_id)
            if link is None or link.down is None:
                self._lost(saying.cue_id)
                continue
            self._current = saying
            if saying.turn is None:
                self._quiet = False
                self._announced(saying.cue_id)
            frames = self._engines.speak(saying.text, link.down)
            skip = int(saying.from_s * 1000 / link.down.frame_ms)
            try:
                await link.play(saying.cue_id, saying.text, _after(frames, skip))
            finally:
                self._current = None

    async def _next(self) -> Saying:
        while True:
            if self._answers:
                return self._answers.popleft()
            if self._announcements and self._quiet:
                return self._announcements.popleft()
            self._changed.clear()
            await self._changed.wait()


async def _after(frames: AsyncIterator[bytes], skip: int) -> AsyncIterator[bytes]:
    async for frame in frames:
        if skip > 0:
            skip -= 1
            continue
        yield frame
