"""The City's record: one SQLite file, one thread that writes it, every commit on the disk."""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TypeVar

from city.errors import DataError

Transaction = sqlite3.Connection
"""Handed out only inside `Database.transaction`."""

SCHEMA_VERSION = "1"
CITY_CLOCK = "city_s"
"""The fact under which city time is kept."""

T = TypeVar("T")


_ADDED = (
    ("transfers", "authorization", "TEXT NOT NULL DEFAULT ''", ""),
    ("authorizations", "session", "TEXT NOT NULL DEFAULT ''", ""),
    ("authorizations", "at_most", "INTEGER NOT NULL DEFAULT 0", ""),
    ("authorizations", "captured", "INTEGER NOT NULL DEFAULT 0",
     "UPDATE authorizations SET captured = amount WHERE state IN ('captured', 'refunded')"),
    ("authorizations", "refunded", "INTEGER NOT NULL DEFAULT 0",
     "UPDATE authorizations SET refunded = amount WHERE state = 'refunded'"),
)  # fmt: skip
"""Columns that a database of an earlier City lacks, and what fills them there."""


class Database:
    """Synchronous access; every method must be called from one thread at a time."""

    def __init__(self, path: Path | str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
                self._connection.execute(f"PRAGMA {pragma}")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise DataError(f"cannot use the database {str(path)!r}: {error}") from error
        _free_webhooks(self._connection)
        self._connection.executescript(
            resources.files("city").joinpath("schema.sql").read_text("utf-8")
        )
        with self.transaction() as tx:
            if remember(tx, "schema", SCHEMA_VERSION) != SCHEMA_VERSION:
                raise DataError("the database is of another version; run `city reset`")
            _add_columns(tx)

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """All or nothing; durable when it returns."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class Store:
    """Runs jobs on the database's own thread, one after the other.

    The queue is bounded by the servers' limit on concurrent requests, which answer 503 beyond it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="city-store")

    async def run(self, job: Callable[[Database], T]) -> T:
        """The job is finished even if the caller is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, job, self._database)

    def close(self) -> None:
        """Waits for the jobs in the queue."""
        self._thread.shutdown(wait=True)
        self._database.close()


def _add_columns(tx: Transaction) -> None:
    for table, column, kind, fill in _ADDED:
        if column not in {row[1] for row in tx.execute(f"PRAGMA table_info({table})")}:
            tx.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            if fill:
                tx.execute(fill)


def _free_webhooks(connection: sqlite3.Connection) -> None:
    """Webhooks once told of orders of food alone; SQLite forgets a reference only with its table.

    The table is made again by the schema; what waited in it belongs to orders of an earlier City,
    whose platforms read them with GET.
    """
    row = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'webhooks'").fetchone()
    if row is not None and "REFERENCES" in row[0]:
        connection.execute("DROP TABLE webhooks")


def remember(tx: Transaction, key: str, value: str) -> str:
    """The value kept under `key`; `value` is kept if there is none yet."""
    tx.execute("INSERT OR IGNORE INTO facts (key, value) VALUES (?, ?)", (key, value))
    row = tx.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    return str(row[0])


def recall(tx: Transaction, key: str) -> str | None:
    row = tx.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def put_fact(tx: Transaction, key: str, value: str) -> None:
    tx.execute(
        "INSERT INTO facts (key, value) VALUES (?, ?) "
        "ON CONFLICT DO UPDATE SET value = excluded.value",
        (key, value),
    )


@contextmanager
def only_process(folder: Path) -> Generator[None]:
    """Held while a City runs on `folder`; the kernel drops it with the process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"cannot use the folder {str(folder)!r}: {error.strerror}; give another --data",
            code="bad_folder",
        ) from error
    with (folder / "city.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(
                f"another City runs on {str(folder)!r}; stop it or give another --data",
                code="already_running",
            ) from None
        yield
