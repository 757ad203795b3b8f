"""Somebody who wears devices, for tests against a running Lapel: glasses, a ring, a phone, in one `with`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from lapel.devices import (
    Cue,
    CueKind,
    DeviceProfile,
    Display,
    Family,
    Gesture,
    Haptics,
    Input,
    Microphone,
    Pattern,
    Speaker,
    Wear,
)
from lapel.devices.client import Backoff, DeviceClient
from lapel.devices.client_events import CueShown, LinkClosed
from lapel.devices.wire import AudioOffer, AudioOffers, Auth
from lapel.speech import AudioFormat, Codec

OPUS = AudioFormat(Codec.OPUS, 16000, 20)
PCM = AudioFormat(Codec.PCM16, 16000, 20)
OFFER = AudioOffer(PCM.codec, PCM.rate, PCM.frame_ms)
PROFILES = {
    Family.GLASSES: DeviceProfile(
        family=Family.GLASSES, name="Glasses", displays=(Display(width=640, height=480),),
        microphones=(Microphone(formats=(PCM, OPUS), echo_cancelled=True),), wear=Wear(detects=True),
    ),
    Family.RING: DeviceProfile(
        family=Family.RING, name="Ring", haptics=(Haptics(tuple(Pattern)),),
        inputs=(Input("pad", "touch", (Gesture.PRESS, Gesture.LONG_PRESS)),), wear=Wear(detects=True),
    ),
    Family.EARBUDS: DeviceProfile(
        family=Family.EARBUDS, name="Earbuds", speakers=(Speaker(private=True, formats=(PCM,)),),
        wear=Wear(detects=True),
    ),
    Family.PHONE: DeviceProfile(
        family=Family.PHONE, name="Phone", displays=(Display(width=390, height=844, layouts=("card", "map")),),
        inputs=(Input("screen", "touch", (Gesture.PRESS,)),),
    ),
}  # fmt: skip


class Worn:
    """One device and everything it was told."""

    def __init__(self, client: DeviceClient) -> None:
        self.client = client
        self.cues: list[CueShown] = []
        self.events: list[object] = []
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self.client.events():
            self.events.append(event)
            if isinstance(event, CueShown):
                self.cues.append(event)
            self._news.set()
            if isinstance(event, LinkClosed):
                return

    async def placed(self, timeout_s: float = 20.0) -> Cue:
        """The order is placed: in words, or, where the shop was quicker than the link, by its receipt."""
        words = ("is placed", "is booked")
        return await self.cue(
            lambda cue: cue.kind is CueKind.RECEIPT or any(x in text_of(cue) for x in words),
            timeout_s,
        )

    async def cue(self, fits: Callable[[Cue], bool], timeout_s: float = 20.0) -> Cue:
        """The first cue that fits, told already or to come."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for shown in self.cues:
                        if fits(shown.cue):
                            return shown.cue
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            told = [text_of(shown.cue) for shown in self.cues]
            raise AssertionError(f"in {timeout_s} s the device was told only {told}") from None

    async def says(self, *words: str, timeout_s: float = 20.0) -> Cue:
        """A cue whose card or speech holds all of these words."""
        return await self.cue(lambda cue: all(word in text_of(cue) for word in words), timeout_s)

    async def asks(self, timeout_s: float = 20.0) -> Cue:
        """The question of a purchase."""
        return await self.cue(lambda cue: cue.kind is CueKind.APPROVAL, timeout_s)

    def forget(self) -> None:
        self.cues.clear()
        self.events.clear()

    async def close(self) -> None:
        await self.client.leave()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)


def text_of(cue: Cue) -> str:
    """Everything of a cue that can be read or heard."""
    parts = [cue.speech]
    if cue.card is not None:
        card = cue.card
        parts += [
            card.title,
            card.body,
            card.total,
            *(f"{line.text} {line.value}" for line in card.lines),
        ]
    return " ".join(parts)


class Wearer:
    """`async with Wearer(url, token, Family.GLASSES, Family.RING) as me: me[Family.RING]...`"""

    def __init__(
        self, url: str, token: str, *families: Family, speaker_speed: float = 20.0
    ) -> None:
        self._url = url
        self._token = token
        self._families = families
        self._speed = speaker_speed
        self._stack = AsyncExitStack()
        self.worn: dict[Family, Worn] = {}

    async def __aenter__(self) -> Self:
        for family in self._families:
            await self.put_on(family)
        return self

    async def put_on(self, family: Family) -> Worn:
        profile = PROFILES[family]
        offers = AudioOffers(
            up=OFFER if profile.microphones else None, down=OFFER if profile.speakers else None
        )
        client = DeviceClient(
            self._url,
            profile,
            Auth(token=self._token, remember=False),
            audio=offers,
            speaker_speed=self._speed,
            backoff=Backoff(0.1, 0.5),
        )
        await client.__aenter__()
        worn = Worn(client)
        self._stack.push_async_callback(worn.close)
        self.worn[family] = worn
        return worn

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def __getitem__(self, family: Family) -> Worn:
        return self.worn[family]

    def type(self, text: str, on: Family = Family.PHONE) -> None:
        self.worn[on].client.say(text)

    def press(self, *, long: bool = False) -> None:
        self.worn[Family.RING].client.gesture("pad", Gesture.LONG_PRESS if long else Gesture.PRESS)

    def forget(self) -> None:
        for worn in self.worn.values():
            worn.forget()
