"""The dialogue about the shopping list: kept, ordered, and answered while it is picked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from lapel.assistant.goods import cues, grammar
from lapel.assistant.goods.grammar import Add, Clear, Prefer, Show, TakeOff, Wish
from lapel.assistant.goods.tools import LIST_TOOLS
from lapel.assistant.ordering import (
    NOT_ORDERED,
    Costless,
    Ordering,
    PlacesPort,
    default_place,
    own_place,
    sentence,
    told,
)
from lapel.assistant.parts import Around, Asks, Made
from lapel.assistant.politeness import is_no, is_yes
from lapel.assistant.skills import Heard, Outcome
from lapel.assistant.words import joined
from lapel.brain.tools import Tool
from lapel.commerce import (
    Address,
    DraftLine,
    Money,
    OrderDraft,
    OrderError,
    Orders,
    OrderState,
    Refused,
    spoken,
)
from lapel.commerce.checkout import Substitution
from lapel.services.goods import Good, Grocer, ListItem, Match, ShoppingList, TooLong, Wanted
from lapel.services.goods.matching import find, quantity_of, words

KEPT_S = 120.0
"""A question that nobody answered for so long is forgotten."""
KIND = "groceries"
COSTLESS = Costless("The grocer does not answer.", "Nothing was ordered.")
NO_GROCER = "I know no grocer yet. Add one with: lapel merchants add."
PREFERRED: dict[Substitution, str] = {
    "none": "All right, nothing is brought in the place of what is missing.",
    "similar": "All right, what is missing is replaced by something similar that is no dearer.",
    "ask": "All right, I ask you before anything is replaced.",
}

_FOR_ONE: dict[Substitution, str] = {
    "none": "left out if it is missing.",
    "similar": "replaced by something similar that is no dearer if it is missing.",
    "ask": "I ask you before it is replaced.",
}


class GroceriesPort(Protocol):
    """What the skill needs of `services.goods.Groceries`."""

    async def grocers(self) -> list[Grocer]: ...
    def sold_out(self, merchant_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class _Which:
    """Which of these was meant by an entry; `wish` goes on once that is known."""

    at: float
    entry: ListItem
    choices: tuple[Good, ...]
    wish: grammar.Order
    said: str


@dataclass(frozen=True, slots=True)
class _Drafted:
    """The order, the entries that are in it, and what it lacks, in words."""

    draft: OrderDraft
    taken: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Undo:
    """What a turn did to the list."""

    added: tuple[str, ...] = ()
    removed: tuple[ListItem, ...] = ()


@dataclass(slots=True)
class ListSkill:
    """One user's shopping list; implements `Skill`."""

    user_id: str
    orders: Orders
    groceries: GroceriesPort
    list: ShoppingList
    places: PlacesPort
    _asked: _Which | None = None
    _skipped: set[str] = field(default_factory=set[str])
    """Entries that the user wants none of the choices for, this time."""
    _done: dict[int, _Undo] = field(default_factory=dict[int, _Undo])
    _ordering: Ordering = field(init=False)

    def __post_init__(self) -> None:
        self._ordering = Ordering(
            self.user_id, self.orders, lambda x: x.kind == KIND, _same_shop, NOT_ORDERED
        )

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a whole utterance about the list, and the answer to its own question."""
        asked = self._asked
        if asked is not None and heard.at - asked.at > KEPT_S:
            asked = self._asked = None
        return await told(self._heard(asked, heard), COSTLESS, TooLong)

    async def _heard(self, asked: _Which | None, heard: Heard) -> Outcome | None:
        wish = grammar.read(heard.words.text)
        if wish is not None:
            return await self._act(wish, heard)
        if asked is not None and (answer := await self._chosen(asked, heard)) is not None:
            return answer
        return await self._about_open(heard)

    async def undo(self, turn: int) -> None:
        """The user was still speaking: the list is as it was, and what was begun is dropped."""
        await self._ordering.undo(turn)
        done = self._done.pop(turn, None)
        if done is None:
            return
        self._asked = None
        await self.list.remove(done.added)
        if done.removed:
            await self.list.add([entry.wanted for entry in done.removed])

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """An answer to what the grocer offers."""
        kind, _, rest = topic.partition(":")
        order_id, _, line_id = rest.partition(":")
        if kind != "substitution" or action not in (cues.ACCEPT, cues.DECLINE):
            return None
        return await self._answer(order_id, line_id, accept=action == cues.ACCEPT)

    def tools(self) -> Sequence[Tool]:
        return LIST_TOOLS

    def hints(self) -> Sequence[str]:
        return (
            "shopping list",
            "add to my shopping list",
            "order my shopping list",
            "substitutions",
        )

    # The list. ------------------------------------------------------------------------------------

    async def _act(self, wish: Wish, heard: Heard) -> Outcome | None:
        match wish:
            case Add(wanted=wanted):
                added = await self.list.add(wanted)
                self._done = {heard.turn: _Undo(added=tuple(entry.id for entry in added))}
                every = await self.list.all()
                text = f"Added {cues.list_text(wanted)}. {_things(len(every))} on your list."
                return Outcome(text, cues.list_card([entry.wanted for entry in every], text))
            case Show():
                return await self._show()
            case TakeOff(texts=texts, sure=sure):
                return await self._take_off(texts, heard, sure=sure)
            case Clear():
                every = await self.list.all()
                await self.list.remove([entry.id for entry in every])
                self._done = {heard.turn: _Undo(removed=tuple(every))}
                return Outcome("Your shopping list is empty now.")
            case Prefer(substitution=wish_):
                return await self._prefer(wish_)
            case grammar.PreferEach(wishes=wishes):
                return await self._prefer_for(wishes)
            case grammar.Order():
                self._skipped.clear()
                return await self._order(wish, heard)

    async def _show(self) -> Outcome:
        wanted = [entry.wanted for entry in await self.list.all()]
        if not wanted:
            return Outcome("Your shopping list is empty.")
        text = cues.list_text(wanted)
        return Outcome(f"{text[0].upper()}{text[1:]}.", cues.list_card(wanted))

    async def _take_off(self, texts: Sequence[str], heard: Heard, *, sure: bool) -> Outcome | None:
        every = await self.list.all()
        found: list[ListItem] = []
        unknown: list[str] = []
        for text in texts:
            named = [x for x in every if words(x.wanted.text) == words(text)]
            named = named or [x for x in every if set(words(text)) <= set(words(x.wanted.text))]
            found += [entry for entry in named if entry not in found]
            if not named:
                unknown.append(text)
        if not found:
            # "Take the onions off" may be about the cart.
            return Outcome(f"There is no {joined(texts)} on your list.") if sure else None
        if heard.cart_open and not sure:
            return None
        await self.list.remove([entry.id for entry in found])
        self._done = {heard.turn: _Undo(removed=tuple(found))}
        missing = f" There is no {joined(unknown)} on it." if unknown else ""
        left = [entry.wanted for entry in every if entry not in found]
        off = "is" if len(found) == 1 else "are"
        text = sentence(f"{joined([x.wanted.text for x in found])} {off} off your list.{missing}")
        return Outcome(text, cues.list_card(left, text))

    async def _prefer(self, wish: Substitution) -> Outcome:
        await self.list.set_substitution(wish)
        order = await self._ordering.waiting()
        if order is None:
            return Outcome(PREFERRED[wish])
        lines = tuple(_replaced_by(line, wish) for line in order.draft.lines)
        await self.orders.revise(order.id, _with_lines(order.draft, lines))
        return Outcome(awaited=order.id, notes=(PREFERRED[wish],))

    async def _prefer_for(self, wishes: Sequence[Prefer]) -> Outcome | None:
        """Of the order that waits; None without one: it may be about anything."""
        order = await self._ordering.waiting()
        if order is None:
            return None
        lines, notes = list(order.draft.lines), list[str]()
        for wish in wishes:
            named = [n for n, x in enumerate(lines) if set(words(wish.of)) <= set(words(x.title))]
            if wish.of and (len(named) != 1 or not words(wish.of)):
                which = joined([lines[n].title for n in named], "or") if words(wish.of) else ""
                text = f"Which one: {which}?" if which else f"There is no {wish.of} in this order."
                return Outcome(text)
            if wish.most is not None and order.total and wish.most.currency != order.total.currency:
                return Outcome(f"This order is in {order.total.currency}: say the amount in that.")
            for n in named:
                lines[n] = _replaced_by(lines[n], wish.substitution, wish.most)
            notes.append(_in_words(lines[named[0]].title if wish.of else "All of it", wish))
        await self.orders.revise(order.id, _with_lines(order.draft, tuple(lines)))
        return Outcome(awaited=order.id, notes=tuple(notes))

    # From the list to an order. -------------------------------------------------------------------

    async def _order(self, wish: grammar.Order, heard: Heard) -> Outcome:
        said = heard.words.text
        found = await self._drafted(wish, said, heard.at)
        match found:
            case _Which():
                self._asked = found
                text = found.entry.wanted.text
                return Outcome(
                    cues.which(text, found.choices), cues.choices_card(text, found.choices)
                )
            case _Drafted(draft, taken, notes):
                return await self._begin(draft, taken, notes, heard)

    async def part(self, wish: grammar.Order, around: Around) -> Made | Asks:
        """The list as a part of a plan. Which of several things is meant is asked, and kept."""
        found = await self._drafted(wish, around.said, around.at)
        if isinstance(found, _Which):
            text = found.entry.wanted.text
            labels = tuple(good.title for good in found.choices)
            return Asks(cues.which(text, found.choices), lambda said: _meant(found, said), labels)
        title = f"Groceries, {joined([line.title for line in found.draft.lines])}"

        async def begun(order_id: str) -> None:
            await self.list.ordered(found.taken, order_id)
            self.groceries.sold_out(found.draft.merchant_id)

        return Made(" ".join((*found.notes, title)), found.draft, begun=begun)

    async def _drafted(self, wish: grammar.Order, said: str, at: float) -> _Drafted | _Which:
        """The order of all that is on the list, or the question which of several is meant."""
        for entry_id, good_id in wish.chosen:
            await self.list.choose(entry_id, good_id)
        entries = [entry for entry in await self.list.all() if entry.id not in self._skipped]
        if not entries:
            raise Refused("Your shopping list is empty. Say, for example: add milk to my list.")
        grocers = await self.groceries.grocers()
        if not grocers:
            raise Refused(NO_GROCER)
        grocer = _best(grocers, entries)
        if not grocer.open_now:
            raise Refused(f"{grocer.name} is closed. {grocer.opens_text}".strip())
        address = await self._where(wish.place)
        if address is None:
            raise Refused(f"I do not know where {wish.place or 'it should go'} is.")
        policy = wish.substitution or await self.list.substitution()
        lines: dict[str, DraftLine] = {}
        taken: list[str] = []
        notes: list[str] = []
        for entry in entries:
            match = _match(entry, grocer)
            if match.choices:
                return _Which(at, entry, match.choices, wish, said)
            if match.good is None:
                notes.append(_not_had(entry.wanted, match, grocer))
                continue
            lines[match.good.id] = _line(lines.get(match.good.id), entry.wanted, match.good, policy)
            taken.append(entry.id)
        if not lines:
            raise Refused(" ".join([*notes, "So there is nothing to order."]))
        draft = OrderDraft(
            merchant_id=grocer.merchant_id,
            lines=tuple(lines.values()),
            address=address,
            said=said,
            kind=KIND,
        )
        return _Drafted(draft, tuple(taken), tuple(notes))

    async def _begin(
        self, draft: OrderDraft, taken: Sequence[str], notes: tuple[str, ...], heard: Heard
    ) -> Outcome:
        """Price it and ask. What waited for an answer before is replaced."""
        begun = await self._ordering.begin(draft, heard, notes)
        if begun.awaited is not None:
            await self.list.ordered(taken, begun.awaited)
            self.groceries.sold_out(draft.merchant_id)  # the next list is read against full shelves
        return begun

    async def _chosen(self, asked: _Which, heard: Heard) -> Outcome | None:
        """The answer to "which one?"; None when the words are about something else."""
        text = grammar.plain(heard.words.text)
        if is_no(text) or text in ("none", "none of them", "neither"):
            self._asked = None
            self._skipped.add(asked.entry.id)
            return await self._order(asked.wish, heard)
        picked = _picked(text, asked.choices)
        if picked is None:
            return None
        self._asked = None
        await self.list.choose(asked.entry.id, picked.id)
        return await self._order(asked.wish, heard)

    async def _about_open(self, heard: Heard) -> Outcome | None:
        """Yes and no: to what the grocer offers, or while groceries wait for their press."""
        text = heard.words.text
        if heard.cart_open or not (is_yes(text) or is_no(text)):
            return None
        offered = await self._offered()
        if offered is not None:
            return await self._answer(*offered, accept=is_yes(text))
        return await self._ordering.about_waiting(heard)

    # While it is picked. --------------------------------------------------------------------------

    async def _answer(self, order_id: str, line_id: str, *, accept: bool) -> Outcome:
        order = await self.orders.get(order_id)
        offer = None if order is None else await self._last_offer(order_id, line_id)
        if order is None or order.user_id != self.user_id or offer is None:
            return Outcome("That is not asked any more.")
        item_id, offered, missing = offer
        topic = cues.substitution_topic(order_id, line_id)
        try:
            await self.orders.answer_substitution(order_id, line_id, item_id, accept)
        except OrderError:
            return Outcome("That is not asked any more.", closes=(topic,))
        said = f"{offered} instead of {missing}" if accept else f"no {missing} then"
        return Outcome(f"All right, {said}.", closes=(topic,))

    async def _last_offer(self, order_id: str, line_id: str) -> tuple[str, str, str] | None:
        for event in reversed(await self.orders.history(order_id)):
            data = event.data
            if event.kind == "substitution_asked" and data.get("line_id") == line_id:
                return tuple(str(data.get(name, "")) for name in ("item_id", "offered", "missing"))  # type: ignore[return-value]
        return None

    async def _offered(self) -> tuple[str, str] | None:
        """(order, line) of the newest offer that waits for an answer."""
        placed = await self._ordering.all(frozenset({OrderState.PLACED}))
        if not placed or placed[0].receipt is not None:
            return None
        order = placed[0]
        waiting: list[str] = []
        for event in await self.orders.history(order.id):
            line_id = str(event.data.get("line_id", ""))
            if event.kind == "substitution_asked":
                waiting.append(line_id)
            elif event.kind in ("substitution_answered", "substitution_closed"):
                waiting = [each for each in waiting if each != line_id]
        return (order.id, waiting[-1]) if waiting else None

    async def _where(self, said: str) -> Address | None:
        if not said:
            return await default_place(self.places, or_first=True)
        return await own_place(self.places, said)


def _meant(asked: _Which, said: str) -> grammar.Order | None:
    """The wish with the good that the answer means."""
    picked = _picked(grammar.plain(said), asked.choices)
    if picked is None:
        return None
    return replace(asked.wish, chosen=(*asked.wish.chosen, (asked.entry.id, picked.id)))


def _match(entry: ListItem, grocer: Grocer) -> Match:
    chosen = next((good for good in grocer.goods if good.id == entry.item_id), None)
    if chosen is not None:
        return Match(chosen) if chosen.available else Match(sold_out=chosen)
    return find(entry.wanted.text, grocer.goods)


def _best(grocers: Sequence[Grocer], entries: Sequence[ListItem]) -> Grocer:
    """The one that has most of the list; of equals the one that was added first."""

    def has(grocer: Grocer) -> int:
        found = [_match(entry, grocer) for entry in entries]
        return sum(bool(match.good or match.choices) for match in found)

    return max(grocers, key=lambda grocer: (grocer.open_now, has(grocer)))


def _line(before: DraftLine | None, wanted: Wanted, good: Good, policy: Substitution) -> DraftLine:
    """A line of the order; two entries that mean the same good are one."""
    quantity, grams = quantity_of(wanted, good)
    if before is not None:
        grams += before.grams
        quantity = 1 if grams else quantity + before.quantity
    title = good.title if not good.size else f"{good.title}, {good.size}"
    return DraftLine(good.id, title, quantity, grams=grams, substitution=policy)


def _replaced_by(line: DraftLine, wish: Substitution, most: Money | None = None) -> DraftLine:
    return msgspec.structs.replace(
        line, substitution=wish, substitution_max=most.minor if most else 0
    )


def _in_words(what: str, wish: Prefer) -> str:
    if wish.most is None:
        return f"{what}: {_FOR_ONE[wish.substitution]}"
    return (
        f"{what}: replaced by something that is no dearer and at most {spoken(wish.most)} "
        "if it is missing."
    )


def _with_lines(draft: OrderDraft, lines: tuple[DraftLine, ...]) -> OrderDraft:
    return OrderDraft(draft.merchant_id, lines, draft.address, said=draft.said, kind=KIND)


def _same_shop(one: OrderDraft, other: OrderDraft) -> bool:
    return one.merchant_id == other.merchant_id


def _not_had(wanted: Wanted, match: Match, grocer: Grocer) -> str:
    if match.sold_out is not None:
        return f"{match.sold_out.title} is sold out at {grocer.name}."
    return f"{grocer.name} has no {wanted.text}."


_ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2}


def _picked(text: str, choices: Sequence[Good]) -> Good | None:
    said = text.removeprefix("i'll take ").removeprefix("take ")
    said = said.removeprefix("the ").removesuffix(" one").removesuffix(" please")
    if said in ("cheapest", "cheaper"):
        return min(choices, key=lambda good: good.price.minor)
    if said in _ORDINALS:
        return choices[_ORDINALS[said]] if _ORDINALS[said] < len(choices) else None
    match = find(said, choices)
    return match.good


def _things(number: int) -> str:
    return "There is one thing" if number == 1 else f"There are {number} things"
