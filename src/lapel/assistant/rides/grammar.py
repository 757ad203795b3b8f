"""What somebody wants of a ride, from a whole utterance. What fits no pattern is None.

A pattern always covers every word that was said, so that words about food, a negation ("don't get
me a taxi") or a supposition ("if I took a taxi home") are never taken for a request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lapel.assistant.politeness import forms, plain


@dataclass(frozen=True, slots=True)
class AskRide:
    """Places are as they were said, empty where none was. `price` asks for the price alone."""

    ride_class: str = ""
    pickup: str = ""
    destination: str = ""
    price: bool = False


@dataclass(frozen=True, slots=True)
class LaterRide:
    """A ride for another time than now, which cannot be booked."""


@dataclass(frozen=True, slots=True)
class ChangeDestination:
    place: str


@dataclass(frozen=True, slots=True)
class CancelRide:
    pass


@dataclass(frozen=True, slots=True)
class Tip:
    """`minor` is None when no amount was said."""

    minor: int | None


@dataclass(frozen=True, slots=True)
class AskStatus:
    pass


Wish = AskRide | LaterRide | ChangeDestination | CancelRide | Tip | AskStatus

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
    )
)
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
        rf"(?:cancel|call off|drop|stop) (?:the|my) (?:{_RIDE}|car|driver)(?: ride)?",
        rf"i (?:don't|do not) (?:need|want) (?:the|my|a) (?:{_RIDE}|driver) "
        r"(?:any ?more|after all)",
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
_HOUR = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_LATER = re.compile(
    r" (?:tomorrow(?: \w+)?|tonight|later(?: today)?|this (?:morning|evening|afternoon)|"
    rf"(?:at|by|around) (?:\d\S*|noon|midnight|half past \w+|quarter (?:to|past) \w+|"
    rf"(?:{_HOUR})(?: o'clock)?)(?: ?[ap]\.?m\.?)?|"
    r"in (?:an?|\w+) (?:hours?|minutes?)|in half an hour|"
    r"(?:on|next) (?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|month))$"
)
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
    return next((wish for said in forms(text) if (wish := _read(said)) is not None), None)


def _read(said: str) -> Wish | None:
    if any(pattern.match(said) for pattern in _CANCEL):
        return CancelRide()
    if any(pattern.match(said) for pattern in _STATUS):
        return AskStatus()
    for pattern in _TIP:
        if (match := pattern.match(said)) is not None:
            return Tip(_minor(match))
    for pattern in _CHANGE:
        if (match := pattern.match(said)) is not None:
            return _change(match)
    return _ride(said)


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


def as_place(text: str, *, after: str) -> str | None:
    """A place as the answer to "where to?" or "where from?" (`after` is "to" or "from")."""
    said = plain(text)
    said = re.sub(rf"^(?:{after}|it's|i'm at|at) ", "", said)
    return said if re.fullmatch(_PLACE, said) and _is_place(said) else None


def amount(text: str) -> int | None:
    """An amount of money in cents, as the answer to "how much?"."""
    match = re.fullmatch(_AMOUNT, plain(text))
    return _minor(match) if match else None


def _ride(said: str) -> Wish | None:
    later = _LATER.search(said)
    if later is not None:
        return LaterRide() if _ride(said[: later.start()]) is not None else None
    for price, patterns in ((True, _PRICES), (False, _REQUESTS)):
        for pattern in patterns:
            match = pattern.match(said)
            if match is None:
                continue
            found = match.groupdict()
            to = found.get("to") or found.get("to2") or ""
            if found.get("home") or found.get("home2"):
                to = "home"
            start = found.get("from") or found.get("from2") or ""
            if not (_is_place(to) and _is_place(start)):
                continue
            return AskRide(_class(found.get("class") or ""), start, to, price)
    return None


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
