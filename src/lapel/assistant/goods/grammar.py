"""What somebody wants of their shopping list, from a whole utterance. What fits no pattern is None.

As everywhere, a pattern covers every word that was said: "don't add milk to my list" matches none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lapel.assistant import politeness
from lapel.assistant.pay import amounts
from lapel.commerce import Money
from lapel.commerce.checkout import Substitution
from lapel.services.goods import Wanted
from lapel.services.goods.matching import Unit


@dataclass(frozen=True, slots=True)
class Add:
    wanted: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Show:
    pass


@dataclass(frozen=True, slots=True)
class TakeOff:
    """`sure` where the list was named: else it may be about a cart."""

    texts: tuple[str, ...]
    sure: bool


@dataclass(frozen=True, slots=True)
class Clear:
    pass


@dataclass(frozen=True, slots=True)
class Order:
    """`place` as it was said, empty where none was. `chosen`: a good's id for an entry's."""

    substitution: Substitution = ""
    place: str = ""
    chosen: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Prefer:
    """`of` is the one thing that it is about, as it was said; empty for all."""

    substitution: Substitution
    of: str = ""
    most: Money | None = None
    """The most that something else may cost: for the order that waits alone."""


@dataclass(frozen=True, slots=True)
class PreferEach:
    """Several things of the order that waits, each in its own way."""

    wishes: tuple[Prefer, ...]


Wish = Add | Show | TakeOff | Clear | Order | Prefer | PreferEach

_LIST = r"(?:(?:my|the|our) )?(?:(?:shopping|grocery|groceries) )?list"
_NAMED = r"(?:(?:my|the|our) )?(?:shopping|grocery|groceries) list"
_THINGS = r"(?P<things>.+?)"

_ADD = (
    re.compile(rf"^(?:add|put|write|stick) {_THINGS} (?:to|on|onto|in) {_LIST}$"),
    re.compile(rf"^(?:we|i) (?:also )?need {_THINGS} on {_LIST}$"),
    re.compile(rf"^(?:add|put) (?:to|on|onto) {_NAMED} {_THINGS}$"),
)
_SHOW = (
    re.compile(
        rf"^(?:what(?:'s| is| do i have| have i got)|show(?: me)?|read(?: me)?(?: out)?|tell me) "
        rf"(?:what(?:'s| is) )?(?:on |in )?{_LIST}(?: now| so far)?$"
    ),
    re.compile(rf"^{_NAMED}$"),
)
_OFF = (
    (re.compile(rf"^(?:take|cross|strike|scratch) {_THINGS} off {_LIST}$"), True),
    (re.compile(rf"^(?:remove|delete|drop|take|cross out) {_THINGS} (?:from|off) {_LIST}$"), True),
    (re.compile(rf"^(?:take|cross|strike|scratch) {_THINGS} off$"), False),
)
_CLEAR = (
    re.compile(rf"^(?:clear|empty|delete|wipe) {_LIST}$"),
    re.compile(rf"^(?:take|remove) everything (?:off|from) {_LIST}$"),
)
_NO = (
    r"(?:no (?:substitutes|substitutions|substitution|replacements|replacement)|"
    r"(?:don't|do not|never) (?:substitute|replace)(?: (?:anything|them|it))?|"
    r"without (?:substitutes|substitutions|replacements))"
)
_SIMILAR = (
    r"(?:(?:substitute|replace)(?: (?:things|them|it|what is missing))? (?:if|when|where) "
    r"(?:needed|necessary|you (?:must|have to))|"
    r"(?:substitutes|substitutions|replacements|something similar) (?:are|is) (?:fine|ok|okay|"
    r"allowed|welcome)|(?:with|allow) (?:substitutes|substitutions|replacements)|"
    r"take something similar(?: if needed)?|(?:substitute|replace) anything)"
)
_ASK = (
    r"(?:ask me (?:about|for|before) (?:every |any |each )?(?:substitutes|substitutions|"
    r"substitution|replacements|replacement|replacing anything)|ask me if something is missing)"
)
_POLICY = rf"(?:(?P<none>{_NO})|(?P<similar>{_SIMILAR})|(?P<ask>{_ASK}))"
_WITH = rf"(?:(?:,| and| but)? ?(?:with )?{_POLICY})?"
_PLACE = r"(?: to (?P<place>(?:my |the )?[\w' ]{2,30}?)| (?P<home>home))?"
_ORDER = (
    re.compile(
        rf"^(?:order|buy|get|check ?out)(?: me| us)? (?:everything |all )?(?:that is |that's )?"
        rf"(?:on |from )?{_LIST}{_PLACE}{_WITH}$"
    ),
    re.compile(rf"^(?:order|buy|get)(?: me| us)? (?:my|the|our) groceries{_PLACE}{_WITH}$"),
)
_PREFER = re.compile(rf"^{_POLICY}$")
_MOST = (
    rf"(?:,? (?:for )?(?:up to|at most|no more than|not more than|a maximum of|max) "
    rf"(?P<most>{amounts.PATTERN}))"
)
_OF = r"(?P<of>(?!(?:it|that|this|them)\b)[^,]+?)"
_ONE = (
    re.compile(
        r"^(?:if|when) (?:(?:there is|there's|there are|they have|you find) no "
        r"(?P<of>[^,]+?)|(?:there (?:is|are)|they have) none(?: left)?),? (?:then )?"
        rf"(?:(?P<similar>(?:(?:take|get|bring)(?: me)? )?(?:anything|something)"
        rf"(?: (?:similar|else|like it))?){_MOST}?|"
        r"(?P<none>leave (?:it|them) out|(?:take|get|bring)(?: me)? nothing|skip (?:it|them))|"
        r"(?P<ask>ask me))$"
    ),
    re.compile(
        rf"^(?P<similar>swap|replace|substitute|exchange) (?:the |my )?{_OF} (?:for|with|by) "
        rf"(?:anything|something)(?: (?:similar|else|like it))?(?: if needed)?{_MOST}?$"
    ),
    re.compile(
        r"^(?:allow |take |with )?(?P<similar>(?:a )?(?:replacement|substitute)) for (?:the |my )?"
        rf"{_OF}{_MOST}?$"
    ),
    re.compile(
        r"^(?P<none>no (?:replacement|substitute|substitution)) for (?:the |my )?"
        rf"{_OF}$"
    ),
)
"""For what is missing of the order that waits: one thing of it, or all where none is named."""
_NOT_FOR = re.compile(
    r"^(?P<first>.+ for .+?),? (?:but |and )?(?:not|none|no) for (?:the |my )?(?P<not>[^,]+)$"
)

_SMALL = (
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_NUMBERS = {word: number for number, word in enumerate(_SMALL, 1)} | {
    "a": 1,
    "an": 1,
    "dozen": 12,
    "a dozen": 12,
    "a couple of": 2,
    "couple of": 2,
}
_COUNT = rf"(?:\d+(?:[.,]\d+)?|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_HALF = r"(?:(?P<half>half an?|half a|half) )"
_PACKS = (
    "pack", "packet", "package", "bottle", "carton", "can", "tin", "box", "bag", "loaf", "bunch",
    "jar", "tub", "pot", "punnet", "tray", "tube", "roll", "bar", "block",
)  # fmt: skip
_PACK: Unit = "pack"
_UNITS: dict[str, tuple[Unit, int]] = {
    "kilogram": ("g", 1000),
    "kilo": ("g", 1000),
    "kg": ("g", 1000),
    "gram": ("g", 1),
    "g": ("g", 1),
    "litre": ("ml", 1000),
    "liter": ("ml", 1000),
    "l": ("ml", 1000),
    "decilitre": ("ml", 100),
    "deciliter": ("ml", 100),
    "dl": ("ml", 100),
    **dict.fromkeys(_PACKS, (_PACK, 1)),
}
_PLURAL = {"loaves": "loaf", "boxes": "box", "bunches": "bunch"}
_UNIT = rf"(?P<unit>{'|'.join(sorted([*_UNITS, *_PLURAL], key=len, reverse=True))})s?"
_GLUED = r"(?: |(?=kg|g\b|l\b|dl))"
"""Between a number and its unit: "2 kg" as well as "2kg"."""
_AMOUNT = re.compile(rf"^(?:{_HALF}|(?P<count>{_COUNT}){_GLUED})(?:{_UNIT} (?:of )?)?(?P<what>.+)$")
_KEPT_TOGETHER = ("salt and vinegar", "beef and pork", "mac and cheese", "fish and chips")


def forms(text: str) -> list[str]:
    """As everywhere, but with the commas between the things of a list."""
    return politeness.forms(text, ";:!?")


def plain(text: str) -> str:
    """The same with no polite words around."""
    return forms(text)[0]


def read(text: str) -> Wish | None:
    """The wish in a whole utterance, or None when it is about something else."""
    return next((wish for said in forms(text) if (wish := _read(said)) is not None), None)


def _read(said: str) -> Wish | None:
    if any(pattern.match(said) for pattern in _CLEAR):
        return Clear()
    if any(pattern.match(said) for pattern in _SHOW):
        return Show()
    for pattern in _ORDER:
        if match := pattern.match(said):
            place = "home" if match["home"] else match["place"] or ""
            return Order(_policy(match), re.sub(r"^(?:my|the) ", "", place))
    for pattern in _ADD:
        if match := pattern.match(said):
            return Add(tuple(wanted(part) for part in parts(match["things"])))
    for pattern, sure in _OFF:
        if match := pattern.match(said):
            return TakeOff(tuple(wanted(part).text for part in parts(match["things"])), sure)
    match = _PREFER.match(said)
    return Prefer(_policy(match)) if match else _of_waiting(said)


def _of_waiting(said: str) -> PreferEach | None:
    """What may come instead in the order that waits."""
    if (both := _NOT_FOR.match(said)) and (first := _one(both["first"])) is not None:
        return PreferEach((first, Prefer("none", both["not"])))
    one = _one(said)
    return None if one is None else PreferEach((one,))


def _one(said: str) -> Prefer | None:
    match = next((found for each in _ONE if (found := each.match(said))), None)
    if match is None:
        return None
    found = match.groupdict()
    most = amounts.read(found["most"]) if found.get("most") else None
    if found.get("most") and most is None:
        return None
    of = re.sub(r"^(?:more|any) ", "", found.get("of") or "")
    return Prefer(_policy(match), of, most)


def parts(text: str) -> list[str]:
    """`milk, eggs and two kilos of apples` as three."""
    kept = text
    for index, phrase in enumerate(_KEPT_TOGETHER):
        kept = kept.replace(phrase, f"\x00{index}")
    found = [part.strip() for part in re.split(r",(?:\s*and)?\s+|,|\s+and\s+|\s+plus\s+", kept)]
    restored: list[str] = []
    for part in found:
        for index, phrase in enumerate(_KEPT_TOGETHER):
            part = part.replace(f"\x00{index}", phrase)
        if part:
            restored.append(part)
    return restored


def wanted(text: str) -> Wanted:
    """`two kilos of apples` as an amount and a name."""
    said = re.sub(r"^(?:the|some|more|any) (?=\w)", "", text.strip())
    match = _AMOUNT.match(said)
    if match is None:
        return Wanted(said)
    unit, per = _UNITS.get(_PLURAL.get(match["unit"] or "", match["unit"] or ""), ("", 1))
    if match["half"]:
        # "half a cabbage" cannot be had; half a kilo can.
        return Wanted(match["what"], per // 2, unit) if per > 1 else Wanted(match["what"], 1, unit)
    return Wanted(match["what"], _times(match["count"], per), unit)


def _times(count: str, per: int) -> int:
    """A number as it was said, times what its unit is worth."""
    if count in _NUMBERS:
        return _NUMBERS[count] * per
    whole, _, part = count.replace(",", ".").partition(".")
    tenths = int((part + "00")[:2]) if part else 0
    return max(int(whole) * per + tenths * per // 100, 1)


def _policy(match: re.Match[str]) -> Substitution:
    found = match.groupdict()
    if found.get("none"):
        return "none"
    if found.get("similar"):
        return "similar"
    return "ask" if found.get("ask") else ""
