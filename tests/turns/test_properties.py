"""Whatever happens, in whatever order: what must hold of every conversation."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapel.turns import (
    Announced,
    CancelRecognition,
    CancelTurn,
    Command,
    CompletenessJudged,
    DropSpeaking,
    Event,
    Interpret,
    MicrophoneClosed,
    MicrophoneMode,
    MicrophoneOpened,
    PlaybackFinished,
    PlaybackLost,
    PlaybackStarted,
    PlaybackStopped,
    Recognize,
    ReplyReady,
    ResumeSpeaking,
    SpeechMeasured,
    State,
    StopSpeaking,
    TextEntered,
    Tick,
    Transcribed,
    TurnDropped,
    TurnEnded,
    TurnMachine,
    TurnSettings,
    VoiceJudged,
    WakeAt,
)

pytestmark = pytest.mark.unit

SOURCES = ("glasses", "ring", "phone")
TEXTS = ("", "two lattes", "no, three")
# A machine in the middle of everything weighs some kilobytes; one that keeps what is over weighs more and more.
LARGEST = 16_384


@dataclass
class Witness:
    """Feeds one machine, delivers its ticks, and objects to what must not happen."""

    machine: TurnMachine = field(default_factory=TurnMachine)
    now: float = 10.0
    wake: float | None = None
    heard: dict[str, float] = field(default_factory=dict)
    requests: dict[int, tuple[int, bool]] = field(default_factory=dict)  # request -> turn, open
    interpreted: list[int] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    sounding: dict[str, int | None] = field(default_factory=dict)  # cue -> turn
    stopped: dict[str, int | None] = field(default_factory=dict)
    cues: int = 0

    def feed(self, event: Event) -> None:
        match event:
            case ReplyReady(turn, str() as cue):
                self.sounding[cue] = turn
            case Announced(cue):
                self.sounding[cue] = None
            case PlaybackFinished(cue) | PlaybackLost(cue):
                self.sounding.pop(cue, None)
                self.stopped.pop(cue, None)
            case _:
                pass
        if isinstance(event, ReplyReady) and event.turn in self.interpreted:
            self.answered.add(event.turn)
        for command in self.machine.feed(event, self.now):
            self.check(command)

    def check(self, command: Command) -> None:
        match command:
            case WakeAt(at):
                assert at >= self.now
                self.wake = at
            case Recognize(turn, request, _, start, end, _):
                limits = TurnSettings()
                assert request not in self.requests
                assert turn not in self.ended
                longest = limits.utterance_limit_s + limits.preroll_s + limits.tail_s + 0.1
                assert 0.0 <= start <= end <= start + longest
                assert not any(of == turn and alive for of, alive in self.requests.values())
                self.requests[request] = (turn, True)
                self.turns.add(turn)
            case CancelRecognition(turn, request):
                assert self.requests[request] == (turn, True)
                self.requests[request] = (turn, False)
            case Interpret(turn, _, text):
                assert text.strip()
                assert turn not in self.interpreted
                assert turn not in self.cancelled | self.ended
                assert all(earlier < turn for earlier in self.interpreted)
                over = self.answered | self.cancelled | self.ended
                assert all(earlier in over for earlier in self.interpreted)
                assert not [
                    cue for cue, of in self.sounding.items() if of is not None and of < turn
                ]
                self.interpreted.append(turn)
                self.turns.add(turn)
            case CancelTurn(turn):
                assert turn in self.interpreted
                assert turn not in self.answered | self.cancelled | self.ended
                self.cancelled.add(turn)
            case StopSpeaking(cue):
                self.stopped[cue] = self.sounding.pop(cue, None)
            case ResumeSpeaking(cue, from_s):
                assert from_s >= 0.0
                self.sounding[cue] = self.stopped.pop(cue)
            case DropSpeaking(cue):
                assert cue not in self.sounding
                self.stopped.pop(cue, None)
            case TurnEnded(turn, _, timings):
                assert turn not in self.ended
                self.ended.add(turn)
                self.turns.add(turn)
                marks = [
                    mark
                    for mark in (
                        timings.speech_end,
                        timings.ended,
                        timings.recognised,
                        timings.interpreted,
                        timings.reply_ready,
                        timings.first_audio,
                        timings.played,
                    )
                    if mark is not None
                ]
                assert marks == sorted(marks)
            case _:
                pass

    def wait(self, seconds: float, lateness: float = 0.0) -> None:
        until = self.now + seconds
        while self.wake is not None and self.wake + lateness <= until:
            self.now = max(self.now, self.wake + lateness)
            self.wake = None
            self.feed(Tick())
        self.now = until

    def speak(self, source: str, pattern: list[bool], frame_s: float, level: float) -> None:
        for speech in pattern:
            start = self.heard.get(source, 0.0)
            self.heard[source] = start + frame_s
            self.wait(frame_s)
            self.feed(VoiceJudged(source, start, frame_s, speech, 0.9 if speech else 0.1, level))

    def last(self, back: int) -> int:
        return max(self.turns, default=0) - back

    def settle(self) -> None:
        for source in SOURCES:
            self.feed(MicrophoneClosed(source))
        for _ in range(100):
            if self.wake is None:
                return
            self.wait(self.wake - self.now)
        raise AssertionError("it asks to be woken without end")


sources = st.sampled_from(SOURCES)
seconds = st.sampled_from([0.01, 0.05, 0.1, 0.3, 0.6, 1.1, 3.0, 11.0, 31.0])
back = st.integers(0, 2)
runs = st.lists(
    st.tuples(st.booleans(), st.sampled_from([1, 2, 4, 9, 12, 40])), min_size=1, max_size=4
).map(lambda parts: [speech for speech, count in parts for _ in range(count)])

operations = st.one_of(
    st.tuples(st.just("open"), sources, st.sampled_from(list(MicrophoneMode)), st.booleans()),
    st.tuples(st.just("close"), sources),
    st.tuples(
        st.just("speak"), sources, runs, st.sampled_from([0.02, 0.032, 0.06]), st.floats(-60, -10)
    ),
    st.tuples(st.just("wait"), seconds, st.sampled_from([0.0, 0.0, 0.2])),
    st.tuples(st.just("type"), sources, st.sampled_from(TEXTS)),
    st.tuples(st.just("transcribe"), back, st.sampled_from(TEXTS), st.sampled_from([0.1, 0.9])),
    st.tuples(st.just("judge"), back, st.sampled_from([True, False, None])),
    st.tuples(st.just("reply"), back, st.sampled_from([None, 0.5, 3.0]), st.booleans()),
    st.tuples(st.just("drop"), back),
    st.tuples(st.just("announce"), back, st.sampled_from([None, 1.0])),
    st.tuples(
        st.just("device"), st.sampled_from(["start", "finish", "stop", "lose", "measure"]), back
    ),
)


def perform(witness: Witness, operation: tuple[object, ...]) -> None:
    match operation:
        case ("open", str(source), MicrophoneMode() as mode, bool(interrupts)):
            witness.feed(MicrophoneOpened(source, mode, interrupts))
        case ("close", str(source)):
            witness.feed(MicrophoneClosed(source))
        case ("speak", str(source), list() as pattern, float(frame_s), float(level)):
            witness.speak(source, pattern, frame_s, level)
        case ("wait", float(length), float(lateness)):
            witness.wait(length, lateness)
        case ("type", str(source), str(text)):
            witness.feed(TextEntered(source, "t", text))
        case ("transcribe" | "judge" as what, int(steps), *answer):
            recogniser(witness, what, max(witness.requests, default=0) - steps, answer)
        case ("reply" | "drop" | "announce" as what, int(steps), *answer):
            assistant(witness, what, witness.last(steps), answer)
        case ("device", str(what), int(steps)):
            device(witness, what, f"c{witness.cues - steps}")
        case _:
            raise AssertionError(operation)


def recogniser(witness: Witness, what: str, request: int, answer: list[object]) -> None:
    turn, _ = witness.requests.get(request, (0, False))
    match what, answer:
        case "transcribe", [str(text), float(confidence)]:
            witness.feed(Transcribed(turn, request, text, confidence))
            witness.requests[request] = (turn, False)
        case "judge", [True | False | None as complete]:
            witness.feed(CompletenessJudged(turn, request, complete))
        case _:
            raise AssertionError(what)


def assistant(witness: Witness, what: str, turn: int, answer: list[object]) -> None:
    witness.cues += 1
    cue = f"c{witness.cues}"
    match what, answer:
        case "reply", [float() | None as length, bool(speaks)]:
            witness.feed(ReplyReady(turn, cue if speaks else None, length))
        case "announce", [float() | None as length]:
            witness.feed(Announced(cue, length))
        case "drop", []:
            witness.feed(TurnDropped(turn))
        case _:
            raise AssertionError(what)


def device(witness: Witness, what: str, cue: str) -> None:
    told: dict[str, Event] = {
        "start": PlaybackStarted(cue),
        "finish": PlaybackFinished(cue),
        "stop": PlaybackStopped(cue, 0.3),
        "lose": PlaybackLost(cue),
        "measure": SpeechMeasured(cue, 1.5),
    }
    witness.feed(told[what])


@settings(max_examples=400, deadline=None)
@given(st.lists(operations, max_size=60))
def test_every_conversation(history: list[tuple[object, ...]]) -> None:
    witness = Witness()
    for source in SOURCES[:2]:
        witness.feed(MicrophoneOpened(source, MicrophoneMode.AUTO))
    for operation in history:
        perform(witness, operation)
        assert len(pickle.dumps(witness.machine)) < LARGEST
    witness.settle()
    assert witness.machine.state is State.IDLE
    assert witness.turns == witness.ended
    assert len(pickle.dumps(witness.machine)) < len(pickle.dumps(TurnMachine())) + 256


def test_a_thousand_turns_leave_nothing_behind() -> None:
    witness = Witness()
    witness.feed(MicrophoneOpened("glasses", MicrophoneMode.AUTO))
    weights: list[int] = []
    for turn in range(1000):
        witness.speak("glasses", [True] * 15 + [False] * 10, 0.02, -20.0)
        request = max(witness.requests)
        witness.feed(Transcribed(witness.requests[request][0], request, "two lattes", 0.9))
        witness.requests[request] = (witness.requests[request][0], False)
        witness.speak("glasses", [False] * 50, 0.02, -60.0)
        witness.feed(ReplyReady(witness.interpreted[-1], f"c{turn}", 1.0))
        witness.feed(PlaybackStarted(f"c{turn}"))
        witness.feed(PlaybackFinished(f"c{turn}"))
        weights.append(len(pickle.dumps(witness.machine)))
    assert len(witness.ended) == 1000
    assert max(weights[10:]) - min(weights[10:]) < 64
