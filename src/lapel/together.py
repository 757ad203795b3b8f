"""What `./run` starts: the City and Lapel as two programs, one link, one Ctrl-C.

Lapel is handed the City's URLs and nothing else; whoever has real merchants starts `lapel up` alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

STOP_S = 10.0
START_S = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Start both, wait, stop both; the exit code of the one that ended first."""
    parser = argparse.ArgumentParser(prog="lapel.together")
    parser.add_argument("--city-port", type=int, default=8700)
    parser.add_argument("--city-args", default="")
    parser.add_argument("lapel", nargs="*")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    processes: list[subprocess.Popen[str]] = []
    try:
        city = _start(
            _script("city"),
            "up",
            "--json",
            "--port",
            str(options.city_port),
            *shlex.split(options.city_args),
        )
        processes.append(city)
        print("Starting the City ...", file=sys.stderr)
        urls = _ready(city)
        merchants = [word for url in urls["merchants"] for word in ("--merchant", str(url))]
        lapel = subprocess.Popen(
            [
                *_script("lapel"),
                "up",
                *merchants,
                "--bank",
                str(urls["bank"]),
                "--demo-places",
                f"{urls['city']}/city/addresses",
                *options.lapel,
            ],
            text=True,
            start_new_session=True,
        )
        processes.append(lapel)
        print(f"The City is at {urls['city']}", file=sys.stderr)
        return _wait(processes)
    except KeyboardInterrupt:
        return 0
    except StartError as error:
        print(f"lapel: {error}", file=sys.stderr)
        return 1
    finally:
        _stop(processes)


class StartError(Exception):
    """One of the programs did not start."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _script(name: str) -> list[str]:
    beside = Path(sys.executable).with_name(name)
    return [str(beside)] if beside.exists() else [name]


def _start(program: list[str], *arguments: str) -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C reaches this process alone, which then stops both in order.
    return subprocess.Popen(
        [*program, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def _ready(process: subprocess.Popen[str]) -> dict[str, list[str] | str]:
    assert process.stdout is not None
    line = _first_line(process.stdout)
    if not line:
        process.wait(STOP_S)
        raise StartError(f"the City ended at once with status {process.returncode}")
    found: dict[str, list[str] | str] = json.loads(line)
    return found


def _first_line(stream: TextIO) -> str:
    for line in stream:
        if line.startswith("{"):
            return line
    return ""


def _wait(processes: list[subprocess.Popen[str]]) -> int:
    while True:
        for process in processes:
            status = process.poll()
            if status is not None:
                return status
        time.sleep(0.2)


def _stop(processes: list[subprocess.Popen[str]]) -> None:
    """Lapel first, so that it is not left talking to shops that are gone."""
    for process in reversed(processes):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
