"""Text to tokens: lower case, without accents, contractions written out, each with its place."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lapel.brain.frame import Span

# Digits and letters part ("12oz"), a share is one word ("2%").
# Scripts without spaces give one token a character.
_UNSPACED = r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
_TOKEN = re.compile(
    rf"\d+(?:st|nd|rd|th)\b|\d+%|\d+|{_UNSPACED}"
    rf"|(?:(?!{_UNSPACED})[^\W\d_])+(?:['\u2019][^\W\d_]+)*|&",
    re.UNICODE,
)
_BETWEEN = re.compile(rf"\s+|(?<={_UNSPACED})|(?={_UNSPACED})")
# The full-width marks of East Asian text, an ellipsis and dashes count as well.
_STOP = re.compile(r"[.!?;\u3002\uff01\uff1f\n]")
_PAUSE = re.compile(r"[,:\uff0c\u3001\u2026\u2014\u2013]|\.{2,}|\s-\s")


@dataclass(frozen=True, slots=True)
class Token:
    """One word. `gap` is the punctuation before it: "" none, "," a pause, "." a stop."""

    text: str
    start: int
    end: int
    gap: str = ""


def plain(word: str) -> str:
    """Lower case, without accents, straight apostrophes."""
    decomposed = unicodedata.normalize("NFKD", word.lower().replace("\u2019", "'"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def parted(phrase: str) -> list[str]:
    """The words of a phrase of a language file: as in `tokenise`, and nothing is changed."""
    return [part for part in _BETWEEN.split(phrase) if part]


def gap_between(text: str) -> str:
    """The strongest punctuation in what lies between two words."""
    if _PAUSE.search(text) and not _STOP.search(text.replace("...", "").replace("\u2026", "")):
        return ","
    return "." if _STOP.search(text) else ""


def tokenise(text: str, contractions: dict[str, tuple[str, ...]]) -> list[Token]:
    """Words of `text` in order; the words of a contraction share one place."""
    tokens: list[Token] = []
    last_end = 0
    for match in _TOKEN.finditer(text):
        gap = gap_between(text[last_end : match.start()])
        last_end = match.end()
        word = plain(match.group())
        words = contractions.get(word)
        if words is None:
            word = re.sub(r"'s?$", "", word).replace("'", "")
            words = (word,) if word else ()
        for position, part in enumerate(words):
            tokens.append(Token(part, match.start(), match.end(), "" if position else gap))
    return tokens


def span_of(tokens: list[Token], start: int, end: int) -> Span:
    """Characters that tokens `start` to `end` (exclusive) come from."""
    return Span(tokens[start].start, tokens[end - 1].end)
