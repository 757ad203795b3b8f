"""Whether the user's own words ask for something to be done: what no choice of a model replaces.

A model may be talked into a tool that takes no arguments, or whose arguments the user has said for
another reason ("did Anna ask for 20 euros?"). So a tool with an effect names the words by which
people ask for it, and one of them must stand in the user's words, said as a wish.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from lapel.brain.provenance import Said, Words

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_NO_WISH = frozenset(
    {
        "not", "don't", "dont", "never", "if", "without", "did", "was", "were", "why", "should",
        "has", "have", "had", "does", "doesn't", "didn't", "won't", "would", "nobody",
    }
)  # fmt: skip
_POLITE = ("would like", "i have to", "would you", "don't forget to")


def asked_for(words: Words, asking: Collection[str], others: Collection[str] = ()) -> Said | None:
    """The word of `asking` that the user wishes with.

    None where there is none, where the words before it deny it, doubt it or ask about it, and where
    the wish is for something else: one of `others` comes first ("take a note: delete the photos").
    """
    text = words.text.lower().replace("\u2019", "'")
    if len(text) != len(words.text):
        return None
    for polite in _POLITE:
        text = text.replace(polite, "_" * len(polite))
    for match in _WORD.finditer(text):
        if match[0] in asking:
            return Said(words, match.start(), match.end())
        if match[0] in _NO_WISH or match[0] in others:
            return None
    return None
