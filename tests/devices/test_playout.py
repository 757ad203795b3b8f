from __future__ import annotations

import pytest

from lapel.devices.playout import AHEAD_S, KEPT_S, Playout
from lapel.devices.wire import parse_audio
from lapel.speech.formats import AudioFormat, Codec

pytestmark = pytest.mark.unit

FORMAT = AudioFormat(Codec.PCM16, 24000, 20)


def speech(frames: int, audio: AudioFormat = FORMAT) -> Playout:
    playout = Playout("c", 65537, audio)
    for index in range(frames):
        playout.add(bytes([index % 256, index // 256]) * audio.frame_samples)
    return playout


def sequences(messages: list[bytes]) -> list[int]:
    return [parse_audio(data).sequence for data in messages]


@pytest.mark.parametrize("frame_ms", [10, 20, 60])
def test_audio_runs_at_most_400_ms_ahead_of_real_time(frame_ms: int) -> None:
    playout = speech(300, AudioFormat(Codec.PCM16, 16000, frame_ms))
    now, sent = 5.0, len(playout.due(5.0))
    assert sent * frame_ms / 1000 <= AHEAD_S + 1e-6
    while (at := playout.wake_at()) is not None:
        assert at > now
        now = at
        sent += len(playout.due(now))
        ahead = sent * frame_ms / 1000 - (now - 5.0)
        assert 0 < ahead <= AHEAD_S + 1e-6
    assert sent == 300


def test_a_timer_is_for_60_ms_of_audio() -> None:
    playout = speech(100)
    playout.due(0.0)
    wakes = 0
    while (at := playout.wake_at()) is not None:
        playout.due(at)
        wakes += 1
    assert wakes <= 100 / 3 + 1


def test_a_voice_that_was_late_does_not_get_a_burst() -> None:
    playout = speech(10)
    playout.due(0.0)
    for _ in range(100):
        playout.add(b"x" * 960)
    assert len(playout.due(60.0)) == 20


def test_the_voice_is_held_back_to_half_a_second() -> None:
    playout = Playout("c", 1, FORMAT)
    added = 0
    while playout.room:
        playout.add(b"x" * 960)
        added += 1
    assert added == 25
    playout.due(0.0)
    assert playout.room


def test_the_stream_is_the_low_16_bits_of_n_and_the_last_frame_is_marked() -> None:
    playout = speech(2)
    playout.end()
    first, second = (parse_audio(data) for data in playout.due(0.0))
    assert (first.stream, first.last, second.last) == (1, False, True)
    assert playout.all_sent


def test_a_resume_goes_back_to_the_frame_that_is_needed_but_never_forward() -> None:
    playout = speech(100)
    playout.due(0.0)
    playout.rewind(5)
    assert sequences(playout.due(0.3))[0] == 5
    sent = playout.next
    playout.rewind(90)
    assert playout.next == sent


def test_what_is_kept_for_a_resume_is_bounded() -> None:
    playout = Playout("c", 1, FORMAT)
    now = 0.0
    for index in range(4000):
        playout.add(bytes([index % 256]) * 960)
        now += 0.02
        playout.due(now)
    kept = playout.produced - playout.base
    assert kept * 0.02 <= KEPT_S + 1
    playout.rewind(0)
    assert playout.next == playout.base


def test_what_was_heard_is_what_time_allows_and_never_more_than_was_sent() -> None:
    playout = speech(10)
    assert playout.heard_s(0.0) == 0.0
    playout.due(1.0)
    assert playout.heard_s(1.1) == pytest.approx(0.1)
    assert playout.heard_s(9.0) == pytest.approx(0.2)


def test_nothing_is_due_after_a_stop() -> None:
    playout = speech(100)
    playout.due(0.0)
    playout.stopped = True
    assert playout.due(10.0) == []
    assert playout.wake_at() is None
