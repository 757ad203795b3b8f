"""`city`, but once the file `armed` stands in its folder every change that it commits kills it twice, and it is started again.

The first death comes within the transaction, so that nothing of it is kept; the second one when it is on the disk and
nobody has heard of it. Only what the City does by its clock alone, such as keeping the time, is spared. `armed` names
what is going on. Where the name begins with `once`, a request of one kind is let through after its two deaths: a user
who hears that nobody answers asks anew, which is another change. The deaths are written to `deaths`, one a line. A file
`speed` is the City's speed from its next start on.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from city.cli import main
from city.store import Database
from city.streets import helsinki

CHANGE = re.compile(r"\s*(?:INSERT(?: OR \w+)? INTO|UPDATE(?: OR \w+)?|DELETE FROM)\s+(\w+)")
SPARED = {"facts"}
WITHIN, AFTER = "within", "after"


@dataclass
class Deaths:
    """What the lives of the City leave to each other."""

    within: set[str] = field(default_factory=set)
    """What has died within its transaction, and dies after it the next time."""
    let_through: set[tuple[str, str]] = field(default_factory=set)

    def note(self, going_on: str, when: str, label: str) -> None:
        if when == WITHIN:
            self.within.add(label)
            return
        self.within.discard(label)
        if going_on.startswith("once") and "answers" in label:
            self.let_through.add((going_on, label))


class Mortal:
    """One life of the City."""

    def __init__(self, folder: Path, deaths: Deaths, line: int) -> None:
        self._armed = folder / "armed"
        self._deaths = deaths
        self._line = line

    def patch(self) -> None:
        real = Database.transaction

        @contextmanager
        def transaction(database: Database) -> Iterator[object]:
            try:
                going_on = self._armed.read_text()
            except FileNotFoundError:
                with real(database) as tx:
                    yield tx
                return
            said: list[str] = []
            label = ""
            with real(database) as tx:
                before = tx.total_changes
                tx.set_trace_callback(said.append)
                try:
                    yield tx
                finally:
                    tx.set_trace_callback(None)
                if tx.total_changes > before:
                    label = self._label(said)
                if (going_on, label) in self._deaths.let_through:
                    label = ""
                if label and label not in self._deaths.within:
                    self._die(going_on, WITHIN, label)
            if label:
                self._die(going_on, AFTER, label)

        Database.transaction = transaction  # type: ignore[method-assign]

    def _label(self, said: list[str]) -> str:
        """What was changed, such as `answers+authorizations`."""
        tables = {found[1] for text in said if (found := CHANGE.match(text))}
        return "+".join(sorted(tables - SPARED))

    def _die(self, *why: str) -> None:
        os.write(self._line, "\t".join(why).encode())
        os.kill(os.getpid(), signal.SIGKILL)


def keep_alive(arguments: list[str], folder: Path) -> int:
    """Run the City on the folder until it ends by itself or is told to."""
    deaths = Deaths()
    child = 0
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        reading, writing = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            Mortal(folder, deaths, writing).patch()
            live(arguments, folder)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        os.close(writing)
        with os.fdopen(reading) as line:
            death = line.read()
        _, status = os.waitpid(child, 0)
        if not death:
            return os.waitstatus_to_exitcode(status)
        going_on, when, label = death.split("\t")
        deaths.note(going_on, when, label)
        with (folder / "deaths").open("a") as file:
            file.write(f"{when} {label}\n")
        # Only the first start is told to whoever waits for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def live(arguments: list[str], folder: Path) -> None:
    speed = folder / "speed"
    sys.argv = ["city", *arguments]
    if speed.exists():
        sys.argv += ["--speed", speed.read_text()]
    main()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    helsinki()  # read once for all lives
    sys.exit(keep_alive(sys.argv[1:], Path(sys.argv[sys.argv.index("--data") + 1])))
