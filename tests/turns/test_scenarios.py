"""Every scenario of `scenarios/*.txt`: a script of the world, and what the machine asks for, to 10 ms."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from lapel.turns import ShowState, State, TurnEnded, WakeAt
from turns.world import World

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parent / "scenarios"


def read() -> list[tuple[str, str, list[str]]]:
    """(name, script, expected lines) of every scenario."""
    found: list[tuple[str, str, list[str]]] = []
    for path in sorted(FOLDER.glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split("# ")[1:]:
            name, _, rest = part.partition("\n")
            script, _, expected = rest.partition("=>\n")
            lines = [line for line in expected.strip().splitlines() if line != "nothing"]
            found.append((f"{path.stem}: {name}", script, lines))
    return found


SCENARIOS = read()
LIMIT_S = 400.0


@pytest.mark.parametrize(
    ("script", "expected"),
    [entry[1:] for entry in SCENARIOS],
    ids=[entry[0] for entry in SCENARIOS],
)
def test_what_the_machine_asks_for(script: str, expected: list[str]) -> None:
    assert World(script).run(LIMIT_S).told() == expected


# Every change of state that there is; `test_every_transition...` shows that the scenarios walk them all.
TRANSITIONS = {
    (State.IDLE, State.LISTENING),  # speech
    (State.IDLE, State.THINKING),  # typed
    (State.IDLE, State.SPEAKING),  # an announcement
    (State.LISTENING, State.IDLE),  # a noise
    (State.LISTENING, State.THINKING),  # the end of speech
    (State.LISTENING, State.LISTENING),  # another microphone takes over
    (State.LISTENING, State.INTERRUPTED),  # the cue had begun just before it was stopped
    (State.THINKING, State.LISTENING),  # the user goes on
    (State.THINKING, State.SPEAKING),  # the reply starts
    (State.THINKING, State.IDLE),  # no reply, or none that is spoken
    (State.SPEAKING, State.INTERRUPTED),  # the user's voice
    (State.SPEAKING, State.THINKING),  # typed; or an announcement within a turn is over
    (State.SPEAKING, State.IDLE),  # played, lost or stopped on the device
    (State.INTERRUPTED, State.SPEAKING),  # it was a noise
    (State.INTERRUPTED, State.THINKING),  # it was speech
    (State.INTERRUPTED, State.LISTENING),  # there is nothing left to go on with
    (State.INTERRUPTED, State.INTERRUPTED),  # heard to the end, not yet clear
}


def test_every_transition_is_walked_and_no_other() -> None:
    walked: set[tuple[State, State]] = set()
    for _, script, _ in SCENARIOS:
        shown = [
            command.state
            for _, command in World(script).run(LIMIT_S).trace
            if isinstance(command, ShowState)
        ]
        walked |= set(itertools.pairwise([State.IDLE, *shown]))
    assert walked == TRANSITIONS


def test_every_outcome_is_reached() -> None:
    reached = {
        command.outcome
        for _, script, _ in SCENARIOS
        for _, command in World(script).run(LIMIT_S).trace
        if isinstance(command, TurnEnded)
    }
    assert {str(outcome) for outcome in reached} == {
        "cancelled",
        "continued",
        "dropped",
        "interrupted",
        "lost",
        "nothing_heard",
        "refused",
        "replied",
        "silent",
        "timed_out",
    }


@pytest.mark.parametrize("script", [entry[1] for entry in SCENARIOS])
def test_it_comes_to_rest(script: str) -> None:
    world = World(script).run(LIMIT_S)
    assert world.machine.state is State.IDLE
    wakes = [(at, command.at) for at, command in world.trace if isinstance(command, WakeAt)]
    assert all(wake >= at for at, wake in wakes)
