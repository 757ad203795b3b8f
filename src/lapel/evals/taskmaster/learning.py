"""Learns a menu and its habits from recorded dialogues, by reading them with the brain itself.

Three passes, each over the same dialogues: what the API answers (the catalogue), what customers
call things (an order's words that the brain cannot explain, beside the one option that it missed),
and what is done with questions and with words that belong to nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from lapel.brain import AddLine, AskMenu, Brain, CartLine, Frame, Source, Understanding, Utterance
from lapel.evals.taskmaster.catalogue import Catalogue, key
from lapel.evals.taskmaster.dialogues import Dialogue, Turn
from lapel.evals.taskmaster.habits import Habits
from lapel.evals.taskmaster.record import Made, Record, content

_TIMES = 3
_SHARE = 0.6
_NOTHING = ("", "")
_ROUNDS = 2
_QUESTIONS = frozenset({("show_menu",), ("get_menu_items",), ("show_menu", "get_menu_items")})


def learn(known: Sequence[Dialogue]) -> tuple[Catalogue, Habits]:
    """The catalogue of these dialogues with what customers call it, and their habits."""
    catalogue = Catalogue.learn(known)
    for _ in range(_ROUNDS):
        _learn_words(catalogue, known)
    return catalogue, _learn_habits(catalogue, known)


def _read(
    catalogue: Catalogue, known: Sequence[Dialogue]
) -> Iterator[tuple[Turn, list[Made], Record, Understanding]]:
    """Every turn in which nothing is ordered yet, with its calls and what the brain makes of it."""
    brain = Brain([catalogue.menu()])
    for dialogue in known:
        record = Record(catalogue)
        for turn in dialogue.turns:
            if dialogue.broken or not turn.users or record.state.lines:
                continue
            refused = record.state.refused
            made = record.turn(turn.calls)
            if refused:
                continue
            frame = Frame(brain.menus[0].merchant_id, pickup=True)
            yield turn, made, record, brain.understand(Utterance(turn.text, Source.TYPED), frame)


def _learn_words(catalogue: Catalogue, known: Sequence[Dialogue]) -> None:
    """Words that stand where one known thing was missed become another name of it."""
    meant: dict[str, Counter[tuple[str, str]]] = {}
    for _, _, record, understood in _read(catalogue, known):
        wanted = record.state.lines
        got = tuple(a.line for a in understood.actions if isinstance(a, AddLine))
        if len(wanted) != 1 or len(got) > 1:
            continue
        missed = list((_things(wanted) - _things(got)).elements())
        for words in understood.unknown:
            meant.setdefault(key(words), Counter())[
                missed[0] if len(missed) == 1 else _NOTHING
            ] += 1
    for words, things in meant.items():
        thing, times = things.most_common(1)[0]
        if thing != _NOTHING and times >= _TIMES and times / things.total() > _SHARE:
            catalogue.call(*thing, words)


def _things(lines: Sequence[CartLine]) -> Counter[tuple[str, str]]:
    chosen = [(group, v) for line in lines for group, values in line.options for v in values]
    return Counter([*(("", line.item_id) for line in lines), *chosen])


def _learn_habits(catalogue: Catalogue, known: Sequence[Dialogue]) -> Habits:
    habits = Habits()
    heard: Counter[str] = Counter()
    noted: Counter[str] = Counter()
    for _, made, record, understood in _read(catalogue, known):
        asked = next((a for a in understood.actions if isinstance(a, AskMenu)), None)
        names = tuple(call.name for call in made)
        if asked is not None and names in _QUESTIONS:
            habits.count(asked.asks, content(asked.query), names)
        if record.state.lines:
            got = [a.line.note for a in understood.actions if isinstance(a, AddLine)]
            beside = set(content(" ".join([*understood.unknown, *got])).split())
            written = {word for line in record.state.lines for word in line.note.split()}
            heard.update(beside)
            noted.update(beside & written)
    habits.leave_unsaid(heard, noted)
    return habits
