"""Reading labelled data, a JSON object a line, plain or gzipped."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast


class DataError(ValueError):
    """The data cannot be read; the words say which file and line."""


@contextmanager
def opened(path: Path) -> Generator[TextIO]:
    """The text of a file, plain or gzipped; DataError where it cannot be read."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
            yield cast("TextIO", file)
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each object with its line number, from 1. DataError for what is no object."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, _object(path, number, line)


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}, line {number}: {error}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path}, line {number}: not an object")
    return cast("dict[str, Any]", found)


def text(path: Path, number: int, row: dict[str, Any], name: str) -> str:
    """A member that must be text."""
    value = row.get(name)
    if not isinstance(value, str):
        raise DataError(f"{path}, line {number}: {name!r} is missing or no text")
    return value


def percentile(times: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the times lie; 0.0 of none."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
