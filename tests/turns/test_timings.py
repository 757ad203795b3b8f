"""The parts of a turn's wait, and the defaults that they come from."""

from __future__ import annotations

import pytest

from lapel.turns import Outcome, Stages, TurnEnded, TurnMachine, TurnSettings, TurnTimings
from turns.world import World

pytestmark = pytest.mark.unit


def ended(script: str, settings: TurnSettings | None = None) -> dict[int, TurnEnded]:
    world = World(script, TurnMachine(settings)).run(400)
    return {command.turn: command for _, command in world.trace if isinstance(command, TurnEnded)}


SPOKEN = """
at 0 open glasses
at 1 speech 1.2
complete yes
hears two lattes
"""


def test_the_parts_sum_up_to_the_wait() -> None:
    timings = ended(SPOKEN)[1].timings
    stages = timings.stages
    assert stages is not None
    assert timings.speech_end is not None
    assert timings.first_audio is not None
    assert stages.total_s == pytest.approx(timings.first_audio - timings.speech_end)
    assert stages.silence_s == pytest.approx(TurnSettings().complete_delay_s)
    assert stages.recognition_s == 0.0  # guessed within the silence
    assert stages.interpretation_s == pytest.approx(0.2)
    assert stages.speech_s == pytest.approx(0.06)
    assert timings.played == pytest.approx(timings.first_audio + 2.0)


def test_a_slow_recogniser_shows_as_such() -> None:
    stages = ended(SPOKEN + "recogniser 1.0\ncomplete unknown")[1].timings.stages
    assert stages is not None
    assert stages.silence_s == pytest.approx(TurnSettings().unknown_delay_s)
    assert stages.recognition_s == pytest.approx(0.16 + 1.0 - 0.7)


def test_waiting_behind_an_earlier_turn_shows_as_such() -> None:
    stages = ended("at 1 type one\nat 1.2 type two\nreply 1.0 1.0")[2].timings.stages
    assert stages is not None
    assert stages.queue_s == pytest.approx(0.8)
    assert stages.silence_s == 0.0


def test_a_turn_that_was_not_spoken_has_no_stages() -> None:
    turn = ended("at 1 type one\nreply 0.1 silent")[1]
    assert turn.outcome is Outcome.SILENT
    assert turn.timings.reply_ready is not None
    assert turn.timings.stages is None


def test_first_audio_is_the_first_one_even_if_speech_goes_on_later() -> None:
    turn = ended("at 0 open glasses\nat 1 type hello\nat 2 speech 0.3\nreply 0.2 4.0")[1]
    assert turn.outcome is Outcome.REPLIED
    assert turn.timings.first_audio == pytest.approx(1.26)


def test_settings_change_what_is_waited_for() -> None:
    patient = TurnSettings(complete_delay_s=1.0)
    stages = ended(SPOKEN, patient)[1].timings.stages
    assert stages is not None
    assert stages.silence_s == pytest.approx(1.0)


def test_total_is_the_sum_of_every_part() -> None:
    assert Stages(1.0, 2.0, 4.0, 8.0, 16.0).total_s == 31.0
    assert TurnTimings(speech_end=1.0).stages is None
