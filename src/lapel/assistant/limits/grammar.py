"""What somebody wants of a standing limit, from a whole utterance. What fits no pattern is None.

A pattern covers every word that was said, so that a supposition or a negation is never a wish.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import cast

from lapel.assistant.politeness import forms, plain
from lapel.commerce import Period, minor_digits


@dataclass(frozen=True, slots=True)
class SetLimit:
    """What the user would allow; 0 for what was not said.

    `shop` and `goods` are as they were said, empty for any.
    """

    shop: str
    most_minor: int
    currency: str
    budget_minor: int = 0
    period: Period = "week"
    purchases: int = 0
    days: int = 0
    goods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskLimits:
    pass


@dataclass(frozen=True, slots=True)
class RevokeLimit:
    """`shop` is empty when none was named: the one there is, or with `every` all of them."""

    shop: str = ""
    every: bool = False


@dataclass(frozen=True, slots=True)
class Undo:
    """Only while something waits in an undo window."""


Wish = SetLimit | AskLimits | RevokeLimit | Undo

_UPTO = r"(?:up to|at most|no more than|not more than|a maximum of|as much as)"
_REST = r"(?P<rest>(?: .+)?)"
_ASKING = r"without (?:asking|checking with)(?: me)?(?: first| again)?"
_TAKE = r"(?:charge|take|bill|spend|have)"
_GOODS = r"(?: for (?P<goods>.+?)(?: only| alone)?)?"
_AND = re.compile(r",? and |, ")
_ARTICLE = re.compile(r"^(?:a|an|the|some|my) ")
_SET = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:let|allow) (?P<shop>.+?) (?:to )?{_TAKE}(?: me)? {_UPTO} (?P<most>.+?)"
        rf"{_GOODS} {_ASKING}{_REST}",
        rf"(?P<shop>(?!(?:you|i|we) ).+?) (?:may|can) {_TAKE}(?: me)? {_UPTO} (?P<most>.+?)"
        rf"{_GOODS} {_ASKING}{_REST}",
        rf"you (?:may|can) (?:spend|pay|buy for|order for) {_UPTO} (?P<most>.+?)"
        rf"(?: (?:at|from|with) (?P<shop>.+?))? {_ASKING}{_REST}",
        rf"(?:buy|order)(?: anything| something| things)? (?:for )?{_UPTO} (?P<most>.+?)"
        rf"(?: (?:at|from|with) (?P<shop>.+?))? {_ASKING}{_REST}",
        r"set (?:a|the)(?: standing| spending)? limit of (?P<most>.+?) (?:for|at) "
        r"(?P<shop>.+?)(?P<rest>(?: and| with) .+)?",
    )
)
_LIST = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        r"what (?:may|can|do|are) you (?:allowed to )?(?:buy|order|spend|pay|get)(?: for me)? "
        rf"{_ASKING}",
        r"(?:what|which)(?: are| is)? (?:my )?(?:standing |spending )?limits?"
        r"(?: do i have| are there| have i set)?",
        r"(?:show|list|read|tell)(?: me)? (?:my|the|all)(?: my)?(?: standing| spending)? limits",
    )
)
_REVOKE = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        r"(?:revoke|remove|cancel|delete|end|drop|stop|lift)"
        r" (?P<which>the|my|that|this|all|every|all the|all my)(?: standing| spending)? limits?"
        r"(?: (?:for|at|of|with|from) (?P<shop>.+?))?",
        r"(?P<shop>.+?) (?:may not|may no longer|can not|can no longer|can't) "
        rf"(?:{_TAKE})(?: me)?(?: anything)?(?: any more| anymore)? {_ASKING}"
        r"(?: any more| anymore)?",
        rf"stop (?:letting|allowing) (?P<shop>.+?) (?:to )?{_TAKE}(?: me)?(?: {_ASKING})?",
        r"always ask me(?: first)?(?: (?:before|when) (?:you )?(?:ordering|order|buying|buy)"
        r"(?: anything)?(?: (?:at|from|with) (?P<shop>.+?))?)?",
    )
)
_UNDO = frozenset(
    {
        "stop", "stop it", "stop that", "stop this", "undo", "undo it", "undo that", "undo this",
        "wait", "wait stop", "stop stop", "no stop", "no wait", "hold on", "don't",
        "don't order it", "do not order it", "don't order that", "do not order that",
        "don't do that", "take it back", "take that back",
    }
)  # fmt: skip
_BUDGET = re.compile(
    rf"(?:{_UPTO} )?(?P<amount>.+?)(?: in total| altogether)? (?:a|per|each|every) "
    r"(?P<period>day|week|month)"
)
_TIMES = re.compile(
    rf"(?:^| )(?:{_UPTO} )?(?:(?P<n>\w+) (?:times|purchases|orders)|(?P<few>once|twice))"
    r"(?: (?:a|per|each|every) (?P<period>day|week|month))?$"
)
_CONNECTOR = re.compile(r"^(?:and|but|with) | (?:and|but|with)$|^(?:and|but|with)$")
_FOR_DAYS = re.compile(r"(?:^| )for (?:the next )?(?P<n>\w+) (?P<unit>day|week|month)s?$")
_DAYS = {"day": 1, "week": 7, "month": 30}

_SMALL = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = {word: n for n, word in enumerate(_SMALL, 1)} | {"a": 1, "an": 1}
_WORDS = _ONES | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_BEFORE_ONES = frozenset(range(20, 100, 10))
_UNITS = {
    "euro": "EUR", "euros": "EUR", "eur": "EUR", "\u20ac": "EUR",
    "dollar": "USD", "dollars": "USD", "usd": "USD", "$": "USD",
}  # fmt: skip
_PIECE = re.compile(r"\d+[.,]\d+|\d+|[a-z']+|[\u20ac$]")


def read(text: str, currency: str, *, window_open: bool) -> Wish | None:
    """The wish of a whole utterance; amounts without a currency are in `currency`."""
    if window_open and plain(text) in _UNDO:
        return Undo()
    return next((x for said in forms(text) if (x := _read(said, currency)) is not None), None)


def _read(said: str, currency: str) -> Wish | None:
    if any(pattern.match(said) for pattern in _LIST):
        return AskLimits()
    for pattern in _REVOKE:
        if (match := pattern.match(said)) is not None:
            found = match.groupdict()
            shop = found.get("shop") or ""
            every = (found.get("which") or "").startswith(("all", "every"))
            return RevokeLimit(shop, every or (not shop and said.startswith("always")))
    for pattern in _SET:
        if (match := pattern.match(said)) is not None:
            return _set(match.groupdict(), currency)
    return None


def is_that_one(text: str) -> bool:
    """Whether it means the limit that was just spoken of."""
    return plain(text) in {"stop that", "stop it", "revoke that", "revoke it", "remove it"}


def amount(text: str, currency: str) -> tuple[int, str] | None:
    """An amount of money in minor units, and its currency: `15.50 euros`, `twelve fifty`."""
    pieces = _PIECE.findall(text)
    units = [at for at, piece in enumerate(pieces) if piece in _UNITS]
    if len(units) > 1:
        return None
    unit = _UNITS[pieces[units[0]]] if units else currency
    split = units[0] if units else len(pieces)
    before, after = pieces[:split], pieces[split + 1 :]
    if not before:
        before, after = after, []
    if after and after[-1] in ("cent", "cents"):
        after = after[:-1]
    numbers = _numbers(before)
    small = _numbers([piece for piece in after if piece != "and"])
    if numbers is None or small is None or not 1 <= len(numbers + small) <= 2 or len(small) > 1:
        return None
    whole, *rest = [*numbers, *small]
    minor = rest[0] if rest else 0
    scale = 10 ** minor_digits(unit)
    return (whole * scale + minor, unit) if minor < scale else None


def _numbers(pieces: list[str]) -> list[int] | None:
    """The numbers that these words are, "twelve fifty" being two; None when one is no number."""
    found: list[int] = []
    joins = False
    for piece in pieces:
        decimal = re.fullmatch(r"(\d+)[.,](\d\d)", piece)
        if decimal is not None:
            return [int(decimal[1]), int(decimal[2])] if len(pieces) == 1 else None
        if piece == "and" and joins:
            continue
        if piece == "hundred" and len(found) == 1 and found[0] < 10:
            found[0] *= 100
            joins = True
            continue
        number = _number(piece)
        if number is None:
            return None
        tens = bool(found) and not piece.isdigit() and found[-1] % 100 in _BEFORE_ONES
        if (joins and number < 100) or (tens and number < 10):
            found[-1] += number
        else:
            found.append(number)
        joins = found[-1] % 100 == 0 and joins
    return found


def _number(word: str) -> int | None:
    if word.isdigit() and len(word) <= 6:
        return int(word)
    return _WORDS.get(word)


def _set(found: dict[str, str | None], currency: str) -> SetLimit | None:
    most = amount(found["most"] or "", currency)
    if most is None:
        return None
    shop, said = _shop(found.get("shop") or ""), found.get("goods") or ""
    wish = SetLimit(shop, *most, goods=tuple(_ARTICLE.sub("", x) for x in _AND.split(said) if x))
    return _more(wish, (found.get("rest") or "").strip())


def _shop(said: str) -> str:
    return "" if said in ("any shop", "anyone", "anybody", "every shop", "all shops") else said


def _more(wish: SetLimit, rest: str) -> SetLimit | None:
    """The limit with its further conditions, read from the end: time, purchases, budget."""
    rest = _CONNECTOR.sub("", rest.strip()).strip()
    if not rest:
        return wish
    if (lasts := _FOR_DAYS.search(rest)) is not None:
        count = _number(lasts["n"])
        wish = _with(wish, days=(count or 0) * _DAYS[lasts["unit"]])
        return _more(wish, rest[: lasts.start()]) if count else None
    if (times := _TIMES.search(rest)) is not None:
        few = times["few"]
        count = {"once": 1, "twice": 2}[few] if few else _number(times["n"])
        before = _more(wish, rest[: times.start()])
        period = cast("Period", times["period"] or (before or wish).period)
        if not count or before is None or (before.budget_minor and before.period != period):
            return None
        return _with(before, purchases=count, period=period)
    if (budget := _BUDGET.fullmatch(rest)) is not None:
        found = amount(budget["amount"], wish.currency)
        if found is None or found[1] != wish.currency:
            return None
        return _with(wish, budget_minor=found[0], period=cast("Period", budget["period"]))
    return None


def _with(
    wish: SetLimit,
    *,
    budget_minor: int = 0,
    period: Period | None = None,
    purchases: int = 0,
    days: int = 0,
) -> SetLimit:
    return SetLimit(
        wish.shop,
        wish.most_minor,
        wish.currency,
        budget_minor or wish.budget_minor,
        period or wish.period,
        purchases or wish.purchases,
        days or wish.days,
        wish.goods,
    )
