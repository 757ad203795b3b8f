"""From the clauses of a plan to orders: each by the understanding of the thing that it is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from lapel.assistant import words
from lapel.assistant.conversation import Places, draft_of
from lapel.assistant.planning.skill import Sharing
from lapel.brain import Brain, Frame, Source, Utterance
from lapel.commerce import TO_BE_FETCHED, NewPart, Refused
from lapel.services import Contacts


class GoodsMaker:
    """An order of words about a cart, if they say everything that it takes."""

    def __init__(self, brain: Callable[[], Awaitable[Brain]], places: Places) -> None:
        self._brain = brain
        self._places = places

    async def __call__(self, said: str) -> NewPart:
        brain = await self._brain()
        if not brain.menus:
            raise Refused("I know no shops yet.", code="no_shops")
        understood = brain.understand(Utterance(said, Source.TYPED), Frame())
        frame = understood.frame
        if understood.question is not None:
            raise Refused(understood.question.text, code="unclear")
        if understood.unknown or not (understood.is_order and frame.lines):
            raise Refused(f"I did not understand {said!r}.", code="unclear")
        address = TO_BE_FETCHED if frame.pickup else await self._places.find(frame.address or "")
        if address is None:
            raise Refused("Where should it go? Say it with the order.", code="no_address")
        menu = next(x for x in brain.menus if x.merchant_id == frame.merchant_id)
        draft = draft_of(frame, menu, address)
        title = f"{words.cart(draft.lines)} from {menu.merchant_name}"
        return NewPart(title[0].upper() + title[1:], draft)


class PeopleFinder:
    """Whom names mean: a contact of the user's each, never a guess."""

    def __init__(self, user_id: str, contacts: Contacts) -> None:
        self._user_id = user_id
        self._contacts = contacts

    async def __call__(self, names: Sequence[str]) -> Sharing:
        found: list[tuple[str, str]] = []
        for name in names:
            meant = await self._contacts.called(self._user_id, name)
            if not meant:
                raise Refused(f"I do not know {name}. Save them first.", code="unknown_payee")
            if len(meant) > 1:
                several = " or ".join(x.bank_name or x.name for x in meant)
                raise Refused(f"There are several: {several}. Say which.", code="unclear")
            found.append((meant[0].handle, meant[0].bank_name or meant[0].name))
        return Sharing(tuple(found))
