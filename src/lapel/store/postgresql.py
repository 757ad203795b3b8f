"""PostgreSQL as the record, shared by several processes, with the promises of one writer.

Every group of changes takes one advisory lock first and commits before it lets go. So changes
follow each other in one order over all processes, as on SQLite: a number that a sequence gives
later also becomes visible later, and what a change reads stays true until it commits. A process
that stops in the middle of a group loses its session, and with it the lock, after a third of the
lease. When a connection dies at its commit, the server is asked what became of the transaction.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError

from lapel.store.backend import Change, Guard, Outcome, Work, carry_out, refusal
from lapel.store.errors import StoreError, StoreFull
from lapel.store.migrations import upgrade

T = TypeVar("T")

CHANNEL = "lapel"
PATIENCE_S = 20.0
"""How long a change waits for a server that does not answer, before it is refused."""
_LOCK = 0x6C6170656C
"""The key of the advisory lock: "lapel" as a number."""
_AGAIN_S = 0.1
_LISTEN_S = 1.0
_BEGIN = f"SELECT CAST(pg_current_xact_id() AS text) FROM pg_advisory_xact_lock({_LOCK})"

_log = logging.getLogger(__name__)


class Postgresql:
    """One database; `lease_s` is the life of a process that no longer speaks, in seconds."""

    shared = True

    def __init__(self, url: sa.URL, readers: int, lease_s: float) -> None:
        self._url = url
        self._engine = engine_for(url, readers + 2, lease_s / 3)
        self._writing: sa.Connection | None = None
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @property
    def name(self) -> str:
        return repr(self._url.render_as_string(hide_password=True))

    def prepare(self) -> None:
        try:
            self._migrate()
            self._writer()
        except DBAPIError as error:
            raise refusal(error, f"cannot open the record {self.name}") from error

    def _migrate(self) -> None:
        """One process at a time, by a lock of its session; however long it takes.

        A migration thinks between its statements, and may rewrite a large table: neither the limit
        for a transaction left open nor the one for a statement is meant for it.
        """
        engine = engine_for(self._url, 1, 0.0)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SET statement_timeout = 0")
                connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
                connection.commit()
                upgrade(connection)
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")
                connection.commit()
        finally:
            engine.dispose()

    def commit(self, group: list[Change], guard: Guard | None) -> Outcome:
        until = time.monotonic() + PATIENCE_S
        doubt: tuple[str, Outcome] | None = None
        while True:
            transaction, outcome = "", None
            try:
                connection = self._writer()
                with connection.begin():
                    transaction = str(connection.exec_driver_sql(_BEGIN).scalar_one())
                    # With the lock held, the transaction that was in doubt is over.
                    if doubt is not None and _committed(connection, doubt[0]):
                        return doubt[1]
                    doubt = None
                    outcome = carry_out(connection, group, guard)
                return outcome
            except DBAPIError as error:
                self._drop()
                if outcome is not None:
                    doubt = (transaction, outcome)
                if isinstance(refusal(error, ""), StoreFull) or time.monotonic() > until:
                    raise _unsure(error, doubt is not None) from error
                time.sleep(_AGAIN_S)

    def _writer(self) -> sa.Connection:
        if self._writing is None:
            self._writing = self._engine.connect()
        return self._writing

    def _drop(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.invalidate()
            writing.close()

    def read(self, work: Work[T]) -> T:
        try:
            return self._read(work)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        return self._read(work)

    def _read(self, work: Work[T]) -> T:
        with self._reading.connect() as connection, connection.begin():
            return work(connection)

    def listen(self, heard: Callable[[str], None]) -> Callable[[], None]:
        listener = _Listener(self._url, heard)
        listener.start()
        return listener.stop

    def close(self) -> None:
        if self._writing is not None:
            self._writing.close()
        self._engine.dispose()


class _Listener(threading.Thread):
    """Hears what committed changes announce. After a break it says "" once: look at everything."""

    def __init__(self, url: sa.URL, heard: Callable[[str], None]) -> None:
        super().__init__(name="store-listen", daemon=True)
        self._heard = heard
        self._engine = engine_for(url, 1, 0.0)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except DBAPIError as error:
                _log.warning("PostgreSQL cannot be listened to: %s", type(error.orig).__name__)
            except Exception as error:  # the boundary: psycopg raises its own errors while it waits
                _log.warning("PostgreSQL no longer notifies: %s", type(error).__name__)
            self._stopped.wait(_LISTEN_S)
        self._engine.dispose()

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _listen(self) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"LISTEN {CHANNEL}")
            self._heard("")
            driver: Any = connection.connection.driver_connection
            while not self._stopped.is_set():
                for notice in driver.notifies(timeout=0.2):
                    self._heard(notice.payload)


def engine_for(url: sa.URL, connections: int, idle_s: float) -> sa.Engine:
    """Commits are on the disk; a transaction that nobody goes on with ends after `idle_s`."""
    options = "-c statement_timeout=30000"
    if idle_s:
        options += f" -c idle_in_transaction_session_timeout={max(100, round(idle_s * 1000))}"
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"options": options, "connect_timeout": 5, "application_name": "lapel"},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: DBAPIConnection, _: object) -> None:  # pyright: ignore[reportUnusedFunction]
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') IN ('off', 'local')"
        )
        cursor.close()
        connection.commit()

    return engine


def notify(connection: sa.Connection, text: str) -> None:
    """Announce `text` to every process on the record once this transaction is committed."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_notify(CHANNEL, text)))


def _committed(connection: sa.Connection, transaction: str) -> bool:
    asked = sa.text("SELECT pg_xact_status(CAST(:id AS xid8))")
    return connection.execute(asked, {"id": transaction}).scalar() == "committed"


def _unsure(error: DBAPIError, at_commit: bool) -> StoreError:
    what = (
        "PostgreSQL broke off: the change may be kept" if at_commit else "the change was not kept"
    )
    return refusal(error, what)
