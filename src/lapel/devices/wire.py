"""The device protocol's messages, both ways, and its parser: bytes in, a message or WireError out.

Nothing but a WireError ever leaves `parse_text`, `parse_audio` and `parse_lapel_text`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Annotated, Literal, cast, get_args

import msgspec

from lapel.devices.cues import Cue
from lapel.devices.errors import (
    BadAudio,
    BadJson,
    BadMessage,
    BadProtocol,
    TooLarge,
    UnknownType,
    WireError,
)
from lapel.devices.profile import DeviceProfile, Gesture
from lapel.speech.formats import AudioFormat, Codec

SUBPROTOCOL = "lapel.device.1"
PROTOCOL = 1
MAX_TEXT = 64 * 1024
"""Bytes of one JSON message."""
MAX_AUDIO = 8 * 1024
"""Bytes of one binary message, header included."""

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
StreamNumber = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
ListenMode = Literal["auto", "manual"]
PlaybackState = Literal["started", "finished", "stopped"]
State = Literal["idle", "listening", "thinking", "speaking", "interrupted"]


class _Message(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    pass


# What a device sends.


class Auth(msgspec.Struct, frozen=True, omit_defaults=True):
    """Exactly one of `key`, `token`, `code` and `pair`; `remember` goes with `token`."""

    key: str | None = None
    token: str | None = None
    code: str | None = None
    pair: bool = False
    remember: bool = True

    @property
    def ways(self) -> int:
        given = (self.key is not None, self.token is not None, self.code is not None, self.pair)
        return sum(given)


class AudioOffer(msgspec.Struct, frozen=True):
    """A format that the device would like; `codec` may be one that Lapel does not know."""

    codec: str
    rate: int
    frame_ms: int


class AudioOffers(msgspec.Struct, frozen=True, omit_defaults=True):
    up: AudioOffer | None = None
    down: AudioOffer | None = None


class AudioCursor(msgspec.Struct, frozen=True):
    """The speech that the device is playing and the next frame that it needs."""

    cue: Id
    next: Count


class Resume(msgspec.Struct, frozen=True, omit_defaults=True):
    session: Id
    cursor: Count = 0
    audio_cursor: AudioCursor | None = None


class Hello(_Message, frozen=True, tag="hello"):
    protocol: int
    auth: Auth
    profile: DeviceProfile
    audio: AudioOffers = AudioOffers()
    resume: Resume | None = None


class Text(_Message, frozen=True, tag="text"):
    id: Id
    text: str


class Listen(_Message, frozen=True, tag="listen"):
    """`stream` numbers the stream; left out, Lapel counts the starts."""

    state: Literal["start", "stop"]
    mode: ListenMode = "auto"
    stream: StreamNumber | None = None


class GestureDone(_Message, frozen=True, tag="gesture"):
    id: Id
    input: Id
    gesture: Gesture
    action: str | None = None
    topic: str | None = None


class Playback(_Message, frozen=True, tag="playback"):
    cue: Id
    state: PlaybackState
    played_ms: Count = 0


class WearNow(_Message, frozen=True, tag="wear"):
    on_body: bool


class Battery(_Message, frozen=True, tag="battery"):
    level: Annotated[int, msgspec.Meta(ge=0, le=100)]
    charging: bool = False


class Position(_Message, frozen=True, tag="position"):
    """Where the device is (WGS 84), within `accuracy_m`; `at`: seconds since 1970, 0 is now."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, msgspec.Meta(ge=0, le=1e7)] = 0.0
    at: Annotated[float, msgspec.Meta(ge=0, le=1e11)] = 0.0


class Received(_Message, frozen=True, tag="received"):
    cursor: Count


class Ping(_Message, frozen=True, tag="ping"):
    id: str | int = 0


class Bye(_Message, frozen=True, tag="bye"):
    pass


DeviceMessage = (
    Hello
    | Text
    | Listen
    | GestureDone
    | Playback
    | WearNow
    | Battery
    | Position
    | Received
    | Ping
    | Bye
)


# What Lapel sends.


class PairingShown(_Message, frozen=True, tag="pairing"):
    code: str
    expires_s: float


class Paired(_Message, frozen=True, tag="paired"):
    device: str
    key: str


class AudioChosen(msgspec.Struct, frozen=True):
    up: AudioFormat | None = None
    down: AudioFormat | None = None


class Welcome(_Message, frozen=True, tag="welcome"):
    session: str
    device: str
    user: str
    resumed: bool
    heartbeat_s: float
    audio: AudioChosen


class CueMessage(_Message, frozen=True, tag="cue"):
    n: Number
    cue: Cue


class Clear(_Message, frozen=True, tag="clear"):
    n: Number
    topic: str


class SpeechStart(_Message, frozen=True, tag="speech_start"):
    n: Number
    cue: str
    codec: Codec
    rate: int
    frame_ms: int
    text: str = ""

    @property
    def format(self) -> AudioFormat:
        return AudioFormat(self.codec, self.rate, self.frame_ms)


class SpeechEnd(_Message, frozen=True, tag="speech_end"):
    n: Number
    cue: str
    frames: Count


class SpeechStop(_Message, frozen=True, tag="speech_stop"):
    cue: str
    after_ms: Count


class StateNow(_Message, frozen=True, tag="state"):
    state: State


class Transcript(_Message, frozen=True, tag="transcript"):
    text: str
    final: bool
    turn: str


class Pong(_Message, frozen=True, tag="pong"):
    id: str | int


class ErrorMessage(_Message, frozen=True, tag="error"):
    code: str
    message: str
    ref: str | None = None


Reliable = CueMessage | Clear | SpeechStart | SpeechEnd
LapelMessage = (
    PairingShown
    | Paired
    | Welcome
    | Reliable
    | SpeechStop
    | StateNow
    | Transcript
    | Pong
    | ErrorMessage
)


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One binary message. `last` marks the last frame of the stream, which alone may be empty."""

    stream: int
    sequence: int
    payload: bytes
    last: bool = False


class _Envelope(msgspec.Struct):
    type: str
    id: object = None
    protocol: object = None


_device_decoder: msgspec.json.Decoder[DeviceMessage] = msgspec.json.Decoder(DeviceMessage)
_lapel_decoder: msgspec.json.Decoder[LapelMessage] = msgspec.json.Decoder(LapelMessage)
_envelope_decoder = msgspec.json.Decoder(_Envelope)
_encoder = msgspec.json.Encoder()
_DEVICE_TYPES: frozenset[str] = frozenset(
    kind.__struct_config__.tag for kind in get_args(DeviceMessage)
)
_LAPEL_TYPES: frozenset[str] = frozenset(
    kind.__struct_config__.tag for kind in get_args(LapelMessage)
)
_HEADER = struct.Struct(">BBHI")
_VERSION = 1
_LAST = 1
_DECODING = (msgspec.DecodeError, UnicodeError, RecursionError)


def parse_text(data: bytes | str) -> DeviceMessage:
    """Read what a device sent."""
    raw = _sized(data)
    try:
        message = _device_decoder.decode(raw)
    except _DECODING as error:
        raise _refusal(raw, error, _DEVICE_TYPES) from None
    if isinstance(message, Hello) and message.protocol != PROTOCOL:
        raise _other_protocol(message.protocol)
    return message


def parse_lapel_text(data: bytes | str) -> LapelMessage:
    """Read what Lapel sent; for clients, which ignore an UnknownType."""
    raw = _sized(data)
    try:
        return _lapel_decoder.decode(raw)
    except _DECODING as error:
        raise _refusal(raw, error, _LAPEL_TYPES) from None


def encode(message: DeviceMessage | LapelMessage) -> bytes:
    return _encoder.encode(message)


def parse_audio(data: bytes) -> AudioFrame:
    """Read one binary message of either side."""
    if len(data) > MAX_AUDIO:
        raise TooLarge(f"a binary message of {len(data)} bytes; the limit is {MAX_AUDIO}")
    if len(data) < _HEADER.size:
        raise BadAudio(f"a binary message of {len(data)} bytes; its header alone has 8")
    version, flags, stream, sequence = cast(tuple[int, int, int, int], _HEADER.unpack_from(data))
    if version != _VERSION:
        raise BadAudio(f"audio header version {version!r}; send version {_VERSION}")
    last = bool(flags & _LAST)
    payload = bytes(data[_HEADER.size :])
    if not payload and not last:
        raise BadAudio("an empty frame; only the last one of a stream may be empty")
    return AudioFrame(stream, sequence, payload, last)


def encode_audio(frame: AudioFrame) -> bytes:
    flags = _LAST if frame.last else 0
    return _HEADER.pack(_VERSION, flags, frame.stream, frame.sequence) + frame.payload


def _sized(data: bytes | str) -> bytes:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > MAX_TEXT:
        raise TooLarge(f"a text message of {len(raw)} bytes; the limit is {MAX_TEXT}")
    return raw


def _other_protocol(version: object) -> BadProtocol:
    return BadProtocol(f"protocol {version!r}; this Lapel speaks {PROTOCOL}")


def _refusal(raw: bytes, error: Exception, known: frozenset[str]) -> WireError:
    """Why `raw` is no message: read once more, leniently; only refused messages pay for it."""
    try:
        envelope = _envelope_decoder.decode(raw)
    except msgspec.ValidationError:
        is_object = raw.lstrip()[:1] == b"{"
        if is_object:
            return BadMessage("the object has no `type` that is a string")
        return BadJson("a message is one JSON object")
    except _DECODING:
        return BadJson("the message is not JSON, or nested too deeply")
    if envelope.type not in known:
        return UnknownType(f"type {envelope.type[:64]!r} is not of protocol {PROTOCOL}")
    reference = envelope.id if isinstance(envelope.id, str) and len(envelope.id) <= 128 else None
    if envelope.type == "hello" and envelope.protocol not in (PROTOCOL, None):
        return _other_protocol(str(envelope.protocol)[:16])
    if not isinstance(error, msgspec.ValidationError):
        return BadJson("the message is not JSON, or nested too deeply")
    return BadMessage(f"{envelope.type}: {str(error)[:200]}", reference)
