"""From a gesture to a yes or no to what a skill has asked: by the same rules as for purchases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from lapel.assistant.approving import WORDS, Meaning, meaning
from lapel.assistant.evidence import evidence_of
from lapel.assistant.matters import Gestured
from lapel.assistant.skills import Asked, Asker, Outcome
from lapel.assistant.telling import Telling

_WORDS = {
    **WORDS,
    Meaning.TOO_SOON: "That was too quick for me, so nothing was done. Press again to allow it.",
    Meaning.NOT_SHOWN: (
        "I could not show or read you the question yet, so nothing was done. "
        "Confirm when you know it."
    ),
    Meaning.OUTDATED: "That card is out of date. Nothing was done. Look at the newest one.",
    Meaning.UNCLEAR: (
        "Two questions wait for you, so nothing was done. Use the button of the one you mean."
    ),
    Meaning.CANNOT_CONFIRM: (
        "This device cannot allow that, so nothing was done. Use the ring or the phone."
    ),
}


class Consenting:
    """One user's answers to the questions of skills. `hush` stops what is said about a
    topic, `answer` tells what an outcome holds.
    """

    def __init__(
        self,
        askers: Callable[[], Sequence[Asker]],
        telling: Telling,
        *,
        settle_s: float,
        hush: Callable[[str], None],
        reply: Callable[[str], None],
        answer: Callable[[Outcome, Gestured], Awaitable[None]],
    ) -> None:
        self._askers = askers
        self._telling = telling
        self._settle_s = settle_s
        self._hush = hush
        self._reply = reply
        self._answer = answer

    async def gesture(self, done: Gestured, *, alone: bool) -> bool:
        """Whether the gesture answered such a question. `alone`: no purchase waits for one."""
        open_ones = [(asker, asked) for asker in self._askers() for asked in await asker.asked()]
        topic = done.made.topic
        named = [pair for pair in open_ones if topic in (None, pair[1].cue.topic)]
        if not named or (topic is None and not alone):
            return False
        asker, asked = named[-1]
        told = self._telling.told(asked.cue.id)
        meant = meaning(
            done.made,
            done.link,
            asked,
            told,
            now=done.at,
            settle_s=self._settle_s,
            back_s=done.back_s,
            alone=len(open_ones) < 2,
        )
        if meant is Meaning.NOTHING:
            return False
        if meant not in (Meaning.APPROVE, Meaning.REFUSE):
            self._reply(_WORDS[meant])
            return True
        await self._decide(done, asker, asked, yes=meant is Meaning.APPROVE)
        return True

    async def questions(self) -> list[Asked]:
        """All that can still be answered, for a device that has just come."""
        return [asked for asker in self._askers() for asked in await asker.asked()]

    async def _decide(self, done: Gestured, asker: Asker, asked: Asked, *, yes: bool) -> None:
        evidence = evidence_of(done, self._telling.told(asked.cue.id))
        # First, since what comes of it may be another question under the same topic.
        self._hush(asked.cue.topic)
        await self._telling.take_down(asked.cue.topic)
        await self._answer(await asker.decided(asked, yes=yes, evidence=evidence), done)
