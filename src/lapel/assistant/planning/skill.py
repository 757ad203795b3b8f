"""The dialogue about plans: from one sentence to several priced orders and one question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from lapel.assistant.ordering import Costless, told
from lapel.assistant.planning import clauses, cues
from lapel.assistant.planning.clauses import Clauses
from lapel.assistant.politeness import is_no, is_yes, plain
from lapel.assistant.rides.grammar import AskRide
from lapel.assistant.skills import Heard, Outcome
from lapel.commerce import NewPart, Plan, PlanError, Plans

_KEEP = frozenset({"keep the rest", "keep it", "keep the others", "keep them", "keep"})
_UNDO = frozenset({"undo all", "undo it", "undo everything", "undo", "cancel all"})
NOT_YET = f"It is not ordered yet. Tap {cues.YES} on the screen that shows it, or say cancel."

COSTLESS = Costless("Somebody whom I have to ask does not answer.", "Nothing was bought.")


class Sharing(msgspec.Struct, frozen=True):
    """Who shares the bill of a plan, kept with it until it is bought: handles and names."""

    people: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class PlanSkill:
    """One user's plans; implements `Skill`.

    `goods` makes an order of words about a cart, `ride` one of a wish for a ride, `people` finds
    whom names mean. All raise Refused where something is missing: nothing of a plan is guessed.
    """

    user_id: str
    plans: Plans
    goods: Callable[[str], Awaitable[NewPart]]
    ride: Callable[[AskRide, str], Awaitable[NewPart]]
    people: Callable[[Sequence[str]], Awaitable[Sharing]]
    _begun: dict[int, str] = field(default_factory=dict[int, str])

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims sentences about several things, and answers about an open plan."""
        answer = await self._answer(heard)
        found = (
            None if answer is not None or heard.cart_open else clauses.read(heard.utterance.text)
        )
        if found is None:
            return answer
        return await told(self._plan(found, heard), COSTLESS)

    async def undo(self, turn: int) -> None:
        """Drop the plan that this turn began, unless it was agreed to."""
        plan_id = self._begun.pop(turn, None)
        if plan_id is not None:
            await self.plans.drop(plan_id, self.user_id)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """What is to become of the rest; the yes itself is no skill's affair."""
        plan_id = cues.plan_of(topic)
        if not plan_id or action not in ("keep", "undo"):
            return None
        return await self._choose(plan_id, keeps=action == "keep")

    def hints(self) -> Sequence[str]:
        return ("keep the rest", "undo all", "split it")

    async def _plan(self, found: Clauses, heard: Heard) -> Outcome:
        """Rides first: they can be given back, what a kitchen makes cannot."""
        before = await self.plans.open_of(self.user_id)
        if before is not None and before.state in ("buying", "choosing", "undoing"):
            return Outcome("Your last plan is not finished yet.")
        sharing = await self.people(found.split.who) if found.split else Sharing()
        goods = [await self.goods(found.goods)] if found.goods else []
        rides = [await self.ride(wish, heard.utterance.text) for wish in found.rides]
        if before is not None:
            await self.plans.drop(before.id, self.user_id)
        names = " and ".join(name for _, name in sharing.people)
        note = f"Split with {names} when it is bought." if names else ""
        plan = await self.plans.begin(
            self.user_id,
            heard.utterance.text,
            [*rides, *goods],
            note=note,
            memo=msgspec.json.encode(sharing).decode(),
        )
        self._begun = {heard.turn: plan.id}
        titles = ", ".join(part.title for part in (*rides, *goods))
        return Outcome(f"I ask for the prices: {titles}.")

    async def _answer(self, heard: Heard) -> Outcome | None:
        """Words about the plan that waits for one, while no cart is open."""
        said = plain(heard.utterance.text)
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
            return Outcome(error.text, failed=error.code)
        said = "All right, I go on with the rest." if keeps else "All right, I undo it."
        return Outcome(said, closes=(cues.topic_of(plan.id),))
