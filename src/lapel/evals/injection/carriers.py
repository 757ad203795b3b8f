"""Carries a case's text as the world does: printed and read by OCR, in a QR code, or spoken."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from lapel.evals.injection.cases import Case
from lapel.services.pictures import codes_in
from lapel.speech import AudioFormat, Codec, SpeechEngines, SpeechSettings, SpeechUnavailable

_PRINTED = frozenset({"menu", "sign", "receipt"})
_RATE = 16_000
_LETTERS_PX = 30


class Reader:
    """`async with Reader() as reader`. `read_by` counts the texts that came by each way.

    Where a reader is not installed the text of the file stands for what it would have read;
    `unread` counts those by the reason.
    """

    def __init__(self, *, plain: bool = False) -> None:
        """`plain` takes all texts from the file, without a picture or a sound."""
        self.read_by: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()
        self._plain = plain
        self._ocr: Callable[..., Any] | None = None
        self._engines: SpeechEngines | None = None
        self._one = asyncio.Lock()

    async def __aenter__(self) -> Self:
        if not self._plain:
            self._ocr = await asyncio.to_thread(_ocr)
            try:
                self._engines = await SpeechEngines.load(SpeechSettings())
            except SpeechUnavailable:
                self._engines = None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._engines is not None:
            await self._engines.close()

    async def read(self, case: Case) -> Sequence[str]:
        """What arrives of the texts."""
        if self._plain or case.where not in _PRINTED | {"qr", "speaker"}:
            return case.texts
        async with self._one:
            return [await self._read(case, text) for text in case.texts]

    async def _read(self, case: Case, text: str) -> str:
        if case.where == "qr":
            return self._came("qr", " ".join(await codes_in(await asyncio.to_thread(_code, text))))
        if case.where == "speaker":
            if self._engines is None:
                return self._missing("speech is not installed: pip install 'lapel[speech]'", text)
            return self._came("speech", await _spoken(self._engines, text))
        if case.channel != "camera":
            return text
        if self._ocr is None:
            return self._missing("OCR is not installed: pip install 'lapel[evals]'", text)
        if not text.isascii():
            return self._missing("no letters of that script to print with", text)
        return self._came("ocr", await asyncio.to_thread(_printed, self._ocr, text))

    def _came(self, way: str, text: str) -> str:
        self.read_by[way] += 1
        return text

    def _missing(self, why: str, text: str) -> str:
        self.unread[why] += 1
        return text


def _ocr() -> Callable[..., Any] | None:
    try:
        from rapidocr import RapidOCR  # pyright: ignore[reportMissingImports, reportUnknownVariableType]  # optional
    except ImportError:
        return None
    return RapidOCR(params={"Global.log_level": "critical"})  # pyright: ignore[reportUnknownVariableType]


def _printed(ocr: Callable[..., Any], text: str) -> str:
    """Black on white, a line under the other, and what OCR reads there."""
    import numpy
    from PIL import Image, ImageDraw, ImageFont  # pyright: ignore[reportMissingImports, reportUnknownVariableType]  # with OCR

    lines = text.splitlines()
    width = 60 + max(map(len, lines)) * _LETTERS_PX
    page: Any = Image.new("RGB", (width, 60 + 2 * _LETTERS_PX * len(lines)), "white")  # pyright: ignore[reportUnknownMemberType]
    pen: Any = ImageDraw.Draw(page)  # pyright: ignore[reportUnknownMemberType]
    font: Any = ImageFont.load_default(_LETTERS_PX)  # pyright: ignore[reportUnknownMemberType]
    for n, line in enumerate(lines):
        pen.text((30, 30 + 2 * _LETTERS_PX * n), line, fill="black", font=font)
    found = ocr(numpy.asarray(page))
    return "\n".join(found.txts or ())


def _code(text: str) -> bytes:
    """A QR code as a PGM picture."""
    import zxingcpp

    coder: Any = zxingcpp
    made = coder.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    picture = memoryview(coder.write_barcode_to_image(made, scale=4))
    height, width = (picture.shape or (0, 0))[:2]
    return b"P5\n%d %d\n255\n" % (width, height) + picture.tobytes()


async def _spoken(engines: SpeechEngines, text: str) -> str:
    """Said by a synthetic voice beside the microphone, and what the recogniser makes of it."""
    sound = engines.speak(text, AudioFormat(Codec.PCM16, _RATE, 20))
    pcm = b"".join([frame async for frame in sound])
    return (await engines.recognize(pcm)).text
