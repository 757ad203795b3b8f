"""CPU of the turn machine for a second of one session, beside the bare loop that any gateway has.

    python bench/turns.py [--sessions 50] [--seconds 20] [--repeat 5]

Both loops take the same audio as fast as they can, in one process: an inbox, a task and an energy
gate for each session (bare), and the same with a turn machine that is told of every 20 ms frame
(turns). A quarter of the time somebody speaks, in requests of 1.5 s; each is recognised, answered
and played. The ratio is what the machine costs; the absolute figures belong to the computer that
printed them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import struct
import time
from collections.abc import Callable

from lapel.turns import (
    Command,
    CompletenessJudged,
    Event,
    Interpret,
    MicrophoneMode,
    MicrophoneOpened,
    PlaybackFinished,
    PlaybackStarted,
    Recognize,
    ReplyReady,
    Tick,
    Transcribed,
    TurnMachine,
    VoiceJudged,
    WakeAt,
)

FRAME_S = 0.02
SAMPLES = 320
PERIOD = 300  # frames: 1.5 s of speech in 6 s
SPOKEN = 75
LOUD = struct.pack(
    f"<{SAMPLES}h", *((4000 if index % 8 < 4 else -4000) for index in range(SAMPLES))
)
QUIET = bytes(2 * SAMPLES)


def loud(frame: bytes) -> bool:
    """An energy gate over every eighth sample."""
    samples = memoryview(frame).cast("h")[::8]
    return sum(sample * sample for sample in samples) > 1_000_000 * len(samples)


class Session:
    """A turn machine with everything around it answered at once, in stream time."""

    def __init__(self) -> None:
        self.machine = TurnMachine()
        self.now = 0.0
        self.wake: float | None = None
        self.turns = 0
        self.feed(MicrophoneOpened("glasses", MicrophoneMode.AUTO))

    def frame(self, speech: bool) -> None:
        if self.wake is not None and self.wake <= self.now:
            self.wake = None
            self.feed(Tick())
        start_s = self.now
        self.now = start_s + FRAME_S
        self.feed(VoiceJudged("glasses", start_s, FRAME_S, speech, 0.9 if speech else 0.1, -30.0))

    def feed(self, event: Event) -> None:
        for command in self.machine.feed(event, self.now):
            self.obey(command)

    def obey(self, command: Command) -> None:
        match command:
            case WakeAt(at):
                self.wake = at
            case Recognize(turn, request):
                self.feed(Transcribed(turn, request, "two iced lattes to my office", 0.9))
                self.feed(CompletenessJudged(turn, request, True))
            case Interpret(turn):
                self.turns += 1
                self.feed(ReplyReady(turn, f"c{turn}", 1.0))
                self.feed(PlaybackStarted(f"c{turn}"))
                self.feed(PlaybackFinished(f"c{turn}"))
            case _:
                pass


async def loop(sessions: int, frames: int, make: Callable[[], Session | None]) -> tuple[float, int]:
    """CPU seconds, and the turns that were taken."""
    inboxes: list[asyncio.Queue[bytes | None]] = [asyncio.Queue(64) for _ in range(sessions)]
    machines = [make() for _ in range(sessions)]

    async def serve(inbox: asyncio.Queue[bytes | None], session: Session | None) -> None:
        while (frame := await inbox.get()) is not None:
            speech = loud(frame)
            if session is not None:
                session.frame(speech)

    began = time.process_time()
    async with asyncio.TaskGroup() as group:
        for inbox, session in zip(inboxes, machines, strict=True):
            group.create_task(serve(inbox, session))
        for index in range(frames):
            for offset, inbox in enumerate(inboxes):
                spoken = (index + offset * 7) % PERIOD < SPOKEN
                await inbox.put(LOUD if spoken else QUIET)
            await asyncio.sleep(0)
        for inbox in inboxes:
            await inbox.put(None)
    return time.process_time() - began, sum(session.turns for session in machines if session)


def measure(sessions: int, seconds: float, repeat: int) -> dict[str, object]:
    frames = round(seconds / FRAME_S)
    bare: list[float] = []
    turns: list[float] = []
    taken = 0
    for _ in range(repeat):
        bare.append(asyncio.run(loop(sessions, frames, lambda: None))[0])
        cpu, taken = asyncio.run(loop(sessions, frames, Session))
        turns.append(cpu)
    if taken == 0:
        raise SystemExit("no turn was taken: the measurement is worthless")
    ratios = [with_machine / without for with_machine, without in zip(turns, bare, strict=True)]
    session_seconds = sessions * seconds
    return {
        "bare_us_per_session_second": round(statistics.median(bare) / session_seconds * 1e6, 1),
        "turns_us_per_session_second": round(statistics.median(turns) / session_seconds * 1e6, 1),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "sessions_per_core": round(session_seconds / statistics.median(turns)),
        "turns_taken": taken,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU of the turn machine beside a bare loop")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.sessions, arguments.seconds, arguments.repeat), indent=2))


if __name__ == "__main__":
    main()
