"""Which items of the menu a phrase may mean."""

from __future__ import annotations

from itertools import pairwise

from lapel.brain.cart import Cart
from lapel.brain.chunks import Sentence
from lapel.brain.language import Language, Word
from lapel.brain.phrases import Phrase

_FITS_AT_ALL = 0.4
_COUNTED = frozenset({Word.ARTICLE, Word.NUMBER, Word.DEFINITE, Word.MORE})


def candidates(cart: Cart, phrase: Phrase, answer: str | None) -> list[int]:
    """Places in the menu, the answered one alone if there is an answer."""
    assert phrase.name is not None
    name = phrase.name
    places = list(name.exact_items)
    for rival in phrase.rivals:
        places.extend(place for place in rival.exact_items if place not in places)
    if not places:
        if phrase.modifiers:
            # Strange words beside part of a title: what was asked for is another thing.
            return []
        fitting = [place for place, fit in name.items.items() if fit >= _FITS_AT_ALL]
        places = list(name.items) if name.category or not fitting else fitting
    answered = [place for place in places if cart.index.menu.items[place].id == answer]
    if answered or len(places) < 2:
        return answered or places
    wanted = [value for value in phrase.values if not value.negative]
    offering = [p for p in places if all(cart.offers(p, value) for value in wanted)]
    return offering or places


def portions(sentence: Sentence, phrase: Phrase, title: tuple[str, ...]) -> int:
    """How many are ordered: "twelve pieces of maki" are two where one is sold as six pieces."""
    stems = sentence.stems[phrase.start : phrase.end]
    said = {(a, b): int(a) for a, b in pairwise(stems) if a.isdigit()}
    for number, unit in pairwise(title):
        for (_, word), count in said.items():
            if number.isdigit() and int(number) and word == unit:
                return max(1, count // int(number))
    return phrase.quantity or 1


def bare_words(sentence: Sentence, language: Language, start: int, end: int) -> str:
    """The user's words from token `start` to `end` without a leading article or number."""
    matches = language.match(sentence.tokens, start)
    counted = [m.end for m in matches if m.word in _COUNTED and m.end < end]
    return sentence.words(max(counted, default=start), end)
