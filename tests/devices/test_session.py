"""The session's own rules, in virtual time. Cuts and resumes are in test_cuts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lapel.devices.commands import (
    AddSpeech,
    Attached,
    Close,
    Command,
    Disconnected,
    DropAudio,
    End,
    Ended,
    EndSpeech,
    Send,
    SendAudio,
    ShowState,
    SpeechOver,
    StartSpeech,
    StopSpeech,
    Tell,
    Tick,
)
from lapel.devices.cues import Card, Cue, CueKind
from lapel.devices.errors import BadJson, Revoked
from lapel.devices.events import PlaybackReported, TextTyped, WearChanged
from lapel.devices.profile import DeviceProfile, Display, Family, Microphone, Speaker, Wear
from lapel.devices.session import DeviceSession, Identity
from lapel.devices.wire import (
    AudioChosen,
    AudioCursor,
    AudioFrame,
    Auth,
    Bye,
    Hello,
    Listen,
    Ping,
    Playback,
    Received,
    Resume,
    Text,
    WearNow,
)
from lapel.speech.formats import AudioFormat, Codec

pytestmark = pytest.mark.unit

PROFILE = DeviceProfile(
    Family.GLASSES,
    microphones=(Microphone(),),
    speakers=(Speaker(),),
    displays=(Display(),),
    wear=Wear(detects=True, on_body=True),
)
AUDIO = AudioChosen(AudioFormat(Codec.PCM16, 16000, 20), AudioFormat(Codec.PCM16, 24000, 20))


@pytest.fixture
def session() -> DeviceSession:
    session = DeviceSession(Identity("s_1", "d_1", "u_1"), PROFILE, AUDIO)
    session.feed(Attached(PROFILE), 0.0)
    return session


def messages(commands: list[Command]) -> list[dict[str, Any]]:
    return [json.loads(command.data) for command in commands if isinstance(command, Send)]


def audio(commands: list[Command]) -> int:
    return sum(isinstance(command, SendAudio) for command in commands)


def cue(number: int) -> Cue:
    return Cue(f"c{number}", f"t{number}", CueKind.NOTICE, card=Card("x"))


def test_welcome_comes_first() -> None:
    session = DeviceSession(Identity("s_1", "d_1", "u_1"), PROFILE, AUDIO)
    (welcome,) = messages(session.feed(Attached(PROFILE), 0.0))
    assert welcome == {
        "type": "welcome",
        "session": "s_1",
        "device": "d_1",
        "user": "u_1",
        "resumed": False,
        "heartbeat_s": 20.0,
        "audio": {
            "up": {"codec": "pcm16", "rate": 16000, "frame_ms": 20},
            "down": {"codec": "pcm16", "rate": 24000, "frame_ms": 20},
        },
    }


def test_a_silent_link_is_closed_and_the_session_waits_for_it(session: DeviceSession) -> None:
    session.feed(Ping("1"), 10.0)
    assert session.wake_at() == 60.0
    assert session.feed(Tick(), 59.9) == []
    assert session.feed(Tick(), 60.0) == [Close(4408)]
    assert not session.connected
    assert session.wake_at() == 180.0
    assert session.feed(Tick(), 179.9) == []
    assert session.can_resume(Resume("s_1", 0))
    assert session.feed(Tick(), 180.0) == [Ended()]
    assert not session.can_resume(Resume("s_1", 0))
    assert session.wake_at() is None
    assert session.feed(Tell(cue(1)), 181.0) == []


def test_bye_ends_it_at_once(session: DeviceSession) -> None:
    assert session.feed(Bye(), 1.0) == [Close(1000), Ended()]


def test_what_a_revoked_device_said_last_is_not_heard(session: DeviceSession) -> None:
    session.feed(Text("1", "buy it"), 1.0)
    commands = session.feed(End(4403, Revoked("revoked"), discard=True), 1.0)
    assert messages(commands)[0]["code"] == "revoked"
    assert commands[-2:] == [Close(4403), Ended()]
    assert session.inbox.take() is None


def test_twenty_bad_messages_close_only_within_a_minute(session: DeviceSession) -> None:
    for index in range(40):
        assert Close(4400) not in session.feed(BadJson("?"), index * 3.2)
    for index in range(19):
        assert Close(4400) not in session.feed(BadJson("?"), 300.0 + index)
    assert session.feed(BadJson("?"), 320.0)[-1] == Close(4400)
    assert session.can_resume(Resume("s_1", 0))


def test_only_the_last_64_ids_are_remembered(session: DeviceSession) -> None:
    for number in range(65):
        session.feed(Text(f"t{number}", "x"), 1.0)
    session.feed(Text("t1", "a repeat"), 1.0)
    session.feed(Text("t0", "forgotten, so taken for new"), 1.0)
    heard: list[str] = []
    while (event := session.inbox.take()) is not None:
        assert isinstance(event, TextTyped)
        heard.append(event.id)
    assert heard == [*(f"t{number}" for number in range(65)), "t0"]


def test_refused_audio_is_told_once_a_second(session: DeviceSession) -> None:
    frame = AudioFrame(1, 0, b"\0" * 640)
    told = [messages(session.feed(frame, at / 50)) for at in range(100)]
    assert [index for index, errors in enumerate(told) if errors] == [0, 50]


def test_a_second_hello_and_a_cursor_from_the_future_are_bad_messages(
    session: DeviceSession,
) -> None:
    hello = Hello(1, Auth(key="k"), PROFILE)
    assert messages(session.feed(hello, 1.0))[0]["code"] == "bad_message"
    assert messages(session.feed(Received(1), 1.0))[0]["code"] == "bad_message"


def test_the_last_state_is_told_again_after_a_resume_and_wear_is_compared(
    session: DeviceSession,
) -> None:
    session.feed(ShowState("thinking"), 1.0)
    session.feed(Disconnected(), 2.0)
    session.feed(ShowState("idle"), 3.0)
    off = DeviceProfile(Family.GLASSES, wear=Wear(detects=True, on_body=False))
    commands = session.feed(Attached(off, Resume("s_1", 0)), 4.0)
    assert [message["type"] for message in messages(commands)] == ["welcome", "state"]
    assert messages(commands)[1]["state"] == "idle"
    assert session.inbox.take() == WearChanged(False)
    session.feed(WearNow(False), 5.0)
    assert session.inbox.take() is None


def test_the_microphones_stream_goes_on_after_a_resume(session: DeviceSession) -> None:
    session.feed(Listen("start", stream=4), 1.0)
    session.feed(AudioFrame(4, 0, b"\0" * 640), 1.0)
    session.feed(Disconnected(), 1.1)
    session.feed(Attached(PROFILE, Resume("s_1", 0)), 1.3)
    session.feed(Listen("start", stream=4), 1.3)
    session.feed(AudioFrame(4, 3, b"\1" * 640), 1.3)
    kinds: list[str] = []
    while (event := session.inbox.take()) is not None:
        kinds.append(type(event).__name__)
    assert kinds == ["ListenStarted", "AudioArrived", "AudioArrived"]


# Speech.


def speak(session: DeviceSession, frames: int, now: float) -> list[Command]:
    commands = session.feed(StartSpeech("v", "words"), now)
    for _ in range(frames):
        commands += session.feed(AddSpeech("v", b"\0" * 960), now)
    return commands + session.feed(EndSpeech("v"), now)


def test_speech_ends_when_the_device_says_so(session: DeviceSession) -> None:
    commands = speak(session, 10, 1.0)
    assert audio(commands) == 10
    assert [message["type"] for message in messages(commands)] == ["speech_start", "speech_end"]
    session.feed(Playback("v", "started"), 1.0)
    commands = session.feed(Playback("v", "finished", 200), 1.3)
    assert SpeechOver("v", "finished", 0.2) in commands
    session.feed(Playback("v", "finished", 200), 1.4)  # said again after a resume
    assert session.inbox.take() == PlaybackReported("v", "started", 0.0)
    assert session.inbox.take() == PlaybackReported("v", "finished", 0.2)
    assert session.inbox.take() is None


def test_the_end_is_announced_when_the_last_frame_was_sent(session: DeviceSession) -> None:
    commands = speak(session, 100, 1.0)
    assert audio(commands) == 20
    assert [message["type"] for message in messages(commands)] == ["speech_start"]
    later: list[Command] = []
    while not messages(later):
        assert audio(later) < 80
        now = session.wake_at()
        assert now is not None
        later += session.feed(Tick(), now)
    assert audio(later) == 80
    assert messages(later)[0]["frames"] == 100


def test_a_report_that_never_comes_is_not_waited_for(session: DeviceSession) -> None:
    speak(session, 10, 1.0)
    assert session.wake_at() == pytest.approx(6.2)
    session.feed(Ping("1"), 6.0)
    commands = session.feed(Tick(), 6.2)
    assert commands == [SpeechOver("v", "unreported", pytest.approx(0.2))]


def test_a_lost_device_has_time_to_report(session: DeviceSession) -> None:
    speak(session, 10, 1.0)
    session.feed(Disconnected(), 1.1)
    assert session.feed(Tick(), 60.0) == []
    session.feed(Attached(PROFILE, Resume("s_1", 2)), 61.0)
    assert session.feed(Tick(), 65.0) == []
    assert [type(c) for c in session.feed(Tick(), 66.5)] == [SpeechOver]


def test_a_barge_in_drops_what_waits_and_says_how_much_was_sent(session: DeviceSession) -> None:
    speak(session, 100, 1.0)
    commands = session.feed(StopSpeech("v"), 1.1)
    assert isinstance(commands[0], DropAudio)
    assert messages(commands) == [{"type": "speech_stop", "cue": "v", "after_ms": 400}]
    assert session.heard_s(1.1) is None
    assert audio(session.feed(Tick(), 1.5)) == 0
    assert session.feed(AddSpeech("v", b"\0" * 960), 1.5) == []
    commands = session.feed(Playback("v", "stopped", 90), 1.6)
    assert SpeechOver("v", "stopped", 0.09) in commands


def test_a_stop_that_the_device_never_got_is_said_again(session: DeviceSession) -> None:
    speak(session, 100, 1.0)
    session.feed(Disconnected(), 1.05)
    session.feed(StopSpeech("v"), 1.1)
    assert session.feed(Tick(), 2.1) == [SpeechOver("v", "stopped", pytest.approx(0.4))]
    resume = Resume("s_1", 1, AudioCursor("v", 5))
    commands = session.feed(Attached(PROFILE, resume), 3.0)
    assert messages(commands)[1]["type"] == "speech_stop"
    assert audio(commands) == 0


def test_the_end_of_a_session_is_the_end_of_its_speech(session: DeviceSession) -> None:
    speak(session, 100, 1.0)
    commands = session.feed(Bye(), 1.1)
    assert [type(command) for command in commands] == [Close, SpeechOver, Ended]


def test_a_session_that_cannot_keep_more_is_given_up(session: DeviceSession) -> None:
    for number in range(256):
        session.feed(Tell(cue(number)), 1.0)
    session.feed(Disconnected(), 2.0)
    assert session.unacknowledged == 256
    assert session.feed(Tell(cue(3)), 3.0)[0].__class__.__name__ == "Settled"
    assert session.feed(Tell(cue(999)), 3.0) == [Ended()]
