"""What somebody wants of a ride, from a whole utterance. What fits no pattern is None.

A pattern always covers every word that was said, so that words about food, a negation ("don't get
me a taxi") or a supposition ("if I took a taxi home") are never taken for a request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lapel.assistant.politeness import forms, plain
from lapel.assistant.rides.times import Timed, answered, shifted, timed
from lapel.services.personal import When
from lapel.services.rides import Pickup


@dataclass(frozen=True, slots=True)
class AskRide:
    """Places are as they were said, empty where none was. `price` asks for the price alone.

    `at` is when to be picked up, or where `arrives` is set when to be there; None means now.
    """

    ride_class: str = ""
    pickup: str = ""
    destination: str = ""
    price: bool = False
    at: Pickup | None = None
    arrives: bool = False


@dataclass(frozen=True, slots=True)
class ChangeDestination:
    place: str


@dataclass(frozen=True, slots=True)
class ChangeTime:
    """To another time, or so many seconds later. `it` is said where no ride was named."""

    at: When | None = None
    shift_s: float = 0.0
    it: bool = False


@dataclass(frozen=True, slots=True)
class CancelRide:
    """Which one: where it goes, as it was said, or when it is; `every` means all of them."""

    place: str = ""
    at: When | None = None
    every: bool = False


@dataclass(frozen=True, slots=True)
class Tip:
    """`minor` is None when no amount was said."""

    minor: int | None


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Of the ride that is under way, or (`booked`) of all that are booked."""

    booked: bool = False


Wish = AskRide | ChangeDestination | ChangeTime | CancelRide | Tip | AskStatus

_CLASS = r"economy|comfort|van|minivan|cheap|cheapest|large|big"
_RIDE = r"ride|taxi|cab|lift"
_THING = (
    rf"(?:an? |another |the )?(?:(?P<class>{_CLASS})(?: class)? )?"
    rf"(?:(?:{_RIDE})(?: ride)?|car ride)"
)
_BARE_CLASS = r"(?:an? |the )?(?P<class>economy|comfort|van|minivan)(?: class)?"
"""Without a word for a ride: "a large to my office" may be a coffee."""
_GET = r"(?:get|find|book|order|call|hail|grab|request|send|arrange|fetch)(?: me| us)?"
_HEAD = (
    rf"(?:{_GET}|i need|i want|i would like|i'd like|we need|we want|i'll take|i will take|"
    r"(?:can|could|may) (?:i|we) (?:get|have|book))"
)
_PLACE = r"[\w'.&åäöÅÄÖ-]+(?: [\w'.&åäöÅÄÖ-]+){0,5}?"
_TO = rf"(?:to (?P<to>{_PLACE})|(?:back )?(?P<home>home))"
_TO_LAST = rf"(?:to (?P<to2>{_PLACE})|(?:back )?(?P<home2>home))"
_WAY = rf"(?:{_TO}(?: from (?P<from>{_PLACE}))?|from (?P<from2>{_PLACE})(?: {_TO_LAST})?)"
_FROM = rf"from (?P<from>{_PLACE})"

_REQUESTS = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"{_HEAD} {_THING}(?: {_WAY})?",
        rf"{_HEAD} {_BARE_CLASS} {_WAY}",
        rf"{_THING} {_WAY}",
        rf"{_BARE_CLASS} {_WAY}",
        rf"(?:drive|pick) me (?:up )?(?:to (?P<to>{_PLACE})|(?P<home>home))(?: {_FROM})?",
        rf"take me (?:to (?P<to>{_PLACE})|(?P<home>home)) (?:by|in a|with a) (?:taxi|cab|car)",
        rf"(?:pick (?:me|us) up|collect (?:me|us)) (?:at|from) (?P<from>{_PLACE})"
        rf"(?: (?:and )?(?:take|bring|drive) (?:me|us))?(?: {_TO})?",
    )
)
_TIMED_REQUESTS = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:get|drive|bring|take) (?:me|us) {_TO}(?: {_FROM})?",
        rf"(?:pick (?:me|us) up|collect (?:me|us))(?: {_TO})?",
        rf"(?:have|let) an? (?:{_RIDE}|car|driver) (?:ready|here|waiting|come|pick (?:me|us) up)"
        rf"(?: {_FROM})?",
    )
)
"""Requests only with a time: without one they ask for the way, or say too little."""
_TO_BE_THERE = re.compile(
    rf"^(?:i|we) (?:need|have|want|must) (?:to )?be (?:at (?P<to>{_PLACE})|(?P<home>home))$"
)
"""A request only with a time to be there."""
_PRICES = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:how much (?:is|does|would|will)|what(?:'s| is| does| would| will)) {_THING} {_WAY}"
        r"(?: (?:cost|be|cost me))?",
        rf"how much (?:is|for) {_THING} {_WAY}",
        rf"(?:what(?:'s| is) )?(?:the )?price (?:of|for) {_THING} {_WAY}",
        rf"what (?:does|would|will) {_THING} cost {_WAY}",
        rf"how much (?:does|would|will) it cost to (?:get|take) {_THING} {_WAY}",
    )
)
_CHANGE = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:change|set|switch|make|move) (?:the|my)(?: ride's)? "
        rf"(?:destination|drop-?off)(?: of my ride)? (?:to )?(?P<place>{_PLACE})",
        rf"(?:change|redirect|send) (?:the|my) (?:{_RIDE}|car|driver) to "
        rf"(?P<place>{_PLACE})",
        rf"(?:the )?new destination(?: is)? (?P<place>{_PLACE})",
        rf"drive me to (?P<place>{_PLACE}) instead",
        rf"tell (?:the|my) driver to (?:go|drive) to (?P<place>{_PLACE})(?: instead)?",
    )
)
_CANCEL = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:cancel|call off|drop|stop) (?:the|my) (?:{_RIDE}|car|driver)(?: ride)?(?: {_TO})?",
        rf"i (?:don't|do not) (?:need|want) (?:the|my|a) (?:{_RIDE}|driver) "
        r"(?:any ?more|after all)",
    )
)
_CANCEL_ALL = re.compile(
    rf"^(?:cancel|call off|drop) (?:all|both|all of|both of) (?:the|my) (?:{_RIDE})s$"
)
_NAMED_TIME = re.compile(
    r"^(?:change|move|shift|switch|make|push|put off|put|postpone|reschedule|delay|set) (?:the|my) "
    rf"(?:{_RIDE}|car|pick-?up|pick up)(?: time)?(?: back| forward| off)? "
    r"(?:(?:to|for|until|till) )?(?P<rest>.+)$"
)
_ITS_TIME = re.compile(
    r"^(?:(?:change|move|shift|make|push|put) it (?:(?:to|for|until|till) )?(?P<rest>.+?)"
    r"(?: instead)?|pick (?:me|us) up (?P<instead>.+) instead)$"
)
_BARE = re.compile(r"\d+|(?!noon|midnight|today|tomorrow|tonight)(?!\w+day$)\w+")
"""How many are meant by "make it two", not when."""
_BOOKED = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:what|which|how many) (?:{_RIDE})s (?:do i have|have i|are)(?: booked)?",
        rf"(?:do i have|have i|is there) (?:an?|any) (?:{_RIDE})s?(?: booked)?",
        rf"(?:when|what time|at what time) (?:is|are|does|do) my (?:{_RIDE})s?(?: {_TO})?"
        r"(?: booked| leave| come)?",
        rf"(?:show|list|read)(?: me)? my (?:{_RIDE})s",
    )
)
_STATUS = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"where(?:'s| is) (?:the|my) (?:{_RIDE}|driver|car)",
        rf"(?:when (?:does|will|is)|how long (?:until|till|does it take until)) (?:the|my) "
        rf"(?:{_RIDE}|driver|car)(?: (?:come|comes|coming|arrive|arrives|get here|gets here|"
        r"be here|is here))?",
        r"who(?:'s| is) (?:the|my) driver",
        rf"what(?:'s| is) (?:the|my) (?:{_RIDE}|driver|car)(?:'s)? "
        r"(?:plate|licen[cs]e plate|number)",
        rf"how far (?:away )?is (?:the|my) (?:{_RIDE}|driver|car)",
    )
)
_SMALL = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)  # fmt: skip
_NUMBERS = {word: n for n, word in enumerate(_SMALL, 1)} | {"fifty": 50, "a": 1, "an": 1}
_COUNT = rf"(?:\d{{1,3}}(?:[.,]\d\d)?|{'|'.join(_NUMBERS)})"
_AMOUNT = (
    rf"(?:(?P<whole>{_COUNT}) ?(?:euros?|eur|€)(?: (?P<part>\d\d|fifty))?|"
    rf"(?P<cents>{_COUNT}) cents?)"
)
_WHOM = r"(?:the driver|my driver|him|her|them)"
_TIP = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"tip {_WHOM}(?: {_AMOUNT})?",
        rf"tip {_AMOUNT}",
        rf"(?:give|leave)(?: {_WHOM})? (?:a tip of |a )?{_AMOUNT}(?: (?:as a )?tip)",
        rf"give {_WHOM} {_AMOUNT}",
        rf"(?:give|leave)(?: {_WHOM})? a tip of {_AMOUNT}",
        rf"(?:add|give|leave)(?: {_WHOM})? a tip(?: of {_AMOUNT})?",
    )
)
_ABOUT_RIDES = re.compile(
    rf"\b(?:{_RIDE}|rides|taxis|cabs|car|economy|comfort|van|minivan|pick|pickup|drive|driver|me|us|"
    r"collect|it|be)\b"
)
"""A word of these is in every utterance about a ride at a time."""
_NOT_A_PLACE = frozenset(
    {
        "and", "or", "with", "then", "if", "when", "because", "plus", "but", "not", "don't",
        "was", "were", "is", "are", "would", "will", "had", "has", "did", "without", "so", "that",
        "which", "who", "while", "unless", "instead", "maybe",
    }
)  # fmt: skip
_ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2}


def read(text: str) -> Wish | None:
    """The wish in a whole utterance, or None when it is about something else."""
    # A colon is a mark, but not in the middle of a time.
    marked = re.sub(r":(?!\d)|(?<!\d):", " ", text)
    found = (_read(said) for said in forms(marked, ",;!?"))
    return next((wish for wish in found if wish is not None), None)


def _read(said: str) -> Wish | None:
    if (wish := _other_time(said)) is not None:
        return wish
    for each in timed(said) if _ABOUT_RIDES.search(said) else ():
        if (wish := _at(each)) is not None:
            return wish
    return _untimed(said)


def _at(each: Timed) -> Wish | None:
    """A wish with its time."""
    wish = _untimed(each.rest)
    match wish:
        case AskRide():
            return _asked_at(wish, each)
        case CancelRide():
            return replace(wish, at=each.when)
        case AskStatus():
            return AskStatus(booked=True)
        case None:
            pass
        case _:
            return None
    said = re.sub(r"\bcar (?=to |from |home)", "taxi ", each.rest)
    patterns = (*_REQUESTS, *_TIMED_REQUESTS, *((_TO_BE_THERE,) if each.arrives else ()))
    asked = _asked(said, patterns, price=False)
    return None if asked is None else _asked_at(asked, each)


def _asked_at(wish: AskRide, each: Timed) -> AskRide:
    """Whoever wants to be home by ten speaks of the arrival, who is picked up by ten does not."""
    picked_up = re.match(r"(?:pick|collect|have|let) ", each.rest) is not None
    return replace(wish, at=each.when, arrives=each.arrives and not picked_up)


def _other_time(said: str) -> ChangeTime | None:
    for pattern, it in ((_NAMED_TIME, False), (_ITS_TIME, True)):
        match = pattern.match(said)
        rest = "" if match is None else next(x for x in match.groups() if x)
        if not rest or (it and _BARE.fullmatch(rest)):
            continue
        if (shift := shifted(rest)) is not None:
            return ChangeTime(shift_s=shift, it=it)
        if (when := answered(rest)) is not None:
            return ChangeTime(when, it=it)
    return None


def _untimed(said: str) -> Wish | None:
    if _CANCEL_ALL.match(said):
        return CancelRide(every=True)
    for pattern in _CANCEL:
        if (match := pattern.match(said)) is not None:
            return CancelRide(_where(match.groupdict()))
    if any(pattern.match(said) for pattern in _STATUS):
        return AskStatus()
    for pattern in _TIP:
        if (match := pattern.match(said)) is not None:
            return Tip(_minor(match))
    for pattern in _CHANGE:
        if (match := pattern.match(said)) is not None:
            return _change(match)
    if (asked := _ride(said)) is not None:
        return asked
    return AskStatus(booked=True) if any(x.match(said) for x in _BOOKED) else None


def chosen(text: str, classes: list[str]) -> int | None:
    """Which of the offers, cheapest first, an answer means; None when it is no such answer."""
    said = plain(text)
    said = re.sub(
        r"^(?:i'll take|i will take|i'd like|i would like|take|book|get|choose|give me|let's take|"
        r"make it|go with|i want) ",
        "",
        said,
    )
    said = re.sub(r"^(?:an?|the) ", "", said)
    said = re.sub(r" (?:one|class|ride|option|then|it is)$", "", said)
    if said in ("cheapest", "cheap"):
        return 0
    if said in _ORDINALS and _ORDINALS[said] < len(classes):
        return _ORDINALS[said]
    wanted = "van" if said == "minivan" else said
    return classes.index(wanted) if wanted in classes else None


@dataclass(frozen=True, slots=True)
class Which:
    """One of several booked rides: by its place in the list, where it goes, or when."""

    nth: int | None = None
    place: str = ""
    at: When | None = None
    every: bool = False


def which(text: str, count: int) -> Which | None:
    """Which of so many rides an answer means; None when it is no such answer."""
    said = re.sub(r"^(?:cancel |change |i mean )?(?:the |my )?", "", plain(text))
    if re.fullmatch(r"(?:all|both)(?: of (?:them|it))?", said):
        return Which(every=True)
    bare = re.sub(r" (?:one|ride|taxi)$", "", said)
    ordinals = {**_ORDINALS, "last": count - 1, "next": 0}
    if bare in ordinals:
        return Which(ordinals[bare]) if 0 <= ordinals[bare] < count else None
    about = re.sub(r"^(?:one|ride|taxi) ", "", said)
    if (when := answered(about)) is not None or (when := answered(bare)) is not None:
        return Which(at=when)
    where = re.sub(r"^to ", "", bare if about == said else about)
    return Which(place=where) if re.fullmatch(_PLACE, where) and _is_place(where) else None


def as_place(text: str, *, after: str) -> str | None:
    """A place as the answer to "where to?" or "where from?" (`after` is "to" or "from")."""
    said = plain(text)
    said = re.sub(rf"^(?:{after}|it's|i'm at|at) ", "", said)
    return said if re.fullmatch(_PLACE, said) and _is_place(said) else None


def amount(text: str) -> int | None:
    """An amount of money in cents, as the answer to "how much?"."""
    match = re.fullmatch(_AMOUNT, plain(text))
    return _minor(match) if match else None


def _ride(said: str) -> AskRide | None:
    return _asked(said, _PRICES, price=True) or _asked(said, _REQUESTS, price=False)


def _asked(said: str, patterns: Iterable[re.Pattern[str]], *, price: bool) -> AskRide | None:
    for pattern in patterns:
        match = pattern.match(said)
        if match is None:
            continue
        found = match.groupdict()
        to, start = _where(found), found.get("from") or found.get("from2") or ""
        if _is_place(to) and _is_place(start):
            return AskRide(_class(found.get("class") or ""), start, to, price)
    return None


def _where(found: Mapping[str, str | None]) -> str:
    if found.get("home") or found.get("home2"):
        return "home"
    return found.get("to") or found.get("to2") or ""


def _is_place(text: str) -> bool:
    return not _NOT_A_PLACE.intersection(text.split())


def _class(said: str) -> str:
    return {"cheap": "cheapest", "minivan": "van", "large": "van", "big": "van"}.get(said, said)


def _change(match: re.Match[str]) -> Wish | None:
    place = match["place"].removesuffix(" instead")
    return ChangeDestination(place) if _is_place(place) else None


def _minor(match: re.Match[str]) -> int | None:
    found = match.groupdict()
    if found.get("cents"):
        return _number(found["cents"]) // 100
    if found.get("whole"):
        part = {"fifty": 50}.get(found["part"] or "")
        return _number(found["whole"]) + (part if part is not None else int(found["part"] or 0))
    return None


def _number(said: str) -> int:
    """In hundredths."""
    if said in _NUMBERS:
        return _NUMBERS[said] * 100
    whole, _, part = said.replace(",", ".").partition(".")
    return int(whole) * 100 + int(part or 0)
