"""What every skill that orders does the same way: ask once, take back, answer yes and no, fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from lapel.assistant.politeness import is_no, is_yes
from lapel.assistant.skills import Heard, Outcome
from lapel.commerce import (
    Address,
    Nonsense,
    Order,
    OrderDraft,
    OrderError,
    Orders,
    OrderState,
    PortError,
    Refused,
)
from lapel.failures import FAILURES, code_of

OPEN = frozenset({OrderState.QUOTING, OrderState.AWAITING_APPROVAL})
"""An order in these states has bought nothing yet."""
RECENT = 50
"""Orders looked at for one that is meant."""
NO_SENSE = "The answer that I got makes no sense."
NOT_BOOKED = "It is not booked yet. Press to confirm, or say cancel."
NOT_ORDERED = "It is not ordered yet. Press to confirm, or say cancel."


class PlacesPort(Protocol):
    """The user's addresses: each with its other names, and whether it is the default."""

    async def all(self) -> list[tuple[Address, tuple[str, ...], bool]]: ...


async def default_place(places: PlacesPort, *, or_first: bool = False) -> Address | None:
    """The address that is meant when none is said."""
    known = await places.all()
    default = next((address for address, _, default in known if default), None)
    return known[0][0] if default is None and or_first and known else default


async def own_place(places: PlacesPort, said: str) -> Address | None:
    """The user's own place of that name."""
    name = said.removeprefix("the ").removeprefix("my ").strip()
    for address, aliases, _ in await places.all():
        if name in (address.label, *aliases) or said in aliases:
            return address
    return None


@dataclass(frozen=True, slots=True)
class Costless:
    """What a skill says of a failure before anything was bought.

    `silent` is for a service that does not answer, `cost` says that nothing was lost.
    """

    silent: str
    cost: str

    def of(self, error: Exception) -> Outcome:
        """An error with a text for the user, and with its code where it has one."""
        code = code_of(str(getattr(error, "code", ""))) or "unclear"
        text = sentence(str(error))
        known = FAILURES[code]
        if "othing was" not in text:
            text = f"{text} {self.cost if known.is_free else known.cost_said}"
        return Outcome(text, failed=code)


async def told(
    doing: Awaitable[Outcome | None], costless: Costless, *own: type[Exception]
) -> Outcome | None:
    """What was done, or why it was not; `own` are a skill's errors with texts for users."""
    try:
        return await doing
    except (Refused, OrderError, *own) as error:
        return costless.of(error)
    except Nonsense:
        return Outcome(f"{NO_SENSE} {costless.cost}", failed="nonsense")
    except PortError:
        return Outcome(f"{costless.silent} {costless.cost}", failed="unreachable")


def sentence(text: str) -> str:
    whole = text if text.endswith((".", "!", "?")) else f"{text}."
    return whole[0].upper() + whole[1:]


def pressed(action: str, kind: str, serial: int) -> int | None:
    """Which row of its list a button means, -1 when the list is out of date; None for others."""
    name, _, rest = action.partition(":")
    number, _, row = rest.partition(":")
    if name != kind or not row.isdecimal():
        return None
    return int(row) if number == str(serial) else -1


def _never(before: OrderDraft, after: OrderDraft) -> bool:
    return False


@dataclass(slots=True)
class Ordering:
    """One user's orders of one kind, which `mine` knows.

    `alike` says whether the question about a draft may be asked anew in the order of another.
    `waits` is told when the user says yes where a press is needed.
    """

    user_id: str
    orders: Orders
    mine: Callable[[OrderDraft], bool]
    alike: Callable[[OrderDraft, OrderDraft], bool] = _never
    waits: str = NOT_BOOKED
    _begun: dict[int, str] = field(default_factory=dict[int, str])
    """Turn -> the order that it began, while that can be taken back."""

    async def all(self, states: frozenset[OrderState]) -> list[Order]:
        """Those in one of these states, the newest first."""
        recent = await self.orders.list(self.user_id, limit=RECENT)
        return [x for x in recent if x.state in states and self.mine(x.draft)]

    async def waiting(self) -> Order | None:
        """The newest that waits for a price or an answer; what a plan asks about is the plan's."""
        return next((x for x in await self.all(OPEN) if not x.draft.plan), None)

    async def begin(
        self, draft: OrderDraft, heard: Heard | None, notes: tuple[str, ...] = ()
    ) -> Outcome:
        """Price it and ask. What waited for an answer before is replaced."""
        before = await self.waiting()
        if before is not None and _same(before.draft, draft):
            return Outcome(" ".join([*notes, self.waits]))
        if before is not None and self.alike(before.draft, draft):
            await self.orders.revise(before.id, draft)
            return Outcome(awaited=before.id, notes=notes)
        if before is not None:
            await self.orders.cancel(before.id)
        order_id = await self.orders.begin(self.user_id, draft)
        if heard is not None:
            self._begun = {heard.turn: order_id}
        return Outcome(awaited=order_id, notes=notes)

    async def undo(self, turn: int) -> None:
        """Drop the order that this turn began; one that is paid for already stays."""
        order_id = self._begun.pop(turn, None)
        order = None if order_id is None else await self.orders.get(order_id)
        if order is not None and order.state in OPEN:
            await self.orders.cancel(order.id)

    async def about_waiting(self, heard: Heard) -> Outcome | None:
        """Yes and no while one waits for its press, and no cart is open."""
        text = heard.words.text
        if heard.cart_open or not (is_yes(text) or is_no(text)):
            return None
        if is_yes(text):
            return Outcome(self.waits) if await self.waiting() is not None else None
        return await self.drop_waiting()

    async def drop_waiting(self) -> Outcome | None:
        """Cancel what waits, for nothing; None where nothing does."""
        order = await self.waiting()
        if order is None:
            return None
        await self.orders.cancel(order.id)
        return Outcome(awaited=order.id)


def _same(one: OrderDraft, other: OrderDraft) -> bool:
    """Whether they ask for the same, in whatever words."""
    return msgspec.structs.replace(one, said="", hold_id="") == msgspec.structs.replace(
        other, said="", hold_id=""
    )
