"""From the clauses of a plan to orders: each by the understanding of the thing that it is about."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import msgspec

from lapel.assistant import words
from lapel.assistant.conversation import Places, draft_of
from lapel.assistant.goods import grammar as lists
from lapel.assistant.parts import Around, Asks, Made
from lapel.assistant.politeness import plain
from lapel.brain import Brain, Frame, Source, Utterance
from lapel.commerce import TO_BE_FETCHED, Refused
from lapel.services import Contacts

_NAME = re.compile(r"[\w'@+-]+(?: [\w'-]+)?")
_WITHOUT = frozenset({"leave it out", "nobody", "no one", "without", "without a split", "just me"})


@dataclass(frozen=True, slots=True)
class GoodsWish:
    """Words about a cart, or what was understood of them before a question was answered."""

    said: str
    frame: Frame | None = None
    place: str = ""


class GoodsMaker:
    """Implements `Maker` for words about a cart; asks what the catalogue's grammar asks."""

    def __init__(self, brain: Callable[[], Awaitable[Brain]], places: Places) -> None:
        self._brain = brain
        self._places = places

    def reads(self, said: str) -> tuple[GoodsWish, ...]:
        return (GoodsWish(said),)

    async def make(self, wish: GoodsWish, around: Around) -> Made | Asks:
        brain = await self._brain()
        if not brain.menus:
            raise Refused("I know no shops yet.", code="no_shops")
        frame = wish.frame
        if frame is None:
            understood = brain.understand(Utterance(wish.said, Source.TYPED), Frame())
            frame = understood.frame
            asks = understood.question is not None
            if understood.unknown or not (understood.is_order and (frame.lines or asks)):
                raise Refused(f"I did not understand {wish.said!r}.", code="unclear")
        if frame.question is not None:
            choices = tuple(said for _, said in frame.question.choices)
            return Asks(frame.question.text, _answering(brain, wish, frame), choices)
        label = wish.place or frame.address or ""
        address = TO_BE_FETCHED if frame.pickup else await self._places.find(label)
        if address is None:
            unknown = f"I do not know {wish.place}. " if wish.place else ""
            return Asks(
                f"{unknown}Where should it go?",
                lambda said: replace(wish, frame=frame, place=brain.address_called(said) or ""),
            )
        menu = next(x for x in brain.menus if x.merchant_id == frame.merchant_id)
        draft = draft_of(frame, menu, address)
        title = f"{words.cart(draft.lines)} from {menu.merchant_name}"
        return Made(title[0].upper() + title[1:], draft)


def _answering(brain: Brain, wish: GoodsWish, frame: Frame) -> Callable[[str], GoodsWish | None]:
    def read(said: str) -> GoodsWish | None:
        understood = brain.understand(Utterance(said, Source.TYPED), frame)
        answered = understood.frame.question != frame.question
        if understood.unknown or not (answered and understood.frame.lines):
            return None
        return replace(wish, frame=understood.frame)

    return read


@dataclass(frozen=True, slots=True)
class GroceriesMaker:
    """Implements `Maker` for the shopping list; `part` is its skill's."""

    part: Callable[[lists.Order, Around], Awaitable[Made | Asks]]

    def reads(self, said: str) -> tuple[lists.Order, ...]:
        wish = lists.read(said)
        return (wish,) if isinstance(wish, lists.Order) else ()

    async def make(self, wish: lists.Order, around: Around) -> Made | Asks:
        return await self.part(wish, around)


class Sharing(msgspec.Struct, frozen=True):
    """Who shares the bill of a plan, kept with it until it is bought: handles and names."""

    people: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Names as they were said, and the handles that were chosen for some of them."""

    names: tuple[str, ...]
    chosen: dict[str, str] = field(default_factory=dict[str, str])


class PeopleFinder:
    """Whom names mean: a contact of the user's each, never a guess."""

    def __init__(self, user_id: str, contacts: Contacts) -> None:
        self._user_id = user_id
        self._contacts = contacts

    async def __call__(self, wanted: People) -> Sharing | Asks:
        found: list[tuple[str, str]] = []
        for name in wanted.names:
            meant = await self._contacts.called(self._user_id, name)
            handle = wanted.chosen.get(name)
            if handle is not None:
                meant = [x for x in meant if x.handle == handle]
            if not meant:
                return _nobody(wanted, name)
            if len(meant) > 1:
                return _several(wanted, name, {x.bank_name or x.name: x.handle for x in meant})
            found.append((meant[0].handle, meant[0].bank_name or meant[0].name))
        return Sharing(tuple(found))


def _several(wanted: People, name: str, named: dict[str, str]) -> Asks:
    """Which of them, by any word that is in the name of one alone."""

    def read(said: str) -> People | None:
        spoken = set(plain(said).split()) - {name}
        fit = [x for full, x in named.items() if spoken & set(full.casefold().split())]
        if len(fit) != 1:
            return None
        return replace(wanted, chosen={**wanted.chosen, name: fit[0]})

    text = f"Which {name.title()}: {words.joined(list(named), 'or')}?"
    return Asks(text, read, tuple(named))


def _nobody(wanted: People, name: str) -> Asks:
    """Another name for the one that nobody has, or none."""

    def read(said: str) -> People | None:
        answer = plain(said).removeprefix("with ")
        if answer in _WITHOUT:
            return replace(wanted, names=tuple(x for x in wanted.names if x != name))
        if not _NAME.fullmatch(answer):
            return None
        return replace(wanted, names=tuple(answer if x == name else x for x in wanted.names))

    text = f"I do not know {name.title()}. Who shares it instead, or shall I leave that out?"
    return Asks(text, read, ("Leave it out",))
