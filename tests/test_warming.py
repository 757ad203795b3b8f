"""Types that were warmed may be decoded by many threads at once; without it the process dies of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

RACE = """
import dataclasses, sys, threading, types
import msgspec
from {program}.warming import warm

sys.setswitchinterval(1e-6)
for n in range(300):
    inner = msgspec.defstruct("Inner", [("a", int)], module="{program}.fresh")
    outer = dataclasses.make_dataclass("Outer", [("b", list[inner])])
    outer.__module__ = "{program}.fresh"
    fresh = types.ModuleType("{program}.fresh")
    fresh.Inner, fresh.Outer = inner, outer
    sys.modules["{program}.fresh"] = fresh
    assert warm("{program}") >= 2
    together = threading.Barrier(6)

    def decode():
        together.wait()
        assert msgspec.json.decode(b'{{"b":[{{"a":1}}]}}', type=outer).b[0].a == 1

    threads = [threading.Thread(target=decode) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.parametrize("program", ["lapel", "city"])
def test_threads_decode_what_was_warmed(program: str):
    ended = subprocess.run(
        [sys.executable, "-c", RACE.format(program=program)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, (ended.returncode, ended.stderr)


def test_the_types_of_the_record_are_among_them():
    """Whatever is decoded by a reader's thread can be learnt."""
    words = "import lapel.app; from lapel.warming import warm; print(warm('lapel'))"
    ended = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(ended.stdout) > 400
