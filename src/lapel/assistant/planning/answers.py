"""From the button of a plan's card to a plan that is agreed to: out of band from any model."""

from __future__ import annotations

from collections.abc import Callable

from lapel.assistant.approving import WORDS, Meaning
from lapel.assistant.delivery import is_worn
from lapel.assistant.evidence import evidence_of
from lapel.assistant.matters import Gestured
from lapel.assistant.planning import cues
from lapel.assistant.telling import Telling
from lapel.commerce import Decision, PlanError, Plans


class PlanAnswers:
    """One user's answers to the questions about plans."""

    def __init__(
        self,
        user_id: str,
        plans: Plans,
        telling: Telling,
        hush: Callable[[str], None],
        reply: Callable[[str], None],
    ) -> None:
        self._user_id = user_id
        self._plans = plans
        self._telling = telling
        self._hush = hush
        self._reply = reply

    async def gesture(self, done: Gestured) -> bool:
        """Whether the gesture was made on the question of a plan; then it is dealt with."""
        topic, action = done.made.topic or "", done.made.action or ""
        plan_id = cues.plan_of(topic)
        answers: dict[str, Decision] = {"approve": "approve", "refuse": "refuse"}
        decision = answers.get(action)
        if not plan_id or decision is None:
            return False
        plan = await self._plans.get(plan_id)
        if plan is None:
            self._reply(WORDS[Meaning.OUTDATED])
            return True
        if decision == "approve" and not is_worn(done.link):
            self._reply(WORDS[Meaning.NOT_WORN])
            return True
        evidence = evidence_of(done, self._telling.told(cues.question_id(plan)))
        try:
            await self._plans.decide(
                plan_id, decision, evidence, plan_hash=plan.hash(), user_id=self._user_id
            )
        except PlanError as error:
            self._reply(error.text)
            if error.code in ("needs_screen", "needs_passkey"):
                return True
        else:
            self._reply(cues.AGREED if decision == "approve" else cues.NOT_BOUGHT)
        self._hush(topic)
        await self._telling.take_down(topic)
        return True
