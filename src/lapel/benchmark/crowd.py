"""The run: City and Lapel as programs, idle devices, then spoken orders singly and all at once."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from lapel.benchmark import floor, people, wearer
from lapel.benchmark.report import Report, Waits
from lapel.devices.client import DeviceClient
from lapel.devices.wire import Auth
from lapel.speech import AudioFormat, Codec, SpeechEngines, SpeechSettings
from lapel.together import Program, city, lapel

Say = Callable[[str], None]
WORN = 10
"""Idle devices that belong to one user."""
ALONE = 5
"""Orders spoken one after the other, for the latency of one user."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """`idle` devices that do nothing, and `speaking` people who order at the same moment."""

    idle: int = 200
    speaking: int = 20
    patience_s: float = 90.0


async def run(crowd: Crowd, say: Say) -> Report:
    """Everything in a folder of its own; nothing is left behind."""
    with tempfile.TemporaryDirectory(prefix="lapel-bench-") as place:
        return await _run(crowd, Path(place), say)


async def _run(crowd: Crowd, folder: Path, say: Say) -> Report:
    say("Making the voices ...")
    sentences = {sentence for sentence, _ in people.SENTENCES}
    engines = await SpeechEngines.load(SpeechSettings(cache_dir=folder / "lapel" / "models"))
    spoken = {sentence: await _spoken(engines, sentence) for sentence in sorted(sentences)}
    limits = await floor.measure(engines, spoken)
    await engines.close()
    programs: list[Program] = []
    try:
        say("Starting the City and Lapel ...")
        town = city("--data", str(folder / "city"), "--port", "0", "--speed", "60", quiet=True)
        programs.append(town)
        urls = await asyncio.to_thread(town.ready)
        crowd_of = await people.settle(
            folder / "lapel",
            f"{urls['city']}/city/addresses",
            ALONE + crowd.speaking + math.ceil(crowd.idle / WORN),
        )
        idlers = crowd_of[ALONE + crowd.speaking :]
        gateway = lapel(urls, "--data", str(folder / "lapel"), "--port", "0")
        programs.append(gateway)
        found = await asyncio.to_thread(gateway.ready)
        url = found["url"].replace("http", "ws", 1) + "/device"
        await _menus_known(found["url"], crowd_of[0].token, len(urls["merchants"]))
        say(f"Linking {crowd.idle} idle devices ...")
        async with AsyncExitStack() as stack:
            memory = await _idle(stack, url, idlers, crowd.idle, gateway.pid)
            say(f"{ALONE} orders, one after the other ...")
            alone = [
                await wearer.order(url, person, spoken[person.sentence], crowd.patience_s)
                for person in crowd_of[:ALONE]
            ]
            stages = await _stages(found["url"], crowd_of[:ALONE])
            say(f"{crowd.speaking} orders at the same moment ...")
            together = await asyncio.gather(
                *(
                    wearer.order(url, person, spoken[person.sentence], crowd.patience_s)
                    for person in crowd_of[ALONE : ALONE + crowd.speaking]
                )
            )
        return Report(
            machine=floor.machine(),
            idle=crowd.idle,
            bytes_a_device=memory,
            resident_bytes=_resident(gateway.pid),
            alone=Waits.of(alone),
            together=Waits.of(together),
            stages=stages,
            limits=limits,
        )
    finally:
        for program in reversed(programs):
            await asyncio.to_thread(program.stop)


async def _spoken(engines: SpeechEngines, sentence: str) -> bytes:
    wanted = AudioFormat(Codec.PCM16, 16000, 20)
    return b"".join([frame async for frame in engines.speak(sentence, wanted)])


async def _menus_known(url: str, token: str, count: int) -> None:
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(300):
            if len((await http.get(f"{url}/api/menus", headers=headers)).json()) >= count:
                return
            await asyncio.sleep(0.1)
    raise TimeoutError("the shops are not known in time")


async def _idle(
    stack: AsyncExitStack, url: str, owners: list[people.Person], count: int, pid: int
) -> int:
    """Link `count` rings, ten to an owner; bytes of resident memory that each of them costs.

    What an owner's assistant takes is in it.
    """
    first = DeviceClient(url, wearer.RING, Auth(token=owners[0].token, remember=False))
    await stack.enter_async_context(first)
    before = _resident(pid)
    for index in range(count):
        auth = Auth(token=owners[index // WORN].token, remember=False)
        await stack.enter_async_context(DeviceClient(url, wearer.RING, auth))
    await asyncio.sleep(1.0)
    return max(0, _resident(pid) - before) // count


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


async def _stages(url: str, crowd: list[people.Person]) -> list[dict[str, float]]:
    """The stages of the waits of these people, as Lapel itself measured them."""
    found: list[dict[str, float]] = []
    async with httpx.AsyncClient(trust_env=False) as http:
        for person in crowd:
            headers = {"authorization": f"Bearer {person.token}"}
            turns = (await http.get(f"{url}/api/turns", headers=headers)).json()
            found += [turn["stages"] for turn in turns if turn["stages"]]
    return found
