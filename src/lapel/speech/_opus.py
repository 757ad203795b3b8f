"""libopus from the opuslib-next-bundled package, through ctypes: mono, 16-bit.

Its own classes copy every frame through Python lists; this calls the same library with buffers
that are kept. ctypes lets go of the GIL during each call. One object, one thread at a time.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

from lapel.speech.errors import BadAudio

RATES: Final = (8_000, 12_000, 16_000, 24_000, 48_000)
LONGEST_PACKET_S: Final = 0.12
_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
_SET_SIGNAL: Final = 4024
_SIGNAL_VOICE: Final = 3001
_BITRATE: Final = {8_000: 12_000, 12_000: 16_000, 16_000: 20_000, 24_000: 28_000, 48_000: 32_000}
_COMPLEXITY: Final = 5  # of 10, which costs a third more CPU for the same bit rate
_LARGEST_PACKET: Final = 1275 * 3 + 7


class BadPacket(Exception):
    """A packet that libopus does not accept."""


@cache
def _library() -> ctypes.CDLL:
    from opuslib_next._loader import load_libopus  # pyright: ignore[reportPrivateUsage]

    # A handle of our own on the same file: argument types are set per handle.
    library = ctypes.CDLL(load_libopus()._name)
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.opus_encoder_create.restype = library.opus_decoder_create.restype = pointer
    library.opus_encoder_destroy.argtypes = library.opus_decoder_destroy.argtypes = (pointer,)
    library.opus_encoder_destroy.restype = library.opus_decoder_destroy.restype = None
    library.opus_encoder_ctl.argtypes = (pointer, integer)
    library.opus_encode.argtypes = (pointer, ctypes.c_char_p, integer, pointer, ctypes.c_int32)
    library.opus_decode.argtypes = (
        pointer,
        ctypes.c_char_p,
        ctypes.c_int32,
        pointer,
        integer,
        integer,
    )
    return library


def _check_rate(rate: int) -> None:
    if rate not in RATES:
        raise BadAudio(f"Opus has no rate {rate!r}; use one of {', '.join(map(str, RATES))}.")


class OpusDecoder:
    """Packets of any Opus rate and length -> PCM at `rate`."""

    def __init__(self, rate: int) -> None:
        _check_rate(rate)
        self._library, self._state = _library(), 0
        error = ctypes.c_int()
        self._state = self._library.opus_decoder_create(rate, 1, ctypes.byref(error))
        if error.value != 0:
            raise MemoryError(f"libopus made no decoder: error {error.value}")
        self._room = int(rate * LONGEST_PACKET_S)
        self._pcm = ctypes.create_string_buffer(2 * self._room)

    def __del__(self) -> None:
        if self._state:
            self._library.opus_decoder_destroy(self._state)

    def decode(self, packet: bytes) -> bytes:
        if not packet:
            raise BadPacket("an empty packet")
        return self._run(packet, self._room)

    def conceal(self, samples: int) -> bytes:
        """What libopus guesses for a lost packet of `samples`."""
        return self._run(b"", samples)

    def _run(self, packet: bytes, room: int) -> bytes:
        done: int = self._library.opus_decode(self._state, packet, len(packet), self._pcm, room, 0)
        if done < 0:
            raise BadPacket(f"libopus refused a packet of {len(packet)} bytes: error {done}")
        return ctypes.string_at(self._pcm, 2 * done)


class OpusEncoder:
    """PCM frames at `rate` -> packets, tuned for one voice."""

    def __init__(self, rate: int) -> None:
        _check_rate(rate)
        self._library, self._state = _library(), 0
        error = ctypes.c_int()
        self._state = self._library.opus_encoder_create(rate, 1, _VOIP, ctypes.byref(error))
        if error.value != 0:
            raise MemoryError(f"libopus made no encoder: error {error.value}")
        for request, value in (
            (_SET_BITRATE, _BITRATE[rate]),
            (_SET_COMPLEXITY, _COMPLEXITY),
            (_SET_SIGNAL, _SIGNAL_VOICE),
        ):
            self._library.opus_encoder_ctl(self._state, request, ctypes.c_int32(value))
        self._packet = ctypes.create_string_buffer(_LARGEST_PACKET)

    def __del__(self) -> None:
        if self._state:
            self._library.opus_encoder_destroy(self._state)

    def encode(self, frame: bytes) -> bytes:
        """One frame of 2.5, 5, 10, 20, 40 or 60 ms."""
        size: int = self._library.opus_encode(
            self._state, frame, len(frame) // 2, self._packet, _LARGEST_PACKET
        )
        if size < 0:
            raise BadAudio(f"libopus encodes no frame of {len(frame) // 2} samples: error {size}.")
        return ctypes.string_at(self._packet, size)
