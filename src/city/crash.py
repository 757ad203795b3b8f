"""Named points at which a test can make the process die as if the power had gone."""

from __future__ import annotations

import os
import signal
from typing import Literal, Protocol, get_args

PointName = Literal[
    "before_checkout", "in_checkout", "after_checkout",
    "before_attempt", "after_attempt",
    "before_capture", "in_capture", "after_capture",
    "before_order", "in_order", "after_order",
    "before_authorize", "in_authorize", "after_authorize",
    "before_release", "in_release", "after_release",
    "before_step", "in_step", "after_step",
    "before_webhook", "after_webhook",
]  # fmt: skip

POINTS: frozenset[str] = frozenset(get_args(PointName))


class CrashPoints(Protocol):
    """Told whenever the process passes a point."""

    def passing(self, point: PointName) -> None: ...


class NoCrash:
    """The everyday one: nothing happens."""

    def passing(self, point: PointName) -> None:
        return


class KillSwitch:
    """Dies by SIGKILL at an armed point, so that no handler, flush or commit can run after it."""

    def __init__(self) -> None:
        self._armed: dict[str, int] = {}

    def arm(self, point: str, after: int = 0) -> None:
        """Die the next time that `point` is passed, or after `after` more times."""
        self._armed[point] = after

    def passing(self, point: PointName) -> None:
        left = self._armed.get(point)
        if left is None:
            return
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._armed[point] = left - 1
