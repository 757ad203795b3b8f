"""The dialogue about plans: from one sentence to several priced orders and one question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from lapel.assistant import ordering
from lapel.assistant.ordering import Costless, told
from lapel.assistant.parts import Around, Asks, Made, Maker
from lapel.assistant.planning import clauses, cues
from lapel.assistant.planning.clauses import Clause, Clauses
from lapel.assistant.planning.making import People, Sharing
from lapel.assistant.politeness import is_no, is_yes, plain
from lapel.assistant.skills import Heard, Outcome
from lapel.commerce import NewPart, Plan, PlanError, Plans
from lapel.devices import Card, CardAction

_KEEP = frozenset({"keep the rest", "keep it", "keep the others", "keep them", "keep"})
_UNDO = frozenset({"undo all", "undo it", "undo everything", "undo", "cancel all"})
NOT_YET = f"It is not ordered yet. Tap {cues.YES} on the screen that shows it, or say cancel."
KEPT_S = 180.0
"""A question that nobody answered for so long is forgotten, and the plan with it."""
ACTION = "clause"
"""What the buttons of a question begin with."""

COSTLESS = Costless("Somebody whom I have to ask does not answer.", cues.NOTHING)


@dataclass(frozen=True, slots=True)
class _Open:
    """A plan that is not priced yet. `index` is the clause that `asks` is about, -1 for people."""

    said: str
    at: float
    clauses: tuple[Clause, ...]
    people: People | None = None
    asks: Asks | None = None
    index: int = -1

    def answered(self, wish: Any) -> _Open:
        """With what an answer makes of the clause that was asked about."""
        if self.index < 0:
            return replace(self, people=wish, asks=None)
        told = replace(self.clauses[self.index], wish=wish)
        whole = (*self.clauses[: self.index], told, *self.clauses[self.index + 1 :])
        return replace(self, clauses=whole, asks=None)


@dataclass(slots=True)
class PlanSkill:
    """One user's plans; implements `Skill`.

    `makers` understand clauses and make orders of them; parts are bought in their order, those of
    one maker as they were said. `goods` is for words about a cart, and the last. `people` finds
    whom names mean. What is open is asked, one thing after the other, and nothing is guessed.
    """

    user_id: str
    plans: Plans
    makers: Sequence[Maker]
    goods: Maker
    people: Callable[[People], Awaitable[Sharing | Asks]]
    _open: _Open | None = None
    _serial: int = 0
    _begun: dict[int, str] = field(default_factory=dict[int, str])
    _before: dict[int, _Open | None] = field(default_factory=dict[int, "_Open | None"])
    """Turn -> what was open before it."""

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims sentences about several things, and answers about an open plan."""
        found = None if heard.cart_open else clauses.read(heard.words.text, self.makers)
        if found is not None:
            return await self._told(self._begin(found, heard), heard.turn)
        if heard.cart_open or (self._open and heard.at - self._open.at > KEPT_S):
            self._open = None
        answer = await self._resume(heard)
        return answer if answer is not None else await self._answer(heard)

    async def undo(self, turn: int) -> None:
        """Drop the plan that this turn began, unless it was agreed to; an answer was none."""
        if turn in self._before:
            self._open = self._before.pop(turn)
        plan_id = self._begun.pop(turn, None)
        if plan_id is not None:
            await self.plans.drop(plan_id, self.user_id)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """An answer, or what is to become of the rest; the yes itself is no skill's affair."""
        row = ordering.pressed(action, ACTION, self._serial)
        if row is not None:
            return await self._chosen(row)
        plan_id = cues.plan_of(topic)
        if not plan_id or action not in ("keep", "undo"):
            return None
        return await self._choose(plan_id, keeps=action == "keep")

    def hints(self) -> Sequence[str]:
        choices = self._open.asks.choices if self._open and self._open.asks else ()
        return ("keep the rest", "undo all", "split it", "there and back", *choices)

    # From words to a plan. ------------------------------------------------------------------------

    async def _told(self, doing: Awaitable[Outcome], turn: int) -> Outcome | None:
        """What came of it. What cannot be had ends the plan before it is one."""
        self._before, self._open = {turn: self._open}, None
        return await told(doing, COSTLESS)

    async def _begin(self, found: Clauses, heard: Heard) -> Outcome:
        before = await self.plans.open_of(self.user_id)
        if before is not None and before.state in ("buying", "choosing", "undoing"):
            return Outcome("Your last plan is not finished yet.")
        wanted = [x for maker in self.makers for x in found.clauses if x.maker is maker]
        if found.goods:
            wish = self.goods.reads(found.goods)[0]
            wanted.append(Clause(found.goods, self.goods, wish))
        people = None if found.split is None else People(found.split.who)
        return await self._make(_Open(heard.words.text, heard.at, tuple(wanted), people), heard)

    async def _resume(self, heard: Heard) -> Outcome | None:
        """The answer to the open question; None for words about something else."""
        asked = self._open
        if asked is None or asked.asks is None:
            return None
        text = heard.words.text
        if is_no(text):
            self._before = {heard.turn: asked}
            self._open = None
            return Outcome(cues.NOT_BOUGHT)
        wish = asked.asks.read(text)
        if wish is None:
            return None
        again = replace(asked.answered(wish), at=heard.at)
        return await self._told(self._make(again, heard), heard.turn)

    async def _chosen(self, row: int) -> Outcome | None:
        asked = self._open
        if asked is None or asked.asks is None or not 0 <= row < len(asked.asks.choices):
            return Outcome("That question is out of date. Ask me again.")
        wish = asked.asks.read(asked.asks.choices[row])
        if wish is None:
            return Outcome(asked.asks.text)
        return await self._told(self._make(asked.answered(wish), None), -1)

    async def _make(self, plan: _Open, heard: Heard | None) -> Outcome:
        """All parts, each knowing those before it; or the one question that stands before them."""
        sharing = Sharing()
        if plan.people is not None:
            meant = await self.people(plan.people)
            if isinstance(meant, Asks):
                return self._ask(replace(plan, asks=meant, index=-1))
            sharing = meant
        made: list[Made] = []
        for n, clause in enumerate(plan.clauses):
            part = await clause.maker.make(clause.wish, Around(plan.said, plan.at, tuple(made)))
            if isinstance(part, Asks):
                return self._ask(replace(plan, asks=part, index=n))
            made.append(part)
        self._open = None
        return await self._order(plan, made, sharing, heard)

    def _ask(self, plan: _Open) -> Outcome:
        self._open = plan
        if plan.asks is None:
            return Outcome()
        self._serial += 1
        actions = tuple(
            CardAction(f"{ACTION}:{self._serial}:{n}", choice)
            for n, choice in enumerate(plan.asks.choices)
        )
        card = Card(title="One plan", body=plan.asks.text, actions=actions) if actions else None
        return Outcome(plan.asks.text, card)

    async def _order(
        self, plan: _Open, made: Sequence[Made], sharing: Sharing, heard: Heard | None
    ) -> Outcome:
        before = await self.plans.open_of(self.user_id)
        if before is not None:
            await self.plans.drop(before.id, self.user_id)
        names = " and ".join(name for _, name in sharing.people)
        parts = [
            NewPart(x.title, x.draft, None if x.needs is None else _index(made, x.needs))
            for x in made
        ]
        begun = await self.plans.begin(
            self.user_id,
            plan.said,
            parts,
            note=f"Split with {names} when it is bought." if names else "",
            memo=msgspec.json.encode(sharing).decode(),
        )
        for part, x in zip(begun.parts, made, strict=True):
            if x.begun is not None:
                await x.begun(part.order_id)
        if heard is not None:
            self._begun = {heard.turn: begun.id}
        return Outcome(f"I ask for the prices: {', '.join(part.title for part in parts)}.")

    # What is said about a plan. -------------------------------------------------------------------

    async def _answer(self, heard: Heard) -> Outcome | None:
        """Words about the plan that waits for one, while no cart is open."""
        said = plain(heard.words.text)
        if said not in _KEEP | _UNDO and not (is_yes(said) or is_no(said)):
            return None
        plan = None if heard.cart_open else await self.plans.open_of(self.user_id)
        if plan is None:
            return None
        if plan.state == "choosing" and said in _KEEP | _UNDO:
            return await self._choose(plan.id, keeps=said in _KEEP)
        if plan.state not in ("pricing", "asking"):
            return None
        if is_no(said):
            await self.plans.drop(plan.id, self.user_id)
            return Outcome(cues.NOT_BOUGHT, closes=(cues.topic_of(plan.id),))
        return Outcome(NOT_YET) if is_yes(said) else None

    async def _choose(self, plan_id: str, *, keeps: bool) -> Outcome:
        try:
            plan: Plan = await self.plans.choose(plan_id, self.user_id, keeps=keeps)
        except PlanError as error:
            return COSTLESS.of(error)
        said = "All right, I go on with the rest." if keeps else "All right, I undo it."
        return Outcome(said, closes=(cues.topic_of(plan.id),))


def _index(made: Sequence[Made], wanted: Made) -> int:
    return next(n for n, each in enumerate(made) if each is wanted)
