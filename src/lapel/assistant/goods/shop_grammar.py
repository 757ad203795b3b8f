"""What somebody wants of the stores, from a whole utterance. What fits no pattern is None."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lapel.assistant.goods.grammar import forms


@dataclass(frozen=True, slots=True)
class Find:
    """`compare` where several shops were asked for by the words; `fastest` where haste was."""

    what: str
    compare: bool = False
    fastest: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """What was found last, once more."""


@dataclass(frozen=True, slots=True)
class Pick:
    """`how` is an index, or a wish; `shop` is what a shop was called."""

    how: int | Literal["cheapest", "fastest", "today", "shop"]
    shop: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    what: str


Wish = Find | Compare | Pick | Return

_WHAT = r"(?P<what>[\w'&%-]+(?: [\w'&%-]+){0,5}?)"
_A = r"(?:an? |some |the |me an? |me some )?"
_FIND = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:find|search for|look for|shop for) (?:me )?{_A}{_WHAT}",
        rf"where can (?:i|we) (?:get|buy|order) {_A}{_WHAT}",
        rf"(?:i|we) (?:want|need|would like) to buy {_A}{_WHAT}",
    )
)
_COMPARE = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"compare (?:the )?(?:prices? (?:of|for) )?{_A}{_WHAT}",
        rf"(?:who|which shop|which store) (?:has|sells) the cheapest {_WHAT}",
        rf"(?:find|show|get) (?:me )?the cheapest {_WHAT}",
        rf"(?:what|which|where) is the cheapest {_WHAT}",
        rf"where (?:is|are) (?:the )?{_WHAT} (?:the )?cheapest",
    )
)
_FASTEST = re.compile(
    r" (?:that (?:comes|come|arrives|arrive|is here|can be here) today|by tonight|today|"
    r"as (?:fast|soon) as possible)$"
)
_TAKE = r"(?:(?:order|buy|take|get|i'll take|i will take|i want|give me|choose|go with) )?"
_ORDINALS = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3}
_PICK_NTH = re.compile(rf"^{_TAKE}(?:the )?(?P<nth>{'|'.join(_ORDINALS)})(?: one| offer)?$")
_PICK_CHEAPEST = re.compile(rf"^{_TAKE}(?:the )?(?:cheapest|cheaper)(?: one| offer)?$")
_PICK_FASTEST = re.compile(rf"^{_TAKE}(?:the )?(?:fastest|quickest|soonest)(?: one| offer)?$")
_PICK_TODAY = re.compile(
    rf"^{_TAKE}(?:the )?(?:one|offer) that (?:comes|arrives|is here|can come|can be here) today$"
)
_PICK_SHOP = re.compile(rf"^{_TAKE}(?:the )?(?:one|offer) (?:from|at|of) (?P<shop>[\w' &-]+)$")
_AGAIN = re.compile(r"^compare(?: (?:them|these|those|the offers|all of them))?$")
_RETURN = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:(?:i|we) (?:want|need|would like) to |can (?:i|we) |how do i )?"
        rf"(?:return|send back|give back) (?:the |my |that |those )?{_WHAT}",
        rf"(?:(?:i|we) (?:want|would like) to )?send (?:the |my )?{_WHAT} back",
    )
)
_NOT_GOODS = re.compile(
    r"^(?:nearest|closest|next|way|route|ride|taxi|cab|flight|flights|train|trains|hotel|hotels|"
    r"out|it|them|that|this|my \w+|call|home)\b|\b(?:near|nearby|flight|hotel|train)\b|^to "
)


def read(text: str) -> Wish | None:
    """The wish in a whole utterance, or None when it is about something else."""
    return next((wish for said in forms(text) if (wish := _read(said)) is not None), None)


def _read(said: str) -> Wish | None:
    if _AGAIN.match(said):
        return Compare()
    for pattern in _COMPARE:
        if (match := pattern.match(said)) and not _NOT_GOODS.search(match["what"]):
            return Find(match["what"], compare=True)
    for pattern in _RETURN:
        if match := pattern.match(said):
            return Return(match["what"])
    haste = _FASTEST.search(said)
    wanted = said[: haste.start()] if haste else said
    for pattern in _FIND:
        if (match := pattern.match(wanted)) and not _NOT_GOODS.search(match["what"]):
            return Find(match["what"], fastest=haste is not None)
    return _pick(said)


def _pick(said: str) -> Pick | None:
    if match := _PICK_NTH.match(said):
        return Pick(_ORDINALS[match["nth"]])
    if _PICK_CHEAPEST.match(said):
        return Pick("cheapest")
    if _PICK_FASTEST.match(said):
        return Pick("fastest")
    if _PICK_TODAY.match(said):
        return Pick("today")
    match = _PICK_SHOP.match(said)
    return Pick("shop", match["shop"]) if match else None
