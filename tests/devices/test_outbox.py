from __future__ import annotations

import json

import pytest

from lapel.devices.cues import Card, Cue, CueKind
from lapel.devices.outbox import Outbox, OutboxFull
from lapel.devices.wire import Clear, CueMessage, SpeechEnd, SpeechStart
from lapel.speech.formats import Codec

pytestmark = pytest.mark.unit


def tell(
    outbox: Outbox, cue: str, topic: str, *, expires_s: float | None = None, body: str = ""
) -> list[str]:
    card = Card("x", body=body)
    message = Cue(cue, topic, CueKind.NOTICE, card=card, expires_s=expires_s)
    return outbox.add(lambda n: CueMessage(n, message), 0.0)[1]


def numbers(outbox: Outbox, now: float = 0.0) -> list[int]:
    return [json.loads(data)["n"] for data in outbox.replay(now)[0]]


def test_messages_are_kept_until_they_are_acknowledged() -> None:
    outbox = Outbox()
    for number in range(4):
        tell(outbox, f"c{number}", "same topic")
    outbox.add(lambda n: Clear(n, "other"), 0.0)
    assert outbox.acknowledge(2) == ["c0", "c1"]
    assert outbox.acknowledge(1) == []
    assert numbers(outbox) == [3, 4, 5]
    assert outbox.acknowledge(5) == ["c2", "c3"]
    assert (len(outbox), outbox.acknowledged, outbox.last) == (0, 5, 5)


def test_when_full_what_was_replaced_goes_first_and_counts_as_settled() -> None:
    outbox = Outbox(limit=4)
    assert tell(outbox, "a1", "a") == []
    outbox.add(lambda n: Clear(n, "b"), 0.0)
    tell(outbox, "a2", "a")
    tell(outbox, "c1", "c")
    assert tell(outbox, "b1", "b") == ["a1"]
    assert numbers(outbox) == [3, 4, 5]
    assert tell(outbox, "d1", "d") == []
    with pytest.raises(OutboxFull):
        tell(outbox, "e1", "e")


def test_when_full_a_clear_makes_the_card_it_takes_down_needless() -> None:
    outbox = Outbox(limit=1)
    tell(outbox, "a1", "a")
    assert outbox.add(lambda n: Clear(n, "a"), 0.0)[1] == ["a1"]
    assert numbers(outbox) == [2]


def test_when_full_speech_that_is_over_goes() -> None:
    outbox = Outbox(limit=2)
    outbox.add(lambda n: SpeechStart(n, "v", Codec.PCM16, 16000, 20), 0.0)
    outbox.add(lambda n: SpeechEnd(n, "v", 3), 0.0)
    with pytest.raises(OutboxFull):
        tell(outbox, "a1", "a")
    outbox = Outbox(limit=2)
    outbox.add(lambda n: SpeechStart(n, "v", Codec.PCM16, 16000, 20), 0.0)
    outbox.add(lambda n: SpeechEnd(n, "v", 3), 0.0)
    outbox.speech_is_over("v")
    assert tell(outbox, "a1", "a") == []
    assert numbers(outbox) == [3]


def test_bytes_are_bounded_too() -> None:
    outbox = Outbox(max_bytes=3000)
    tell(outbox, "a1", "a", body="x" * 1300)
    tell(outbox, "b1", "b", body="x" * 1300)
    with pytest.raises(OutboxFull):
        tell(outbox, "c1", "c", body="x" * 1300)
    outbox = Outbox(max_bytes=3000)
    for _ in range(50):
        tell(outbox, "a1", "a", body="x" * 1300)
        outbox.acknowledge(outbox.last)
    tell(outbox, "b1", "b", body="x" * 1300)
    tell(outbox, "c1", "c", body="x" * 1300)


def test_a_cue_is_told_late_with_the_time_that_is_left() -> None:
    outbox = Outbox()
    tell(outbox, "soon", "a", expires_s=10.0)
    tell(outbox, "later", "b", expires_s=40.0)
    tell(outbox, "ever", "c")
    messages, expired = outbox.replay(30.0)
    assert [json.loads(data)["cue"].get("expires_s") for data in messages] == [10.0, None]
    assert expired == ["soon"]
    assert outbox.acknowledge(3) == ["later", "ever"]


def test_speech_that_is_over_is_not_announced_again() -> None:
    outbox = Outbox()
    outbox.add(lambda n: SpeechStart(n, "v", Codec.PCM16, 16000, 20), 0.0)
    tell(outbox, "a1", "a")
    outbox.speech_is_over("v")
    assert numbers(outbox) == [2]
