"""How exactly spoken orders become trees, by a menu that was only just described."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from lapel.brain import forms
from lapel.evals.data import DataError, lines, percentile, text


class Miss(msgspec.Struct, frozen=True):
    """An order that did not become its tree."""

    text: str
    wanted: str
    got: str


class MenuReport(msgspec.Struct, frozen=True):
    """`exact` is the share of sentences with the very tree, children in any order.

    `item_f1` counts each order of a sentence by itself. Times are CPU milliseconds on one core.
    """

    orders: int
    exact: float
    item_f1: float
    p50_ms: float
    p95_ms: float
    load_ms: float
    misses: tuple[Miss, ...] = ()


def measure_menu(
    menu: Path,
    data: Path,
    *,
    language: str = "en",
    keep: int = 0,
    each: Callable[[int], None] = lambda _: None,
) -> MenuReport:
    """Reads every `text` of `data` by the menu and compares with its `tree`.

    `language` is the code of a language file.

    `keep` is how many misses are kept to look at; `each` is told after every order. Raises
    SchemaError and DataError.
    """
    started = time.process_time()
    parser = forms.Parser(forms.load_schema(menu), language)
    load_ms = (time.process_time() - started) * 1e3
    times: list[float] = []
    misses: list[Miss] = []
    exact = right = wanted_items = got_items = 0
    for number, row in lines(data):
        said = text(data, number, row, "text")
        try:
            wanted = forms.read(text(data, number, row, "tree"))
        except ValueError as error:
            raise DataError(f"{data}, line {number}: {error}") from error
        before = time.process_time()
        orders = parser.parse(said)
        times.append((time.process_time() - before) * 1e3)
        got = tuple(sorted(order.tree() for order in orders))
        right += (Counter(got) & Counter(wanted)).total()
        wanted_items += len(wanted)
        got_items += len(got)
        exact += got == wanted
        if got != wanted and len(misses) < keep:
            misses.append(Miss(said, " ".join(map(str, wanted)), " ".join(map(str, got))))
        each(len(times))
    if not times:
        raise DataError(f"{data} holds no orders")
    return MenuReport(
        orders=len(times),
        exact=exact / len(times),
        item_f1=2 * right / max(wanted_items + got_items, 1),
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        load_ms=load_ms,
        misses=tuple(misses),
    )
