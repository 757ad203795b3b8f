"""One program of this installation as a child process: started, waited for, stopped, killed."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

START_S = 90.0
"""The first start copies the recogniser's weights together."""
STOP_S = 10.0


class NotReady(Exception):
    """The program ended, or said nothing, before it was ready."""


class Program:
    """A child process that prints one JSON line on its standard output when it is ready."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        quiet: bool = False,
    ) -> None:
        self.command = list(command)
        # A session of its own: Ctrl-C reaches the parent alone, which stops its children in order.
        self._process = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self, timeout_s: float = START_S) -> dict[str, Any]:
        """Wait for the JSON line and return it."""
        out = self._process.stdout
        assert out is not None
        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            if not select.select([out], [], [], left)[0]:
                break
            line = out.readline()
            if line.startswith("{"):
                return dict(json.loads(line))
            if not line:
                self._process.wait(STOP_S)
                raise NotReady(f"`{self._name}` ended with status {self._process.returncode}")
        self.kill()
        raise NotReady(f"`{self._name}` was not ready within {timeout_s:.0f} s")

    def ended(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float = STOP_S) -> int:
        """Wait until it has ended by itself; its status."""
        status = self._process.wait(timeout_s)
        self._close()
        return status

    def stop(self) -> int:
        """Ask it to end, insist after ten seconds; its status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self.wait()

    @property
    def _name(self) -> str:
        return " ".join(Path(word).name if "/" in word else word for word in self.command[:4])

    def _close(self) -> None:
        if self._process.stdout is not None:
            self._process.stdout.close()


def city(*arguments: str, **options: Any) -> Program:
    """Start `city up`; ready with the URLs of `city`, `bank`, `merchants`, `rides` and so on."""
    return Program([*_script("city"), "up", "--json", *arguments], **options)


def lapel(urls: Mapping[str, Any], *arguments: str, **options: Any) -> Program:
    """Start `lapel up --json` with the shops of a City that is ready."""
    return Program([*_script("lapel"), "up", "--json", *of_city(urls), *arguments], **options)


def of_city(urls: Mapping[str, Any]) -> list[str]:
    """Arguments of `lapel up` that name the City's shops, bank and demonstration addresses."""
    merchants = [
        word
        for kind in ("merchants", "rides", "pay", "stores", "acp", "travel", "tables", "older")
        for url in urls[kind]
        for word in ("--merchant", str(url))
    ]
    places = f"{urls['city']}/city/addresses"
    maps = str(urls["city"])
    return [*merchants, "--bank", str(urls["bank"]), "--demo-places", places, "--maps", maps]


def _script(name: str) -> list[str]:
    beside = Path(sys.executable).with_name(name)
    return [str(beside)] if beside.exists() else [name]
