"""The brain at the counter of these dialogues: what is understood becomes calls of their API.

Understanding is the product's; what is here is how this API is used, as its dialogues show it: look
an item up before it is ordered, look its options up by what was asked for, show the order after
every change, send it off when the user says that it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lapel.brain import (
    AddLine,
    Affirm,
    AskMenu,
    Brain,
    CartLine,
    ChangeLine,
    Frame,
    RemoveLine,
    Source,
    Understanding,
    Utterance,
)
from lapel.brain.questions import Asks
from lapel.evals.taskmaster.catalogue import ADDONS, Catalogue, key
from lapel.evals.taskmaster.habits import Habits
from lapel.evals.taskmaster.record import (
    KEPT,
    Argument,
    Made,
    State,
    added,
    content,
    item_name,
    option_name,
    updated,
)

Lookup = Callable[[str], list[str]]
"""What the shop answers to a look-up: the names that it has."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent does in a turn, and where the dialogue then stands."""

    calls: list[Made]
    state: State


class Agent:
    """Answers the turns of a dialogue. Keeps nothing between them: the state is handed over."""

    def __init__(self, catalogue: Catalogue, habits: Habits) -> None:
        self._catalogue = catalogue
        self._habits = habits
        self._menu = catalogue.menu()
        self._brain = Brain([self._menu])

    def turn(self, text: str, state: State, look_up: Lookup) -> Reply:
        understood = self._understand(self._brain, text, state)
        state, refused = replace(state, refused=False), state.refused
        lines = [action.line for action in understood.actions if isinstance(action, AddLine)]
        if lines and not state.lines:
            return self._add(lines, understood, state, look_up)
        if any(isinstance(x, ChangeLine | RemoveLine | AddLine) for x in understood.actions):
            return self._change(understood, state)
        asked = next((a for a in understood.actions if isinstance(a, AskMenu)), None)
        if asked is not None:
            return self._answer(asked, state, refused=refused)
        if any(isinstance(a, Affirm) for a in understood.actions) and state.lines:
            return Reply([Made("finish_order")], replace(state, finished=True))
        if understood.unknown and not state.lines:
            return self._strange(text, understood, state, look_up)
        return Reply([], state)

    def _understand(self, brain: Brain, text: str, state: State) -> Understanding:
        frame = Frame(
            self._menu.merchant_id, state.lines, pickup=True, awaiting_approval=bool(state.lines)
        )
        return brain.understand(Utterance(text, Source.TYPED), frame)

    def _add(
        self, lines: list[CartLine], understood: Understanding, state: State, look_up: Lookup
    ) -> Reply:
        first = lines[0]
        if first.item_id in state.missing:
            return Reply([], state)
        calls = [Made.of("get_menu_items", ("query", first.item_id))]
        found = [item_name(self._catalogue, name) for name in look_up(first.item_id)]
        if first.item_id not in found:
            return Reply(calls, _without(state, first.item_id))
        order: dict[str, str] = {}
        own: list[CartLine] = []
        for line in lines:
            order |= {g: v[0] for g, v in line.options if g in self._catalogue.order}
            options = tuple((g, v) for g, v in line.options if g not in self._catalogue.order)
            line = _noted(replace(line, options=options))
            own.append(replace(line, note=self._note(line, [line.note])))
        rest = [own[-1].note, *understood.unknown]
        own[-1] = replace(own[-1], note=self._note(own[-1], rest))
        calls += self._looked_up([line for line in own if line.item_id == first.item_id])
        calls += [added(line) for line in own]
        for group, value in order.items():
            calls.append(Made.of("get_addons", ("query", value), ("scope", "order")))
            calls.append(Made.of("update_order", (group, value)))
        calls.append(Made("get_order_details"))
        return Reply(calls, replace(state, lines=tuple(own), order=tuple(order.items())))

    def _note(self, line: CartLine, said: Iterable[str]) -> str:
        """What no option says is a note, but for words that nobody here writes down."""
        chosen = {w for _, values in line.options for v in values for w in content(v).split()}
        unsaid = self._habits.unsaid | chosen
        return " ".join(word for word in content(" ".join(said)).split() if word not in unsaid)

    def _looked_up(self, lines: list[CartLine]) -> list[Made]:
        """The look-up of all that was asked for beside one item, if anything was."""
        asked: list[Argument] = []
        for line in lines:
            asked += [("query", value) for _, values in line.options for value in values]
            asked += [("query", line.note)] if line.note else []
        return [Made.of("get_addons", *asked, ("item", lines[0].item_id))] if asked else []

    def _change(self, understood: Understanding, state: State) -> Reply:
        calls: list[Made] = []
        lines = understood.frame.lines
        for place, (old, new) in enumerate(zip(state.lines, lines, strict=False)):
            before = {(g, v) for g, values in old.options for v in values}
            chosen = [
                (g, (v,)) for g, values in new.options for v in values if (g, v) not in before
            ]
            unknown = [v for _, (v,) in chosen if v not in state.offered]
            if unknown:
                asked: list[Argument] = [("query", value) for value in unknown]
                calls.append(Made.of("get_addons", *asked, ("item", new.item_id)))
            if chosen:
                calls.append(updated(place, chosen))
        if not calls:
            return Reply([], state)
        calls.append(Made("get_order_details"))
        return Reply(calls, replace(state, lines=lines))

    def _answer(self, asked: AskMenu, state: State, *, refused: bool) -> Reply:
        topic = content(asked.query)
        if state.lines:
            item = state.lines[-1].item_id
            query = ("query", option_name(self._catalogue, asked.query))
            return Reply([Made.of("get_addons", query, ("item", item))], state)
        query = item_name(self._catalogue, asked.query)
        if asked.asks is Asks.CONTENTS:
            described = ("query", query), ("field", "description")
            return Reply([Made.of("get_menu_items", *described)], state)
        names = ("show_menu",) if refused else self._habits.answer(asked.asks, topic)
        made = {"get_menu_items": Made.of("get_menu_items", ("query", query))}
        return Reply([made.get(name, Made(name)) for name in names], state)

    def _strange(
        self, text: str, understood: Understanding, state: State, look_up: Lookup
    ) -> Reply:
        """Something that the menu does not name: the shop is asked, and may have it."""
        query = item_name(self._catalogue, understood.unknown[0])
        calls = [Made.of("get_menu_items", ("query", query))]
        found = [key(name) for name in look_up(query)]
        if not found:
            return Reply(calls, _without(state, query))
        again = self._understand(Brain([self._catalogue.menu(*found)]), text, state)
        lines = [action.line for action in again.actions if isinstance(action, AddLine)]
        lines = [line for line in lines if line.item_id in found]
        if not lines:
            return Reply(calls, _without(state, query))
        return self._add(lines, again, state, lambda _: found)


def _noted(line: CartLine) -> CartLine:
    """More or less of something that can only be chosen or not is a note and no choice."""
    said = content(line.note).split()
    if not KEPT & set(said):
        return line
    options = tuple(
        (group, values)
        for group, values in line.options
        if group == ADDONS
        or not any(_begin_alike(a, b) for v in values for a in v.split() for b in said)
    )
    return replace(line, options=options)


def _begin_alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) > 2 and long.startswith(short)


def _without(state: State, name: str) -> State:
    """The state after it was found that the shop does not have a thing."""
    return replace(state, refused=True, missing=state.missing | {name})
