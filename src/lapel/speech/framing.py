"""Cutting a stream of bytes into frames of one size: the one place that re-frames audio."""

from __future__ import annotations


class Reframer:
    """Takes pieces of any size, gives whole frames of `frame_bytes`."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._rest = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes that wait for the rest of their frame."""
        return len(self._rest)

    def feed(self, piece: bytes) -> list[bytes]:
        rest, size = self._rest, self._frame_bytes
        rest += piece
        whole = len(rest) - len(rest) % size
        frames = [bytes(rest[at : at + size]) for at in range(0, whole, size)]
        del rest[:whole]
        return frames

    def flush(self) -> list[bytes]:
        """The last frame, padded with zeros (silence in PCM); nothing where none is begun."""
        if not self._rest:
            return []
        frame = bytes(self._rest).ljust(self._frame_bytes, b"\0")
        self._rest.clear()
        return [frame]
