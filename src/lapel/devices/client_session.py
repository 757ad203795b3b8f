"""The device's side of the protocol, sans-IO: `feed(input, now) -> commands`.

It acts on each numbered message once, acknowledges, plays speech on a simulated speaker, says
again after a resume what Lapel may not have heard, and keeps the link alive.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import msgspec

from lapel.devices.client_events import (
    CardCleared,
    ClientEvent,
    CodeToShow,
    CueShown,
    Failed,
    Joined,
    LinkLost,
    NotDelivered,
    PairedAs,
    SpeechFrame,
    SpeechHeard,
    SpeechStarted,
    StateShown,
    TranscriptShown,
)
from lapel.devices.cues import Card
from lapel.devices.profile import DeviceProfile
from lapel.devices.speaker import Speaker
from lapel.devices.wire import (
    PROTOCOL,
    AudioChosen,
    AudioFrame,
    AudioOffers,
    Auth,
    Battery,
    Bye,
    Clear,
    CueMessage,
    DeviceMessage,
    ErrorMessage,
    GestureDone,
    Hello,
    LapelMessage,
    Listen,
    ListenMode,
    Paired,
    PairingShown,
    Ping,
    Playback,
    Pong,
    Position,
    Received,
    Resume,
    SpeechEnd,
    SpeechStart,
    SpeechStop,
    StateNow,
    Text,
    Transcript,
    WearNow,
    Welcome,
    encode,
    encode_audio,
)

ACKNOWLEDGE_S = 0.25
UNSENT = 256
"""Things said while there is no link; beyond it the oldest is given up."""
CUES_SEEN = 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A socket is there."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The socket is gone."""


@dataclass(frozen=True, slots=True)
class Tick:
    pass


@dataclass(frozen=True, slots=True)
class StartListening:
    mode: ListenMode = "auto"


@dataclass(frozen=True, slots=True)
class StopListening:
    pass


@dataclass(frozen=True, slots=True)
class SendFrame:
    """One frame of the microphone, in the `up` format."""

    payload: bytes


ClientInput = (
    Opened
    | Dropped
    | Tick
    | StartListening
    | StopListening
    | SendFrame
    | Text
    | GestureDone
    | WearNow
    | Battery
    | Position
    | Bye
    | LapelMessage
    | AudioFrame
)


@dataclass(frozen=True, slots=True)
class Put:
    """Put this on the wire: text messages as str, audio as bytes."""

    data: str | bytes


@dataclass(frozen=True, slots=True)
class Tell:
    event: ClientEvent


@dataclass(frozen=True, slots=True)
class Hang:
    """Lapel is silent for too long: close the socket and connect again."""


ClientCommand = Put | Tell | Hang


@dataclass(slots=True)
class _Said:
    message: Text | GestureDone | WearNow | Playback
    ping: int = 0
    """The ping behind it; 0 while it was never put on a wire."""


@dataclass(slots=True)
class _Microphone:
    stream: int = 0
    listening: bool = False
    mode: ListenMode = "auto"
    sequence: int = 0


@dataclass(slots=True)
class _Link:
    """What is known of the session, from one socket to the next."""

    session: str | None = None
    cursor: int = 0
    acknowledged: int = 0
    heartbeat_s: float = 20.0
    audio: AudioChosen = field(default_factory=AudioChosen)


class ClientSession:
    def __init__(
        self,
        profile: DeviceProfile,
        auth: Auth,
        audio: AudioOffers | None = None,
        speaker_speed: float = 1.0,
    ) -> None:
        self.profile = profile
        self.auth = auth
        self.cards: dict[str, Card] = {}
        """The cards that are up, by topic."""
        self._offers = audio if audio is not None else AudioOffers()
        self._link = _Link()
        self._open = False
        self._welcomed = False
        self._pairing = False
        self._said: deque[_Said] = deque()
        self._ping = 0
        self._microphone = _Microphone()
        self._speaker = Speaker(speaker_speed)
        self._seen: dict[str, None] = {}
        self._heard_at = 0.0
        self._pinged_at = 0.0
        self._acknowledge_at: float | None = None
        self._commands: list[ClientCommand] = []

    @property
    def connected(self) -> bool:
        return self._welcomed

    @property
    def session_id(self) -> str | None:
        return self._link.session

    @property
    def audio(self) -> AudioChosen:
        """The formats of this session."""
        return self._link.audio

    @property
    def cursor(self) -> int:
        """The number of the last message that was acted on."""
        return self._link.cursor

    @property
    def speaking(self) -> str | None:
        """The cue that the speaker is busy with."""
        cursor = self._speaker.cursor()
        return None if cursor is None else cursor.cue

    @property
    def unconfirmed(self) -> int:
        """Things said that Lapel is not known to have read."""
        return len(self._said)

    def wake_at(self) -> float | None:
        times: list[float] = []
        if self._open:
            times.append(self._heard_at + 2.5 * self._link.heartbeat_s)
        if self._welcomed or self._pairing:
            times.append(self._pinged_at + self._link.heartbeat_s)
        if self._welcomed and self._acknowledge_at is not None:
            times.append(self._acknowledge_at)
        playing = self._speaker.wake_at()
        if playing is not None:
            times.append(playing)
        return min(times, default=None)

    def feed(self, event: ClientInput, now: float) -> list[ClientCommand]:
        self._play(now)
        match event:
            case Opened() | Dropped() | Tick():
                self._on_link(event, now)
            case StartListening() | StopListening() | SendFrame():
                self._on_microphone(event)
            case Text() | GestureDone() | WearNow():
                self._say(event)
            case Battery() | Position():
                self._put(event)
            case Bye():
                # What was shown a moment ago must not be told again on the next device.
                self._acknowledge()
                self._put(event)
            case AudioFrame():
                self._heard_at = now
                self._on_frame(event, now)
            case _:
                self._heard_at = now
                self._on_message(event, now)
        commands, self._commands = self._commands, []
        return commands

    # The link.

    def _on_link(self, event: Opened | Dropped | Tick, now: float) -> None:
        match event:
            case Opened():
                self._open = True
                self._welcomed = self._pairing = False
                self._heard_at = self._pinged_at = now
                self._commands.append(Put(encode(self._hello()).decode()))
            case Dropped():
                if self._welcomed:
                    self._tell(LinkLost())
                self._open = self._welcomed = self._pairing = False
            case Tick():
                self._tick(now)

    def _hello(self) -> Hello:
        link = self._link
        resume = None
        if link.session is not None:
            resume = Resume(link.session, link.cursor, self._speaker.cursor())
        return Hello(PROTOCOL, self.auth, self.profile, self._offers, resume)

    def _tick(self, now: float) -> None:
        if self._open and now >= self._heard_at + 2.5 * self._link.heartbeat_s:
            self._open = self._welcomed = self._pairing = False
            self._commands.append(Hang())
            self._tell(LinkLost())
            return
        if self._welcomed and self._acknowledge_at is not None and now >= self._acknowledge_at:
            self._acknowledge()
        alive = self._welcomed or self._pairing
        if alive and now >= self._pinged_at + self._link.heartbeat_s:
            self._pinged_at = now
            self._barrier()

    def _acknowledge(self) -> None:
        self._acknowledge_at = None
        if self._link.cursor > self._link.acknowledged:
            self._link.acknowledged = self._link.cursor
            self._put(Received(self._link.cursor))

    def _welcome(self, message: Welcome, now: float) -> None:
        link = self._link
        self._welcomed, self._pairing = True, False
        self._pinged_at = now
        self._acknowledge_at = None
        link.heartbeat_s, link.audio = message.heartbeat_s, message.audio
        if not message.resumed:
            self._start_afresh()
            link.session, link.cursor = message.session, 0
        link.acknowledged = link.cursor
        self._tell(Joined(message.session, message.device, message.user, message.resumed))
        microphone = self._microphone
        if microphone.listening:
            self._put(Listen("start", microphone.mode, microphone.stream))
        elif message.resumed and microphone.stream:
            self._put(Listen("stop"))
        for said in self._said:
            self._put(said.message)
        if self._said:
            ping = self._barrier()
            for said in self._said:
                said.ping = ping

    def _start_afresh(self) -> None:
        """Lapel does not know the old session: take down what it showed, repeat nothing."""
        self._speaker.silence()
        self.cards.clear()
        kept: deque[_Said] = deque()
        for said in self._said:
            if not said.ping:
                kept.append(said)
            elif isinstance(said.message, Text | GestureDone):
                self._tell(NotDelivered(said.message.id))
        self._said = kept

    # The user.

    def _say(self, message: Text | GestureDone | WearNow | Playback) -> None:
        """Say it now, and again after a resume unless a `pong` shows that it was read."""
        if isinstance(message, WearNow):
            wear = msgspec.structs.replace(self.profile.wear, on_body=message.on_body)
            self.profile = msgspec.structs.replace(self.profile, wear=wear)
        said = _Said(message)
        self._said.append(said)
        if self._welcomed:
            self._put(message)
            said.ping = self._barrier()
        while len(self._said) > UNSENT:
            gone = self._said.popleft()
            if isinstance(gone.message, Text | GestureDone):
                self._tell(NotDelivered(gone.message.id))

    def _on_microphone(self, event: StartListening | StopListening | SendFrame) -> None:
        microphone = self._microphone
        match event:
            case StartListening(mode):
                microphone.stream = microphone.stream % 0xFFFF + 1
                microphone.listening, microphone.mode, microphone.sequence = True, mode, 0
                self._put(Listen("start", mode, microphone.stream))
            case StopListening():
                microphone.listening = False
                self._put(Listen("stop"))
            case SendFrame(payload):
                frame = AudioFrame(microphone.stream, microphone.sequence, payload)
                microphone.sequence += 1
                if self._welcomed and microphone.listening:
                    self._commands.append(Put(encode_audio(frame)))

    # Lapel.

    def _on_message(self, message: LapelMessage, now: float) -> None:
        match message:
            case CueMessage() | Clear() | SpeechStart() | SpeechEnd():
                if message.n > self._link.cursor:
                    self._link.cursor = message.n
                    if self._acknowledge_at is None:
                        self._acknowledge_at = now + ACKNOWLEDGE_S
                    self._act(message, now)
            case Welcome():
                self._welcome(message, now)
            case SpeechStop(cue=cue):
                self._report(self._speaker.stop(cue, now))
            case Pong(id=id_):
                while self._said and isinstance(id_, int) and 0 < self._said[0].ping <= id_:
                    self._said.popleft()
            case _:
                self._pass_on(message)

    def _act(self, message: CueMessage | Clear | SpeechStart | SpeechEnd, now: float) -> None:
        match message:
            case CueMessage(cue=cue):
                again = cue.id in self._seen
                self._seen[cue.id] = None
                while len(self._seen) > CUES_SEEN:
                    del self._seen[next(iter(self._seen))]
                if cue.card is not None:
                    self.cards[cue.topic] = cue.card
                self._tell(CueShown(cue, message.n, again))
            case Clear(topic=topic):
                self.cards.pop(topic, None)
                self._tell(CardCleared(topic))
            case SpeechStart(cue=cue, text=text):
                self._report(self._speaker.start(message, now))
                self._tell(SpeechStarted(cue, text, message.format))
            case SpeechEnd(cue=cue, frames=frames):
                self._report(self._speaker.end(cue, frames, now))

    def _pass_on(
        self, message: PairingShown | Paired | StateNow | Transcript | ErrorMessage
    ) -> None:
        match message:
            case PairingShown(code=code, expires_s=expires_s):
                self._pairing = True
                self._tell(CodeToShow(code, expires_s))
            case Paired(device=device, key=key):
                self.auth = Auth(key=key)
                self._tell(PairedAs(device, key))
            case StateNow(state=state):
                self._tell(StateShown(state))
            case Transcript(text=text, final=final, turn=turn):
                self._tell(TranscriptShown(text, final, turn))
            case ErrorMessage(code=code, message=text, ref=ref):
                self._tell(Failed(code, text, ref))

    def _on_frame(self, frame: AudioFrame, now: float) -> None:
        cue = self._speaker.take(frame, now)
        if cue is not None:
            self._tell(SpeechFrame(cue, frame.sequence, frame.payload))
        self._report(self._speaker.advance(now))

    def _play(self, now: float) -> None:
        self._report(self._speaker.advance(now))

    def _report(self, reports: list[Playback]) -> None:
        for report in reports:
            if report.state == "started":
                self._put(report)
            else:
                self._tell(SpeechHeard(report.cue, report.state, report.played_ms / 1000))
                self._say(report)

    # The wire.

    def _barrier(self) -> int:
        """A ping: its pong shows that Lapel has read everything before it."""
        self._ping += 1
        self._put(Ping(self._ping))
        return self._ping

    def _put(self, message: DeviceMessage) -> None:
        if self._welcomed or (self._open and isinstance(message, Bye | Ping)):
            self._commands.append(Put(encode(message).decode()))

    def _tell(self, event: ClientEvent) -> None:
        self._commands.append(Tell(event))
