"""The skill of standing limits: asks on a screen, tells what stands, revokes at a word, undoes."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Awaitable, Callable, Sequence

from lapel.assistant.limits import cues
from lapel.assistant.limits.grammar import (
    AskLimits,
    RevokeLimit,
    SetLimit,
    Undo,
    is_that_one,
    read,
)
from lapel.assistant.ordering import sentence
from lapel.assistant.skills import Heard, Outcome, Teller
from lapel.commerce import (
    Item,
    LimitError,
    LimitNow,
    LimitTerms,
    OrderError,
    Orders,
    Party,
    minor_digits,
)

FRESH_S = 60.0
""""Stop that" means the limit that was spoken of within this time."""
DAYS = 90
"""How long a limit stands when nothing else was said."""
TIMES = 3
"""The budget of a limit for which none was said, as a multiple of one purchase."""
_ALIKE = 0.75

Shops = Callable[[], Awaitable[Sequence[Party]]]


def terms_of(
    shops: Sequence[Party],
    most_minor: int,
    currency: str,
    now: float,
    *,
    wish: SetLimit,
    items: Sequence[Item] = (),
) -> LimitTerms:
    """The limit with what was not said filled in; all of it is shown before it is agreed to."""
    whole = 10 ** minor_digits(currency)
    budget = wish.budget_minor or -(-most_minor * TIMES // whole) * whole
    return LimitTerms(
        currency=currency,
        most_minor=most_minor,
        budget_minor=budget,
        period=wish.period,
        valid_until=int(now) + (wish.days or DAYS) * 86400,
        merchants=tuple(shops),
        purchases=wish.purchases,
        items=tuple(items),
    )


def called(said: str, known: Sequence[Party]) -> Party | None:
    """The one shop that is meant by its name or id."""
    by_name = {_plain(shop.name): shop for shop in known}
    wanted = _plain(said)
    exact = by_name.get(wanted) or next((shop for shop in known if shop.id == said), None)
    if exact is not None:
        return exact
    within = [shop for name, shop in by_name.items() if f" {wanted} " in f" {name} "]
    if len(within) == 1:
        return within[0]
    near = difflib.get_close_matches(wanted, list(by_name), n=1, cutoff=_ALIKE)
    return by_name[near[0]] if near else None


def goods_called(said: Sequence[str], bought: Sequence[Item]) -> tuple[list[Item], str]:
    """The goods that are meant, each in all its variants, and the first name that fits none."""
    known = [Party(item.id, item.title) for item in bought]
    chosen: list[Item] = []
    for name in said:
        meant = called(name, known)
        if meant is None:
            return chosen, name
        chosen += [x for x in bought if x.title == meant.name and x not in chosen]
    return chosen, ""


class LimitsSkill:
    """One user's. Implements `Skill`."""

    def __init__(
        self,
        user_id: str,
        orders: Orders,
        shops: Shops,
        teller: Teller,
        clock: Callable[[], float],
        currency: str = "EUR",
    ) -> None:
        self._user_id = user_id
        self._orders = orders
        self._standing = orders.standing
        self._shops = shops
        self._teller = teller
        self._clock = clock
        self._currency = currency
        self._spoken_of: tuple[float, str] = (0.0, "")
        self._proposed: tuple[int, str] = (-1, "")

    async def hear(self, heard: Heard) -> Outcome | None:
        """Act on words about limits, and on "stop" while something waits to be ordered."""
        text = heard.words.text
        window = await self._window()
        wish = read(text, self._currency, window_open=bool(window))
        match wish:
            case Undo():
                return await self._undo_order(window)
            case AskLimits():
                return await self._tell()
            case SetLimit():
                return await self._ask(wish, heard.turn)
            case RevokeLimit():
                return await self._revoke(wish)
            case None:
                at, limit_id = self._spoken_of
                fresh = bool(limit_id) and heard.at - at < FRESH_S
                return await self._end([limit_id]) if fresh and is_that_one(text) else None

    async def undo(self, turn: int) -> None:
        """The user went on speaking: the question that this turn brought up is taken back."""
        number, limit_id = self._proposed
        if number != turn:
            return
        self._proposed = (-1, "")
        limit = await self._standing.revoke(self._user_id, limit_id)
        await self._teller.tell(self._user_id, [cues.withdrawn(limit)])

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """Limits are answered out of band, with evidence."""
        return None

    def hints(self) -> Sequence[str]:
        return ("without asking", "limit", "revoke")

    async def _window(self) -> str:
        """The newest order that can still be undone."""
        asked = await self._orders.pending_approvals(self._user_id)
        return next((each.order_id for each in reversed(asked) if each.limit_id), "")

    async def _undo_order(self, order_id: str) -> Outcome:
        try:
            await self._orders.cancel(order_id)
        except OrderError:
            return Outcome("It was ordered a moment ago, so I could not stop it.")
        return Outcome("Stopped. Nothing was ordered.", awaited=order_id)

    async def _ask(self, wish: SetLimit, turn: int) -> Outcome:
        chosen: list[Party] = []
        if wish.shop:
            shop = called(wish.shop, await self._shops())
            if shop is None:
                return Outcome(f"I know no shop called {wish.shop}.")
            chosen = [shop]
        bought = await self._standing.bought(self._user_id, chosen) if wish.goods else []
        items, unknown = goods_called(wish.goods, bought)
        if unknown:
            return Outcome(cues.not_bought(unknown, wish.shop))
        now = self._clock()
        terms = terms_of(chosen, wish.most_minor, wish.currency, now, wish=wish, items=items)
        try:
            limit = await self._standing.propose(self._user_id, terms)
        except LimitError as error:
            return Outcome(f"{sentence(error.text)} No limit is set.", failed=error.code)
        self._proposed = (turn, limit.id)
        passkey = bool(await self._orders.passkeys.of(self._user_id))
        await self._teller.tell(self._user_id, [cues.question(limit, now=now, passkey=passkey)])
        return Outcome(f"{cues.in_words(terms)} {cues.LOOK}")

    async def _tell(self) -> Outcome:
        found = await self._standing.live(self._user_id)
        text, card = cues.overview(found)
        standing = [each for each in found if each.stands]
        self._spoken_of = (self._clock(), standing[0].limit.id if len(standing) == 1 else "")
        return Outcome(text, card)

    async def _revoke(self, wish: RevokeLimit) -> Outcome:
        found = await self._standing.live(self._user_id)
        if wish.shop:
            found = _for_shop(found, wish.shop)
            if not found:
                return Outcome(f"There is no limit for {wish.shop}: I ask you there.")
        if not found:
            return Outcome(cues.NONE)
        if len(found) > 1 and not (wish.every or wish.shop):
            names = "; ".join(cues.shops(each.limit.terms) for each in found)
            return Outcome(f"Which one? There are limits for: {names}.")
        return await self._end([each.limit.id for each in found])

    async def _end(self, ids: Sequence[str]) -> Outcome:
        for limit_id in ids:
            await self._standing.revoke(self._user_id, limit_id)
        self._spoken_of = (0.0, "")
        ended = "That limit is" if len(ids) == 1 else "Those limits are"
        return Outcome(f"{ended} revoked. I ask you from now on.")


def _for_shop(found: Sequence[LimitNow], said: str) -> list[LimitNow]:
    """Limits that name the shop. One for any shop does not: it has no name to be revoked by."""
    named = {shop.id: shop for each in found for shop in each.limit.terms.merchants}
    shop = called(said, list(named.values()))
    if shop is None:
        return []
    return [each for each in found if each.limit.terms.names(shop.id)]


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in decomposed if c.isalnum() or c == " ").strip()
