"""A small world around the turn machine: microphones, a recogniser, an assistant and a speaker, on one clock.

A script is one instruction a line; times are seconds, on a grid of 20 ms frames:

    at 1.0 open glasses [manual] [echo] [frames MS]   a microphone streams (echo: it may not interrupt)
    at 1.0 close glasses
    at 1.0 speech 1.2 [glasses] [-20]          the user speaks for so long, as heard there (dB)
    at 1.0 stall 0.5 glasses                   the network holds its frames back, then they all come
    at 1.0 mute 0.5 glasses                    it sends no frames for so long (device-side gate)
    at 1.0 type two lattes
    at 1.0 announce news 2.0                   Lapel begins to speak by itself, 2 s long
    at 1.0 lost news                           the device that plays it is gone
    at 1.0 stop news                           the user stops it on the device

    hears two lattes      what the next recognition that is not cancelled gives; default: nothing
    confidence 0.9        of transcripts from now on
    recogniser 0.1        seconds for a transcript; `never`
    complete yes          what is judged of each transcript: yes, no, unknown (default)
    reply 0.2 2.0         seconds to the reply, and its length; `silent` for no speech; `never`
    drop 0.2              the assistant drops the turn instead
    device 0.06           seconds until the device reports; `never`
    finish never          it does not tell when it has finished
    report never          the device does not tell where it stopped
    measure never         nobody tells how long the speech is

The last group may also stand behind `at 1.0`, and holds from then on.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

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
    ShowState,
    StopSpeaking,
    TextEntered,
    Tick,
    Transcribed,
    TurnDropped,
    TurnEnded,
    TurnMachine,
    VoiceJudged,
    WakeAt,
)

FRAME_MS = 20
NEVER = -1.0


@dataclass
class Spot:
    """One microphone of the world. `muted` and `stalled` are spans of world time in milliseconds."""

    source: str
    opened_ms: int
    frame_ms: int = FRAME_MS
    streamed_ms: int = 0
    closed: bool = False
    speech: list[tuple[int, int, float]] = field(default_factory=list)
    muted: list[tuple[int, int]] = field(default_factory=list)
    stalled: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Sounding:
    """A cue on the device: where it stands, and which plan to finish it is the valid one."""

    length_s: float
    at_s: float = 0.0
    since_ms: int | None = None
    plan: int = 0


@dataclass(frozen=True)
class Habits:
    """How the world answers, until the script changes it."""

    confidence: float = 0.9
    recogniser_s: float = 0.1
    complete: bool | None = None
    reply_s: float = 0.2
    reply_length_s: float | None = 2.0
    drops: bool = False
    device_s: float = 0.06
    reports: bool = True
    finishes: bool = True
    measured: bool = True


class World:
    """Runs one script; `trace` is what the machine asked for, `events` all that it was told."""

    def __init__(self, script: str, machine: TurnMachine | None = None) -> None:
        self.machine = machine or TurnMachine()
        self.trace: list[tuple[float, Command]] = []
        self.fed: list[tuple[float, Event]] = []
        self._now_ms = 0
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._wake = 0
        self._habits = Habits()
        self._hears: deque[str] = deque()
        self._spots: dict[str, Spot] = {}
        self._speech: list[tuple[str, int, int, float]] = []
        self._cues: dict[str, Sounding] = {}
        self._cancelled: set[int] = set()
        self._dropped_turns: set[int] = set()
        for line in script.strip().splitlines():
            self._read(line.split("#")[0].split())

    # The clock

    def run(self, limit_s: float = 120.0) -> World:
        """Let time pass until nothing is left to happen."""
        while self._heap and self._heap[0][0] <= limit_s * 1000:
            at, _, action = heapq.heappop(self._heap)
            self._now_ms = at
            action()
        return self

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        self._at(self._now_ms + round(seconds * 1000), action)

    def _at(self, at_ms: int, action: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._heap, (at_ms, self._count, action))

    # The script

    def _read(self, words: list[str]) -> None:
        match words:
            case []:
                pass
            case ["at", when, "speech", *rest]:
                self._plan_speech(round(float(when) * 1000), rest)
            case ["at", when, *rest]:
                self._at(round(float(when) * 1000), lambda: self._act(rest))
            case ["hears", *text]:
                self._hears.append(" ".join(text))
            case _:
                self._habits = self._habit(words)

    def _habit(self, words: list[str]) -> Habits:
        match words:
            case ["reply", value, length]:
                spoken = None if length == "silent" else float(length)
                return replace(
                    self._habits, reply_s=float(value), reply_length_s=spoken, drops=False
                )
            case ["drop", value]:
                return replace(self._habits, reply_s=float(value), drops=True)
            case ["complete", value]:
                judged = {"yes": True, "no": False, "unknown": None}[value]
                return replace(self._habits, complete=judged)
            case ["confidence" | "recogniser" | "device" | "reply" as name, value]:
                field = name if name == "confidence" else f"{name}_s"
                return replace(self._habits, **{field: NEVER if value == "never" else float(value)})
            case ["report" | "finish" | "measure" as name, "never"]:
                field = {"report": "reports", "finish": "finishes", "measure": "measured"}[name]
                return replace(self._habits, **{field: False})
            case _:
                raise ValueError(f"`{' '.join(words)}` is not an instruction")

    def _plan_speech(self, at_ms: int, words: list[str]) -> None:
        length_ms = round(float(words[0]) * 1000)
        source = words[1] if len(words) > 1 else "glasses"
        level = float(words[2]) if len(words) > 2 else -20.0
        self._speech.append((source, at_ms, at_ms + length_ms, level))

    def _act(self, words: list[str]) -> None:
        match words:
            case ["open", source, *flags]:
                self._open(source, flags)
            case ["close", source]:
                self._spots[source].closed = True
                self._feed(MicrophoneClosed(source))
            case ["stall", seconds, source]:
                until = self._now_ms + round(float(seconds) * 1000)
                self._spots[source].stalled.append((self._now_ms, until))
            case ["mute", seconds, source]:
                until = self._now_ms + round(float(seconds) * 1000)
                self._spots[source].muted.append((self._now_ms, until))
            case ["type", *text]:
                self._feed(TextEntered("phone", "t1", " ".join(text)))
            case ["announce", cue, length]:
                self._say(cue, float(length), Announced(cue, self._told(float(length))))
            case ["lost", cue]:
                self._cues.pop(cue, None)
                self._feed(PlaybackLost(cue))
            case ["stop", cue]:
                self._silence(cue)
            case _:
                self._habits = self._habit(words)

    # Microphones

    def _open(self, source: str, flags: list[str]) -> None:
        old = self._spots.get(source)
        spot = Spot(source, self._now_ms, streamed_ms=0 if old is None else old.streamed_ms)
        if "frames" in flags:
            spot.frame_ms = int(flags[flags.index("frames") + 1])
        self._spots[source] = spot
        mode = MicrophoneMode.MANUAL if "manual" in flags else MicrophoneMode.AUTO
        self._feed(MicrophoneOpened(source, mode, interrupts="echo" not in flags))
        self._next_frame(spot)

    def _next_frame(self, spot: Spot) -> None:
        last = max([end for _, _, end, _ in self._speech], default=0)
        if self._now_ms <= max(last, self._now_ms if self._busy else 0) + 3000:
            begin = self._now_ms
            self._at(begin + spot.frame_ms, lambda: self._frame(spot, begin))

    @property
    def _busy(self) -> bool:
        return self.machine.state != "idle"

    def _frame(self, spot: Spot, begin_ms: int) -> None:
        if spot.closed or self._spots.get(spot.source) is not spot:
            return
        if not any(start <= begin_ms < end for start, end in spot.muted):
            start_ms = spot.streamed_ms
            spot.streamed_ms += spot.frame_ms
            level = next(
                (
                    level
                    for source, start, end, level in self._speech
                    if source in (spot.source, "all") and start <= begin_ms < end
                ),
                None,
            )
            event = VoiceJudged(
                spot.source,
                start_ms / 1000,
                spot.frame_ms / 1000,
                level is not None,
                0.9 if level is not None else 0.1,
                -60.0 if level is None else level,
            )
            held = [end for start, end in spot.stalled if start <= begin_ms < end]
            if held:
                self._at(held[0], lambda: self._feed(event))
            else:
                self._feed(event)
        self._next_frame(spot)

    # The machine

    def _feed(self, event: Event) -> None:
        now = self._now_ms / 1000
        self.fed.append((now, event))
        for command in self.machine.feed(event, now):
            self.trace.append((now, command))
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case WakeAt(at):
                self._wake += 1
                wake = self._wake
                self._at(math.ceil(at * 1000 - 1e-6), lambda: self._tick(wake))
            case Recognize(turn, request):
                if self._habits.recogniser_s != NEVER:
                    self._later(self._habits.recogniser_s, lambda: self._recognised(turn, request))
            case CancelRecognition(_, request):
                self._cancelled.add(request)
            case Interpret(turn):
                if self._habits.reply_s != NEVER:
                    self._later(self._habits.reply_s, lambda: self._reply(turn))
            case CancelTurn(turn):
                self._dropped_turns.add(turn)
            case _:
                self._obey_speaker(command)

    def _obey_speaker(self, command: Command) -> None:
        match command:
            case StopSpeaking(cue):
                self._later(0.02, lambda: self._silence(cue))
            case ResumeSpeaking(cue, from_s):
                sounding = self._cues[cue]
                sounding.at_s, sounding.since_ms = from_s, None
                self._play(cue, sounding)
            case DropSpeaking(cue):
                self._later(0.02, lambda: self._cues.pop(cue, None))
            case _:
                pass

    def _tick(self, wake: int) -> None:
        if wake == self._wake:
            self._feed(Tick())

    def _recognised(self, turn: int, request: int) -> None:
        if request in self._cancelled:
            return
        text = self._hears.popleft() if self._hears else ""
        self._feed(Transcribed(turn, request, text, self._habits.confidence))
        self._feed(CompletenessJudged(turn, request, self._habits.complete))

    def _reply(self, turn: int) -> None:
        if turn in self._dropped_turns:
            return
        length = self._habits.reply_length_s
        if self._habits.drops:
            self._feed(TurnDropped(turn))
        elif length is None:
            self._feed(ReplyReady(turn, None))
        else:
            cue = f"reply{turn}"
            self._say(cue, length, ReplyReady(turn, cue, self._told(length)))

    # The device

    def _told(self, length: float) -> float | None:
        return length if self._habits.measured else None

    def _say(self, cue: str, length: float, event: Event) -> None:
        sounding = Sounding(length)
        self._cues[cue] = sounding
        self._feed(event)
        self._play(cue, sounding)

    def _play(self, cue: str, sounding: Sounding) -> None:
        sounding.plan += 1
        plan = sounding.plan
        if self._habits.device_s != NEVER:
            self._later(self._habits.device_s, lambda: self._sound(cue, sounding, plan))

    def _sound(self, cue: str, sounding: Sounding, plan: int) -> None:
        if sounding.plan != plan or self._cues.get(cue) is not sounding:
            return
        sounding.since_ms = self._now_ms
        self._feed(PlaybackStarted(cue))
        if sounding.plan == plan and self._habits.finishes:
            left = sounding.length_s - sounding.at_s
            self._later(left, lambda: self._finish(cue, sounding, plan))

    def _finish(self, cue: str, sounding: Sounding, plan: int) -> None:
        if sounding.plan == plan and self._cues.get(cue) is sounding:
            del self._cues[cue]
            self._feed(PlaybackFinished(cue))

    def _silence(self, cue: str) -> None:
        sounding = self._cues.get(cue)
        if sounding is None:
            return
        sounding.plan += 1
        played_s = 0.0
        if sounding.since_ms is not None:
            played_s = (self._now_ms - sounding.since_ms) / 1000
            sounding.since_ms = None
        if self._habits.reports:
            self._feed(PlaybackStopped(cue, played_s))

    # What is compared

    def told(self) -> list[str]:
        """The commands as lines, without timers."""
        return [
            f"{at:.2f} {line}"
            for at, command in self.trace
            if (line := describe(command)) is not None
        ]


def describe(command: Command) -> str | None:
    """One command as a line of a scenario; None for a timer."""
    match command:
        case ShowState(state, source):
            return f"show {state}" + ("" if source is None else f" {source}")
        case Recognize(turn, request, source, start, end, speculative):
            guess = " guess" if speculative else ""
            return f"recognize {turn} #{request} {source} {start:.2f}-{end:.2f}{guess}"
        case CancelRecognition(_, request):
            return f"cancel #{request}"
        case Interpret(turn, _, text, _, typed):
            return f"interpret {turn} {text}" + (" (typed)" if typed else "")
        case CancelTurn(turn):
            return f"cancel {turn}"
        case TurnEnded(turn, outcome):
            return f"end {turn} {outcome}"
        case _:
            return _describe_speaker(command)


def _describe_speaker(command: Command) -> str | None:
    match command:
        case StopSpeaking(cue):
            return f"stop {cue}"
        case ResumeSpeaking(cue, from_s):
            return f"resume {cue} {from_s:.2f}"
        case DropSpeaking(cue):
            return f"drop {cue}"
        case _:
            return None
