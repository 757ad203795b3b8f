"""The seam between the record and an engine: commit a group of changes, read, be listened to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError

from lapel.store.errors import StoreError, StoreFull

T = TypeVar("T")
Work = Callable[[sa.Connection], T]
Guard = Callable[[sa.Connection], None]
"""Raises what the changes of a group are refused with; runs in their transaction, before them."""


@dataclass(slots=True)
class Change:
    """One caller's change; a `free` one is not refused by the guard."""

    work: Work[object]
    done: Future[object]
    free: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of each change of a group, once the group is committed."""

    results: list[tuple[Future[object], object]] = field(
        default_factory=list[tuple[Future[object], object]]
    )
    failed: list[tuple[Future[object], BaseException]] = field(
        default_factory=list[tuple[Future[object], BaseException]]
    )

    def tell(self) -> None:
        for done, result in self.results:
            done.set_result(result)
        for done, error in self.failed:
            done.set_exception(error)


class Backend(Protocol):
    """SQLite or PostgreSQL. `commit` is called by one thread alone, `read` by several."""

    @property
    def name(self) -> str:
        """What messages call it; holds no password."""
        ...

    @property
    def shared(self) -> bool:
        """Whether other processes may write to the same record."""
        ...

    def prepare(self) -> None:
        """Create what is missing, bring the schema up to date; raises `StoreError`."""
        ...

    def commit(self, group: list[Change], guard: Guard | None) -> Outcome:
        """Carry the group out in one transaction; raises when nothing of it was kept."""
        ...

    def read(self, work: Work[T]) -> T: ...
    def listen(self, heard: Callable[[str], None]) -> Callable[[], None]: ...
    def close(self) -> None: ...


def carry_out(connection: sa.Connection, group: list[Change], guard: Guard | None) -> Outcome:
    """One savepoint for each change; a fault of the engine itself is raised, for all of them."""
    outcome = Outcome()
    refusal = _refused(connection, guard)
    for change in group:
        if refusal is not None and not change.free:
            outcome.failed.append((change.done, refusal))
            continue
        try:
            with connection.begin_nested():
                outcome.results.append((change.done, change.work(connection)))
        except (OperationalError, InternalError):
            raise
        except Exception as error:  # the boundary: a caller's own error belongs to it alone
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            outcome.failed.append((change.done, error))
    return outcome


def _refused(connection: sa.Connection, guard: Guard | None) -> StoreError | None:
    if guard is None:
        return None
    try:
        guard(connection)
    except StoreError as error:
        return error
    return None


def refusal(error: Exception, what: str) -> StoreError:
    """An engine's fault in words for a person."""
    if isinstance(error, StoreError):
        return error
    text = str(getattr(error, "orig", None) or error).strip()
    if "is full" in text or "No space left" in text:
        return StoreFull(f"the disk is full: {what}; free some space and repeat")
    # SQLAlchemy's own words add lines that help nobody here.
    return StoreError(f"{what}: {text}")
