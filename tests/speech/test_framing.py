from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.speech.framing import Reframer

pytestmark = pytest.mark.unit


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_pieces_of_any_size_become_whole_frames(pieces: list[bytes], size: int) -> None:
    reframer = Reframer(size)
    frames = [frame for piece in pieces for frame in reframer.feed(piece)]
    assert reframer.waiting < size
    frames += reframer.flush()
    assert all(len(frame) == size for frame in frames)
    joined, given_bytes = b"".join(frames), b"".join(pieces)
    assert joined[: len(given_bytes)] == given_bytes
    assert not joined[len(given_bytes) :].strip(b"\0")
    assert len(joined) - len(given_bytes) < size
    assert reframer.flush() == []
