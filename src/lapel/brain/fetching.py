"""Whether the user fetches what is ordered: "I'll pick it up", "for pick-up at Forno Nero"."""

from __future__ import annotations

import re
from dataclasses import replace

from lapel.brain.actions import ChoosePickup
from lapel.brain.frame import Frame, Slot, Span

_POLITE = r"(?:(?:and|then|please|but|also|no|,)\s+)*"
_THINGS = r"(?:it|them|that|this|those|everything|my order|the order|my food|the food)"
_FETCHING = r"(?:pick[- ]?up|collection|take[- ]?away|take[- ]?out)"
_WILL = (
    r"(?:(?:i'?ll|i will|i can|i'?d like to|i would like to|i want to|let me|can i)\s+)?"
    r"(?:(?:come|drop by|stop by|swing by)\s+(?:and|to)\s+)?"
)
_PICKUP = re.compile(
    rf"\b{_POLITE}{_WILL}"
    rf"(?:pick\s+{_THINGS}\s+up|pick\s+up\s+{_THINGS}|(?:collect|fetch)\s+{_THINGS})\b"
    r"(?:\s+(?:myself|in person|instead))*(?!\s+from my)"
    rf"|(?:\b{_POLITE}(?:for|as|make (?:it|that))\s+(?:an?\s+)?|^\s*|,\s*)"
    rf"{_FETCHING}\b(?:\s+order)?"
    r"(?:\s+(?:please|instead))*(?=\s+(?:at|from)\b|[\s.!,]*$)",
    re.IGNORECASE,
)
_DELIVERY = re.compile(
    rf"\b{_POLITE}(?:(?:have|get)\s+{_THINGS}\s+delivered"
    rf"|(?:deliver|bring)\s+{_THINGS}\b(?:\s+to me)?|(?:make it\s+)?(?:a\s+)?delivery)"
    r"(?:\s+(?:instead|after all))*",
    re.IGNORECASE,
)
_NOT = re.compile(rf"\b(?:no|not for|without)\s+{_FETCHING}", re.IGNORECASE)


def fetching_in(text: str, frame: Frame) -> tuple[Frame, tuple[ChoosePickup, ...], str]:
    """The frame with the wish, the wish, and the text with blanks in its place.

    That it is delivered goes without saying, and counts only where it was to be fetched.
    """
    found = _PICKUP.search(text)
    wanted = found is not None and not _NOT.search(text)
    if not wanted:
        found = (_NOT.search(text) or _DELIVERY.search(text)) if frame.pickup else None
    if found is None:
        return frame, (), text
    rest = text[: found.start()] + " " * len(found[0]) + text[found.end() :]
    action = ChoosePickup(wanted, (Span(found.start(), found.end()),))
    question = frame.question
    if wanted and question is not None and question.slot is Slot.ADDRESS:
        question = None
    if (frame.pickup, frame.question) != (wanted, question):
        frame = replace(frame, pickup=wanted, address_unknown=False, question=question)
    return frame, (action,), rest
