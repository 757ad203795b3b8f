"""Wishes about the whole order: discount codes, how fast it comes, or that the user fetches it.

Patterns, and nothing else.

They are read before the catalogue grammar and taken out of its sentence, so that a code never
becomes a dish. The rest of the words keep their places.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from lapel.brain.actions import Action, ChooseDelivery, ChoosePickup, DropCodes, UseCode
from lapel.brain.fetching import fetching_in
from lapel.brain.frame import Frame, Span

MOST_CODES = 5
_POLITE = r"(?:(?:and|then|please|but|also|,)\s+)*"
_KIND = r"(?:(?:the|a|my|this|that|any|all)\s+)*(?:(?:discount|promo|promotion|voucher|coupon)\s+)?"
_USE = (
    r"(?:(?:can you|could you)\s+)?(?:use|using|apply|enter|add|try|take|with|here is|i have|my)\s+"
)
_DROP = r"(?:remove|forget|drop|without|no|skip|take off|don't use|do not use)\s+"
_NAME = r"(?P<code>[a-z0-9][a-z0-9_-]{1,23}(?:\s+\d{1,4})?)(?![a-z0-9])"

_DROPPED = re.compile(
    rf"\b{_POLITE}{_DROP}{_KIND}(?:discount\s+)?codes?\b(?:\s+{_NAME})?", re.IGNORECASE
)
_USED = re.compile(
    rf"\b{_POLITE}(?:{_USE}{_KIND}|(?:the\s+|my\s+)?(?:discount|promo|voucher|coupon)\s+)"
    rf"code\s+(?:is\s+|called\s+)?{_NAME}",
    re.IGNORECASE,
)
_FAST = re.compile(
    rf"\b{_POLITE}(?:(?:with|by|via|use|take|choose|i want|make it)\s+)?(?:the\s+|an\s+|a\s+)?"
    r"(?:(?:express|priority|fastest|quickest|faster)\s+(?:delivery|courier|shipping|option)"
    r"|as (?:fast|quickly) as possible|delivered (?:express|fast)|express please)\b",
    re.IGNORECASE,
)
_SLOW = re.compile(
    rf"\b{_POLITE}(?:(?:with|by|use|take|choose)\s+)?(?:the\s+|a\s+)?"
    r"(?:(?:standard|normal|cheapest|cheaper|slow)\s+(?:delivery|courier|shipping|option)"
    r"|no (?:express|priority)(?:\s+(?:delivery|courier))?)\b",
    re.IGNORECASE,
)
_NO_CODES = frozenset({"please", "and", "for", "to", "is", "the", "of", "from", "with"})
_ANY_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Wishes:
    """`frame` with the wishes in it, and what is left of the text, blanks in their place."""

    frame: Frame
    actions: tuple[Action, ...]
    rest: str

    @property
    def alone(self) -> bool:
        """Nothing else was said."""
        return not _ANY_WORD.search(self.rest)


def wishes_in(text: str, frame: Frame) -> Wishes:
    """The wishes that the text names. Without any, the frame is the very same."""
    actions: list[Action] = []
    text = _take(text, _DROPPED, lambda found: actions.append(DropCodes((_span(found),))))
    if actions:
        frame = replace(frame, codes=())

    def use(found: re.Match[str]) -> bool | None:
        nonlocal frame
        code = "".join(found["code"].split()).upper()
        if found["code"].split()[0].lower() in _NO_CODES:
            return False
        actions.append(UseCode(code, (_span(found),)))
        if code not in frame.codes:
            frame = replace(frame, codes=(*frame.codes, code)[-MOST_CODES:])
        return None

    text = _take(text, _USED, use)
    for pattern, fastest in ((_SLOW, False), (_FAST, True)):

        def choose(found: re.Match[str], fastest: bool = fastest) -> None:
            nonlocal frame
            actions.append(ChooseDelivery(fastest, (_span(found),)))
            if frame.fastest is not fastest:
                frame = replace(frame, fastest=fastest)

        text = _take(text, pattern, choose)
    frame, fetching, text = fetching_in(text, frame)
    return Wishes(frame, (*actions, *fetching), text)


def said_of(actions: tuple[Action, ...]) -> str:
    """What to answer when there is no cart yet that the wishes could change."""
    codes = [action.code for action in actions if isinstance(action, UseCode)]
    if codes:
        return f"I use the code {codes[-1]} for what you order next."
    if any(isinstance(action, ChooseDelivery) and action.fastest for action in actions):
        return "I take the fastest delivery for what you order next."
    if any(isinstance(action, ChoosePickup) and action.pickup for action in actions):
        return "You pick up what you order next."
    return "All right."


def _take(text: str, pattern: re.Pattern[str], note: Callable[[re.Match[str]], bool | None]) -> str:
    """The text with blanks where the pattern was found and `note` did not answer False."""

    def blank(found: re.Match[str]) -> str:
        return found[0] if note(found) is False else " " * len(found[0])

    return pattern.sub(blank, text)


def _span(found: re.Match[str]) -> Span:
    return Span(found.start(), found.end())
