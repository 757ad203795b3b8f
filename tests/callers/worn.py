"""One worn device of a caller: its network, its microphone, and everything it was told, with the time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from callers.relay import Relay
from callers.script import Expect
from lapel.devices import Cue, Family, Gesture
from lapel.devices.client import Backoff, DeviceClient
from lapel.devices.client_events import (
    ClientEvent,
    CueShown,
    LinkClosed,
    SpeechFrame,
    SpeechHeard,
    SpeechStarted,
)
from lapel.devices.wire import AudioOffers, Auth
from lapel.speech import AudioFormat, Codec
from wearer import PROFILES, text_of

MICROPHONE = AudioFormat(Codec.PCM16, 16000, 20)
SPEAKER = AudioFormat(Codec.PCM16, 24000, 20)
QUICK = Backoff(first_s=0.2, most_s=0.5)


@dataclass(slots=True)
class Told:
    """One cue as this device got it; the marks are on the loop's clock."""

    cue: Cue
    at: float
    again: bool
    spoken: str = ""
    first_audio: float | None = None
    over: tuple[str, float] | None = None
    """What became of its speech, and when."""


class Worn:
    """`since` is when its user last did something; `find` looks at what came after."""

    def __init__(self, family: Family, url: str, token: str) -> None:
        self.family = family
        self.profile = PROFILES[family]
        self.told: list[Told] = []
        self.audio_at: deque[float] = deque(maxlen=1)
        self.news = asyncio.Event()
        self._relay = Relay(url)
        self._token = token
        self._stack = AsyncExitStack()
        self._frames: deque[bytes] = deque()
        self._said = asyncio.Event()
        self._client: DeviceClient | None = None

    @property
    def client(self) -> DeviceClient:
        assert self._client is not None
        return self._client

    async def put_on(self) -> None:
        await self._stack.enter_async_context(self._relay)
        offers = AudioOffers(
            up=MICROPHONE if self.profile.microphones else None,
            down=SPEAKER if self.profile.speakers else None,
        )
        auth = Auth(token=self._token, remember=False)
        self._client = DeviceClient(
            self._relay.url, self.profile, auth, audio=offers, backoff=QUICK
        )
        await self._stack.enter_async_context(self._client)
        self._run(self._read())
        if self._client.audio.up is not None:
            self._run(self._stream())

    async def take_off(self) -> None:
        await self._stack.aclose()

    def network(self, up: bool) -> None:
        if up:
            self._relay.mend()
        else:
            self._relay.cut()

    async def say(self, pcm: bytes) -> None:
        """Speak; returns when the last sound has been sent."""
        if self.client.audio.up is None:
            raise AssertionError(f"{self.family.value} has no microphone, or Lapel has no speech")
        size = 2 * MICROPHONE.frame_samples
        self._said.clear()
        self._frames.extend(
            pcm[start : start + size].ljust(size, b"\0") for start in range(0, len(pcm), size)
        )
        await self._said.wait()

    def press(self, gesture: Gesture) -> None:
        for entry in self.profile.inputs:
            if gesture in entry.gestures:
                self.client.gesture(entry.id, gesture)
                return
        raise AssertionError(f"{self.family.value} has no input for {gesture.value}")

    def find(self, wanted: Expect, since: float) -> float | None:
        """When what is wanted was told, if it was."""
        times = (met for told in self.told if (met := self._met(told, wanted, since)) is not None)
        return min(times, default=None)

    def heard(self, since: float) -> str:
        """What it was told since then, for a message about a failure."""
        lines = [
            f"{told.cue.kind.value}: {text_of(told.cue)}"
            + (f" [spoken, {told.over[0] if told.over else 'going on'}]" if told.spoken else "")
            for told in self.told
            if told.at >= since
        ]
        return "; ".join(lines) or "nothing"

    def _met(self, told: Told, wanted: Expect, since: float) -> float | None:
        """When this cue met everything that is wanted, or None."""
        if told.again:  # shown quietly: the user knows it
            return None
        cue = told.cue
        marks = [told.at]
        if not (wanted.kind in (None, cue.kind) and wanted.haptic in (None, cue.haptic)):
            return None
        if wanted.card_contains or wanted.card_lacks:
            shown = text_of(cue) if cue.card is not None else None
            if shown is None or not _holds(shown, wanted.card_contains):
                return None
            if any(_holds(shown, (word,)) for word in wanted.card_lacks):
                return None
        if wanted.speech_contains:
            at, words = self._speech(told)
            if at is None or not _holds(words, wanted.speech_contains):
                return None
            marks.append(at)
        if wanted.playback is not None:
            at = self._playback(told, wanted.playback)
            if at is None:
                return None
            marks.append(at)
        met = max(marks)
        return met if met >= since else None

    def _speech(self, told: Told) -> tuple[float | None, str]:
        """When the words were audible, or shown where this device has no voice."""
        if self.client.audio.down is None:
            return told.at, told.cue.speech
        return told.first_audio, told.spoken

    @staticmethod
    def _playback(told: Told, wanted: str) -> float | None:
        if wanted == "started":
            return told.first_audio
        return told.over[1] if told.over is not None and told.over[0] == wanted else None

    # Tasks

    def _run(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._stack.push_async_callback(stop)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        async for event in self.client.events():
            self._note(event, loop.time())
            self.news.set()
            if isinstance(event, LinkClosed):
                return

    def _note(self, event: ClientEvent, now: float) -> None:
        match event:
            case CueShown(cue, _, again):
                self.told.append(Told(cue, now, again))
            case SpeechStarted(cue, text):
                self._newest(cue, lambda told: self._starts(told, text))
            case SpeechFrame(cue):
                self.audio_at.append(now)
                self._newest(cue, lambda told: self._sounds(told, now))
            case SpeechHeard(cue, state):
                self._newest(cue, lambda told: self._ends(told, state, now))
            case _:
                pass

    def _newest(self, cue: str, change: Callable[[Told], None]) -> None:
        for told in reversed(self.told):
            if told.cue.id == cue:
                change(told)
                return

    @staticmethod
    def _starts(told: Told, text: str) -> None:
        told.spoken = text

    @staticmethod
    def _sounds(told: Told, now: float) -> None:
        if told.first_audio is None:
            told.first_audio = now

    @staticmethod
    def _ends(told: Told, state: str, now: float) -> None:
        told.over = (state, now)

    async def _stream(self) -> None:
        """The open microphone: what is said, else silence, a frame at a time in real time."""
        loop = asyncio.get_running_loop()
        silence = bytes(2 * MICROPHONE.frame_samples)
        self.client.listen("auto")
        at = loop.time()
        while True:
            if self._frames:
                self.client.send_frame(self._frames.popleft())
                if not self._frames:
                    self._said.set()
            else:
                self.client.send_frame(silence)
            at += MICROPHONE.frame_ms / 1000
            await asyncio.sleep(max(0.0, at - loop.time()))


def _holds(text: str, words: tuple[str, ...]) -> bool:
    return all(word.casefold() in text.casefold() for word in words)
