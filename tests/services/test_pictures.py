"""Codes in pictures: what a camera or a file gives, and what is no picture."""

from __future__ import annotations

import io

import pytest
import segno

from lapel.cli.png import PngError, to_pgm
from lapel.services import PictureError, codes_in

pytestmark = pytest.mark.unit

CODE = "https://pay.example/c/eyJhbGciOiJFUzI1NiJ9.abc.def"


def png(**options: object) -> bytes:
    out = io.BytesIO()
    segno.make(CODE).save(out, kind="png", scale=5, **options)
    return out.getvalue()


@pytest.mark.parametrize("options", [{}, {"dark": "#203060"}, {"dark": "navy", "light": None}])
async def test_a_png_is_read_as_a_device_would_send_it(options):
    assert await codes_in(to_pgm(png(**options))) == [CODE]


@pytest.mark.parametrize(
    "raw", [b"", b"GIF89a", png()[:60], png()[:20] + b"\xff" * 8 + png()[28:], b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_no_png_is_said_so(raw):
    with pytest.raises(PngError):
        to_pgm(raw)


@pytest.mark.parametrize(
    "raw",
    [b"", b"P6\n1 1\n255\n\0", b"P5\n2 2\n255\n\0", b"P5\n99999 99999\n255\n", b"P5\n0 9\n255\n"],
)
async def test_what_is_no_picture_is_refused_before_it_is_looked_at(raw):
    with pytest.raises(PictureError):
        await codes_in(raw)


async def test_a_picture_without_a_code_has_none():
    assert await codes_in(b"P5\n64 64\n255\n" + bytes(4096)) == []
