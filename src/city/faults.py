"""What goes wrong on purpose: by chance at stated rates, or forced a number of times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from city.store import Transaction


class Fault(StrEnum):
    DECLINE_PAYMENT = "decline_payment"
    PRICE_RAISE = "price_raise"
    SOLD_OUT = "sold_out"
    CLOSED = "closed"
    OVERCHARGE = "overcharge"
    WRONG_TOTAL = "wrong_total"
    SLOW = "slow"
    TIMEOUT = "timeout"
    HTTP_500_BEFORE = "http_500_before"
    HTTP_500_AFTER = "http_500_after"
    NONSENSE = "nonsense"
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_TWICE = "webhook_twice"
    WEBHOOK_OUT_OF_ORDER = "webhook_out_of_order"
    WEBHOOK_LATE = "webhook_late"
    COURIER_LATE = "courier_late"
    FAILED_ATTEMPT = "failed_attempt"
    MERCHANT_CANCELS = "merchant_cancels"
    ITEM_MISSING = "item_missing"
    CREDIT = "credit"
    SHELF_EMPTY = "shelf_empty"
    SURGE = "surge"
    NOBODY_FREE = "nobody_free"
    DRIVER_LATE = "driver_late"
    DRIVER_CANCELS = "driver_cancels"
    DEPARTURE_DELAYED = "departure_delayed"
    DEPARTURE_CANCELED = "departure_canceled"
    TABLE_CANCELED = "table_canceled"
    KITCHEN_DELAYED = "kitchen_delayed"
    NO_SHOW = "no_show"


class Level(StrEnum):
    NONE = "none"
    GENTLE = "gentle"
    ROUGH = "rough"


SECONDS: Mapping[Fault, float] = {
    Fault.SLOW: 3.0,
    Fault.TIMEOUT: 30.0,
    Fault.WEBHOOK_LATE: 20.0,
    Fault.DEPARTURE_DELAYED: 600.0,
    Fault.DEPARTURE_CANCELED: 600.0,
    Fault.TABLE_CANCELED: 600.0,
    Fault.KITCHEN_DELAYED: 600.0,
}
"""How long the faults last that take time; of bookings, how long after the booking they show."""

WRITES = frozenset(
    {
        "create", "update", "complete", "cancel", "substitute", "return", "authorize", "capture",
        "void", "refund",
    }
)  # fmt: skip
"""What a forced fault without an operation applies to."""

OPERATIONS = WRITES | {"search", "lookup", "product", "get", "order", "read", "dispatch"}

_RATES: Mapping[Fault, tuple[float, float]] = {
    Fault.DECLINE_PAYMENT: (0.02, 0.08),
    Fault.PRICE_RAISE: (0.02, 0.08),
    Fault.SOLD_OUT: (0.01, 0.05),
    Fault.CLOSED: (0.0, 0.02),
    Fault.OVERCHARGE: (0.01, 0.04),
    Fault.WRONG_TOTAL: (0.0, 0.02),
    Fault.SLOW: (0.03, 0.08),
    Fault.TIMEOUT: (0.0, 0.02),
    Fault.HTTP_500_BEFORE: (0.02, 0.06),
    Fault.HTTP_500_AFTER: (0.01, 0.06),
    Fault.NONSENSE: (0.0, 0.03),
    Fault.WEBHOOK_LOST: (0.01, 0.05),
    Fault.WEBHOOK_TWICE: (0.02, 0.10),
    Fault.WEBHOOK_OUT_OF_ORDER: (0.01, 0.08),
    Fault.WEBHOOK_LATE: (0.02, 0.08),
    Fault.COURIER_LATE: (0.05, 0.20),
    Fault.FAILED_ATTEMPT: (0.02, 0.08),
    Fault.MERCHANT_CANCELS: (0.01, 0.05),
    Fault.ITEM_MISSING: (0.01, 0.05),
    Fault.CREDIT: (0.0, 0.02),
    Fault.SHELF_EMPTY: (0.05, 0.15),
    Fault.SURGE: (0.05, 0.20),
    Fault.NOBODY_FREE: (0.01, 0.05),
    Fault.DRIVER_LATE: (0.05, 0.20),
    Fault.DRIVER_CANCELS: (0.02, 0.10),
    Fault.DEPARTURE_DELAYED: (0.05, 0.20),
    Fault.DEPARTURE_CANCELED: (0.01, 0.05),
    Fault.TABLE_CANCELED: (0.01, 0.05),
    Fault.KITCHEN_DELAYED: (0.05, 0.20),
    Fault.NO_SHOW: (0.0, 0.02),
}


def rate(level: Level, fault: Fault) -> float:
    """The chance of `fault` each time that it could happen."""
    gentle, rough = _RATES[fault]
    return {Level.NONE: 0.0, Level.GENTLE: gentle, Level.ROUGH: rough}[level]


def chance(seed: int, *subject: object) -> float:
    """A number in [0, 1) that depends on nothing but the seed and the subject."""
    text = ":".join(map(str, (seed, *subject)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56


@dataclass(frozen=True, slots=True)
class Forced:
    """A fault that somebody asked for. `merchant` and `operation` of None match any."""

    merchant: str | None
    fault: Fault
    times: int
    operation: str | None = None
    seconds: float | None = None


class Faults:
    """Decides whether a fault happens now. Forced ones come first and are counted down durably."""

    def __init__(self, level: Level, seed: int) -> None:
        self.level = level
        self._seed = seed

    def strike(
        self, tx: Transaction, fault: Fault, merchant: str, operation: str | None = None
    ) -> float | None:
        """Seconds that the fault lasts (0.0 for most) if it happens now, else None."""
        forced = self._forced(tx, fault, merchant, operation)
        if forced is not None:
            return forced
        if self.level is Level.NONE:
            return None
        rolled = tx.execute(
            "INSERT INTO fault_rolls VALUES (?, ?, 1) "
            "ON CONFLICT DO UPDATE SET rolled = rolled + 1 RETURNING rolled",
            (merchant, fault),
        ).fetchone()[0]
        if chance(self._seed, fault, merchant, rolled) < rate(self.level, fault):
            return SECONDS.get(fault, 0.0)
        return None

    def _forced(
        self, tx: Transaction, fault: Fault, merchant: str, operation: str | None
    ) -> float | None:
        row = tx.execute(
            "SELECT id, remaining, seconds FROM forced_faults WHERE fault = ? "
            "AND (merchant IS NULL OR merchant = ?) "
            "AND (operation = ? OR (operation IS NULL AND ?)) ORDER BY id LIMIT 1",
            (fault, merchant, operation, operation is None or operation in WRITES),
        ).fetchone()
        if row is None:
            return None
        if row[1] > 1:
            tx.execute("UPDATE forced_faults SET remaining = remaining - 1 WHERE id = ?", (row[0],))
        else:
            tx.execute("DELETE FROM forced_faults WHERE id = ?", (row[0],))
        return SECONDS.get(fault, 0.0) if row[2] is None else float(row[2])


def force(tx: Transaction, fault: Forced) -> None:
    tx.execute(
        "INSERT INTO forced_faults (merchant, fault, operation, remaining, seconds) "
        "VALUES (?, ?, ?, ?, ?)",
        (fault.merchant, fault.fault, fault.operation, fault.times, fault.seconds),
    )


def forced(tx: Transaction) -> list[Forced]:
    """What is still to come, oldest first."""
    rows = tx.execute(
        "SELECT merchant, fault, remaining, operation, seconds FROM forced_faults ORDER BY id"
    ).fetchall()
    return [Forced(m, Fault(f), n, o, s) for m, f, n, o, s in rows]


def forget(tx: Transaction) -> None:
    tx.execute("DELETE FROM forced_faults")


@dataclass(frozen=True, slots=True)
class Interference:
    """What happens to one HTTP exchange. `delay_s` before it, `hold_s` after its effect."""

    delay_s: float = 0.0
    hold_s: float = 0.0
    fail_before: bool = False
    fail_after: bool = False
    nonsense: bool = False


def interfere(tx: Transaction, faults: Faults, merchant: str, operation: str) -> Interference:
    """Roll for all faults of one exchange."""

    def hit(fault: Fault) -> float | None:
        return faults.strike(tx, fault, merchant, operation)

    return Interference(
        delay_s=hit(Fault.SLOW) or 0.0,
        hold_s=hit(Fault.TIMEOUT) or 0.0,
        fail_before=hit(Fault.HTTP_500_BEFORE) is not None,
        fail_after=hit(Fault.HTTP_500_AFTER) is not None,
        nonsense=hit(Fault.NONSENSE) is not None,
    )
