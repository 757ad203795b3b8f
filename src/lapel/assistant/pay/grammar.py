"""What somebody wants of money between people, from a whole utterance; None for all else.

A pattern always covers every word that was said. `sure` tells whether the words can mean nothing
else: "send two to my office" may be about coffee, "send two euros to Anna" cannot.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lapel.assistant.pay import amounts
from lapel.assistant.politeness import forms
from lapel.commerce import Money


@dataclass(frozen=True, slots=True)
class Send:
    who: str
    amount: Money | None
    note: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    who: tuple[str, ...]
    amount: Money | None
    note: str = ""
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Split:
    """`amount` is None for the last order; `fixed` are shares that were named."""

    who: tuple[str, ...]
    amount: Money | None
    note: str = ""
    fixed: tuple[tuple[str, Money], ...] = ()


@dataclass(frozen=True, slots=True)
class FixShare:
    who: str
    amount: Money


@dataclass(frozen=True, slots=True)
class WhoOwes:
    """`mine` asks what the user owes, rather than what is owed to the user."""

    mine: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """To a request of `who`, or of whoever has asked last."""

    pays: bool
    who: str = ""


@dataclass(frozen=True, slots=True)
class SaveContact:
    name: str
    handle: str


@dataclass(frozen=True, slots=True)
class RemoveContact:
    name: str


@dataclass(frozen=True, slots=True)
class ListContacts:
    pass


Wish = Send | Ask | Split | FixShare | WhoOwes | Answer | SaveContact | RemoveContact | ListContacts

_NAME = r"(?:@[\w.-]+|\+\d[\d ]{5,16}|[^\W\d][\w.'-]*(?: [^\W\d][\w.'-]*){0,2}?)"
_NAMES = rf"{_NAME}(?: and {_NAME})*"
_AMOUNT = amounts.PATTERN
_FOR = r"(?: (?:for|because of) (?P<note>.+))?"
_LAST = (
    r"(?:(?:the|my|that|this|our) )?(?:last |latest |whole )?(?:order|bill|ride|dinner|lunch|food)|"
    r"it|this|that"
)

_SEND = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:send|pay|give|wire|transfer) (?P<who>{_NAME})(?: back)? (?P<amount>{_AMOUNT}){_FOR}",
        rf"(?:send|pay|give|wire|transfer) (?P<amount>{_AMOUNT}) to (?P<who>{_NAME}){_FOR}",
        rf"(?:send|wire|transfer) (?:some )?money to (?P<who>{_NAME}){_FOR}",
        rf"(?:send|wire|transfer) (?P<who>{_NAME}) (?:some )?money{_FOR}",
    )
)
_ASK = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:ask|charge|bill) (?P<who>{_NAMES})(?: for)? (?P<amount>{_AMOUNT}){_FOR}",
        rf"(?:request|ask for|get|collect) (?P<amount>{_AMOUNT}) (?:from|of) (?P<who>{_NAMES})"
        rf"{_FOR}",
        rf"(?:request|ask for) money (?:from|of) (?P<who>{_NAMES}){_FOR}",
    )
)
_SPLIT = re.compile(
    rf"^(?:split|share|divide) (?:(?P<amount>{_AMOUNT})|(?:{_LAST}))"
    rf" (?:with|between me and|among me and) (?P<who>{_NAMES})"
    rf"(?P<fixed>(?:(?: and| but|,)? {_NAME} (?:pays|owes)(?: me)? {_AMOUNT})*){_FOR}$"
)
_FIXED = re.compile(rf"(?:and |but )?(?P<who>{_NAME}) (?:pays|owes)(?: me)? (?P<amount>{_AMOUNT})")
_OWES_ME = re.compile(
    r"^(?:who (?:still )?owes me(?: money| anything| something)?|"
    r"what (?:do|does) (?:people|they|everybody|anybody) (?:still )?owe me|what am i owed|"
    r"who (?:has(?:n't| not) paid|did(?:n't| not) pay)(?: me)?(?: back| yet)*)$"
)
_I_OWE = re.compile(
    r"^(?:(?:who|what|whom) do i (?:still )?owe(?: money| anything)?|"
    r"(?:does|do|did) (?:anyone|anybody|somebody|people) (?:ask|want)(?: me for)? money"
    r"(?: from me)?|"
    r"(?:any|are there any) (?:payment |money )?requests(?: for me)?)$"
)
_REQUEST = rf"(?:(?P<who>{_NAME})'s?|the|that|this|my) (?:payment |money )?request"
_PAY_IT = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:pay|accept|settle) {_REQUEST}(?: (?:from|of) (?P<who2>{_NAME}))?",
        rf"pay (?P<who>{_NAME}) (?:back|what (?:he|she|they) (?:asks?|wants?|asked)(?: for)?)",
        rf"pay what (?P<who>{_NAME}) (?:asks|wants|asked)(?: for)?",
    )
)
_DECLINE = re.compile(
    rf"^(?:decline|refuse|reject|dismiss)(?: it| that)?(?: {_REQUEST})?"
    rf"(?: (?:from|of) (?P<who2>{_NAME}))?$"
)
_SAVE = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:save|add|remember|store) (?P<name>{_NAME})(?: to my contacts)? (?:as|with|under)"
        r" (?:handle |number |the handle |the number )?(?P<handle>(?:@|at )\S+|\+[\d ]+)",
        rf"(?P<name>{_NAME}) is (?P<handle>(?:@)\S+|\+[\d ]+)",
    )
)
_REMOVE = tuple(
    re.compile(f"^{pattern}$")
    for pattern in (
        rf"(?:remove|delete|forget|drop) (?P<name>{_NAME}) from (?:my |the )?contacts",
        rf"(?:remove|delete|forget) (?:my |the )?contact (?P<name>{_NAME})",
    )
)
_LIST = re.compile(
    r"^(?:(?:show|list|read)(?: me)? )?(?:my|the) contacts$|^who are my contacts$|"
    r"^whom? (?:do i know|can i pay)$"
)
_NOBODY = frozenset({"me", "us", "it", "him", "her", "them", "everyone", "you", "my", "the", "for"})
_NO_NAME = frozenset({"the", "my", "a", "an", "some", "two", "to", "with", "and", "for", "more"})


def read(text: str) -> Wish | None:
    """The wish in a whole utterance, or None when it is about something else."""
    return next((wish for said in _forms(text) if (wish := _read(said)) is not None), None)


def _read(said: str) -> Wish | None:
    if _OWES_ME.match(said) or _I_OWE.match(said):
        return WhoOwes(mine=_OWES_ME.match(said) is None)
    if _LIST.match(said):
        return ListContacts()
    return _contact(said) or _answer(said) or _split(said) or _share(said) or _move(said)


def tidy(text: str) -> str:
    """Lower case, one space, lists joined by `and`, no marks and no politeness at the ends."""
    return _forms(text)[0]


def _forms(text: str) -> list[str]:
    joined = (re.sub(r",\s+(?:and\s+)?", " and ", said) for said in forms(text, ";:!?"))
    return [re.sub(r" and(?: and)+ ", " and ", said.replace(",", " ")) for said in joined]


def names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(" and ") if name)


def _contact(said: str) -> Wish | None:
    for pattern in _SAVE:
        match = pattern.match(said)
        if match is not None and _is_name(match["name"]):
            handle = re.sub(r"^at ", "@", match["handle"]).replace(" ", "")
            return SaveContact(match["name"], handle)
    for pattern in _REMOVE:
        match = pattern.match(said)
        if match is not None:
            return RemoveContact(match["name"])
    return None


def _answer(said: str) -> Wish | None:
    for pays, pattern in (*((True, each) for each in _PAY_IT), (False, _DECLINE)):
        match = pattern.match(said)
        if match is None:
            continue
        found = match.groupdict()
        who = found.get("who") or found.get("who2") or ""
        if who not in _NOBODY:
            return Answer(pays, who)
    return None


def _split(said: str) -> Wish | None:
    match = _SPLIT.match(said)
    if match is None:
        return None
    amount = amounts.read(match["amount"]) if match["amount"] else None
    if match["amount"] and amount is None:
        return None
    fixed: list[tuple[str, Money]] = []
    who: list[str] = []
    shares = [part[0] for part in _FIXED.finditer((match["fixed"] or "").strip())]
    for each in (*names(match["who"]), *shares):
        part = _FIXED.fullmatch(each)
        share = amounts.read(part["amount"]) if part else None
        if part is not None and share is not None:
            fixed.append((part["who"], share))
        name = part["who"] if part else each
        if name not in who:
            who.append(name)
    if not _are_names(tuple(who)):
        return None
    return Split(tuple(who), amount, match["note"] or "", tuple(fixed))


def _share(said: str) -> Wish | None:
    match = _FIXED.fullmatch(said)
    amount = amounts.read(match["amount"]) if match else None
    if match is None or amount is None or not _is_name(match["who"]):
        return None
    return FixShare(match["who"], amount)


def _move(said: str) -> Wish | None:
    for asks, pattern in (*((False, x) for x in _SEND), *((True, x) for x in _ASK)):
        match = pattern.match(said)
        if match is None:
            continue
        found = match.groupdict()
        words = found.get("amount")
        amount = amounts.read(words) if words else None
        who = names(found["who"])
        if (words and amount is None) or not _are_names(who):
            continue
        named = any(x[:1] in "@+" for x in who)
        sure = words is None or named or amounts.names_unit(words)
        note = found.get("note") or ""
        return Ask(who, amount, note, sure) if asks else Send(who[0], amount, note, sure)
    return None


def _are_names(who: tuple[str, ...]) -> bool:
    return bool(who) and all(_is_name(name) for name in who)


def _is_name(said: str) -> bool:
    words = said.split()
    return said not in _NOBODY and words[0] not in _NO_NAME
