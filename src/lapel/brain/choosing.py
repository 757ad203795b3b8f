"""Which merchant an order goes to: the named one, else the best fit; a tie is asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lapel.brain import wording
from lapel.brain.attempts import Attempt
from lapel.brain.frame import Question, Slot
from lapel.brain.phrases import Head


@dataclass(frozen=True, slots=True)
class Chosen:
    """The attempt to go on with, or a question that must be answered first."""

    attempt: Attempt
    question: Question | None = None


def choose(
    attempts: Sequence[Attempt], merchant_id: str | None, favourites: Sequence[str]
) -> Chosen:
    """`attempts` is not empty; `merchant_id` is the frame's."""

    def rank(attempt: Attempt) -> tuple[int, ...]:
        menu = attempt.menu
        return (
            int(attempt.outcome.found > 0),
            attempt.outcome.found + attempt.folded - attempt.lacking,
            -attempt.lacking,
            attempt.folded,
            int(menu.open_now),
            int(menu.merchant_id == merchant_id),
            int(attempt.well_named),
            int(menu.merchant_id in favourites),
        )

    ranked = sorted(attempts, key=rank, reverse=True)
    best = ranked[0]
    if best.outcome.found == 0:
        return Chosen(best)
    if best.lacking and (split := _split(best, ranked[1:])):
        return Chosen(best, split)
    tied = [attempt for attempt in ranked if rank(attempt) == rank(best)]
    shop = best.reading.unknown_shop
    if len(tied) > 1 or (shop and not best.reading.merchants):
        return Chosen(best, _ask(tied))
    return Chosen(best)


def _ask(tied: Sequence[Attempt]) -> Question:
    names = [attempt.menu.merchant_name for attempt in tied]
    return Question(Slot.MERCHANT, wording.ask_merchant(names), _choices(tied))


def _choices(attempts: Sequence[Attempt]) -> tuple[tuple[str, str], ...]:
    return tuple((a.menu.merchant_id, a.menu.merchant_name) for a in attempts)


def _split(best: Attempt, others: Sequence[Attempt]) -> Question | None:
    """Another shop has what the best one lacks: one order comes from one shop."""
    lacking = {(p.start, p.end) for p in best.reading.unknowns}
    for other in others:
        has = [
            p
            for p in other.reading.items
            if p.head is Head.ITEM and _overlaps((p.start, p.end), lacking)
        ]
        if has and other.outcome.found and other.menu.open_now:
            both = (best, other)
            told = [(a.menu.merchant_name, _titles(a)) for a in both]
            return Question(Slot.MERCHANT, wording.split_between(told), _choices(both))
    return None


def _overlaps(place: tuple[int, int], others: set[tuple[int, int]]) -> bool:
    return any(place[0] < end and start < place[1] for start, end in others)


def _titles(attempt: Attempt) -> str:
    titles = [attempt.cart.item(line).title for line in attempt.cart.lines]
    titles += [words for unclear in attempt.outcome.unclear for words in [unclear.words]]
    return wording.listed(list(dict.fromkeys(titles)))
