"""What is shown and said of plans."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from lapel.assistant.compose import FOOTER, HOW, answers
from lapel.assistant.planning.terms import undoing
from lapel.assistant.skills import Teller
from lapel.assistant.words import joined
from lapel.commerce import Money, Order, Part, Plan, spoken
from lapel.devices import Card, CardAction, CardLine, Cue, CueKind, Pattern

_TOPIC = "plan:"
YES = "Order all"
AGREED = "Confirmed. I buy it part by part."
ONE_BY_ONE = "Bought one after the other."
NOTHING = "Nothing was bought."
NOT_BOUGHT = "All right, I bought none of it."


def topic_of(plan_id: str) -> str:
    return f"{_TOPIC}{plan_id}"


def plan_of(topic: str) -> str:
    """The id of the plan that a card is about; empty for any other card."""
    return topic.removeprefix(_TOPIC) if topic.startswith(_TOPIC) else ""


def question_id(plan: Plan) -> str:
    """Another one when it takes something else than before: it is shown anew."""
    return topic_of(plan.id) if plan.takes == "screen" else f"{topic_of(plan.id)}:{plan.takes}"


class PlanTelling:
    """Implements `commerce.PlanTeller`. `finished` is told what was charged for a plan, once that
    is known; it may be told again.
    """

    def __init__(self, finished: Callable[[Plan, Money], Awaitable[None]]) -> None:
        self.teller: Teller | None = None
        self._finished = finished

    async def ask(self, plan: Plan, orders: Sequence[Order]) -> None:
        await self._tell(plan.user_id, question(plan, orders))

    async def choose(self, plan: Plan) -> None:
        failed = next(part for part in reversed(plan.parts) if part.outcome == "failed")
        bought = [part for part in plan.parts if not part.outcome and part.undo_minor is not None]
        text = f"{failed.title}: {failed.why} {_costs(plan)} Keep the rest, or undo all?"
        n = sum(part.outcome == "failed" for part in plan.parts)
        card = Card(
            title="A part cannot be had",
            lines=tuple(CardLine(part.title, _state(part)) for part in plan.parts),
            body=text,
            actions=(
                CardAction("keep", "Keep the rest"),
                CardAction("undo", "Undo all" if bought else "Stop here"),
            ),
        )
        id = f"{topic_of(plan.id)}:choose:{n}"
        cue = Cue(id, topic_of(plan.id), CueKind.NOTICE, text, card=card, haptic=Pattern.LONG)
        await self._tell(plan.user_id, cue)

    async def ended(self, plan: Plan) -> None:
        text = ending(plan)
        spoken_text = "" if plan.state == "refused" else text
        card = Card(
            title="Your plan",
            lines=tuple(CardLine(part.title, _state(part)) for part in plan.parts),
            body=text,
        )
        haptic = Pattern.DOUBLE if plan.state == "done" else Pattern.LONG
        id = f"{topic_of(plan.id)}:{plan.state}"
        if plan.state == "refused":
            haptic = None
        cue = Cue(id, topic_of(plan.id), CueKind.NOTICE, spoken_text, card=card, haptic=haptic)
        await self._tell(plan.user_id, cue)

    async def charged(self, plan: Plan, total: Money) -> None:
        await self._finished(plan, total)

    async def _tell(self, user_id: str, cue: Cue) -> None:
        if self.teller is not None:
            await self.teller.tell(user_id, [cue])


def question(plan: Plan, orders: Sequence[Order]) -> Cue:
    """All parts with their prices, the total, and one button for all of them."""
    total = plan.total
    lines = tuple(CardLine(part.title, str(part.total)) for part in plan.parts)
    said = ". ".join(f"{part.title}, for {spoken(part.total)}" for part in plan.parts if part.total)
    in_all = f" {spoken(total)} in all." if total else ""
    return Cue(
        id=question_id(plan),
        topic=topic_of(plan.id),
        kind=CueKind.NOTICE,
        speech=f"{said}.{in_all} {HOW[plan.takes].format(button=YES)}",
        card=Card(
            title="One plan",
            lines=lines,
            total=str(total) if total else "",
            body=" ".join(x for x in (plan.note, undoing(plan, orders), ONE_BY_ONE) if x),
            footer=FOOTER[plan.takes].format(button=YES),
            actions=answers(plan.takes, YES),
        ),
        haptic=Pattern.PULSE,
    )


def agreed(plan_id: str) -> Cue:
    """Takes the place of the question about a plan that was agreed to elsewhere."""
    card = Card(title="One plan", body=AGREED)
    return Cue(f"{topic_of(plan_id)}:agreed", topic_of(plan_id), CueKind.NOTICE, card=card)


def lost(plan: Plan, order_id: str) -> Cue:
    """A part of a plan that is over was cancelled: what else was made for it or counted it."""
    gone = next(part for part in plan.parts if part.order_id == order_id)
    left = [part.title for part in plan.parts if part.needs == order_id and not part.outcome]
    said = [f"{gone.title} was a part of your plan."]
    if left:
        stands = "still stands" if len(left) == 1 else "still stand"
        said.append(f"{joined(left)} {stands}: cancel what you need no more.")
    if plan.note:
        said.append("The shares that were asked for counted it: settle what comes back.")
    id = f"{topic_of(plan.id)}:lost:{order_id}"
    card = Card(title="Your plan", body=" ".join(said))
    return Cue(id, id, CueKind.NOTICE, " ".join(said), card=card, haptic=Pattern.LONG)


def ending(plan: Plan) -> str:
    """What became of each part, and what it cost."""
    match plan.state:
        case "done":
            total = f" {spoken(plan.total)} in all." if plan.total else ""
            return f"All of your plan is bought.{total}"
        case "lapsed":
            return f"The plan was not confirmed in time, or a price moved. {NOTHING}"
        case "refused":
            return NOT_BOUGHT
        case "failed":
            why = plan.why or _reasons(plan)
            return f"{why} {NOTHING}"
        case _:
            return f"{_outcomes(plan)}"


def _outcomes(plan: Plan) -> str:
    said: list[str] = []
    for part in plan.parts:
        match part.outcome:
            case "undone":
                fee = part.undo_minor
                cost = spoken(Money(fee, part.total.currency)) if fee and part.total else ""
                said.append(f"{part.title} is undone{f' for {cost}' if cost else ''}.")
            case "stays":
                said.append(f"{part.title} cannot be undone{f': {part.why}' if part.why else ''}.")
            case "failed":
                fee = part.undo_minor
                cost = spoken(Money(fee, part.total.currency)) if fee and part.total else "nothing"
                said.append(f"{part.title} was not bought, and cost {cost}.")
            case "dropped":
                said.append(f"{part.title} was not bought.")
            case _:
                cost = f" for {spoken(part.total)}" if part.total else ""
                said.append(f"{part.title} stays bought{cost}.")
    return " ".join(said)


def _reasons(plan: Plan) -> str:
    return " ".join(f"{part.title}: {part.why}" for part in plan.parts if part.why)


def _costs(plan: Plan) -> str:
    said: list[str] = []
    for part in plan.parts:
        if part.outcome or part.total is None:
            continue
        if part.undo_minor is None:
            said.append(f"{part.title} cannot be undone once it is bought.")
        elif part.undo_minor:
            fee = spoken(Money(part.undo_minor, part.total.currency))
            said.append(f"Undoing {part.title} costs {fee}.")
        else:
            said.append(f"Undoing {part.title} is free.")
    return " ".join(said)


def _state(part: Part) -> str:
    return {"failed": "not to be had", "dropped": "not bought", "stays": "stays"}.get(
        part.outcome, part.outcome or str(part.total or "")
    )
