"""What one microphone's frames amount to, and events that nobody should send."""

from __future__ import annotations

import pytest

from lapel.turns import (
    Command,
    CompletenessJudged,
    Event,
    Interpret,
    MicrophoneClosed,
    MicrophoneMode,
    MicrophoneOpened,
    PlaybackFinished,
    PlaybackStarted,
    PlaybackStopped,
    Recognize,
    ReplyReady,
    ShowState,
    State,
    StopSpeaking,
    TextEntered,
    Tick,
    Transcribed,
    TurnDropped,
    TurnMachine,
    VoiceJudged,
    WakeAt,
)

pytestmark = pytest.mark.unit


def voice(start_s: float, speech: bool = True, duration_s: float = 0.02) -> VoiceJudged:
    return VoiceJudged("glasses", start_s, duration_s, speech, 0.9, -20.0)


def opened() -> TurnMachine:
    machine = TurnMachine()
    assert machine.feed(MicrophoneOpened("glasses", MicrophoneMode.AUTO), 0.0) == []
    return machine


def start(machine: TurnMachine, frames: int = 10) -> list[Command]:
    return [
        command
        for index in range(frames)
        for command in machine.feed(voice(index * 0.02), (index + 1) * 0.02)
    ]


def test_a_microphone_that_is_not_open_is_not_heard() -> None:
    machine = TurnMachine()
    assert start(machine) == []
    assert machine.state is State.IDLE


def test_frames_from_the_past_do_not_count_twice() -> None:
    machine = opened()
    for _ in range(20):
        assert machine.feed(voice(0.0), 0.1) == []


def test_frames_without_length_are_ignored() -> None:
    machine = opened()
    for index in range(100):
        assert machine.feed(voice(index * 0.02, duration_s=0.0), index * 0.02) == []


def test_lost_frames_count_as_silence() -> None:
    machine = opened()
    start(machine)
    machine.feed(voice(0.2), 0.22)
    commands = machine.feed(voice(5.0, speech=False), 0.3)
    assert ShowState(State.THINKING) in commands


def test_a_clock_that_goes_back_does_not_move_the_machine_back() -> None:
    machine = opened()
    commands = [
        command
        for index in range(10)
        for command in machine.feed(voice(index * 0.02), 100.0 - index)
    ]
    wakes = [command.at for command in commands if isinstance(command, WakeAt)]
    assert wakes
    assert all(at >= 100.0 for at in wakes)


def test_a_microphone_closed_twice_or_never_opened() -> None:
    machine = opened()
    assert machine.feed(MicrophoneClosed("nobody"), 0.0) == []
    machine.feed(MicrophoneClosed("glasses"), 0.0)
    assert machine.feed(MicrophoneClosed("glasses"), 0.0) == []


def test_more_microphones_than_one_can_wear_are_not_heard() -> None:
    machine = TurnMachine()
    for index in range(16):
        machine.feed(MicrophoneOpened(f"other {index}", MicrophoneMode.AUTO), 0.0)
    machine.feed(MicrophoneOpened("glasses", MicrophoneMode.AUTO), 0.0)
    assert start(machine) == []


@pytest.mark.parametrize(
    "event",
    [
        Tick(),
        Transcribed(7, 3, "two lattes", 0.9),
        CompletenessJudged(7, 3, True),
        ReplyReady(7, None),
        TurnDropped(7),
        PlaybackStarted("c1"),
        PlaybackFinished("c1"),
        PlaybackStopped("c1", 1.0),
        TextEntered("phone", "t1", "  "),
    ],
)
def test_what_belongs_to_no_turn_changes_nothing(event: Event) -> None:
    machine = TurnMachine()
    assert machine.feed(event, 1.0) == []
    assert machine.state is State.IDLE


def test_a_reply_for_a_turn_that_is_no_more_is_silenced() -> None:
    machine = TurnMachine()
    commands = machine.feed(ReplyReady(7, "c1"), 1.0)
    assert StopSpeaking("c1") in commands


def test_a_transcript_of_less_than_the_whole_is_not_used() -> None:
    machine = opened()
    commands = start(machine, 20)
    for index in range(20, 30):
        commands += machine.feed(voice(index * 0.02, speech=False), index * 0.02)
    (guess,) = [command for command in commands if isinstance(command, Recognize)]
    for index in range(30, 40):
        machine.feed(voice(index * 0.02), index * 0.02)
    machine.feed(Transcribed(guess.turn, guess.request, "two", 0.9), 0.8)
    machine.feed(CompletenessJudged(guess.turn, guess.request, True), 0.8)
    commands = [
        command
        for index in range(40, 80)
        for command in machine.feed(voice(index * 0.02, speech=False), index * 0.02)
    ]
    (whole,) = [command for command in commands if isinstance(command, Recognize)]
    assert whole.request != guess.request
    machine.feed(Transcribed(guess.turn, guess.request, "two", 0.9), 1.6)
    commands = machine.feed(Transcribed(whole.turn, whole.request, "two lattes", 0.9), 1.6)
    assert [command.text for command in commands if isinstance(command, Interpret)] == [
        "two lattes"
    ]


def test_a_timer_that_comes_a_little_early_is_not_asked_for_again() -> None:
    machine = TurnMachine()
    machine.feed(TextEntered("phone", "t1", "hello"), 0.1)
    commands = machine.feed(ReplyReady(1, "c1", 1.0), 0.2)
    (wake,) = [command.at for command in commands if isinstance(command, WakeAt)]
    machine.feed(Tick(), wake - 1e-9)
    assert machine.state is State.IDLE


def test_a_second_cue_of_a_reply_is_waited_for() -> None:
    machine = TurnMachine()
    machine.feed(TextEntered("phone", "t1", "hello"), 0.0)
    machine.feed(ReplyReady(1, "c1", 1.0), 0.1)
    machine.feed(ReplyReady(1, "c2", 1.0), 0.2)
    machine.feed(PlaybackStarted("c1"), 0.3)
    machine.feed(PlaybackFinished("c1"), 1.3)
    assert machine.state is not State.IDLE
    machine.feed(PlaybackStarted("c2"), 1.4)
    machine.feed(PlaybackFinished("c2"), 2.4)
    assert machine.state is State.IDLE


def test_more_cues_than_a_speaker_can_play_are_refused() -> None:
    machine = TurnMachine()
    machine.feed(TextEntered("phone", "t1", "hello"), 0.0)
    refused = [
        command
        for index in range(12)
        for command in machine.feed(ReplyReady(1, f"c{index}", 1.0), 0.1)
        if isinstance(command, StopSpeaking)
    ]
    assert len(refused) == 4
