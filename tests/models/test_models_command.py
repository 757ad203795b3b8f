"""`lapel models`: added, listed, verified, removed, with keys that never show."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path

import pytest

from serving import serving
from talker import Talker, refuses, says

pytestmark = pytest.mark.net

WEIGHTS = b"GGUF" + b"\x00" * 5000


async def lapel(*arguments: str, give: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from lapel.cli import main; main()", "models", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(give.encode())
    return process.returncode or 0, out.decode(), err.decode()


async def test_an_endpoint(tmp_path: Path):
    data = ("--data", str(tmp_path))
    talker = Talker([says("Yes."), refuses(401)])
    async with serving(talker.app) as origin:
        url = f"{origin}/v1"
        status, out, err = await lapel(
            "add", url, "--model", "Qwen/Qwen3-8B", "--key", *data, give="sk-secret\n"
        )
        assert (status, err) == (0, "")
        assert "Added qwen-qwen3-8b" in out
        status, out, _ = await lapel("list", "--json", *data)
        (row,) = json.loads(out)
        assert (row["name"], row["where"], row["used"]) == ("qwen-qwen3-8b", url, None)
        assert "sk-secret" not in out
        assert (await lapel("verify", *data))[:2] == (0, "qwen-qwen3-8b: answers\n")
        assert talker.keys == ["Bearer sk-secret"]
        status, out, _ = await lapel("verify", "qwen-qwen3-8b", *data)
        assert (status, "401" in out) == (1, True)
    assert (await lapel("remove", "qwen-qwen3-8b", *data))[0] == 0
    assert json.loads((await lapel("list", "--json", *data))[1]) == []


async def test_a_file(tmp_path: Path):
    data = ("--data", str(tmp_path / "data"))
    (tmp_path / "w.gguf").write_bytes(WEIGHTS)
    pinned = hashlib.sha256(WEIGHTS).hexdigest()
    status, out, _ = await lapel("add", "mine", str(tmp_path / "w.gguf"), "--sha256", pinned, *data)
    assert status == 0
    assert pinned in out
    (tmp_path / "data" / "models" / "mine.gguf").write_bytes(WEIGHTS + b"!")
    status, out, _ = await lapel("verify", *data)
    assert (status, out) == (1, "mine: the file is not the one that was added\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "http://gpu.lan/v1", "--model", "m"), "model_refused"),
        (("add", "https://api.example/v1"), "model_refused"),
        (("add", "nobody-knows-this"), "model_refused"),
        (("remove", "gone"), "model_unknown"),
    ],
)
async def test_what_cannot_be_done_says_why(arguments: tuple[str, ...], code: str, tmp_path: Path):
    status, _, err = await lapel(*arguments, "--data", str(tmp_path))
    assert status == 1
    assert f"lapel explain {code}" in err
