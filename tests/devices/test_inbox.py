from __future__ import annotations

import pytest

from lapel.devices.events import AudioArrived, DeviceEvent, TextTyped
from lapel.devices.inbox import Inbox

pytestmark = pytest.mark.unit


def drain(inbox: Inbox) -> list[DeviceEvent]:
    events: list[DeviceEvent] = []
    while (event := inbox.take()) is not None:
        events.append(event)
    return events


def test_when_full_the_oldest_audio_gives_way_and_its_gap_is_told() -> None:
    inbox = Inbox(4)
    for index in range(3):
        assert inbox.offer(AudioArrived(1, bytes([index])))
    assert inbox.offer(TextTyped("t", "x"))
    assert inbox.offer(AudioArrived(1, b"\3"))
    assert inbox.offer(TextTyped("u", "y"))
    assert drain(inbox) == [
        AudioArrived(1, b"\2", 2),
        TextTyped("t", "x"),
        AudioArrived(1, b"\3"),
        TextTyped("u", "y"),
    ]
    assert inbox.dropped_frames == 2


def test_the_gap_of_one_stream_is_not_told_to_the_next() -> None:
    inbox = Inbox(2)
    inbox.offer(AudioArrived(1, b"a"))
    inbox.offer(AudioArrived(2, b"b"))
    inbox.offer(AudioArrived(2, b"c"))
    assert drain(inbox) == [AudioArrived(2, b"b"), AudioArrived(2, b"c")]


def test_without_audio_to_drop_an_event_is_refused_but_a_frame_is_dropped_silently() -> None:
    inbox = Inbox(2)
    assert inbox.offer(TextTyped("1", "x"))
    assert inbox.offer(TextTyped("2", "x"))
    assert not inbox.offer(TextTyped("3", "x"))
    assert inbox.offer(AudioArrived(1, b"a"))
    assert drain(inbox) == [TextTyped("1", "x"), TextTyped("2", "x")]
