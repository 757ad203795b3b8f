"""From the button of a limit's card to a limit that stands: out of band from any model."""

from __future__ import annotations

from collections.abc import Callable

from lapel.assistant.approving import WORDS, Meaning
from lapel.assistant.delivery import is_worn
from lapel.assistant.evidence import evidence_of
from lapel.assistant.limits import cues
from lapel.assistant.matters import Gestured
from lapel.assistant.telling import Telling
from lapel.commerce import Decision, LimitError, Standing


class LimitAnswers:
    """One user's answers to the questions about standing limits."""

    def __init__(
        self,
        user_id: str,
        standing: Standing,
        telling: Telling,
        hush: Callable[[str], None],
        reply: Callable[[str], None],
    ) -> None:
        self._user_id = user_id
        self._standing = standing
        self._telling = telling
        self._hush = hush
        self._reply = reply

    async def gesture(self, done: Gestured) -> bool:
        """Whether the gesture was made on a limit's card; then it is dealt with."""
        topic, action = done.made.topic or "", done.made.action
        limit_id = cues.limit_of(topic)
        if not limit_id or action is None:
            return False
        answers: dict[str, Decision] = {"approve": "approve", "refuse": "refuse"}
        decision = answers.get(action)
        limit = await self._standing.get(limit_id)
        if decision is None or limit is None:
            self._reply(WORDS[Meaning.OUTDATED])
            return True
        if decision == "approve" and not is_worn(done.link):
            self._reply(WORDS[Meaning.NOT_WORN])
            return True
        try:
            await self._standing.decide(
                limit_id,
                decision,
                evidence_of(done, self._telling.told(topic)),
                terms_hash=limit.terms.hash(),
                user_id=self._user_id,
            )
        except LimitError as error:
            self._reply(error.text)
            if error.code in ("needs_screen", "needs_passkey"):
                return True
        else:
            self._reply(cues.agreed(limit.terms) if decision == "approve" else cues.NOT_SET)
        self._hush(topic)
        await self._telling.take_down(topic)
        return True
