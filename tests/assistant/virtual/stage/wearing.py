"""What the user wears: the real client session of a device on a cable in memory."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from lapel.devices import (
    Card,
    Cue,
    CueKind,
    DeviceProfile,
    Display,
    Family,
    Gesture,
    Haptics,
    Input,
    Links,
    Microphone,
    Pattern,
    Speaker,
    Wear,
)
from lapel.devices.alarm import Alarm
from lapel.devices.client_events import (
    ClientEvent,
    CueShown,
    Joined,
    SpeechFrame,
    SpeechHeard,
    SpeechStarted,
)
from lapel.devices.client_session import (
    ClientInput,
    ClientSession,
    Dropped,
    Hang,
    Opened,
    Put,
    SendFrame,
    StartListening,
    StopListening,
    Tell,
    Tick,
)
from lapel.devices.pairing import Peer
from lapel.devices.wire import (
    Auth,
    Bye,
    GestureDone,
    ListenMode,
    SpeechStop,
    Text,
    WearNow,
    parse_audio,
    parse_lapel_text,
)
from stage.voices import FRAME_S, SILENCE
from stage.wire import Cable, Data

LATE_S = 0.006
"""One way over the air."""
_PRESSES = (Gesture.PRESS, Gesture.LONG_PRESS)
_EAR = Microphone(echo_cancelled=True)
GLASSES = DeviceProfile(
    Family.GLASSES, name="Glasses", displays=(Display(),), microphones=(_EAR,), wear=Wear(True)
)
RING = DeviceProfile(
    Family.RING, name="Ring", haptics=(Haptics(tuple(Pattern)),),
    inputs=(Input("pad", "touch", _PRESSES),), wear=Wear(True),
)  # fmt: skip
EARBUDS = DeviceProfile(
    Family.EARBUDS, name="Earbuds", speakers=(Speaker(private=True),), wear=Wear(True)
)
PENDANT = DeviceProfile(
    Family.PENDANT, name="Pendant", microphones=(_EAR,), speakers=(Speaker(),), wear=Wear(True)
)
PHONE = DeviceProfile(
    Family.PHONE, name="Phone", displays=(Display(layouts=("card", "map")),),
    inputs=(Input("screen", "touch", (Gesture.PRESS,)),),
)  # fmt: skip

E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that a device saw or did, and when."""

    at: float
    event: ClientEvent


class Worn:
    """One device. It is paired at its first `connect` and comes back as the same one."""

    def __init__(self, profile: DeviceProfile, token: str) -> None:
        self._loop = asyncio.get_running_loop()
        self.session = ClientSession(profile, Auth(token=token))
        self.past: list[Moment] = []
        self.cables: list[Cable] = []
        self.device_id = ""
        self._alarm = Alarm(self._loop, lambda: self._feed(Tick()))
        self._ids = itertools.count(1)
        self._serving: set[asyncio.Task[None]] = set()
        self._sound: list[bytes] = []
        self._streaming: asyncio.Task[None] | None = None

    # The link.

    def connect(self, links: Links) -> None:
        self.drop()
        cable = Cable(LATE_S, self._arrived, lambda code: self._feed(Dropped()))
        self.cables.append(cable)
        task = asyncio.create_task(links.serve(cable, Peer("memory", loopback=True)))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self._feed(Opened())

    def drop(self) -> None:
        """Out of range: both sides see it."""
        if self.cables:
            self.cables[-1].cut()

    async def die(self) -> None:
        """The process at the other end is gone."""
        self.drop()
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    def leave(self) -> None:
        self._feed(Bye())

    @property
    def connected(self) -> bool:
        return self.session.connected

    # What the user does.

    def type(self, text: str) -> None:
        self._feed(Text(f"t{next(self._ids)}", text))

    def press(self, *, long: bool = False) -> None:
        gesture = Gesture.LONG_PRESS if long else Gesture.PRESS
        self._feed(GestureDone(f"g{next(self._ids)}", self._input, gesture))

    def tap(self, action: str, topic: str) -> None:
        """A button of a card."""
        done = GestureDone(f"g{next(self._ids)}", self._input, Gesture.PRESS, action, topic)
        self._feed(done)

    def put_on(self) -> None:
        self._feed(WearNow(True))

    def take_off(self) -> None:
        self._feed(WearNow(False))

    @asynccontextmanager
    async def listening(self, mode: ListenMode = "auto") -> AsyncIterator[None]:
        """The microphone streams; what is not said is silence."""
        self.open_microphone(mode)
        try:
            yield
        finally:
            self.close_microphone()

    def open_microphone(self, mode: ListenMode = "auto") -> None:
        self.close_microphone()
        self._feed(StartListening(mode))
        self._streaming = asyncio.create_task(self._stream())

    def close_microphone(self) -> None:
        if self._streaming is not None:
            self._streaming.cancel()
            self._streaming = None
            self._feed(StopListening())

    async def hear(self, frames: list[bytes]) -> None:
        """Let the open microphone hear this sound; returns when it is over."""
        self._sound += frames
        await asyncio.sleep(len(frames) * FRAME_S)

    # What the user saw, heard and felt.

    @property
    def cards(self) -> dict[str, Card]:
        """What stands on the display, by topic."""
        return self.session.cards

    @property
    def questions(self) -> list[str]:
        """Topics of the purchases that it asks about."""
        return [topic for topic in self.cards if topic.startswith("approval")]

    @property
    def question(self) -> Card:
        """The card of the one purchase that it asks about."""
        (topic,) = self.questions
        return self.cards[topic]

    def happened(self, kind: type[E], since: float = 0.0) -> list[E]:
        return [m.event for m in self.past if isinstance(m.event, kind) and m.at >= since]

    def told(self, kind: CueKind | None = None) -> list[Cue]:
        """Cues that were shown, spoken or felt; one that comes again is not told again."""
        shown = [event.cue for event in self.happened(CueShown) if not event.again]
        return [cue for cue in shown if kind is None or cue.kind is kind]

    def texts(self) -> list[str]:
        """What the cards said, in order."""
        return [text_of(cue.card) for cue in self.told() if cue.card is not None]

    def spoken(self) -> list[str]:
        """What was begun to be spoken here, in order."""
        return [event.text for event in self.happened(SpeechStarted)]

    def heard(self) -> list[tuple[str, str]]:
        """The texts whose speech is over, each with how it ended."""
        texts: dict[str, str] = {}
        ended: list[tuple[str, str]] = []
        for moment in self.past:
            match moment.event:
                case SpeechStarted(cue=cue, text=text):
                    texts[cue] = text
                case SpeechHeard(cue=cue, state=state):
                    ended.append((texts[cue], state))
                case _:
                    pass
        return ended

    def sounds(self) -> list[Moment]:
        return [moment for moment in self.past if isinstance(moment.event, SpeechFrame)]

    def stops(self) -> list[float]:
        """When Lapel told this device to be silent."""
        return [
            at
            for cable in self.cables
            for at, data in cable.sent
            if isinstance(data, str) and isinstance(parse_lapel_text(data), SpeechStop)
        ]

    def frames_sent(self) -> list[float]:
        """When each frame of speech went out to this device."""
        return [at for cable in self.cables for at, data in cable.sent if isinstance(data, bytes)]

    # Inside.

    @property
    def _input(self) -> str:
        inputs = self.session.profile.inputs
        return inputs[0].id if inputs else "none"

    async def _stream(self) -> None:
        at = self._loop.time()
        while True:
            at += FRAME_S
            await asyncio.sleep(at - self._loop.time())
            self._feed(SendFrame(self._sound.pop(0) if self._sound else SILENCE))

    def _arrived(self, data: Data) -> None:
        self._feed(parse_lapel_text(data) if isinstance(data, str) else parse_audio(data))

    def _feed(self, event: ClientInput) -> None:
        for command in self.session.feed(event, self._loop.time()):
            match command:
                case Put(data):
                    self.cables[-1].put(data)
                case Tell(told):
                    if isinstance(told, Joined):
                        self.device_id = told.device
                    self.past.append(Moment(self._loop.time(), told))
                case Hang():
                    self.drop()
        self._alarm.set(self.session.wake_at())


def text_of(card: Card) -> str:
    """Everything that a card says, in one line."""
    lines = [f"{line.text} {line.value}".strip() for line in card.lines]
    return " | ".join(part for part in (card.title, *lines, card.total, card.body) if part)
