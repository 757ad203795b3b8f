"""What the two sides agree to send as audio, and whether a frame keeps to it."""

from __future__ import annotations

from lapel.devices.errors import BadAudio
from lapel.devices.profile import DeviceProfile
from lapel.devices.wire import AudioChosen, AudioOffer, AudioOffers
from lapel.speech.formats import AudioFormat, Codec

UP = AudioFormat(Codec.PCM16, 16000, 20)
DOWN = AudioFormat(Codec.PCM16, 24000, 20)
FRAME_MS = frozenset({10, 20, 60})
RATES = {Codec.PCM16: frozenset({16000, 24000}), Codec.OPUS: frozenset({16000, 24000, 48000})}
_MAX_OPUS = 1275 * 3
"""Bytes of one Opus packet of at most 60 ms: three 20 ms frames of 1275 bytes."""
_OPUS_TENTHS = ((100, 200, 400, 600), (100, 200), (25, 50, 100, 200))
"""Frame lengths in tenths of a millisecond of SILK, hybrid and CELT packets (RFC 6716, table 2)."""


def negotiate(offers: AudioOffers, profile: DeviceProfile, *, speech: bool) -> AudioChosen:
    """The formats of a session; None for a direction that the device or Lapel cannot do."""
    if not speech:
        return AudioChosen()
    return AudioChosen(
        up=_choose(offers.up, UP) if profile.microphones else None,
        down=_choose(offers.down, DOWN) if profile.speakers else None,
    )


def check_frame(payload: bytes, audio: AudioFormat, *, last: bool) -> None:
    """Raise BadAudio unless `payload` is one frame of this format; a last one may be shorter."""
    if last and not payload:
        return
    if audio.codec is Codec.PCM16:
        size = audio.frame_samples * 2
        if len(payload) != size and not (last and len(payload) < size and len(payload) % 2 == 0):
            raise BadAudio(f"{len(payload)} bytes of pcm16; a frame has {size}")
        return
    if len(payload) > _MAX_OPUS:
        raise BadAudio(f"{len(payload)} bytes of Opus; a packet has at most {_MAX_OPUS}")
    tenths = opus_tenths(payload)
    if tenths != audio.frame_ms * 10:
        raise BadAudio(f"an Opus packet of {tenths / 10:g} ms; {audio.frame_ms} ms were agreed")


def opus_tenths(packet: bytes) -> int:
    """The length of an Opus packet in tenths of a millisecond, from its first bytes (RFC 6716)."""
    configuration, count_code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        frame = _OPUS_TENTHS[0][configuration % 4]
    elif configuration < 16:
        frame = _OPUS_TENTHS[1][configuration % 2]
    else:
        frame = _OPUS_TENTHS[2][configuration % 4]
    if count_code == 0:
        return frame
    if count_code < 3:
        return 2 * frame
    return frame * (packet[1] & 0x3F) if len(packet) > 1 else 0


def _choose(offer: AudioOffer | None, default: AudioFormat) -> AudioFormat:
    if offer is None:
        return default
    for codec, rates in RATES.items():
        if offer.codec == codec.value and offer.rate in rates and offer.frame_ms in FRAME_MS:
            return AudioFormat(codec, offer.rate, offer.frame_ms)
    return default
