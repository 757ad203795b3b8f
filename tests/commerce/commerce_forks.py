"""Hosts are forked from a process that has loaded everything: a start costs no import."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path

import commerce_host
import pytest
from commerce_host import PATIENCE_S, Cast, Touch

FORKS = multiprocessing.get_context("forkserver")


@pytest.fixture(scope="module", autouse=True)
def server():
    before = os.environ.get("PYTHONPATH")
    tests = Path(__file__).parent
    os.environ["PYTHONPATH"] = os.pathsep.join([str(tests), str(tests.parent), before or ""])
    FORKS.set_forkserver_preload(["commerce_host"])
    forkserver.ensure_running()
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def start(cast: Cast) -> multiprocessing.process.BaseProcess:
    process = FORKS.Process(target=commerce_host.run, args=(cast,))
    process.start()
    return process


def host(cast: Cast) -> int:
    """Run the host to its end; its exit status, negative for a signal."""
    return status(start(cast))


def status(process: multiprocessing.process.BaseProcess) -> int:
    """Wait for the end; the exit status, negative for a signal."""
    process.join(PATIENCE_S + 30)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    process.close()
    assert code is not None, "the host did not come to an end"
    return code


def stopped(process: multiprocessing.process.BaseProcess) -> bool:
    """Wait until the process has been paused; False when it has come to its end instead."""
    stat = Path(f"/proc/{process.pid}/stat")
    while process.exitcode is None:
        if stat.read_text().rpartition(")")[2].split()[0] == "T":
            return True
        time.sleep(0.01)
    return False


@dataclass(frozen=True)
class Noted:
    """What each order of a host has touched, and which of them it held."""

    touched: dict[str, list[Touch]]
    held: list[str]


def noted(cast: Cast) -> Noted:
    touched, held = json.loads(cast.points.read_text())
    return Noted({id: [(name, n) for name, n in passed] for id, passed in touched.items()}, held)
