"""A real City and a real Lapel as two processes, and a voice for a fake microphone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_S = 120.0
STOP_S = 15.0
MICROPHONE_RATE = 48_000


@dataclass(frozen=True)
class Town:
    """Where the running Lapel is."""

    url: str
    token: str

    @property
    def link(self) -> str:
        return f"{self.url}/?token={self.token}"


def environment() -> dict[str, str]:
    """Ours without settings for Lapel: the programs under test see only what they are given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LAPEL_")}


def program(name: str) -> str:
    return str(Path(sys.executable).parent / name)


@asynccontextmanager
async def running(*command: str, log: Path) -> AsyncIterator[dict[str, Any]]:
    """Starts a program of ours that prints one JSON line when it is ready; ends it as Ctrl-C does."""
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env=environment(),
        )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            while not (line := await process.stdout.readline()).startswith(b"{"):
                if not line:
                    raise AssertionError(f"{command[0]} ended: {log.read_text()[-2000:]}")
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(STOP_S):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def open_town(folder: Path, *flags: str, speed: float = 30.0) -> AsyncIterator[Town]:
    """Both programs with fresh data under `folder`; `flags` go to `lapel up`."""
    city = [program("city"), "up", "--data", str(folder / "city"), "--port", "0"]
    city += ["--speed", str(speed), "--json"]
    async with running(*city, log=folder / "city.log") as peer:
        shops = [word for url in peer["merchants"] for word in ("--merchant", url)]
        lapel = [program("lapel"), "up", "--data", str(folder / "lapel"), "--port", "0", "--json"]
        lapel += [*shops, "--bank", peer["bank"]]
        lapel += ["--demo-places", f"{peer['city']}/city/addresses", *flags]
        async with running(*lapel, log=folder / "lapel.log") as gateway:
            yield Town(gateway["url"], gateway["token"])


def write_voice(path: Path, pcm: bytes, before_s: float = 1.5, after_s: float = 90.0) -> None:
    """A file for Chromium's fake microphone: silence, the words once, silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_RATE)
        file.writeframes(bytes(2 * int(before_s * MICROPHONE_RATE)))
        file.writeframes(pcm)
        file.writeframes(bytes(2 * int(after_s * MICROPHONE_RATE)))
