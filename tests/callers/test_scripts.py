"""Scripted callers speak to a real Lapel and a real City, over real sockets and in real time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from callers.caller import CLEAR, call
from callers.script import read
from speech.voices import say_pcm
from town import Town, opened

pytestmark = [pytest.mark.audio, pytest.mark.timeout(300)]

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.yaml"))
SETTINGS = """
[commerce]
approval_s = 25
"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """With a question that lapses sooner than people would like, so that it can be waited for."""
    say_pcm("Ready.")  # skips where there is no speech
    folder = tmp_path_factory.mktemp("callers")
    settings = folder / "lapel.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    yield from opened(folder, "--config", str(settings))


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
async def test_call(path: Path, town: Town) -> None:
    await call(CLEAR, town.device_url, town.token)
    account = await call(read(path), town.device_url, town.token, say_pcm)
    for met in account.met:
        print(f"{met.after_s:6.2f} s  {met.step.device.value}: {met.step}")
