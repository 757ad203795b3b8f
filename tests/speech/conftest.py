"""The loaded engines, once for all tests that hear and speak."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lapel.speech import SpeechEngines, SpeechNotInstalled, SpeechSettings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engines(request: pytest.FixtureRequest) -> AsyncIterator[SpeechEngines]:
    cache = request.config.cache
    assert cache is not None
    settings = SpeechSettings(cache_dir=cache.mkdir("lapel-speech"), recognizer_workers=2)
    try:
        loaded = await SpeechEngines.load(settings)
    except SpeechNotInstalled as missing:
        pytest.skip(str(missing))
    yield loaded
    await loaded.close()
