"""What somebody wants of a table in a restaurant, from a whole utterance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from lapel.assistant.grammar import Found
from lapel.assistant.personal.language import Words
from lapel.assistant.personal.reading import number_of, when_of
from lapel.assistant.politeness import whole
from lapel.services.personal import After, At, Clock, InDays, Part, When

Meal = Literal["", "breakfast", "lunch", "dinner"]
Act = Literal["book", "times", "status", "cancel", "change", "change_ask", "guide"]
_MEALS: dict[str, Meal] = {"breakfast": "breakfast", "lunch": "lunch", "dinner": "dinner"}
MOST_GUESTS = 100
_NO_RESTAURANTS = frozenset({"home", "work", "school"})
_USUAL: dict[Meal, Clock] = {
    "breakfast": Clock(10, half="am"),
    "lunch": Clock(12, half="pm"),
    "dinner": Clock(7, half="pm"),
    "": Clock(7, half="pm"),
}
"""Around which time is looked when any will do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A table, as far as it was said: 0, empty and None for what was not.

    `place` is near what: "here", or words. `when` has no open clock: "seven" is in the evening.
    """

    party: int = 0
    when: When | None = None
    meal: Meal = ""
    cuisine: str = ""
    name: str = ""
    place: str = ""
    guest: str = ""
    any_time: bool = False

    @property
    def timed(self) -> bool:
        """Whether the time of day is known."""
        timed = isinstance(self.when, At) and self.when.clock is not None
        return timed or isinstance(self.when, After)

    def updated(self, said: Wish) -> Wish:
        """The same with what was said anew; a new day keeps the time, and a new time the day."""
        return Wish(
            said.party or self.party,
            _merged(self.when, said.when),
            said.meal or self.meal,
            said.cuisine or self.cuisine,
            said.name or ("" if said.cuisine else self.name),
            said.place or self.place,
            said.guest or self.guest,
            said.any_time or (self.any_time and not said.timed),
        )

    @property
    def around(self) -> When | None:
        """The moment to look around: the usual time of the meal where none was said."""
        if self.timed or isinstance(self.when, After):
            return self.when
        said = self.when if isinstance(self.when, At) else None
        if said is None and not self.any_time:
            return None
        day = said.day if said and said.day else InDays(0)
        return At(day, _USUAL[self.meal if said is None else _meal_of(said.part, self.meal)])


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that is asked for. `sure` where the words can be about nothing but a restaurant.

    `named` is the restaurant whose booking is meant, if one was named.
    """

    act: Act
    wish: Wish = Wish()
    sure: bool = True
    named: str = ""


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of the offers: `how` is a key of the grammar's `b_pick`; `nth` counts from 1."""

    how: str
    nth: int = 0
    clock: Clock | None = None
    words: str = ""


def read(text: str, words: Words) -> Request | None:
    """The request in a whole utterance; None when any word of it is about something else."""
    found = whole(words.grammar.read(text), "b_command")
    if found is None:
        return None
    mine = found.part("mine")
    wish = _said(found)
    if wish is None or wish.name.lower() in _NO_RESTAURANTS:
        return None
    match found.key:
        case "book":
            return _booking(found, wish)
        case "times":
            what = found.part("what")
            asked = wish if what is None else _described(what, wish)
            return Request("times", replace(asked, any_time=not asked.timed), what is not None)
        case _:
            act: Act = found.key  # pyright: ignore[reportAssignmentType]  # keys of the file
            named = "" if mine is None else mine.text("name")
            return Request(act, wish, mine is None or mine.key == "table", named)


def picked(text: str, words: Words) -> Pick | None:
    """`text` as one of the tables that are listed; a name may turn out to be none of theirs."""
    found = whole(words.grammar.read(text), "b_picked")
    pick = None if found is None else found.part("pick")
    return None if pick is None else _pick(pick)


def refined(text: str, words: Words) -> Wish | None:
    """`text` as what is to be otherwise than in the last wish."""
    found = whole(words.grammar.read(text), "b_refined")
    if found is None:
        return None
    return Wish(any_time=True) if found.key == "any_time" else _said(found)


def party(text: str, words: Words) -> Wish | None:
    """`text` as the answer to "for how many?"; more than that may be said with it."""
    found = whole(words.grammar.read(text), "b_party")
    if found is None:
        return refined(text, words)
    count = 1 if found.key == "one" else _count(found)
    return Wish(party=count) if count else None


def when(text: str, words: Words, meal: Meal) -> Wish | None:
    """`text` as the answer to "when?"; more than that may be said with it."""
    found = whole(words.grammar.read(text), "b_when")
    if found is not None:
        moment = when_of(found.part("when") or found)
        return Wish(when=evening(moment, meal)) if isinstance(moment, At | After) else None
    return refined(text, words)


def guest(text: str, words: Words) -> str:
    """`text` as the answer to "under which name?"; empty when it is none."""
    found = whole(words.grammar.read(text), "b_name")
    return "" if found is None else _titled(found.text("name"))


def evening(said: When, meal: Meal) -> When:
    """The same with every clock that can mean two times settled as people do who go out to eat.

    "Tonight" and "this evening" are of today.
    """
    if not isinstance(said, At):
        return said
    day = said.day
    if day is None and said.part is not None:
        day = InDays(0)
    clock = said.clock
    if clock is not None and clock.open:
        half = _half(clock.hour % 12, _meal_of(said.part, meal), said.part)
        clock = None if half is None else Clock(clock.hour, clock.minute, half)
    # A clock that is settled needs its part of the day no more; "tonight at one" still does.
    keeps = clock is None or (said.part is Part.NIGHT and clock.fixed < 5)
    return At(day, clock or said.clock, said.part if keeps else None)


def _half(hour: int, meal: Meal, part: Part | None) -> str | None:
    """`hour` is 0 (twelve) to 11; None where the part of the day says it already."""
    if part is Part.MORNING:
        return "am"
    if part is Part.NIGHT and hour < 5:
        return None
    if meal == "breakfast":
        return "am" if hour >= 6 else "pm"
    if meal == "lunch":
        return "am" if hour in (10, 11) else "pm"
    return "am" if hour == 11 and not (meal or part) else "pm"


def _meal_of(part: Part | None, meal: Meal) -> Meal:
    match part:
        case None:
            return meal
        case Part.MORNING:
            return "breakfast"
        case Part.AFTERNOON:
            return "lunch"
        case _:
            return "dinner"


def _booking(found: Found, wish: Wish) -> Request | None:
    what, get = found.part("what"), found.part("get")
    if what is None:
        return None
    wish = _described(what, wish)
    firm = get is not None and get.key == "firm"
    placed = bool(wish.name or wish.place or wish.cuisine)
    match what.key:
        case "table":
            return Request("book", wish, bool(firm or wish.when or (wish.party and placed)))
        case "meal":
            sure = wish.party or (get is not None and (placed or wish.when))
            return Request("book", wish) if firm or sure else None
        case _:
            return Request("book", wish) if wish.when or wish.party else None


def _described(what: Found, wish: Wish) -> Wish:
    """The wish with what stands in "a table", "an Italian place" or "dinner"."""
    meal, cuisine = what.part("meal"), what.part("cuisine")
    kind = wish.meal if meal is None else _MEALS[meal.key]
    moment = None if wish.when is None else evening(wish.when, kind)
    cooked = wish.cuisine if cuisine is None else cuisine.text("label")
    return replace(wish, meal=kind, when=moment, cuisine=cooked)


def _said(found: Found) -> Wish | None:
    """The wish in `more` or in `moment`."""
    moment = found.part("moment")
    if moment is None:
        return _wish(found.part("more"))
    said = when_of(moment.part("when") or moment)
    return Wish(when=evening(said, "")) if isinstance(said, At | After) else None


def _wish(more: Found | None) -> Wish | None:
    """What the parts say in any order; None when two of them say different things."""
    wish = Wish()
    spoken = list(_parts(more))
    for part in spoken:
        said = _part(part)
        if said is None:
            return None
        both = (said.party and wish.party) or (said.name and wish.name)
        if both or (said.place and wish.place) or (said.cuisine and wish.cuisine):
            return None
        if said.when is not None and wish.when is not None and not _fit(wish.when, said.when):
            return None
        wish = wish.updated(said)
    return wish if wish.when is None else replace(wish, when=evening(wish.when, wish.meal))


def _parts(more: Found | None) -> Iterator[Found]:
    while more is not None:
        part = more.part("part")
        if part is not None:
            yield part
        more = more.part("rest")


def _part(part: Found) -> Wish | None:
    match part.key:
        case "party":
            count = _count(part)
            return Wish(party=count) if count else None
        case "when":
            moment = when_of(part.part("when") or Found("at", part.slots))
            return Wish(when=moment) if isinstance(moment, At | After) else None
        case "meal":
            meal = part.part("meal")
            return Wish(meal="" if meal is None else _MEALS[meal.key])
        case "here":
            return Wish(place="here")
        case "near":
            return Wish(place=part.text("place"))
        case "house":
            cuisine = part.part("cuisine")
            return Wish(cuisine="" if cuisine is None else cuisine.text("label"))
        case "guest":
            return Wish(guest=_titled(part.text("guest")))
        case _:
            return Wish(name=part.text("name"))


def _count(found: Found) -> int:
    """How many guests; 0 for a number that no table is for."""
    people = 0
    for name in ("count", "extra", "with"):
        part = found.part(name)
        if part is not None:
            number = part.part("number")
            people += 2 if number is None else round(number_of(number) * 100) // 100
            people += name == "with"
    return people if 1 <= people <= MOST_GUESTS else 0


def _pick(found: Found) -> Pick:
    nth, clock = found.part("nth"), found.part("clock")
    moment = None if clock is None else when_of(Found("at", {"clock": clock}))
    number = int(nth.key) if nth is not None else round(number_of(found.part("number")))
    return Pick(
        found.key,
        number if found.key == "nth" else 0,
        moment.clock if isinstance(moment, At) else None,
        found.text("name") or found.text("menu"),
    )


def _fit(one: When, other: When) -> bool:
    """Whether they name different things of one moment, as "tonight" and "at eight" do."""
    if not (isinstance(one, At) and isinstance(other, At)):
        return False
    pairs = ((one.day, other.day), (one.clock, other.clock), (one.part, other.part))
    return all(x is None or y is None for x, y in pairs)


def _merged(before: When | None, said: When | None) -> When | None:
    if not (isinstance(before, At) and isinstance(said, At)):
        return said or before
    return At(said.day or before.day, said.clock or before.clock, said.part or before.part)


def _titled(name: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in name.split())
