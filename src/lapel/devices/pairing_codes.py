"""Six-digit codes between two sides of a pairing: single use, five minutes, few tries. Sans-IO."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lapel.devices.errors import TooManyTries, Unauthorized

CODE_S = 300.0
TRIES = 5
TRIES_S = 60.0
"""Wrong tries in this time, over all links together and so also on each."""
ACTIVE = 64
ACTIVE_EACH = 8
"""Codes waiting at once, in all and for one owner (a user, or the address of a device)."""

T = TypeVar("T")


def _draw() -> str:
    return f"{secrets.randbelow(10**6):06d}"


@dataclass(frozen=True, slots=True)
class ActiveCode(Generic[T]):
    code: str
    owner: str
    subject: T
    expires_at: float


class PairingCodes(Generic[T]):
    """Codes of one direction; `subject` is what a code stands for."""

    def __init__(self, draw: Callable[[], str] = _draw) -> None:
        self._draw = draw
        self._codes: dict[str, ActiveCode[T]] = {}
        self._wrong: deque[float] = deque(maxlen=TRIES)

    def issue(self, owner: str, subject: T, now: float) -> ActiveCode[T]:
        """A new code. Raises TooManyTries when too many are waiting."""
        self._expire(now)
        mine = sum(1 for entry in self._codes.values() if entry.owner == owner)
        if len(self._codes) >= ACTIVE or mine >= ACTIVE_EACH:
            raise TooManyTries("too many pairing codes are waiting; try again in five minutes")
        code = self._draw()
        while code in self._codes:
            code = self._draw()
        entry = ActiveCode(code, owner, subject, now + CODE_S)
        self._codes[code] = entry
        return entry

    def redeem(self, code: str, now: float) -> T:
        """What the code stands for, once. Raises Unauthorized, or TooManyTries before looking."""
        self._expire(now)
        if len(self._wrong) == TRIES and now - self._wrong[0] < TRIES_S:
            raise TooManyTries("too many wrong codes; wait a minute and try again")
        entry = self._codes.pop(code, None)
        if entry is None:
            self._wrong.append(now)
            raise Unauthorized("the code is wrong, used or expired; ask for another one")
        return entry.subject

    def withdraw(self, code: str) -> None:
        self._codes.pop(code, None)

    def waiting(self, now: float) -> list[ActiveCode[T]]:
        self._expire(now)
        return list(self._codes.values())

    def _expire(self, now: float) -> None:
        for code in [code for code, entry in self._codes.items() if now >= entry.expires_at]:
            del self._codes[code]
