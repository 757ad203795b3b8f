"""How well the brain serves recorded dialogues: calls, carts, and orders that nobody placed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from lapel.evals.data import DataError, percentile
from lapel.evals.taskmaster.agent import Agent, Lookup
from lapel.evals.taskmaster.catalogue import Catalogue, key, named
from lapel.evals.taskmaster.dialogues import WRITES, Dialogue, Turn, dialogues
from lapel.evals.taskmaster.habits import Habits
from lapel.evals.taskmaster.learning import learn
from lapel.evals.taskmaster.record import Made, Record, State


class Missed(msgspec.Struct, frozen=True):
    """A turn with other calls than were wanted, or (without a text) a final cart."""

    id: str
    text: str
    wanted: tuple[str, ...]
    got: tuple[str, ...]


class TaskmasterReport(msgspec.Struct, frozen=True):
    """`turns_exact`: the user's turns with exactly the calls of a perfect agent, in any order.

    `calls_f1` is over all calls by themselves. Both are measured with the recorded turns before as
    the context. `final_cart` is the share of dialogues that end with exactly the cart of the
    recording (items, pieces, options, add-ons, how it is taken), empty ones too, and
    `final_cart_of_orders` of those that order something; there the context is our own.
    `final_cart_with_notes` compares the words of notes as well. `false_writes` are dialogues
    without a call that writes in which we make one. `skipped` dialogues hold requests that cannot
    be read. Times are CPU milliseconds a turn.
    """

    dialogues: int
    skipped: int
    turns: int
    turns_exact: float
    turns_with_calls_exact: float
    calls_f1: float
    final_cart: float
    final_cart_of_orders: float
    final_cart_with_notes: float
    without_write: int
    false_writes: int
    p50_ms: float
    p95_ms: float
    misses: tuple[Missed, ...] = ()


def measure_taskmaster(
    data: Path, menu: Path, *, keep: int = 0, each: Callable[[int], None] = lambda _: None
) -> TaskmasterReport:
    """Answers the dialogues of `data`, with a menu learned from the calls of those of `menu`.

    Raises DataError.
    """
    tally = _Tally(*learn(list(dialogues(menu))), keep)
    for number, dialogue in enumerate(dialogues(data), 1):
        tally.take(dialogue)
        each(number)
    if not tally.turns:
        raise DataError(f"{data} holds no dialogue that can be scored")
    return tally.report()


class _Tally:
    def __init__(self, catalogue: Catalogue, habits: Habits, keep: int) -> None:
        self._catalogue = catalogue
        self._agent = Agent(catalogue, habits)
        self._keep = keep
        self._misses: list[Missed] = []
        self._times: list[float] = []
        self._count: Counter[str] = Counter()
        self.turns = 0

    def take(self, dialogue: Dialogue) -> None:
        if dialogue.broken:
            self._count["skipped"] += 1
            return
        record = Record(self._catalogue)
        own, wrote = State(), False
        for turn in dialogue.turns:
            if not turn.users:
                continue
            look_up = self._looking(turn)
            before = time.process_time()
            given = self._agent.turn(turn.text, record.state, look_up)
            self._times.append((time.process_time() - before) * 1e3)
            kept = own == record.state
            self._turn(dialogue, turn, record.turn(turn.calls), given.calls)
            reply = given if kept else self._agent.turn(turn.text, own, look_up)
            own = reply.state
            wrote = wrote or any(call.name in WRITES for call in reply.calls)
        self._end(dialogue, record.state, own, wrote)

    def _turn(self, dialogue: Dialogue, turn: Turn, wanted: list[Made], got: list[Made]) -> None:
        exact = Counter(wanted) == Counter(got)
        self.turns += 1
        self._count["exact"] += exact
        self._count["with_calls"] += bool(wanted)
        self._count["with_calls_exact"] += bool(wanted) and exact
        self._count["shared"] += (Counter(wanted) & Counter(got)).total()
        self._count["calls"] += len(wanted) + len(got)
        if not exact:
            self._miss(dialogue.id, turn.text, map(str, wanted), map(str, got))

    def _end(self, dialogue: Dialogue, wanted: State, got: State, wrote: bool) -> None:
        same = wanted.cart() == got.cart()
        self._count["dialogues"] += 1
        self._count["same"] += same
        self._count["same_notes"] += wanted.cart(notes=True) == got.cart(notes=True)
        self._count["orders"] += bool(wanted.lines)
        self._count["orders_same"] += bool(wanted.lines) and same
        self._count["without_write"] += not dialogue.writes
        self._count["false_writes"] += wrote and not dialogue.writes
        if not same:
            self._miss(dialogue.id, "", (x for _, x in wanted.cart()), (x for _, x in got.cart()))

    def _miss(self, name: str, text: str, wanted: Iterable[str], got: Iterable[str]) -> None:
        if len(self._misses) < self._keep:
            self._misses.append(Missed(name, text, tuple(wanted), tuple(got)))

    def _looking(self, turn: Turn) -> Lookup:
        """The shop of this turn: what it answered then, or, asked nothing, what its menu says."""
        recorded = [call for call in turn.calls if call.name == "get_menu_items"]

        def look_up(query: str) -> list[str]:
            if recorded:
                return [
                    n for c in recorded for n in named(c, "menu_items", "menu_item_id").values()
                ]
            found = self._catalogue.items.find(key(query))
            return [found] if found else []

        return look_up

    def report(self) -> TaskmasterReport:
        count, several = self._count, max(self._count["dialogues"], 1)
        return TaskmasterReport(
            dialogues=count["dialogues"],
            skipped=count["skipped"],
            turns=self.turns,
            turns_exact=count["exact"] / self.turns,
            turns_with_calls_exact=count["with_calls_exact"] / max(count["with_calls"], 1),
            calls_f1=2 * count["shared"] / max(count["calls"], 1),
            final_cart=count["same"] / several,
            final_cart_of_orders=count["orders_same"] / max(count["orders"], 1),
            final_cart_with_notes=count["same_notes"] / several,
            without_write=count["without_write"],
            false_writes=count["false_writes"],
            p50_ms=percentile(self._times, 0.5),
            p95_ms=percentile(self._times, 0.95),
            misses=tuple(self._misses),
        )
