from __future__ import annotations

import pytest

from lapel.devices.audio import check_frame, negotiate, opus_tenths
from lapel.devices.errors import BadAudio
from lapel.devices.profile import DeviceProfile, Family, Microphone, Speaker
from lapel.devices.wire import AudioOffer, AudioOffers
from lapel.speech.formats import AudioFormat, Codec

pytestmark = pytest.mark.unit

BOTH = DeviceProfile(Family.EARBUDS, microphones=(Microphone(),), speakers=(Speaker(),))
PCM = AudioFormat(Codec.PCM16, 16000, 20)
OPUS = AudioFormat(Codec.OPUS, 16000, 20)


@pytest.mark.parametrize(
    ("offer", "chosen"),
    [
        (None, PCM),
        (AudioOffer("opus", 48000, 60), AudioFormat(Codec.OPUS, 48000, 60)),
        (AudioOffer("pcm16", 24000, 10), AudioFormat(Codec.PCM16, 24000, 10)),
        (AudioOffer("pcm16", 48000, 20), PCM),
        (AudioOffer("opus", 16000, 40), PCM),
        (AudioOffer("lc3", 16000, 10), PCM),
    ],
)
def test_an_offer_is_taken_or_replaced_by_pcm(
    offer: AudioOffer | None, chosen: AudioFormat
) -> None:
    assert negotiate(AudioOffers(up=offer), BOTH, speech=True).up == chosen


def test_down_falls_back_to_24_khz() -> None:
    assert negotiate(AudioOffers(), BOTH, speech=True).down == AudioFormat(Codec.PCM16, 24000, 20)


def test_there_is_no_audio_without_speech_microphone_or_speaker() -> None:
    offers = AudioOffers(AudioOffer("opus", 16000, 20), AudioOffer("opus", 24000, 20))
    silent = negotiate(offers, BOTH, speech=False)
    assert (silent.up, silent.down) == (None, None)
    ring = negotiate(offers, DeviceProfile(Family.RING), speech=True)
    assert (ring.up, ring.down) == (None, None)


@pytest.mark.parametrize(
    ("packet", "tenths"),
    [
        (bytes([0 << 3]), 100),  # SILK, 10 ms
        (bytes([1 << 3]), 200),
        (bytes([3 << 3]), 600),
        (bytes([9 << 3]), 200),
        (bytes([12 << 3]), 100),  # hybrid
        (bytes([15 << 3]), 200),
        (bytes([16 << 3]), 25),  # CELT, 2.5 ms
        (bytes([31 << 3]), 200),
        (bytes([31 << 3 | 1]), 400),
        (bytes([1 << 3 | 3, 3]), 600),
        (bytes([1 << 3 | 3]), 0),
    ],
)
def test_the_length_of_an_opus_packet(packet: bytes, tenths: int) -> None:
    assert opus_tenths(packet) == tenths


def test_frames_are_held_to_the_agreed_format() -> None:
    check_frame(b"\0" * 640, PCM, last=False)
    check_frame(b"\0" * 100, PCM, last=True)
    check_frame(b"", PCM, last=True)
    check_frame(bytes([9 << 3]) + b"x" * 40, OPUS, last=False)
    for payload, audio, last in (
        (b"\0" * 638, PCM, False),
        (b"\0" * 642, PCM, True),
        (b"\0" * 101, PCM, True),
        (bytes([0]) + b"x" * 40, OPUS, False),
        (bytes([9 << 3]) + b"x" * 4000, OPUS, False),
    ):
        with pytest.raises(BadAudio):
            check_frame(payload, audio, last=last)
