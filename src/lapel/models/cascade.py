"""The user's models, asked one after the other until one knows what was meant."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import httpx

from lapel.brain.grounding import grounded
from lapel.brain.tools import Answer, Ask, Call, Proposal, Request, Thought
from lapel.models.chat import Chat
from lapel.models.errors import ModelError
from lapel.models.listing import Endpoint, Listed, Listing, Use
from lapel.models.local import Local
from lapel.models.speaking import fit_to_say

log = logging.getLogger(__name__)
PATIENCE_S = 20.0
"""For all models together."""


class Proposer(Protocol):
    """One model. Raises ModelError."""

    async def propose(self, request: Request) -> Proposal: ...


class Cascade:
    """Implements `Thinker`. What is added to or removed from the list counts from the next time."""

    def __init__(
        self,
        listing: Listing,
        http: httpx.AsyncClient,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.listing = listing
        self.used = listing.used()
        self._http = http
        self._patience_s = patience_s
        self._clock = clock
        self._running: dict[str, tuple[Listed, Proposer]] = {}

    @property
    def ready(self) -> bool:
        """Whether the user has any model."""
        try:
            return bool(self.listing.all())
        except ModelError as error:
            log.warning("no model is asked: %s", error)
            return False

    async def think(self, request: Request) -> Thought:
        """See `Thinker.think`. An answer in words counts only when no model finds a call."""
        said: Answer | None = None
        try:
            async with asyncio.timeout(self._patience_s):
                for listed in self.listing.all():
                    thought = await self._ask(listed, request)
                    if isinstance(thought, Call | Ask):
                        return thought
                    said = said or thought
        except TimeoutError:
            log.info("no model knew within %s s", self._patience_s)
        return said

    async def close(self) -> None:
        """Stop what runs here."""
        running, self._running = self._running, {}
        for _, proposer in running.values():
            if isinstance(proposer, Local):
                await proposer.close()

    async def _ask(self, listed: Listed, request: Request) -> Thought:
        before = self.used.get(listed.name, Use())
        began = time.monotonic()
        thought: Thought = None
        failed = True  # as it is when the time is over
        try:
            proposal = await (await self._proposer(listed)).propose(request)
            thought, failed = self._read(proposal, listed, request), False
        except ModelError as error:
            log.warning("the model %s did not help: %s", listed.name, error)
        finally:
            took_s = time.monotonic() - began
            self.used[listed.name] = Use(
                asked=before.asked + 1,
                helped=before.helped + (thought is not None),
                failed=before.failed + failed,
                last_at=self._clock(),
                last_s=took_s,
            )
            self._note()
        log.info("the model %s took %.2f s", listed.name, took_s)
        return thought

    def _note(self) -> None:
        try:
            self.listing.keep_used(self.used)
        except OSError as error:
            log.warning("cannot write how models are used: %s", error.strerror)

    def _read(self, proposal: Proposal, listed: Listed, request: Request) -> Thought:
        thought = grounded(proposal, request)
        if thought is None and not proposal.tool and listed.answers:
            text = fit_to_say(proposal.text)
            return Answer(text, listed.name) if text else None
        return thought

    async def _proposer(self, listed: Listed) -> Proposer:
        """The same one for as long as the list says the same of it."""
        known = self._running.get(listed.name)
        if known is not None and known[0] == listed:
            return known[1]
        if known is not None and isinstance(known[1], Local):
            await known[1].close()
        made = self._made(listed)
        self._running[listed.name] = (listed, made)
        return made

    def _made(self, listed: Listed) -> Proposer:
        if isinstance(listed, Endpoint):
            return chat_of(listed, self.listing, self._http)
        file: Path = self.listing.folder / listed.file
        return Local(self._http, file, answers=listed.answers)


def chat_of(model: Endpoint, listing: Listing, http: httpx.AsyncClient) -> Chat:
    """The client of an endpoint, with its key."""
    key = listing.key_of(model)
    return Chat(http, model.url, model.model, key, model.style, model.answers)
