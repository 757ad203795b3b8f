"""Accuracy and time of the brain on its corpora, and on talk that other people collected.

    .venv/bin/python bench/understanding.py [--merchants N] [--failures]

At the end, the same for generated menus of 100 and 5,000 items, and how long these take to load.

Prints how many orders of tests/brain/data become exactly their cart, how much talk is left alone,
and the CPU time that an utterance takes with N merchants. Where the data folder is present
(LAPEL_DATA), the queries of CLINC150, 150 kinds of talk to an assistant, must become no order.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from lapel.brain import Brain, Frame, Menu, Source, Understanding, Utterance

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "tests" / "brain"


def module(path: Path) -> ModuleType:
    """A module of the tests, so that the bench and the tests judge alike."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"cannot load {path}")
    loaded = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


class Timed:
    """A brain with a stopwatch."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self.times_ms: list[float] = []

    def hear(self, text: str, frame: Frame) -> Understanding:
        started = time.thread_time()
        understood = self._brain.understand(Utterance(text, Source.VOICE), frame)
        self.times_ms.append((time.thread_time() - started) * 1000)
        return understood

    def say(self, texts: list[str]) -> Understanding:
        understood = Understanding(Frame())
        for text in texts:
            understood = self.hear(text, understood.frame)
        return understood


def clinc_queries() -> list[tuple[str, str]]:
    root = os.environ.get("LAPEL_DATA")
    folder = Path(root) if root else ROOT.parent / "shared" / "data"
    file = folder / "clinc150" / "data_full.json.gz"
    if not file.is_file():
        return []
    data: dict[str, list[tuple[str, str]]] = json.loads(gzip.decompress(file.read_bytes()))
    return [(text, intent) for part in data.values() for text, intent in part]


def copies(menus: list[Menu], count: int) -> list[Menu]:
    """The catalogues again under other names, for the time only."""
    made = list(menus)
    while len(made) < count:
        menu = menus[len(made) % len(menus)]
        number = len(made)
        name = f"{menu.merchant_name} {number}"
        made.append(replace(menu, merchant_id=f"{menu.merchant_id}{number}", merchant_name=name))
    return made


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--merchants", type=int, default=4)
    parser.add_argument("--failures", action="store_true", help="print every failure")
    options = parser.parse_args()
    sys.path.insert(0, str(CORPUS))
    conftest = module(CORPUS / "conftest.py")
    positive = module(CORPUS / "test_positive.py")
    menus: list[Menu] = conftest.load_menus()
    timed = Timed(Brain(menus, conftest.ADDRESSES))

    cases: list[dict[str, Any]] = [case for case in positive.CASES if "weak" not in case]
    wrong = [
        (positive.turns(case), failures)
        for case in cases
        if (failures := positive.failures(case, timed.say(positive.turns(case)), menus))
    ]
    print(f"orders: {len(cases) - len(wrong)} of {len(cases)} become exactly their cart")
    for turns, failures in wrong if options.failures else ():
        print(f"  {turns}: {failures}")

    talk: dict[str, list[str]] = yaml.safe_load((CORPUS / "data" / "negative.yaml").read_text())
    talked(timed, [(text, kind) for kind in talk for text in talk[kind]], "talk", options.failures)
    queries = clinc_queries()
    if queries:
        talked(timed, queries, "CLINC150", options.failures)
    else:
        print("CLINC150: skipped, no data folder (set LAPEL_DATA)")

    many = Timed(Brain(copies(menus, options.merchants), conftest.ADDRESSES))
    for _ in range(2):
        many.times_ms.clear()
        for case in cases:
            many.say(positive.turns(case))
    p50, p95 = percentile(many.times_ms, 0.5), percentile(many.times_ms, 0.95)
    print(f"CPU with {options.merchants} merchants: p50 {p50:.2f} ms, p95 {p95:.2f} ms")
    for size in (100, 5_000):
        large(size)
    return 0


def large(size: int, orders: int = 200) -> None:
    """Prints the time of orders at one generated menu; generated in parts, which is quicker."""
    sys.path.insert(0, str(CORPUS.parent))
    kitchens = module(CORPUS.parent / "kitchens.py")
    parts = [kitchens.menu_of(min(250, size), seed) for seed in range(max(1, size // 250))]
    items = [
        replace(item, id=f"{place}-{item.id}")
        for place, part in enumerate(parts)
        for item in part.items
    ]
    menu = replace(parts[0], items=tuple(items[:size]))
    started = time.thread_time()
    brain = Timed(Brain([menu]))
    load_ms = (time.thread_time() - started) * 1000
    speaker = kitchens.Speaker(menu, kitchens.TEMPLATES["held_out"], seed=1)
    for _ in range(orders):
        brain.say(list(speaker.case().turns))
    p95 = percentile(brain.times_ms, 0.95)
    print(f"CPU with {size} items: p95 {p95:.2f} ms, loaded in {load_ms:.0f} ms")


def talked(timed: Timed, texts: list[tuple[str, str]], name: str, show: bool) -> None:
    ordered = [(text, kind) for text, kind in texts if timed.hear(text, Frame()).frame.lines]
    kinds = Counter(kind for _, kind in ordered)
    print(f"{name}: {len(texts) - len(ordered)} of {len(texts)} put nothing into a cart", end="")
    print(f" ({', '.join(f'{k} {n}' for k, n in kinds.most_common(6))})" if kinds else "")
    for text, kind in ordered if show else ():
        print(f"  {kind}: {text}")


if __name__ == "__main__":
    sys.exit(main())
