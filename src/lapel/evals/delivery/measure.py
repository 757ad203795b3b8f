"""How many delivery tasks end with exactly the orders that they should."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec

from lapel.evals.data import DataError, percentile
from lapel.evals.delivery.desk import Desk
from lapel.evals.delivery.endpoint import serve
from lapel.evals.delivery.ordering import order
from lapel.evals.delivery.tasks import Task, tasks


class Undone(msgspec.Struct, frozen=True):
    """A task that did not end as it should, and the new orders that were made."""

    id: str
    wish: str
    made: tuple[str, ...]


class DeliveryReport(msgspec.Struct, frozen=True):
    """`done` is the share of tasks whose orders are exactly those of one right end.

    `wrong_orders` are tasks in which something was ordered and the end is not right, `untouched`
    those in which nothing was. `asked` counts requests to the model. Seconds are of the clock.
    """

    tasks: int
    done: float
    wrong_orders: int
    untouched: int
    asked: int
    p50_s: float
    misses: tuple[Undone, ...] = ()


def measure_delivery(
    data: Path,
    *,
    llm: str = "",
    model: str = "default",
    keep: int = 0,
    each: Callable[[int], None] = lambda _: None,
) -> DeliveryReport:
    """Does the tasks of `data`, by the brain alone or, with `llm`, by the model at that URL.

    Raises DataError and EndpointError.
    """
    done = wrong = untouched = asked = 0
    times: list[float] = []
    misses: list[Undone] = []
    with httpx.Client() as client:
        for task in tasks(data):
            desk = Desk(task)
            started = time.monotonic()
            if llm:
                asked += serve(task, desk, client, llm, model)
            else:
                order(task, desk)
            times.append(time.monotonic() - started)
            right, same = task.reached(desk.orders), desk.orders == list(task.orders.values())
            done += right
            wrong += not right and not same
            untouched += same
            if not right and len(misses) < keep:
                misses.append(Undone(task.id, task.wish, _made(task, desk)))
            each(len(times))
    if not times:
        raise DataError(f"{data} holds no delivery task")
    return DeliveryReport(
        tasks=len(times),
        done=done / len(times),
        wrong_orders=wrong,
        untouched=untouched,
        asked=asked,
        p50_s=percentile(times, 0.5),
        misses=tuple(misses),
    )


def _made(task: Task, desk: Desk) -> tuple[str, ...]:
    before = list(task.orders.values())
    return tuple(str(placed) for placed in desk.orders if placed not in before)
