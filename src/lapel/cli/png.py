"""A PNG as a greyscale PGM, for `lapel scan`: at most eight bits a sample, not interlaced.

Written after the PNG specification (RFC 2083); bounded, so that a small file cannot become a large
picture.
"""

from __future__ import annotations

import struct
import zlib

MOST_PIXELS = 4_000_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type -> samples a pixel."""


class PngError(ValueError):
    """No PNG that can be read; the text says why."""


def to_pgm(png: bytes) -> bytes:
    """Raises PngError."""
    if not png.startswith(_SIGNATURE):
        raise PngError("it is no PNG; save the picture as PNG")
    width, height, depth, colour, palette, packed = _chunks(png)
    count = _SAMPLES[colour]
    stride = (width * count * depth + 7) // 8
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, (stride + 1) * height)
    except zlib.error as error:
        raise PngError("its data is damaged") from error
    if len(raw) != (stride + 1) * height:
        raise PngError("its data is cut off")
    pixels = bytearray()
    before = bytes(stride)
    for y in range(height):
        at = y * (stride + 1)
        line = _unfilter(raw[at], bytearray(raw[at + 1 : at + 1 + stride]), before, count)
        pixels += _grey(_samples(line, depth, width, colour), colour, palette)
        before = bytes(line)
    return b"P5\n%d %d\n255\n" % (width, height) + bytes(pixels)


def _chunks(png: bytes) -> tuple[int, int, int, int, bytes, bytes]:
    """Width, height, bits a sample, colour type, palette and the packed data."""
    at, header, palette, packed = len(_SIGNATURE), None, b"", bytearray()
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        at += 12 + length
        match kind:
            case b"IHDR" if len(body) == 13:
                header = struct.unpack(">IIBBBBB", body)
            case b"PLTE":
                palette = body
            case b"IDAT":
                packed += body
            case b"IEND":
                break
            case _:
                pass
    if header is None:
        raise PngError("it has no header")
    width, height, depth, colour, _, _, interlaced = header
    small = colour in (0, 3) and depth in (1, 2, 4)
    if not (small or depth == 8) or interlaced or colour not in _SAMPLES:
        raise PngError("only up to eight bits a sample, not interlaced, can be read")
    if not 0 < width * height <= MOST_PIXELS:
        raise PngError(f"it has more than {MOST_PIXELS} pixels; make it smaller")
    return width, height, depth, colour, palette, bytes(packed)


def _samples(line: bytearray, depth: int, width: int, colour: int) -> bytearray:
    """One byte a sample; of grey the whole range, of a palette the index."""
    if depth == 8:
        return line
    most = (1 << depth) - 1
    each = 255 // most if colour == 0 else 1
    shifts = range(8 - depth, -1, -depth)
    return bytearray((byte >> shift & most) * each for byte in line for shift in shifts)[:width]


def _unfilter(kind: int, line: bytearray, before: bytes, count: int) -> bytearray:
    for x in range(len(line)):
        left = line[x - count] if x >= count else 0
        up = before[x]
        match kind:
            case 0:
                return line
            case 1:
                guess = left
            case 2:
                guess = up
            case 3:
                guess = (left + up) // 2
            case 4:
                guess = _paeth(left, up, before[x - count] if x >= count else 0)
            case _:
                raise PngError("it uses an unknown filter")
        line[x] = (line[x] + guess) & 0xFF
    return line


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    near = (abs(guess - left), abs(guess - up), abs(guess - corner))
    return (left, up, corner)[near.index(min(near))]


def _grey(line: bytearray, colour: int, palette: bytes) -> bytes:
    """One byte a pixel; what is transparent is white."""
    match colour:
        case 0:
            return bytes(line)
        case 4:
            return bytes(_over(v, a) for v, a in zip(line[::2], line[1::2], strict=True))
        case 2:
            return bytes(
                _luma(r, g, b) for r, g, b in zip(line[::3], line[1::3], line[2::3], strict=True)
            )
        case 6:
            parts = zip(line[::4], line[1::4], line[2::4], line[3::4], strict=True)
            return bytes(_over(_luma(r, g, b), a) for r, g, b, a in parts)
        case _:
            tones = [_luma(*palette[i : i + 3]) for i in range(0, len(palette) // 3 * 3, 3)]
            if any(value >= len(tones) for value in line):
                raise PngError("it names colours that it has not")
            return bytes(tones[value] for value in line)


def _luma(red: int, green: int, blue: int) -> int:
    return (299 * red + 587 * green + 114 * blue) // 1000


def _over(value: int, alpha: int) -> int:
    return (value * alpha + 255 * (255 - alpha)) // 255
