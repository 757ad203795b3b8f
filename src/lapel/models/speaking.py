"""A model's own words, made fit to be heard; nothing of them is acted on."""

from __future__ import annotations

import re

MOST = 300
"""Characters: some twenty seconds of speech."""
_ACTS = (
    r"(?:order|book|paid|sent|cancel|reserv|plac|add|schedul|transferr|confirm|deliver|arrang)\w*"
)
_DONE = re.compile(
    r"\b(?:i|i'[a-z]+|we|we'[a-z]+|me|let's)\b"  # an answer to a question can do without
    rf"|^(?:done|{_ACTS})\b|\byour (?:order|ride|table|booking|reservation|payment|reminder)\b"
    rf"|\b(?:has|have|was|were|is|are|been)(?: now| just)? (?:{_ACTS}|on (?:its|the) way)\b"
    r"|我|咱|已|好了",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[*_`#>|]+|\[([^\]]*)\]\([^)]*\)|https?://\S+")
_END = re.compile(r"(?<=[.!?])\s+|(?<=。)")


def fit_to_say(text: str) -> str:
    """One or two sentences without marks; empty where it claims to do or to have done something.

    Who cannot act must not sound as if it had, so its words never speak of itself or of orders.
    """
    plain = " ".join(_MARKS.sub(r"\1", text).replace("\u2019", "'").split())
    if not plain or _DONE.search(plain):
        return ""
    kept = ""
    for sentence in _END.split(plain):
        if kept and len(kept) + len(sentence) > MOST:
            break
        kept = f"{kept} {sentence}".strip()
    return kept if len(kept) <= MOST else f"{kept[:MOST].rpartition(' ')[0]} ..."
