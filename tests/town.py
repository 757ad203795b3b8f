"""The real programs as a test sees them: a City and a Lapel in processes of their own, on a folder of their own."""

from __future__ import annotations

import os
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from books import check_books
from lapel.together import Program, city
from lapel.together.programs import of_city


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody has and that no caller is given by chance."""
    for first in range(20000 + time.monotonic_ns() % 9000, 32000, count):
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError(f"there are no {count} free ports in a row")


def environment() -> dict[str, str]:
    """Ours without settings for Lapel: the programs under test see only what they are given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LAPEL_")}


class Town:
    """A City with test controls and, once `open_gateway` was called, a Lapel that knows its shops."""

    def __init__(
        self,
        folder: Path,
        *,
        speed: int = 240,
        faults: str = "none",
        port: int = 0,
        transport: str = "own",
    ) -> None:
        self.folder = folder
        self._speed = speed
        self._faults = faults
        self._port = port
        self.transport = transport
        self.http = httpx.Client(trust_env=False, timeout=30)
        self.programs: list[Program] = []
        self.city_program = self._start_city()
        try:
            self.urls = self.city_program.ready()
        except Exception:
            self.city_program.stop()
            self.http.close()
            raise
        self.gateway: Program | None = None
        self.url = ""
        self.token = ""

    # The City.

    def _start_city(self) -> Program:
        program = city(
            "--data", str(self.folder / "city"), "--port", str(self._port), "--speed", str(self._speed),
            "--faults", self._faults, "--transport", self.transport,
            "--allow-test-controls", environment=environment(),
        )  # fmt: skip
        self.programs.append(program)
        return program

    def restart_city(self) -> None:
        """After it was killed; needs fixed ports, or Lapel would look for it at the old ones."""
        assert self._port
        self.city_program = self._start_city()
        self.urls = self.city_program.ready()

    def fault(
        self, fault: str, times: int = 1, merchant: str | None = None, **more: object
    ) -> None:
        body = {"merchant": merchant, "fault": fault, "times": times, **more}
        answer = self.http.post(f"{self.urls['city']}/city/faults", json=body)
        assert answer.status_code == 200, answer.text

    def nearer(self, seconds: float) -> None:
        """Let rides for later come nearer by so much."""
        body = {"seconds": seconds}
        answer = self.http.post(f"{self.urls['city']}/city/rides/nearer", json=body)
        assert answer.status_code == 200, answer.text

    def no_faults(self) -> None:
        self.http.request(
            "DELETE",
            f"{self.urls['city']}/city/faults",
            headers={"content-type": "application/json"},
        )

    def kill_at(self, point: str, after: int = 0) -> None:
        body: dict[str, object] = {"point": point}
        if after:
            body["after"] = after
        answer = self.http.post(f"{self.urls['city']}/city/kill_at", json=body)
        assert answer.status_code == 200, answer.text

    def speed(self, speed: float) -> None:
        answer = self.http.post(f"{self.urls['city']}/city/speed", json={"speed": speed})
        assert answer.status_code == 200, answer.text

    # Lapel.

    def open_gateway(self, *arguments: str, wrapper: list[str] | None = None) -> None:
        """Start Lapel on this town's folder; `wrapper` runs it inside another program."""
        program = wrapper or [str(Path(sys.executable).with_name("lapel"))]
        known = of_city(self.urls)
        # A merchant knows a platform by its URL: the port stays the same over restarts.
        port = self.url.rpartition(":")[2] or "0"
        data = ["--data", str(self.folder / "lapel"), "--port", port, "--json"]
        command = [*program, "up", *known, *data, *arguments]
        self.gateway = Program(command, environment=environment())
        self.programs.append(self.gateway)
        found = self.gateway.ready()
        self.url, self.token = found["url"], found["token"]

    @property
    def link(self) -> str:
        """What the user opens."""
        return f"{self.url}/?token={self.token}"

    @property
    def device_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/device"

    def api(self, path: str, method: str = "GET", body: object = None) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self.http.request(method, self.url + path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def wait_for_menus(self, count: int = 6) -> None:
        until = time.monotonic() + 30
        while len(self.api("/api/menus")) < count:
            assert time.monotonic() < until, "the shops are not known in time"
            time.sleep(0.1)

    def wait_for_menu(self, merchant: str) -> None:
        until = time.monotonic() + 30
        while merchant not in {menu["merchant_name"] for menu in self.api("/api/menus")}:
            assert time.monotonic() < until, f"{merchant} is not known in time"
            time.sleep(0.1)

    def orders(self) -> list[dict[str, Any]]:
        return self.api("/api/orders")

    def wait_for_order(self, *states: str, timeout_s: float = 60) -> dict[str, Any]:
        """The newest order, once it is in one of these states."""
        until = time.monotonic() + timeout_s
        while True:
            found = self.orders()
            if found and found[0]["state"] in states:
                return found[0]
            assert time.monotonic() < until, f"no order became {states}: {found[:1]}"
            time.sleep(0.1)

    def record(self, query: str) -> list[Any]:
        """What Lapel's own record says."""
        with closing(
            sqlite3.connect(f"file:{self.folder / 'lapel' / 'lapel.db'}?mode=ro", uri=True)
        ) as db:
            return db.execute(query).fetchall()

    def bank_entries(self) -> list[dict[str, Any]]:
        """The user's ledger at the bank, of every account that Lapel opened."""
        found: list[dict[str, Any]] = []
        for endpoint, account, secret in self.record(
            "SELECT endpoint, account, secret FROM wallets"
        ):
            answer = self.http.get(
                f"{endpoint}/accounts/{account}/entries",
                headers={"authorization": f"Bearer {secret}"},
            )
            answer.raise_for_status()
            body = answer.json()
            found += body["entries"] if isinstance(body, dict) else body
        return found

    def close(self) -> None:
        for program in reversed(self.programs):
            program.stop()
        self.http.close()
        # Every test of the whole proves it: what was charged is what receipts and merchants say.
        assert check_books(self.folder) == []


def with_settings(folder: Path, text: str) -> tuple[str, str]:
    """The arguments for a Lapel with these settings, which are TOML."""
    file = folder / "lapel.toml"
    file.write_text(text, "utf-8")
    return "--config", str(file)


def in_the_morning(folder: Path) -> tuple[str, str]:
    """The arguments for a user where it is past ten: late in the evening nothing comes today."""
    ahead = (10 - datetime.now(UTC).hour + 12) % 24 - 12
    zone = f"Etc/GMT{-ahead:+d}"  # the names count westwards
    return with_settings(folder, f'[personal]\ntime_zone = "{zone}"\n')


def opened(folder: Path, *arguments: str, **options: Any) -> Iterator[Town]:
    """A town with a gateway, for a fixture."""
    town = Town(folder, **options)
    try:
        town.open_gateway(*arguments)
        town.wait_for_menus()
        yield town
    finally:
        town.close()
