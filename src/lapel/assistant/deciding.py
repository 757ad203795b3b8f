"""From a gesture to a decision about a purchase: out of band from any model, with the evidence."""

from __future__ import annotations

from collections.abc import Callable

from lapel.assistant.approving import WORDS, Meaning, Told, meaning
from lapel.assistant.compose import approval_topic
from lapel.assistant.delivery import confirmers
from lapel.assistant.evidence import evidence_of
from lapel.assistant.limits.answers import LimitAnswers
from lapel.assistant.matters import Gestured
from lapel.assistant.planning.answers import PlanAnswers
from lapel.assistant.telling import Telling
from lapel.commerce import Approval, ApprovalError, Decision, Orders, Plans
from lapel.devices import Family, Gesture


class Deciding:
    """One user's answers to the questions of purchases.

    `hush` stops what is said about a topic; `reply` tells the user a sentence.
    """

    def __init__(
        self,
        user_id: str,
        orders: Orders,
        telling: Telling,
        *,
        settle_s: float,
        hush: Callable[[str], None],
        reply: Callable[[str], None],
        plans: Plans | None = None,
    ) -> None:
        self._user_id = user_id
        self._orders = orders
        self._telling = telling
        self._settle_s = settle_s
        self._hush = hush
        self._reply = reply
        self._limits = LimitAnswers(user_id, orders.standing, telling, hush, reply)
        self._plans = plans and PlanAnswers(user_id, plans, telling, hush, reply)

    async def gesture(self, done: Gestured) -> bool:
        """Judge a gesture and carry out what it means; whether an order may have moved."""
        if await self._limits.gesture(done):
            return True
        if self._plans is not None and await self._plans.gesture(done):
            return True
        pending = await self._orders.pending_approvals(self._user_id)
        if done.made.topic is None and done.made.gesture is not Gesture.LONG_PRESS:
            pending = [each for each in pending if not each.limit_id]
        named = [each for each in pending if done.made.topic in (None, approval_topic(each.id))]
        asked = named[-1] if named else None
        told = Told() if asked is None else self._telling.told(approval_topic(asked.id))
        meant = meaning(
            done.made,
            done.link,
            asked,
            told,
            now=done.at,
            settle_s=self._settle_s,
            back_s=done.back_s,
            alone=len(pending) < 2,
        )
        if meant is Meaning.NOTHING:
            return False
        if asked is None or meant not in (Meaning.APPROVE, Meaning.REFUSE):
            self._reply(WORDS[meant])
            return False
        await self._decide(done, asked, meant, told)
        return True

    async def _decide(self, done: Gestured, asked: Approval, meant: Meaning, told: Told) -> None:
        evidence = evidence_of(done, told)
        decision: Decision = "approve" if meant is Meaning.APPROVE else "refuse"
        self._hush(approval_topic(asked.id))
        try:
            await self._orders.decide(
                asked.id,
                decision,
                evidence,
                checkout_hash=asked.checkout_hash,
                user_id=self._user_id,
            )
        except ApprovalError as error:
            self._reply(str(error))

    def how(self) -> str:
        """How the user can answer with what they wear now."""
        able = confirmers(self._telling.connected)
        touch = [link for link in able if link.profile.family in (Family.PHONE, Family.BROWSER)]
        press = [link for link in able if link not in touch]
        if press:
            return f"Press the {press[0].profile.family.value} to order, hold to refuse."
        if touch:
            return "Tap Order on the phone to confirm."
        return "Put on a device that can confirm, or open the phone, to order."
