"""The parser: every message both ways, and nothing but a WireError for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lapel.devices import wire
from lapel.devices.cues import Card, Cue, CueKind
from lapel.devices.errors import (
    BadAudio,
    BadJson,
    BadMessage,
    BadProtocol,
    TooLarge,
    UnknownType,
    WireError,
)
from lapel.devices.profile import DeviceProfile, Family, Gesture
from lapel.speech.formats import Codec

pytestmark = pytest.mark.unit

HELLO = wire.Hello(
    1,
    wire.Auth(key="dk_1"),
    DeviceProfile(Family.RING, extra={"made": 2026}),
    wire.AudioOffers(up=wire.AudioOffer("lc3", 16000, 10)),
    wire.Resume("s_1", 17, wire.AudioCursor("c_1", 42)),
)
FROM_DEVICE: list[wire.DeviceMessage] = [
    HELLO,
    wire.Text("1", "two lattes"),
    wire.Listen("start", "manual", 3),
    wire.Listen("stop"),
    wire.GestureDone("2", "pad", Gesture.PRESS, "approve", "order:1"),
    wire.Playback("c_1", "stopped", 1200),
    wire.WearNow(False),
    wire.Battery(50, True),
    wire.Position(60.17, 24.94, 12.5, 1764000000.0),
    wire.Received(3),
    wire.Ping("x"),
    wire.Ping(4),
    wire.Bye(),
]
FROM_LAPEL: list[wire.LapelMessage] = [
    wire.PairingShown("482913", 300),
    wire.Paired("d_1", "dk_1"),
    wire.Welcome("s_1", "d_1", "u_1", False, 20, wire.AudioChosen()),
    wire.CueMessage(1, Cue("c_1", "t", CueKind.APPROVAL, card=Card("x"), expires_s=42.0)),
    wire.Clear(2, "t"),
    wire.SpeechStart(3, "c_1", Codec.PCM16, 24000, 20, "words"),
    wire.SpeechEnd(4, "c_1", 9),
    wire.SpeechStop("c_1", 180),
    wire.StateNow("thinking"),
    wire.Transcript("two lattes", True, "t1"),
    wire.Pong("x"),
    wire.ErrorMessage("busy", "words", "1"),
]


@pytest.mark.parametrize("message", FROM_DEVICE, ids=lambda m: type(m).__name__)
def test_a_devices_message_survives_the_wire(message: wire.DeviceMessage) -> None:
    assert wire.parse_text(wire.encode(message)) == message
    assert wire.parse_text(wire.encode(message).decode()) == message


@pytest.mark.parametrize("message", FROM_LAPEL, ids=lambda m: type(m).__name__)
def test_lapels_message_survives_the_wire(message: wire.LapelMessage) -> None:
    assert wire.parse_lapel_text(wire.encode(message)) == message


def test_the_documents_hello_is_read() -> None:
    text = """{"type": "hello", "protocol": 1,
     "auth": {"key": "dk_..."},
     "profile": {"family": "ring", "model": "Lab Ring", "name": "Ring",
       "microphones": [], "speakers": [], "displays": [],
       "inputs": [{"id": "pad", "kind": "touch", "gestures": ["press", "long_press"]}],
       "haptics": [{"patterns": ["pulse", "double", "long"]}],
       "wear": {"detects": true, "on_body": true}},
     "audio": {"up": {"codec": "opus", "rate": 16000, "frame_ms": 20},
               "down": {"codec": "pcm16", "rate": 24000, "frame_ms": 20}},
     "resume": {"session": "s_...", "cursor": 17, "audio_cursor": {"cue": "c_...", "next": 42}},
     "of a later version": 1}"""
    message = wire.parse_text(text)
    assert isinstance(message, wire.Hello)
    assert message.profile.confirm.gesture
    assert message.resume == wire.Resume("s_...", 17, wire.AudioCursor("c_...", 42))


def test_nulls_of_the_welcome_are_written_out() -> None:
    welcome = wire.Welcome("s", "d", "u", False, 20, wire.AudioChosen())
    assert json.loads(wire.encode(welcome))["audio"] == {"up": None, "down": None}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xff", BadJson),
        (b'{"type": "text", "id": "1", "text": "\xff"}', BadJson),
        (b"[]", BadJson),
        (b"", BadJson),
        (b"[" * 60000, BadJson),
        (b'{"type": "text", "id": "1", "text": "a", "more": ' + b"[" * 60000, BadJson),
        (b'{"type": "text", "id": "1", "text": "\\ud800"}', BadJson),
        ('{"type": "text", "id": "1", "text": "\ud800"}', BadJson),
        (b'{"type": null}', BadMessage),
        (b'{"type": "text", "id": "", "text": "a"}', BadMessage),
        (b'{"type": "text", "id": "' + b"i" * 129 + b'", "text": "a"}', BadMessage),
        (b'{"type": "received", "cursor": -1}', BadMessage),
        (b'{"type": "received", "cursor": 1e400}', BadMessage),
        (b'{"type": "listen", "state": "pause"}', BadMessage),
        (b'{"type": "listen", "state": "start", "stream": 65536}', BadMessage),
        (b'{"type": "cue"}', UnknownType),
        (b'{"type": "hello", "protocol": 2}', BadProtocol),
        (b'{"type": "hello", "protocol": "1"}', BadProtocol),
        (b'{"type": "hello"}', BadMessage),
        (b" " * 65537, TooLarge),
        ("\u20ac" * 30000, TooLarge),
    ],
)
def test_what_is_wrong_is_named(data: bytes | str, error: type[WireError]) -> None:
    with pytest.raises(error) as caught:
        wire.parse_text(data)
    assert type(caught.value) is error


def test_a_refused_message_is_referred_to_by_its_id() -> None:
    with pytest.raises(BadMessage) as caught:
        wire.parse_text('{"type": "gesture", "id": "g-7"}')
    assert caught.value.ref == "g-7"


TEXT_CODES = {"bad_json", "bad_message", "too_large", "unknown_type", "bad_protocol"}


def attempt(parse: Callable[[Any], Any], data: bytes | str) -> Any:
    """What the parser makes of `data`; anything but a WireError fails the test."""
    try:
        return parse(data)
    except WireError as error:
        return error


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


def mutated(messages: list[Any]) -> st.SearchStrategy[bytes]:
    """Real messages with one field replaced by anything, and some bytes changed."""

    @st.composite
    def build(draw: st.DrawFn) -> bytes:
        message = json.loads(wire.encode(draw(st.sampled_from(messages))))
        key = draw(st.sampled_from(sorted(message)))
        message[key] = draw(json_values)
        raw = bytearray(json.dumps(message, allow_nan=True).encode("utf-8", "surrogatepass"))
        for _ in range(draw(st.integers(0, 3))):
            raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
        return bytes(raw)

    return build()


@settings(max_examples=250, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200),
        json_values.map(lambda value: json.dumps(value)),
        mutated(FROM_DEVICE),
        mutated(FROM_LAPEL),
    )
)
def test_only_wire_errors_escape(data: bytes | str) -> None:
    for parse in (wire.parse_text, wire.parse_lapel_text):
        outcome = attempt(parse, data)
        if isinstance(outcome, WireError):
            assert outcome.code in TEXT_CODES
            # What is told about it can always be sent.
            told = wire.ErrorMessage(outcome.code, outcome.message, outcome.ref)
            assert msgspec.json.decode(wire.encode(told))["code"] == outcome.code
        else:
            assert parse(wire.encode(outcome)) == outcome


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64) | st.integers(8190, 8194).map(lambda size: b"\1" * size))
def test_only_wire_errors_escape_from_audio(data: bytes) -> None:
    outcome = attempt(wire.parse_audio, data)
    if isinstance(outcome, WireError):
        assert isinstance(outcome, BadAudio | TooLarge)
    else:
        assert wire.parse_audio(wire.encode_audio(outcome)) == outcome


@given(
    st.integers(0, 0xFFFF),
    st.integers(0, 2**32 - 1),
    st.binary(min_size=1, max_size=90),
    st.booleans(),
)
def test_an_audio_frame_survives_the_wire(
    stream: int, sequence: int, payload: bytes, last: bool
) -> None:
    frame = wire.AudioFrame(stream, sequence, payload, last)
    assert wire.parse_audio(wire.encode_audio(frame)) == frame


def test_the_audio_header_is_as_documented() -> None:
    assert wire.encode_audio(wire.AudioFrame(0x0102, 0x03040506, b"\7", last=True)) == bytes(
        [1, 1, 1, 2, 3, 4, 5, 6, 7]
    )
    assert wire.parse_audio(bytes([1, 0xFE, 0, 1, 0, 0, 0, 0, 9])).last is False
    with pytest.raises(BadAudio):
        wire.parse_audio(bytes([2, 0, 0, 1, 0, 0, 0, 0, 9]))
    with pytest.raises(BadAudio):
        wire.parse_audio(bytes([1, 0, 0, 1, 0, 0, 0, 0]))
