"""One wearer of the crowd: glasses that hear, earbuds that speak, a ring that is pressed."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

from lapel.benchmark.people import Person
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
    Speaker,
)
from lapel.devices.client import DeviceClient
from lapel.devices.client_events import CueShown, SpeechFrame, SpeechHeard
from lapel.devices.wire import AudioOffer, AudioOffers, Auth
from lapel.speech import AudioFormat, Codec

PCM = AudioFormat(Codec.PCM16, 16000, 20)
OFFER = AudioOffer(PCM.codec, PCM.rate, PCM.frame_ms)
GLASSES = DeviceProfile(
    family=Family.GLASSES,
    name="Glasses",
    displays=(Display(),),
    microphones=(Microphone(formats=(PCM,), echo_cancelled=True),),
)
EARBUDS = DeviceProfile(
    family=Family.EARBUDS, name="Earbuds", speakers=(Speaker(private=True, formats=(PCM,)),)
)
RING = DeviceProfile(
    family=Family.RING,
    name="Ring",
    inputs=(Input(gestures=(Gesture.PRESS, Gesture.LONG_PRESS)),),
    haptics=(Haptics(),),
)
SILENCE_S = 2.5
"""What a microphone still sends after the last word."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds; `first_audio_s` is from the last sound of the sentence to the first frame heard.

    `order_s` is from the press to the news that the order is placed. `cart` is what the card said.
    """

    person: Person
    cart: str
    first_audio_s: float | None
    order_s: float | None
    trouble: str = ""


async def order(url: str, person: Person, speech: bytes, patience_s: float) -> Outcome:
    """Say the sentence, wait for the price, hear it, press the ring, wait for `placed`."""
    async with AsyncExitStack() as stack:
        glasses = await stack.enter_async_context(_device(url, GLASSES, person))
        earbuds = await stack.enter_async_context(_device(url, EARBUDS, person))
        ring = await stack.enter_async_context(_device(url, RING, person))
        heard = asyncio.create_task(_first_frame(earbuds))
        silence = bytes(int(SILENCE_S * 32_000))
        saying = asyncio.create_task(glasses.stream_audio(speech + silence))
        ended = time.monotonic() + len(speech) / 32_000
        stack.callback(heard.cancel)
        stack.callback(saying.cancel)
        try:
            asked = await _cue(glasses, CueKind.APPROVAL, patience_s)
            cart = " ".join(line.text for line in asked.card.lines) if asked.card else ""
            first = await asyncio.wait_for(heard, patience_s) - ended
            await asyncio.sleep(0.5)
            pressed = time.monotonic()
            ring.gesture("button", Gesture.PRESS)
            await _cue(glasses, CueKind.ORDER, patience_s)
            return Outcome(person, cart, first, time.monotonic() - pressed)
        except TimeoutError:
            return Outcome(person, "", None, None, "nothing came in time")


def _device(url: str, profile: DeviceProfile, person: Person) -> DeviceClient:
    offers = AudioOffers(
        up=OFFER if profile.microphones else None, down=OFFER if profile.speakers else None
    )
    auth = Auth(token=person.token, remember=False)
    return DeviceClient(url, profile, auth, audio=offers)


async def _cue(device: DeviceClient, kind: CueKind, patience_s: float) -> Cue:
    found = await device.wait_for(CueShown, lambda event: event.cue.kind is kind, patience_s)
    return found.cue


async def _first_frame(device: DeviceClient) -> float:
    """When the first frame of a reply arrived; then keep reading, so that the link stays empty."""
    first: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def read() -> None:
        async for event in device.events():
            if isinstance(event, SpeechFrame) and not first.done():
                first.set_result(time.monotonic())
            if isinstance(event, SpeechHeard) and first.done():
                return

    reader = asyncio.create_task(read())
    try:
        return await first
    finally:
        if not first.done():
            reader.cancel()
        else:
            _KEPT.add(reader)
            reader.add_done_callback(_KEPT.discard)


_KEPT: set[asyncio.Task[None]] = set()
