from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from lapel.speech import (
    ModelIncomplete,
    SpeechEngines,
    SpeechNotInstalled,
    SpeechSettings,
    VoiceNotPackaged,
    WeightsRefused,
    weights,
)

pytestmark = pytest.mark.unit

HALVES = (b"first half " * 1000, b"second half " * 1000)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small packages in the place of the real ones."""
    for number, half in enumerate(HALVES, 1):
        package = tmp_path / "site" / f"tiny_part{number}"
        (package / "data").mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "data" / f"model.bin.part{number}").write_bytes(half)
    files = {"config.json": b"{}", "tokenizer.json": b"[]", "vocabulary.txt": b"a\n"}
    for name, content in files.items():
        (tmp_path / "site" / "tiny_part1" / "data" / name).write_bytes(content)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setattr(
        weights,
        "WHISPER_PARTS",
        tuple((f"tiny_part{n}", f"data/model.bin.part{n}") for n in (1, 2)),
    )
    monkeypatch.setattr(weights, "WHISPER_MODEL", sha256(b"".join(HALVES)))
    monkeypatch.setattr(
        weights, "WHISPER_FILES", {name: sha256(content) for name, content in files.items()}
    )
    return tmp_path / "site"


def test_the_halves_are_joined_once(parts: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    folder = weights.packaged_whisper(tmp_path / "cache", lines.append)
    assert (folder / "model.bin").read_bytes() == b"".join(HALVES)
    assert (folder / "vocabulary.txt").read_bytes() == b"a\n"
    assert any("100 %" in line for line in lines)
    written = (folder / "model.bin").stat().st_mtime_ns
    assert weights.packaged_whisper(tmp_path / "cache", lines.append) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == written
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json",
        "model.bin",
        "tokenizer.json",
        "vocabulary.txt",
    ]


@pytest.mark.parametrize("left", [1, 5_000, 11_000, 15_000, 23_000])
@pytest.mark.parametrize("damaged", [False, True])
def test_interrupted_work_goes_on(parts: Path, tmp_path: Path, left: int, damaged: bool) -> None:
    whole = b"".join(HALVES)
    folder = tmp_path / "cache" / f"whisper-base-{weights.WHISPER_MODEL[:12]}"
    folder.mkdir(parents=True)
    begun = b"x" * left if damaged else whole[:left]
    (folder / "model.bin.partial").write_bytes(begun)
    weights.packaged_whisper(tmp_path / "cache", lambda line: None)
    assert (folder / "model.bin").read_bytes() == whole
    assert not (folder / "model.bin.partial").exists()


@pytest.mark.parametrize("left", [0, 11_000])
def test_another_process_may_be_first(parts: Path, tmp_path: Path, left: int) -> None:
    whole = b"".join(HALVES)
    folder = tmp_path / "cache" / f"whisper-base-{weights.WHISPER_MODEL[:12]}"
    folder.mkdir(parents=True)
    partial = folder / "model.bin.partial"
    partial.write_bytes(whole[:left])

    def other(line: str) -> None:
        if "100 %" in line and partial.exists():
            partial.replace(folder / "model.bin")

    weights.packaged_whisper(tmp_path / "cache", other)
    assert (folder / "model.bin").read_bytes() == whole
    assert not partial.exists()


def test_a_damaged_cache_is_made_again(parts: Path, tmp_path: Path) -> None:
    folder = weights.packaged_whisper(tmp_path / "cache", lambda line: None)
    (folder / "model.bin").write_bytes(b"rot")
    (folder / "tokenizer.json").write_bytes(b"rot")
    weights.packaged_whisper(tmp_path / "cache", lambda line: None)
    assert (folder / "model.bin").read_bytes() == b"".join(HALVES)
    assert (folder / "tokenizer.json").read_bytes() == b"[]"


@pytest.mark.parametrize("name", ["model.bin.part2", "tokenizer.json"])
def test_a_wrong_hash_is_refused(parts: Path, tmp_path: Path, name: str) -> None:
    package = "tiny_part2" if name.endswith("part2") else "tiny_part1"
    (parts / package / "data" / name).write_bytes(b"something else")
    with pytest.raises(WeightsRefused) as refused:
        weights.packaged_whisper(tmp_path / "cache", lambda line: None)
    assert refused.value.code == "weights_refused"
    assert refused.value.expected in str(refused.value)
    assert refused.value.found in str(refused.value)
    assert str(refused.value.file) in str(refused.value)
    assert not list((tmp_path / "cache").rglob("model.bin"))


async def test_load_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(weights, "WHISPER_PARTS", (("no_such_package", "x"),))
    with pytest.raises(SpeechNotInstalled, match=r"no_such_package.*lapel\[speech\]") as refused:
        await SpeechEngines.load(SpeechSettings(cache_dir=tmp_path))
    assert refused.value.packages == ("no_such_package",)


async def test_a_voice_that_is_not_packaged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VoiceNotPackaged, match=r"'emma'.*heart"):
        await SpeechEngines.load(SpeechSettings(voice="emma", cache_dir=tmp_path))


def test_a_local_folder_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(ModelIncomplete, match=r"tokenizer\.json.*vocabulary"):
        weights.local_whisper(tmp_path)


def test_importing_speech_loads_no_engine() -> None:
    heavy = ("numpy", "ctranslate2", "onnxruntime", "hibari", "tokenizers", "opuslib_next")
    code = f"import sys, lapel.speech; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
