"""Client and server sessions joined by a wire that is cut anywhere, in virtual time."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lapel.devices import client_session as device
from lapel.devices import commands as gate
from lapel.devices.client_events import (
    CardCleared,
    CueShown,
    Joined,
    NotDelivered,
    SpeechFrame,
    SpeechHeard,
)
from lapel.devices.cues import Card, Cue, CueKind
from lapel.devices.events import GestureMade, TextTyped
from lapel.devices.profile import DeviceProfile, Display, Family, Gesture, Input, Speaker
from lapel.devices.session import DeviceSession, Identity
from lapel.devices.wire import (
    AudioChosen,
    Auth,
    GestureDone,
    Hello,
    Text,
    parse_audio,
    parse_lapel_text,
    parse_text,
)
from lapel.speech.formats import AudioFormat, Codec

pytestmark = pytest.mark.unit

DOWN = AudioFormat(Codec.PCM16, 16000, 20)
PROFILE = DeviceProfile(
    Family.GLASSES,
    speakers=(Speaker(),),
    displays=(Display(),),
    inputs=(Input("pad", gestures=(Gesture.PRESS,)),),
)


class World:
    """Both sides and the wire between them. Bytes in flight are lost when it is cut."""

    def __init__(self) -> None:
        self.now = 0.0
        self.device = device.ClientSession(PROFILE, Auth(key="dk"))
        self.session: DeviceSession | None = None
        self.sessions = 0
        self.up: deque[str | bytes] = deque()
        self.down: deque[str | bytes] = deque()
        self.online = False
        self.socket = 0
        self.attached = 0  # the socket that Lapel writes to: it may be dead already
        self.shown: list[str] = []
        self.cleared: list[str] = []
        self.heard: list[TextTyped | GestureMade] = []
        self.not_delivered: list[str] = []
        self.settled: list[str] = []
        self.frames: dict[str, list[tuple[int, bytes]]] = {}
        self.device_heard: list[SpeechHeard] = []
        self.over: list[gate.SpeechOver] = []
        self.joined: list[bool] = []
        self.repeats = 0

    # Running both sides.

    def client(self, event: device.ClientInput) -> None:
        for command in self.device.feed(event, self.now):
            match command:
                case device.Put(data):
                    self.up.append(data)
                case device.Tell(CueShown(cue, again=again)):
                    self.repeats += again
                    self.shown.append(cue.id)
                case device.Tell(CardCleared(topic)):
                    self.cleared.append(topic)
                case device.Tell(NotDelivered(id_)):
                    self.not_delivered.append(id_)
                case device.Tell(SpeechFrame(cue, sequence, payload)):
                    self.frames.setdefault(cue, []).append((sequence, payload))
                case device.Tell(SpeechHeard() as heard):
                    self.device_heard.append(heard)
                case device.Tell(Joined(resumed=resumed)):
                    self.joined.append(resumed)
                case device.Tell() | device.Hang():
                    pass

    def server(self, event: gate.SessionInput) -> None:
        if self.session is None:
            return
        for command in self.session.feed(event, self.now):
            match command:
                case gate.Send(data):
                    self.transmit(data.decode())
                case gate.SendAudio(_, data):
                    self.transmit(data)
                case gate.Settled(cues):
                    self.settled.extend(cues)
                case gate.SpeechOver() as over:
                    self.over.append(over)
                case _:
                    pass
        while (event := self.session.inbox.take()) is not None:
            if isinstance(event, TextTyped | GestureMade):
                self.heard.append(event)

    def transmit(self, data: str | bytes) -> None:
        if self.online and self.attached == self.socket:
            self.down.append(data)

    def open(self) -> None:
        if not self.online:
            self.online = True
            self.socket += 1
            self.client(device.Opened())

    def cut(self, *, noticed: bool) -> None:
        """The wire breaks; Lapel may not notice before the device is back."""
        if not self.online:
            return
        self.online = False
        self.up.clear()
        self.down.clear()
        self.client(device.Dropped())
        if noticed:
            self.server(gate.Disconnected())

    def deliver_up(self, count: int) -> None:
        for _ in range(min(count, len(self.up))):
            data = self.up.popleft()
            message = parse_text(data) if isinstance(data, str) else parse_audio(data)
            if isinstance(message, Hello):
                self.hello(message)
            else:
                self.server(message)

    def hello(self, hello: Hello) -> None:
        resume = hello.resume
        self.attached = self.socket
        if resume is None or self.session is None or not self.session.can_resume(resume):
            self.sessions += 1
            self.session = DeviceSession(
                Identity(f"s{self.sessions}", "d", "u"), hello.profile, AudioChosen(None, DOWN)
            )
            resume = None
        self.server(gate.Attached(hello.profile, resume))

    def deliver_down(self, count: int) -> None:
        for _ in range(min(count, len(self.down))):
            data = self.down.popleft()
            self.client(parse_lapel_text(data) if isinstance(data, str) else parse_audio(data))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            times = [self.device.wake_at(), self.session.wake_at() if self.session else None]
            due = min((at for at in times if at is not None and at <= end), default=None)
            if due is None:
                break
            self.now = max(self.now, due)
            self.client(device.Tick())
            self.server(gate.Tick())
        self.now = end

    def settle(self, seconds: float = 20.0) -> None:
        """A good link from now on."""
        self.open()
        for _ in range(round(seconds / 0.05)):
            self.deliver_up(10_000)
            self.deliver_down(10_000)
            self.advance(0.05)


def steps() -> st.SearchStrategy[list[tuple[str, int]]]:
    few = st.integers(0, 6)
    step = st.one_of(
        st.tuples(st.sampled_from(["tell", "clear", "say", "press"]), st.just(0)),
        st.tuples(st.sampled_from(["up", "down"]), few),
        st.tuples(st.just("wait"), st.integers(1, 1500)),
        st.tuples(st.sampled_from(["cut", "vanish", "open", "open"]), st.just(0)),
        st.tuples(st.just("speak"), st.integers(0, 90)),
        st.tuples(st.just("exchange"), st.just(0)),
    )
    return st.lists(step, min_size=1, max_size=60)


class Script:
    """Plays generated steps on a world, and remembers what was meant to arrive."""

    def __init__(self) -> None:
        self.world = World()
        self.told: list[str] = []
        self.said: list[str] = []
        self.clears: list[str] = []
        self.spoken: dict[str, list[bytes]] = {}
        self.world.settle(0.2)

    def frame(self, number: int, index: int) -> bytes:
        return bytes([number % 256, index % 256]) * DOWN.frame_samples

    def play(self, step: tuple[str, int]) -> None:
        world, (what, count) = self.world, step
        match what:
            case "tell":
                id_ = f"c{len(self.told)}"
                self.told.append(id_)
                card = Card(id_)
                world.server(
                    gate.Tell(Cue(id_, f"t{len(self.told) % 3}", CueKind.REPLY, card=card))
                )
            case "clear":
                self.clears.append(f"x{len(self.clears)}")
                world.server(gate.ClearTopic(self.clears[-1]))
            case "say" | "press":
                id_ = f"i{len(self.said)}"
                self.said.append(id_)
                said = (
                    Text(id_, "words") if what == "say" else GestureDone(id_, "pad", Gesture.PRESS)
                )
                world.client(said)
            case "speak":
                self.speak(count)
            case "up":
                world.deliver_up(count)
            case "down":
                world.deliver_down(count)
            case "exchange":
                world.deliver_up(1000)
                world.deliver_down(1000)
            case "wait":
                world.advance(count / 1000)
            case "cut" | "vanish":
                world.cut(noticed=what == "cut")
            case _:
                world.open()

    def speak(self, count: int) -> None:
        if len(self.world.over) < len(self.spoken):
            return  # the link starts one speech after the other
        number = len(self.spoken)
        cue = f"v{number}"
        self.spoken[cue] = [self.frame(number, index) for index in range(count)]
        self.world.server(gate.StartSpeech(cue, "words"))
        for payload in self.spoken[cue]:
            self.world.server(gate.AddSpeech(cue, payload))
        self.world.server(gate.EndSpeech(cue))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps())
def test_nothing_is_lost_or_repeated_wherever_the_wire_is_cut(plan: list[tuple[str, int]]) -> None:
    script = Script()
    for step in plan:
        script.play(step)
    world = script.world
    world.settle()

    assert world.sessions == 1
    assert world.shown == script.told
    assert world.repeats == 0
    assert world.cleared == script.clears
    assert [event.id for event in world.heard] == script.said
    assert world.not_delivered == []
    assert world.settled == script.told
    assert world.session is not None
    assert world.session.unacknowledged == 0
    assert world.device.unconfirmed == 0
    assert world.device.speaking is None
    for cue, payloads in script.spoken.items():
        assert world.frames.get(cue, []) == list(enumerate(payloads))
    assert [(heard.cue, heard.state) for heard in world.device_heard] == [
        (cue, "finished") for cue in script.spoken
    ]
    assert [over.cue for over in world.over] == list(script.spoken)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps(), st.integers(0, 59))
def test_after_a_barge_in_no_frame_reaches_the_device(
    plan: list[tuple[str, int]], moment: int
) -> None:
    script = Script()
    world = script.world
    script.play(("speak", 200))
    stopped_with: int | None = None
    for index, step in enumerate([*plan, ("exchange", 0)]):
        if index == min(moment, len(plan)):
            world.server(gate.StopSpeech("v0"))
            stopped_with = sum(isinstance(data, bytes) for data in world.down)
        if step[0] != "speak":
            script.play(step)
        if stopped_with is not None:
            later = sum(isinstance(data, bytes) for data in world.down)
            assert later <= stopped_with
            stopped_with = later
    world.settle()
    assert [over.cue for over in world.over] == ["v0"]
    received = [sequence for sequence, _ in world.frames.get("v0", [])]
    assert received == list(range(len(received)))
    assert bool(received) <= bool(world.device_heard)
    assert world.device.speaking is None


def test_audio_goes_on_at_the_exact_frame() -> None:
    script = Script()
    world = script.world
    script.play(("speak", 150))
    world.advance(0.5)
    world.deliver_down(26)  # speech_start and 25 frames
    assert world.frames["v0"][-1][0] == 24
    world.cut(noticed=True)
    world.advance(3.0)
    world.open()
    world.deliver_up(10)
    audio = [parse_audio(data) for data in world.down if isinstance(data, bytes)]
    assert audio[0].sequence == 25
    assert len(audio) <= 20  # not more than 400 ms ahead again
    world.settle()
    assert world.frames["v0"] == list(enumerate(script.spoken["v0"]))


def test_a_session_that_is_gone_is_not_resumed_and_nothing_is_said_twice() -> None:
    script = Script()
    world = script.world
    script.play(("say", 0))
    world.cut(noticed=True)
    world.advance(121.0)
    script.play(("say", 0))
    world.settle()
    assert world.sessions == 2
    assert world.joined == [False, False]
    # The first may have been read by the lost session: only the user can tell. The second is new.
    assert world.not_delivered == ["i0"]
    assert [event.id for event in world.heard] == ["i1"]
