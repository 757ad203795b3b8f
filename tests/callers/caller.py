"""Plays a script against a running Lapel: real sockets, real time, and a voice.

    account = await call(script, "ws://127.0.0.1:8600/device", token, voice)

`voice` turns words into PCM (16 kHz, 16-bit, mono); a script without `say` needs none. The account says how long each
expectation took since the caller had finished what was done before it: the figure that a user feels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from callers.script import Expect, Network, Press, Say, Script, Step, Type, Wait, Wear
from callers.worn import Worn
from lapel.devices import Family

Voice = Callable[[str], bytes]

LAPEL_SPEAKS_S = 20.0
"""How long an interruption waits for something to interrupt."""


CLEAR = Script(
    name="Whatever a call before has left is over",
    device=Family.PHONE,
    others=(),
    steps=(Type("cancel that", Family.PHONE), Wait(1.5)),
)
"""Played between calls of the same user, so that each begins with nothing in the cart."""


class Unmet(AssertionError):
    """What a script expects did not come, or came although it must not."""


@dataclass(frozen=True, slots=True)
class Met:
    """An expectation that was met, `after_s` seconds after the end of the last thing done."""

    step: Expect
    after_s: float


@dataclass(frozen=True, slots=True)
class Account:
    """How a call went."""

    name: str
    met: tuple[Met, ...]
    seconds: float


async def call(script: Script, url: str, token: str, voice: Voice | None = None) -> Account:
    """Do what the script says; raises Unmet at the first expectation that fails."""
    caller = _Caller(script, url, token, voice)
    began = asyncio.get_running_loop().time()
    try:
        for family in (script.device, *script.others):
            await caller.put_on(family)
        for index, step in enumerate(script.steps, 1):
            await caller.do(step, index)
    finally:
        await caller.leave()
    seconds = asyncio.get_running_loop().time() - began
    return Account(script.name, tuple(caller.met), seconds)


class _Caller:
    def __init__(self, script: Script, url: str, token: str, voice: Voice | None) -> None:
        self._url = url
        self._token = token
        self._worn: dict[Family, Worn] = {}
        self._spoken = {} if voice is None else {text: voice(text) for text in script.spoken}
        self._loop = asyncio.get_running_loop()
        self._began = self._ended = self._loop.time()  # of the last thing done
        self.met: list[Met] = []

    async def put_on(self, family: Family) -> None:
        worn = Worn(family, self._url, self._token)
        self._worn[family] = worn
        await worn.put_on()

    async def leave(self) -> None:
        for worn in self._worn.values():
            await worn.take_off()

    async def do(self, step: Step, index: int) -> None:
        match step:
            case Wait(seconds):
                await asyncio.sleep(seconds)
            case Expect():
                await self._expect(step, index)
            case Network(device, up=True):
                self._worn[device].network(up=True)
            case _:
                await self._act(step)
                self._ended = self._loop.time()

    async def _act(self, step: Step) -> None:
        if isinstance(step, Say):
            await self._say(step)
            return
        self._began = self._loop.time()
        match step:
            case Type(text, device):
                self._worn[device].client.say(text)
            case Press(device, gesture):
                self._worn[device].press(gesture)
            case Network(device, up):
                self._worn[device].network(up)
            case Wear(device, on=True):
                await self.put_on(device)
            case Wear(device):
                await self._worn.pop(device).take_off()
            case _:
                raise AssertionError(step)

    async def _say(self, step: Say) -> None:
        pcm = self._spoken.get(step.text)
        if pcm is None:
            raise Unmet(f"`{step.text}` cannot be said: this caller was given no voice")
        if step.interrupt_after_s is not None:
            await self._until_lapel_speaks()
            await asyncio.sleep(step.interrupt_after_s)
        self._began = self._loop.time()
        await self._worn[step.device].say(pcm)

    async def _until_lapel_speaks(self) -> None:
        until = self._loop.time() + LAPEL_SPEAKS_S
        while not any(at >= self._began for worn in self._worn.values() for at in worn.audio_at):
            if self._loop.time() > until:
                raise Unmet(f"in {LAPEL_SPEAKS_S} s Lapel said nothing that could be interrupted")
            await asyncio.sleep(0.01)

    async def _expect(self, step: Expect, index: int) -> None:
        worn = self._worn[step.device]
        until = self._ended + step.within_s
        while True:
            worn.news.clear()
            at = worn.find(step, self._began)
            if at is not None and at <= until:
                break
            left = until - self._loop.time()
            if left <= 0:
                break
            try:
                async with asyncio.timeout(left):
                    await worn.news.wait()
            except TimeoutError:
                continue
        came = at is not None and at <= until
        if came and not step.absent:
            assert at is not None
            self.met.append(Met(step, at - self._ended))
        elif came or not step.absent:
            what = "came although it must not" if came else f"did not come in {step.within_s} s"
            heard = worn.heard(self._began)
            raise Unmet(f"step {index}: {step} {what}; the {step.device.value} was told: {heard}")
