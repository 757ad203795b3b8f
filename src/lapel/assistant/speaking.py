"""The one voice of a user: what is said, in which order, on which device, and how it is stopped."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from lapel.devices import Link
from lapel.faults import fault
from lapel.speech import SpeechEngines
from lapel.turns import Announced, PlaybackLost, PlaybackStopped, SpeechMeasured

log = logging.getLogger(__name__)

WAITING = 8
"""Most things waiting to be said. When full the oldest announcement is dropped: its card stays."""
REACH_S = 2.0
"""A device without a link at two looks so far apart speaks no more: another one does."""


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
        speaker: Callable[[], str | None],
        tell: Callable[[Announced | SpeechMeasured | PlaybackStopped | PlaybackLost], None],
    ) -> None:
        self._engines = engines
        self._link_of = link_of
        self._speaker = speaker
        self._tell = tell
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
        gone = [entry.cue_id for entry in self._answers if entry.topic == topic]
        self._answers = deque((e for e in self._answers if e.topic != topic), maxlen=WAITING)
        self._announcements = deque(
            (e for e in self._announcements if e.topic != topic), maxlen=WAITING
        )
        self._said = {name: e for name, e in self._said.items() if e.topic != topic}
        if self._current is not None and self._current.topic == topic:
            self.stop(self._current.cue_id)
        for cue_id in gone:
            self._tell(PlaybackLost(cue_id))

    def set_quiet(self, quiet: bool) -> None:
        """Whether nobody speaks or thinks now, so that an announcement may begin."""
        self._quiet = quiet
        self._changed.set()

    async def run(self) -> None:
        """Say what is queued, until cancelled."""
        while True:
            saying = self._current = await self._next()
            try:
                heard = await self._say(saying)
            except Exception as error:  # the boundary to engines and devices: go on with the next
                log.error("could not speak: %s", fault(error))
                self._tell(PlaybackLost(saying.cue_id))
                continue
            finally:
                self._current = None
            if not heard:
                self._tell(PlaybackLost(saying.cue_id))
                self._hand_over(saying)

    async def _say(self, saying: Saying) -> bool:
        """Speak on the device it is meant for; False when that is out of reach."""
        link = self._link_of(saying.session_id)
        if saying.turn is None:
            self._tell(Announced(saying.cue_id))
        if link is None or link.down is None:
            return False
        frames = self._engines.speak(saying.text, link.down)
        frame_s = link.down.frame_ms / 1000
        skip = int(saying.from_s / frame_s)
        watch = asyncio.create_task(_silence_out_of_reach(link))
        try:
            played = await link.play(
                saying.cue_id, saying.text, self._measured(saying, frames, skip, frame_s)
            )
        finally:
            watch.cancel()
        if watch.done() or played.state in ("gone", "unreported"):
            return False
        if played.state == "stopped":  # its device may be unable to say so
            self._tell(PlaybackStopped(saying.cue_id, played.played_s))
        return True

    async def _measured(
        self, saying: Saying, frames: AsyncIterator[bytes], skip: int, frame_s: float
    ) -> AsyncIterator[bytes]:
        """The frames after `skip`; at their end the turn machine learns how long it all is."""
        count = 0
        async for frame in frames:
            count += 1
            if count > skip:
                yield frame
        self._tell(SpeechMeasured(saying.cue_id, count * frame_s))

    def _hand_over(self, saying: Saying) -> None:
        """Another device says it, from the start."""
        session_id = self._speaker()
        if session_id is not None and session_id != saying.session_id:
            self.say(replace(saying, session_id=session_id, turn=None, from_s=0.0))

    async def _next(self) -> Saying:
        while True:
            if self._answers:
                return self._answers.popleft()
            if self._announcements and self._quiet:
                return self._announcements.popleft()
            self._changed.clear()
            await self._changed.wait()


async def _silence_out_of_reach(link: Link) -> None:
    """Give the speech on `link` up once its device is out of reach for long."""
    reached = True
    while reached or link.connected:
        reached = link.connected
        await asyncio.sleep(REACH_S)
    link.stop_playing()
