"""One device's session, over every link that carries it: sans-IO, `feed(input, now) -> commands`.

It numbers and keeps what must arrive, paces speech, checks what the device sends and puts the
events for the assistant into `inbox`. It lives through lost links for `RESUME_S`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from lapel.devices.commands import (
    AddSpeech,
    Attached,
    ClearTopic,
    Close,
    Command,
    Disconnected,
    End,
    Ended,
    EndSpeech,
    Fail,
    SessionInput,
    ShowState,
    ShowTranscript,
    StartSpeech,
    StopSpeech,
    Tell,
    Tick,
)
from lapel.devices.errors import (
    CLOSE_BAD_MESSAGES,
    CLOSE_BYE,
    CLOSE_SILENT,
    AudioNotOpen,
    AudioOrder,
    BadAudio,
    BadJson,
    BadMessage,
    Busy,
    DeviceError,
    TooSlow,
    UnknownCue,
    WireError,
)
from lapel.devices.events import (
    BatteryReported,
    DeviceEvent,
    GestureMade,
    PlaybackReported,
    PositionReported,
    TextTyped,
    WearChanged,
)
from lapel.devices.inbox import Inbox
from lapel.devices.microphone import MicrophoneStream
from lapel.devices.outbox import OutboxFull
from lapel.devices.outgoing import Outgoing
from lapel.devices.profile import DeviceProfile
from lapel.devices.speaking import Speaking
from lapel.devices.wire import (
    AudioChosen,
    AudioFrame,
    Battery,
    Bye,
    Clear,
    CueMessage,
    DeviceMessage,
    ErrorMessage,
    GestureDone,
    Hello,
    Listen,
    Ping,
    Playback,
    Pong,
    Position,
    Received,
    Resume,
    State,
    StateNow,
    Text,
    Transcript,
    WearNow,
    Welcome,
)

RESUME_S = 120.0
"""How long a session outlives its link."""
HEARTBEAT_S = 20.0
SILENT_S = 2.5 * HEARTBEAT_S
REPEATS = 64
"""Ids of the device's texts and gestures that are remembered."""
BAD_MESSAGES = 20
BAD_WINDOW_S = 60.0
"""The twentieth bad message within a minute closes the link."""
CUES_KNOWN = 256
AUDIO_ERROR_S = 1.0
"""Audio that is refused is told at most this often, whatever its rate."""

FromDevice = DeviceMessage | AudioFrame | WireError


class BadMessages:
    """Counts what could not be read; `add` says when it is enough."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=BAD_MESSAGES)

    def add(self, now: float) -> bool:
        self._times.append(now)
        return len(self._times) == BAD_MESSAGES and now - self._times[0] < BAD_WINDOW_S


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose session it is. An `ephemeral` device is forgotten when it leaves."""

    session_id: str
    device_id: str
    user_id: str
    ephemeral: bool = False


class DeviceSession:
    def __init__(self, identity: Identity, profile: DeviceProfile, audio: AudioChosen) -> None:
        self.identity = identity
        self.profile = profile
        self.audio = audio
        self.on_body = profile.wear.on_body
        self.inbox = Inbox()
        self.ended = False
        self._out = Outgoing()
        self._microphone = MicrophoneStream(audio.up)
        self._speaking = Speaking(self._out, audio.down)
        self._state: State | None = None
        self._heard_at = 0.0
        self._lost_at: float | None = None
        self._bad = BadMessages()
        self._seen: deque[tuple[str, str]] = deque(maxlen=REPEATS)
        self._cues: deque[str] = deque(maxlen=CUES_KNOWN)
        self._reported: tuple[str, str] | None = None
        self._refused_at = float("-inf")

    @property
    def connected(self) -> bool:
        return self._out.connected

    @property
    def unacknowledged(self) -> int:
        return len(self._out.outbox)

    @property
    def speech_room(self) -> bool:
        """Whether another frame of speech may be added."""
        return self._speaking.room

    def heard_s(self, now: float) -> float | None:
        """How much of the running speech was heard; None where there is none."""
        speech = self._speaking.heard
        return None if speech is None or speech.stopped else speech.heard_s(now)

    def can_resume(self, resume: Resume) -> bool:
        """Whether everything after the device's cursor is still here."""
        outbox = self._out.outbox
        return not self.ended and outbox.acknowledged <= resume.cursor <= outbox.last

    def wake_at(self) -> float | None:
        """When the next Tick is due."""
        if self.ended:
            return None
        times = self._speaking.wake_at()
        if self._out.connected:
            times.append(self._heard_at + SILENT_S)
        elif self._lost_at is not None:
            times.append(self._lost_at + RESUME_S)
        return min(times, default=None)

    def feed(self, event: SessionInput, now: float) -> list[Command]:
        if self.ended:
            return []
        try:
            match event:
                case Attached() | Disconnected() | Tick() | End():
                    self._on_link(event, now)
                case StartSpeech() | AddSpeech() | EndSpeech() | StopSpeech():
                    self._on_voice(event, now)
                case Tell() | ClearTopic() | ShowState() | ShowTranscript() | Fail():
                    self._on_host(event, now)
                case _:
                    self._heard_at = now
                    self._on_device(event, now)
        except OutboxFull:
            error = TooSlow("256 messages are not acknowledged; send `received`")
            self._end(End(TooSlow.close_code or CLOSE_SILENT, error), now)
        return self._out.take()

    # The link.

    def _on_link(self, event: Attached | Disconnected | Tick | End, now: float) -> None:
        match event:
            case Attached(profile, resume):
                self._attach(profile, resume, now)
            case Disconnected():
                self._lose(now)
            case Tick():
                self._tick(now)
            case End():
                self._end(event, now)

    def _attach(self, profile: DeviceProfile, resume: Resume | None, now: float) -> None:
        self._out.connected = True
        self._lost_at = None
        self._heard_at = now
        self.profile = profile
        mine = self.identity
        self._out.send(
            Welcome(
                session=mine.session_id,
                device=mine.device_id,
                user=mine.user_id,
                resumed=resume is not None,
                heartbeat_s=HEARTBEAT_S,
                audio=self.audio,
            )
        )
        if resume is None:
            return
        self._out.acknowledge(resume.cursor)
        self._out.replay(now)
        self._speaking.resume(resume, now)
        if self._state is not None:
            self._out.send(StateNow(self._state))
        if profile.wear.on_body != self.on_body:
            self.on_body = profile.wear.on_body
            self.inbox.offer(WearChanged(self.on_body))

    def _lose(self, now: float) -> None:
        if self._out.connected:
            self._out.connected = False
            self._lost_at = now

    def _close(self, code: int, now: float) -> None:
        self._out.add(Close(code))
        self._lose(now)

    def _tick(self, now: float) -> None:
        self._speaking.tick(now)
        if self._out.connected and now >= self._heard_at + SILENT_S:
            self._close(CLOSE_SILENT, now)
        elif self._lost_at is not None and now >= self._lost_at + RESUME_S:
            self._end(End(CLOSE_BYE), now)

    def _end(self, event: End, now: float) -> None:
        if event.error is not None:
            self._out.fail(event.error)
        if self._out.connected:
            self._close(event.close_code, now)
        if event.discard:
            self.inbox.clear()
        self._speaking.give_up(now)
        self.ended = True
        self._out.add(Ended())

    # The assistant.

    def _on_host(
        self, event: Tell | ClearTopic | ShowState | ShowTranscript | Fail, now: float
    ) -> None:
        match event:
            case Tell(cue):
                self._cues.append(cue.id)
                self._out.reliable(lambda n: CueMessage(n, cue), now)
            case ClearTopic(topic):
                self._out.reliable(lambda n: Clear(n, topic), now)
            case ShowState(state):
                self._state = state
                self._out.send(StateNow(state))
            case ShowTranscript(text, final, turn):
                self._out.send(Transcript(text, final, turn))
            case Fail(code, message, ref):
                self._out.send(ErrorMessage(code, message, ref))

    def _on_voice(
        self, event: StartSpeech | AddSpeech | EndSpeech | StopSpeech, now: float
    ) -> None:
        match event:
            case StartSpeech(cue, text):
                self._cues.append(cue)
                self._reported = None
                self._speaking.start(cue, text, now)
            case AddSpeech(cue, payload):
                self._speaking.add(cue, payload, now)
            case EndSpeech(cue):
                self._speaking.end(cue, now)
            case StopSpeech():
                self._speaking.stop(now)

    # The device.

    def _on_device(self, event: FromDevice, now: float) -> None:
        try:
            match event:
                case WireError():
                    raise event
                case AudioFrame():
                    for happened in self._microphone.frame(event):
                        self._deliver(happened)
                case Listen():
                    for happened in self._microphone.listen(event):
                        self._deliver(happened)
                case Text() | GestureDone():
                    self._said(event)
                case Ping() | Bye() | Received() | Hello():
                    self._on_protocol(event, now)
                case _:
                    self._reported_by_device(event, now)
        except DeviceError as error:
            self._refuse(error, now)

    def _on_protocol(self, event: Ping | Bye | Received | Hello, now: float) -> None:
        match event:
            case Ping(id=id_):
                self._out.send(Pong(id_))
            case Bye():
                self._end(End(CLOSE_BYE), now)
            case Received(cursor=cursor):
                if cursor > self._out.outbox.last:
                    raise BadMessage(f"cursor {cursor} is beyond the last message")
                self._out.acknowledge(cursor)
            case Hello():
                raise BadMessage("hello was said already on this link")

    def _said(self, message: Text | GestureDone) -> None:
        kind = "text" if isinstance(message, Text) else "gesture"
        if (kind, message.id) in self._seen:
            return
        if isinstance(message, Text):
            self._deliver(TextTyped(message.id, message.text), message.id)
        else:
            self._check_declared(message)
            self._deliver(
                GestureMade(
                    message.id, message.input, message.gesture, message.action, message.topic
                ),
                message.id,
            )
        self._seen.append((kind, message.id))

    def _check_declared(self, message: GestureDone) -> None:
        """What a device may approve follows from its profile, so a gesture must be in it."""
        for entry in self.profile.inputs:
            if entry.id == message.input and message.gesture in entry.gestures:
                return
        raise BadMessage(
            f"the profile declares no {message.gesture.value!r} on input {message.input!r}",
            message.id,
        )

    def _reported_by_device(
        self, event: Playback | WearNow | Battery | Position, now: float
    ) -> None:
        match event:
            case Playback(cue=cue, state=state, played_ms=played_ms):
                if cue not in self._cues:
                    raise UnknownCue(f"this session never had the cue {cue!r}", cue)
                self._speaking.report(event, now)
                if self._reported != (cue, state):
                    self._reported = (cue, state)
                    self._deliver(PlaybackReported(cue, state, played_ms / 1000))
            case WearNow(on_body=on_body):
                if on_body != self.on_body:
                    self._wear(on_body)
            case Battery(level=level, charging=charging):
                self._deliver(BatteryReported(level, charging))
            case Position(lat=lat, lon=lon, accuracy_m=accuracy_m, at=at):
                self._deliver(PositionReported(lat, lon, accuracy_m, at))

    def _wear(self, on_body: bool) -> None:
        self.on_body = on_body
        self._deliver(WearChanged(on_body))

    def _deliver(self, event: DeviceEvent, ref: str | None = None) -> None:
        if not self.inbox.offer(event):
            raise Busy("the inbox is full: the message was dropped", ref)

    def _refuse(self, error: DeviceError, now: float) -> None:
        if isinstance(error, AudioNotOpen | AudioOrder | BadAudio):
            if now < self._refused_at + AUDIO_ERROR_S:
                return
            self._refused_at = now
        self._out.fail(error)
        if error.close_code is not None:
            self._close(error.close_code, now)
        elif isinstance(error, BadJson | BadMessage) and self._bad.add(now):
            self._close(CLOSE_BAD_MESSAGES, now)
