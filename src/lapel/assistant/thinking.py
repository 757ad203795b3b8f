"""Thinking in the background: a model may take long, and the user is not kept waiting or unheard.

One matter at a time. Newer words end it, and what comes of it afterwards is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lapel.assistant.matters import Matter, ThinkingIsSlow, ThoughtOver
from lapel.brain.dialogue import Dialogue
from lapel.brain.tools import Request, Thinker, Thought
from lapel.turns import Interpret

LET_ME_THINK = "Let me think."
SLOW_S = 0.7
"""With the voice's first sound the user hears within a second that it is thought about."""
LEFT = "All right."


class Nobody:
    """No model: nothing is asked of anybody. Implements `Thinker`."""

    ready = False

    async def think(self, request: Request) -> Thought:
        return None


class Thinking:
    """What one assistant thinks about now. `offer` brings what comes of it to the inbox."""

    def __init__(self, thinker: Thinker, offer: Callable[[Matter], bool]) -> None:
        self.dialogue = Dialogue(thinker)
        self.thinker = thinker
        self._offer = offer
        self._of: Interpret | None = None
        self._answered = False
        self._task: asyncio.Task[None] | None = None
        self._slow: asyncio.TimerHandle | None = None

    def start(self, wanted: Interpret, request: Request) -> None:
        """Think about `wanted`; a ThoughtOver comes of it, and before it maybe a ThinkingIsSlow."""
        self.stop()
        self._of, self._answered = wanted, False
        loop = asyncio.get_running_loop()
        self._slow = loop.call_later(SLOW_S, self._offer, ThinkingIsSlow(wanted))
        self._task = asyncio.create_task(self._think(wanted, request, loop.time()))

    async def _think(self, wanted: Interpret, request: Request, at: float) -> None:
        thought = await self.dialogue.hear(request, at)
        self._bring(ThoughtOver(wanted, thought))

    def _bring(self, over: ThoughtOver) -> None:
        if not self._offer(over):  # the inbox is full
            asyncio.get_running_loop().call_later(SLOW_S, self._bring, over)

    def is_slow(self, item: ThinkingIsSlow) -> bool:
        """Whether the user is to hear of it now; its turn is answered by that."""
        if self._of is not item.wanted:
            return False
        self._answered = True
        return True

    def over(self, item: ThoughtOver) -> tuple[bool, int | None]:
        """Whether it still counts, and the turn that it answers, if that waits."""
        if self._of is not item.wanted:
            return False, None
        turn = self._waiting()
        self._end()
        return True, turn

    def stop(self) -> tuple[bool, int | None]:
        """Drop what is thought about: whether there was any, and the turn that waits for it."""
        found, turn = self._of is not None, self._waiting()
        if self._task is not None:
            self._task.cancel()
        self._end()
        return found, turn

    def undo(self, turn: int) -> None:
        """The user went on speaking: it was half of what is wanted."""
        if self._of is not None and self._of.turn == turn:
            self.stop()

    def _waiting(self) -> int | None:
        return None if self._of is None or self._answered else self._of.turn

    def _end(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
        self._of = self._task = self._slow = None
