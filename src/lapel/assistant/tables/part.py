"""A table as a part of a plan, and so the place and the time of what is made for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lapel.assistant.parts import Around, Asks, Made
from lapel.assistant.rides.cues import when
from lapel.assistant.tables import choosing, cues, reading
from lapel.assistant.tables.reading import Wish
from lapel.assistant.tables.skill import HOW_MANY, NO_COMPANY, TablesSkill
from lapel.commerce import Refused, TableOffer
from lapel.services.tables import draft_of


@dataclass(frozen=True, slots=True)
class TableWish:
    """What was said, the table that was chosen since, and the name that was given."""

    wish: Wish
    offer: TableOffer | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class TableMaker:
    """Implements `Maker`. Of the tables at the very time the best one is taken; any other time is
    asked about.
    """

    tables: TablesSkill

    def reads(self, said: str) -> tuple[TableWish, ...]:
        found = reading.read(said, self.tables.words)
        if found is None or found.act != "book":
            return ()
        return (TableWish(found.wish),)

    async def make(self, wish: TableWish, around: Around) -> Made | Asks:
        if not await self.tables.tables.companies():
            raise Refused(NO_COMPANY)
        asks = self._open(wish)
        if asks is not None:
            return asks
        found = await self._choose(wish, around)
        if isinstance(found, Asks):
            return found
        if wish.name:
            await self.tables.guests.keep_full(wish.name)
        guest = wish.wish.guest or await self.tables.guests.full()
        if not guest:
            chosen = replace(wish, offer=found)
            return Asks("Under which name is the table?", lambda said: self._named(chosen, said))
        table = found.table
        title = f"Table for {table.party} at {table.restaurant.name}, "
        title += when(table.begins, around.at)
        return Made(
            title,
            draft_of(found, guest, around.said),
            place=found.address,
            begins=table.starts,
            ends=table.leaves,
        )

    def _open(self, asked: TableWish) -> Asks | None:
        """What must be known before restaurants are asked."""
        wish, words = asked.wish, self.tables.words

        def whole(said: Wish | None) -> TableWish | None:
            return None if said is None else TableWish(wish.updated(said))

        if not wish.party:
            return Asks(f"The table: {HOW_MANY.lower()}", lambda x: whole(reading.party(x, words)))
        if not wish.timed:
            return Asks(
                f"The table for {wish.party}: at what time?",
                lambda x: whole(reading.when(x, words, wish.meal)),
            )
        return None

    async def _choose(self, asked: TableWish, around: Around) -> TableOffer | Asks:
        if asked.offer is not None:
            return asked.offer
        found = await self.tables.find(asked.wish, around.at)
        offer = choosing.exact(found.every, found.wall)
        if offer is not None:
            return next(x for x in found.every if x.table.begins == offer.table.begins)
        listed, every = choosing.listed(found.every), found.every
        count = len({x.table.begins for x in every})
        if choosing.restaurants(every) > 1:
            count = choosing.restaurants(every)
        text = cues.offers_text(listed, count, found.wall, found.near)
        labels = tuple(f"{x.table.restaurant.name} {x.table.starts:%H:%M}" for x in listed)

        def read(said: str) -> TableWish | None:
            if said in labels:
                return replace(asked, offer=listed[labels.index(said)])
            pick = reading.picked(said, self.tables.words)
            chosen = None if pick is None else choosing.choose(pick, listed, every)
            if chosen is None:
                other = reading.refined(said, self.tables.words)
                return None if other is None else TableWish(asked.wish.updated(other))
            return replace(asked, offer=chosen)

        return Asks(text, read, labels)

    def _named(self, asked: TableWish, said: str) -> TableWish | None:
        name = reading.guest(said, self.tables.words)
        return replace(asked, name=name) if name else None
