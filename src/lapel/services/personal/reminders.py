"""Reminders and timers in the record: kept until they were told, cancelled or done."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from lapel.failures import Code
from lapel.services.personal.when import Moment, next_occurrence
from lapel.store import Store
from lapel.store.schema import reminders

MOST = 500
"""Reminders and timers that wait, a user."""
LONGEST = 500
"""Characters of a text that are kept."""
KEPT_S = 30 * 86400.0
"""What was told is forgotten after this."""


class TooMany(Exception):
    """So many wait already that no more are taken."""

    code: Code = "too_many"


class Kind(StrEnum):
    TIMER = "timer"
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True)
class Reminder:
    """`due_at` in seconds since 1970; `rule` is a recurrence in the zone's local time, or empty."""

    id: str
    user_id: str
    kind: Kind
    text: str
    due_at: float
    rule: str
    zone: str
    state: str
    """`waiting`, `told` (brought up, the user has not said done), `done` or `cancelled`."""
    created_at: float
    told_at: float | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """`at` is the time that it was for, of several missed ones the last."""

    reminder: Reminder
    at: float
    late_s: float


class Reminders:
    """The table. `moved` is called after every change of what waits."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self.moved: Callable[[], None] = lambda: None

    async def add(
        self, user_id: str, kind: Kind, text: str, moment: Moment, zone: ZoneInfo
    ) -> Reminder:
        """Durable on return. Raises TooMany."""
        made = Reminder(
            id=f"rem_{secrets.token_hex(8)}",
            user_id=user_id,
            kind=kind,
            text=text[:LONGEST],
            due_at=moment.due_at,
            rule=moment.rule,
            zone=zone.key,
            state="waiting",
            created_at=self._clock(),
        )

        def work(connection: sa.Connection) -> None:
            mine = (reminders.c.user_id == user_id, reminders.c.state == "waiting")
            count = connection.scalar(sa.select(sa.func.count()).where(*mine)) or 0
            if count >= MOST:
                raise TooMany(f"{MOST} reminders wait already; cancel some first")
            connection.execute(reminders.insert().values(**_columns(made)))
            old = made.created_at - KEPT_S
            past = (reminders.c.state != "waiting", reminders.c.created_at < old)
            connection.execute(
                reminders.delete().where(reminders.c.user_id == user_id, *past)
                .where(sa.func.coalesce(reminders.c.told_at, 0) < old)
            )  # fmt: skip

        await self._store.write(work)
        self.moved()
        return made

    async def waiting(self, user_id: str, kind: Kind | None = None) -> list[Reminder]:
        """What is still to come, the next first."""
        return await self._select(user_id, ("waiting",), kind)

    async def told(self, user_id: str, since: float) -> list[Reminder]:
        """What was brought up since then and is not done, the newest first."""
        rows = await self._select(user_id, ("told", "waiting"))
        recent = [row for row in rows if row.told_at is not None and row.told_at >= since]
        return sorted(recent, key=lambda row: row.told_at or 0.0, reverse=True)

    async def get(self, user_id: str, reminder_id: str) -> Reminder | None:
        def work(connection: sa.Connection) -> Reminder | None:
            row = connection.execute(
                sa.select(reminders).where(
                    reminders.c.id == reminder_id, reminders.c.user_id == user_id
                )
            ).first()
            return None if row is None else _reminder(row)

        return await self._store.read(work)

    async def put(self, row: Reminder) -> None:
        """Set everything of it, whatever became of it meanwhile."""
        await self._store.write(
            lambda connection: connection.execute(
                reminders.update().where(reminders.c.id == row.id).values(**_columns(row))
            )
        )
        self.moved()

    async def remove(self, reminder_id: str) -> None:
        """As if it had never been."""
        await self._store.write(
            lambda connection: connection.execute(
                reminders.delete().where(reminders.c.id == reminder_id)
            )
        )
        self.moved()

    async def cancel(self, user_id: str, reminder_id: str) -> bool:
        """Whether it was waiting until now."""
        changed = await self._store.write(
            lambda connection: (
                connection.execute(
                    reminders.update()
                    .where(reminders.c.id == reminder_id, reminders.c.user_id == user_id)
                    .where(reminders.c.state == "waiting")
                    .values(state="cancelled")
                ).rowcount
            )
        )
        self.moved()
        return changed > 0

    async def next_due(self) -> float | None:
        """When the next one of anybody is due."""
        return await self._store.read(
            lambda connection: connection.scalar(
                sa.select(sa.func.min(reminders.c.due_at)).where(reminders.c.state == "waiting")
            )
        )

    async def due(self, now: float, most: int = 100) -> list[Due]:
        """What is due at `now` and was not told yet, the oldest first."""

        def work(connection: sa.Connection) -> list[Reminder]:
            rows = connection.execute(
                sa.select(reminders)
                .where(reminders.c.state == "waiting", reminders.c.due_at <= now)
                .order_by(reminders.c.due_at)
                .limit(most)
            )
            return [_reminder(row) for row in rows]

        return [_due(row, now) for row in await self._store.read(work)]

    async def brought_up(self, due: Due, now: float) -> None:
        """It was told: the next one waits, or none. A change made meanwhile stands."""
        row = due.reminder
        values: dict[str, object] = {"told_at": now, "state": "told"}
        if row.rule:
            later = next_occurrence(row.rule, due.at, ZoneInfo(row.zone))
            values |= {"due_at": later, "state": "waiting"}
        await self._store.write(
            lambda connection: connection.execute(
                reminders.update()
                .where(reminders.c.id == row.id, reminders.c.state == "waiting")
                .where(reminders.c.due_at == row.due_at)
                .values(**values)
            )
        )

    async def _select(
        self, user_id: str, states: Sequence[str], kind: Kind | None = None
    ) -> list[Reminder]:
        wanted = sa.select(reminders).where(
            reminders.c.user_id == user_id, reminders.c.state.in_(states)
        )
        if kind is not None:
            wanted = wanted.where(reminders.c.kind == kind.value)

        def work(connection: sa.Connection) -> list[Reminder]:
            return [_reminder(row) for row in connection.execute(wanted.order_by("due_at", "id"))]

        return await self._store.read(work)


def snoozed(row: Reminder, until: float) -> Reminder:
    """The same again, once, at `until`."""
    return replace(row, due_at=until, rule="", state="waiting")


def _due(row: Reminder, now: float) -> Due:
    at = row.due_at
    while row.rule and (later := next_occurrence(row.rule, at, ZoneInfo(row.zone))) <= now:
        at = later
    return Due(row, at, now - at)


def _columns(row: Reminder) -> dict[str, object]:
    return {
        "id": row.id,
        "user_id": row.user_id,
        "kind": row.kind.value,
        "text": row.text,
        "due_at": row.due_at,
        "rule": row.rule,
        "zone": row.zone,
        "state": row.state,
        "created_at": row.created_at,
        "told_at": row.told_at,
    }


def _reminder(row: sa.Row[tuple[object, ...]]) -> Reminder:
    values = dict(row._mapping)  # pyright: ignore[reportPrivateUsage]  # SQLAlchemy's public name
    return Reminder(**values | {"kind": Kind(values["kind"])})  # pyright: ignore[reportArgumentType]
