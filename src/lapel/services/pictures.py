"""Codes in a picture. The picture is a binary PGM (P5): there is nothing in it to unpack."""

from __future__ import annotations

import asyncio
import re

MOST_PIXELS = 4_000_000
LARGEST = MOST_PIXELS + 64
"""Bytes of a picture."""
MOST_CODES = 8

_HEADER = re.compile(rb"P5\s(?:#[^\n]{0,200}\n)?\s*(\d{1,5})\s+(\d{1,5})\s+255\s")


class PictureError(ValueError):
    """No picture that can be looked at; the text says what to send."""


def size_of(picture: bytes) -> tuple[int, int, int]:
    """Width, height, and where the pixels begin. Raises PictureError."""
    found = _HEADER.match(picture)
    if found is None:
        raise PictureError("send a binary PGM (P5) with 8 bits a pixel")
    width, height = int(found[1]), int(found[2])
    if not 0 < width * height <= MOST_PIXELS:
        raise PictureError(f"a picture has at most {MOST_PIXELS} pixels")
    if len(picture) - found.end() != width * height:
        raise PictureError(f"a picture of {width} times {height} has as many bytes")
    return width, height, found.end()


async def codes_in(picture: bytes) -> list[str]:
    """The texts of the QR codes in it. Raises PictureError."""
    width, height, at = size_of(picture)
    return await asyncio.to_thread(_read, picture[at:], width, height)


def _read(pixels: bytes, width: int, height: int) -> list[str]:
    import zxingcpp

    image = memoryview(pixels).cast("B", (height, width))
    found = zxingcpp.read_barcodes(
        image, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    )
    return [code.text for code in found[:MOST_CODES] if code.valid]
