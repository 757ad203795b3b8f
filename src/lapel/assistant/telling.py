"""Telling the user: the links that are there, cues on their way to them, and what has arrived."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from lapel.assistant.approving import Told
from lapel.assistant.delivery import is_worn, parcels, speaker_for
from lapel.assistant.outbox import Outbox
from lapel.devices import Cue, CueKind, CueTooLarge, Link
from lapel.faults import fault

log = logging.getLogger(__name__)

KEPT = 64
"""Cues of which it is remembered who showed and who read them; a question is far younger."""


@dataclass(frozen=True, slots=True)
class Sent:
    """`told` is false when no device could carry it; `voice` is the session that is to speak it."""

    cue: Cue
    told: bool
    voice: str | None


class Telling:
    """One user's links and the cues between the outbox and them."""

    def __init__(self, outbox: Outbox) -> None:
        self.links: dict[str, Link] = {}
        self._outbox = outbox
        self._on_way: dict[str, set[str]] = {}
        self._shown: dict[str, set[str]] = {}
        self._read: dict[str, set[str]] = {}
        self._last: Cue | None = None

    @property
    def connected(self) -> list[Link]:
        return [link for link in self.links.values() if link.connected]

    def add(self, link: Link) -> None:
        self.links[link.session_id] = link

    def remove(self, link: Link) -> None:
        self.links.pop(link.session_id, None)
        for cue_id, sessions in list(self._on_way.items()):
            sessions.discard(link.session_id)
            if not sessions:
                del self._on_way[cue_id]

    async def keep(self, cues: Iterable[Cue], told_event: int | None = None) -> None:
        """Write cues down; `flush` then tells them."""
        await self._outbox.add(list(cues), told_event)

    async def flush(self, asked_on: str | None = None) -> list[Sent]:
        """Tell every cue that waits and is not on its way already."""
        return [
            self.now(waiting.cue, asked_on)
            for waiting in await self._outbox.waiting()
            if not self._on_way.get(waiting.cue.id)
        ]

    def now(self, cue: Cue, asked_on: str | None = None) -> Sent:
        """Tell `cue` to the devices that can carry it."""
        told: set[str] = set()
        voice: str | None = None
        for parcel in parcels(cue, self.connected, asked_on):
            if _tell(self.links[parcel.session_id], parcel.cue) and _tells(parcel.cue, cue):
                told.add(parcel.session_id)
            if parcel.cue.speech:
                voice = parcel.session_id
        quiet = msgspec.structs.replace(cue, speech="", haptic=None)
        for link in self.links.values():
            # A device that lost its link for a moment finds the card when it comes back.
            shows = quiet.card is not None and link.profile.displays and is_worn(link)
            if shows and not link.connected:
                _tell(link, quiet)
        if told:
            self._on_way[cue.id] = told
        if cue.speech and cue.kind is not CueKind.RECEIPT:
            self._last = cue
        return Sent(cue, bool(told), voice)

    def last_said(self) -> Cue | None:
        return self._last

    def present(self, link: Link, cue: Cue) -> None:
        """Show one device, that has just joined, something that is still open."""
        if link.session_id in self._on_way.get(cue.id, ()):
            return
        part = cue.for_profile(link.profile)
        if not part.empty and _tell(link, part) and _tells(part, cue):
            self._on_way.setdefault(cue.id, set()).add(link.session_id)

    async def arrived(self, link: Link, cue_id: str) -> None:
        """`link` has acted on the cue. A pulse alone has told nothing."""
        if link.profile.displays:
            _note(self._shown, cue_id, link)
        if link.session_id not in self._on_way.get(cue_id, ()):
            return
        del self._on_way[cue_id]
        await self._outbox.delivered(cue_id, link.device_id)

    def played(self, link: Link, cue_id: str) -> None:
        """The speaker of `link` has played the cue to its end."""
        _note(self._read, cue_id, link)

    def speaker(self) -> str | None:
        """The session of the device that speaks now, if any can."""
        voice = speaker_for([link for link in self.connected if is_worn(link)])
        return None if voice is None else voice.session_id

    def told(self, cue_id: str) -> Told:
        """Which devices showed or read the cue."""
        shown, read = self._shown.get(cue_id, set()), self._read.get(cue_id, set())
        return Told(tuple(sorted(shown)), tuple(sorted(read)))

    async def take_down(self, topic: str) -> None:
        """The matter is closed: no card, no pulse, nothing left to tell of it."""
        for link in self.links.values():
            link.clear(topic)
        for book in (self._on_way, self._shown, self._read):
            book.pop(topic, None)
        await self._outbox.withdraw(topic)


def _tells(part: Cue, whole: Cue) -> bool:
    """Whether `part` has words, where the whole has any."""
    return bool(part.card or part.speech) or not (whole.card or whole.speech)


def _tell(link: Link, part: Cue) -> bool:
    """Tell it; a cue that fits in no message must not hold up the others."""
    try:
        return link.tell(part)
    except CueTooLarge as error:
        log.error("a cue could not be told: %s", fault(error))
        return False


def _note(book: dict[str, set[str]], cue_id: str, link: Link) -> None:
    """Write down that `link` has told the cue; the oldest entry makes room."""
    book.setdefault(cue_id, set()).add(link.profile.name or link.profile.family.value)
    while len(book) > KEPT:
        del book[next(iter(book))]
