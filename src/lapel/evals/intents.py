"""How well talk is routed: what it is about, and whether it is about anything that is known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from lapel.brain.router import Router
from lapel.evals.data import DataError, opened, percentile

_AT_ONCE = 64


class Misrouted(msgspec.Struct, frozen=True):
    """An utterance that was taken for something else; "" is nothing that is known."""

    text: str
    wanted: str
    got: str


class IntentsReport(msgspec.Struct, frozen=True):
    """`in_scope_accuracy` counts a known utterance that is refused as wrong.

    `out_of_scope_recall` is the share of other talk that is refused, at the same threshold. Times
    are CPU milliseconds of one utterance by itself.
    """

    in_scope: int
    out_of_scope: int
    in_scope_accuracy: float
    accuracy_without_threshold: float
    out_of_scope_recall: float
    threshold: float
    p50_ms: float
    p95_ms: float
    load_ms: float
    misses: tuple[Misrouted, ...] = ()


def measure_intents(
    data: Path, *, keep: int = 0, each: Callable[[int], None] = lambda _: None
) -> IntentsReport:
    """Routes `test` and `oos_test` of a file laid out like CLINC150's `data_full.json`.

    Raises DataError and EncoderUnavailable.
    """
    known, talk = _rows(data, "test"), _rows(data, "oos_test")
    started = time.process_time()
    router = Router.shared()
    load_ms = (time.process_time() - started) * 1e3
    rows = [*known, *((text, "") for text, _ in talk)]
    misses: list[Misrouted] = []
    right = plain = refused = 0
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        routed = router.route_all([text for text, _ in part])
        for (text, wanted), route in zip(part, routed, strict=True):
            got = route.intent if route.known else ""
            plain += bool(wanted) and route.intent == wanted
            right += bool(wanted) and got == wanted
            refused += not wanted and not got
            if got != wanted and len(misses) < keep:
                misses.append(Misrouted(text, wanted, got))
        each(start + len(part))
    times: list[float] = []
    for text, _ in rows[:: max(1, len(rows) // 200)]:
        before = time.process_time()
        router.route(text)
        times.append((time.process_time() - before) * 1e3)
    return IntentsReport(
        in_scope=len(known),
        out_of_scope=len(talk),
        in_scope_accuracy=right / max(len(known), 1),
        accuracy_without_threshold=plain / max(len(known), 1),
        out_of_scope_recall=refused / max(len(talk), 1),
        threshold=router.weights.threshold,
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        load_ms=load_ms,
        misses=tuple(misses),
    )


def _rows(path: Path, part: str) -> list[tuple[str, str]]:
    try:
        with opened(path) as file:
            data = cast("dict[str, Any]", json.load(file))
        return [(str(text), str(label)) for text, label in data[part]]
    except KeyError as error:
        raise DataError(f"{path} has no part {error}") from error
    except DataError:
        raise
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
