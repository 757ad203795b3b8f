"""The matter that is being talked about where a model is asked, kept in code.

Models that read the history of a conversation get 3 to 5 of 8 dialogues right, the same models with
the turns joined by code 8 of 8. So a model hears of earlier turns only as words of the one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lapel.brain.grounding import answer_of
from lapel.brain.provenance import Argument, Said, Words
from lapel.brain.tools import Ask, Call, Request, Thinker, Thought

KEPT_S = 120.0
"""A matter that was not spoken of for so long is over."""
_LONGEST_ANSWER = 60
"""Characters; more is a sentence of its own."""


@dataclass(slots=True)
class Dialogue:
    """One user's. `hear` is for what the grammars do not understand."""

    thinker: Thinker
    _earlier: Words | None = None
    _asked: Ask | None = None
    _at: float = 0.0

    @property
    def asks(self) -> bool:
        """Whether a question is open."""
        return self._asked is not None

    def forget(self) -> None:
        """The matter is settled, or something else is spoken of."""
        self._earlier = self._asked = None

    async def hear(self, request: Request, at: float) -> Thought:
        """What the words come to; `at` is in seconds, of any clock that only goes forward."""
        if at - self._at > KEPT_S:
            self.forget()
        self._at = at
        asked, earlier = self._asked, self._earlier
        self._asked = None
        if asked is not None and _may_answer(request.words):
            said = joined(asked.call.words, request.words)
            return self._keep(_completed(asked, request.words), said)
        thought = await self._joined(earlier, request)
        if thought is None:  # something else is spoken of
            thought = await self.thinker.think(request)
        of = thought.call if isinstance(thought, Ask) else thought
        return self._keep(thought, of.words if isinstance(of, Call) else request.words)

    async def _joined(self, earlier: Words | None, request: Request) -> Thought:
        """With what was said before, where the new words say something of the same matter."""
        if earlier is None:
            return None
        words = joined(earlier, request.words)
        thought = await self.thinker.think(replace(request, words=words))
        call = thought.call if isinstance(thought, Ask) else thought
        new = len(words.text) - len(request.words.text)
        if isinstance(call, Call) and _is_new(call.arguments, words, new):
            return thought
        return None

    def _keep(self, thought: Thought, words: Words) -> Thought:
        self._asked = thought if isinstance(thought, Ask) else None
        self._earlier = words if isinstance(thought, Ask | Call) else None
        return thought


def joined(first: Words, then: Words) -> Words:
    """Two turns as one request."""
    text = f"{first.text.rstrip(' .')}. {then.text}"
    return Words(replace(then.utterance, text=text))


def _is_new(arguments: Mapping[str, Argument], words: Words, new: int) -> bool:
    """Whether what was just said is in an argument: else it was about something else."""
    spans = [x for x in arguments.values() if isinstance(x, Said) and x.words is words]
    return any(said.end > new for said in spans)


def _may_answer(words: Words) -> bool:
    return 0 < len(words.text.strip()) <= _LONGEST_ANSWER


def _completed(asked: Ask, words: Words) -> Thought:
    call = asked.answered(answer_of(words))
    for parameter in call.tool.parameters:
        if parameter.required and parameter.name not in call.arguments:
            return Ask(parameter.ask, call, parameter.name)
    return call
