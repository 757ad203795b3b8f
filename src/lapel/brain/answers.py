"""Matches an utterance with the choices of an open question."""

from __future__ import annotations

from collections.abc import Container, Sequence

from lapel.brain.chunks import Sentence
from lapel.brain.frame import Question, Slot
from lapel.brain.language import Language, Word
from lapel.brain.sound import Sounds

_LIKE_ENOUGH = 0.78
_BESIDE = frozenset(
    {Word.FILLER, Word.POLITE, Word.DEFINITE, Word.THAT, Word.ONE, Word.ARTICLE, Word.YES}
    | {Word.WITH, Word.FROM, Word.TO, Word.IN, Word.ORDER, Word.WANT, Word.THANKS, Word.PRONOUN}
    | {Word.MAKE, Word.SEND, Word.ORDINAL, Word.ANY, Word.AMOUNT, Word.OF, Word.GREETING}
)


def answer(
    question: Question,
    sentence: Sentence,
    language: Language,
    sounds: Sounds,
    places: Container[str] = (),
) -> str | None:
    """The id of the choice that the words mean, if nothing else was said; None otherwise.

    Stems in `places` name where to: beside a choice they are something else that was said.
    """
    choices = question.choices
    if not choices or not sentence.tokens:
        return None
    words = [_stems(text, language) for _, text in choices]
    found = _named(sentence, words)
    if found is None:
        found = _counted(question, sentence, len(choices))
    if found is None:
        elsewhere = question.slot not in {Slot.ADDRESS, Slot.MERCHANT}
        if not (elsewhere and any(stem in places for stem in sentence.stems)):
            found = _alike(sentence, words, sounds)
    return choices[found][0] if found is not None else None


def _stems(text: str, language: Language) -> tuple[str, ...]:
    return tuple(language.stem(token.text) for token in language.tokens(text))


def _rest_is_silent(sentence: Sentence, used: set[int]) -> bool:
    """Whether all words that are not `used` only frame an answer."""
    at = 0
    while at < len(sentence.tokens):
        if at in used:
            at += 1
            continue
        ends = [m.end for m in sentence.phrases[at] if m.word in _BESIDE]
        ends = [e for e in ends if not used & set(range(at, e))]
        if not ends and not _is_one(sentence, at):
            return False
        at = max(ends, default=at + 1)
    return True


def _is_one(sentence: Sentence, at: int) -> bool:
    return any(m.word is Word.NUMBER and m.number == 1 for m in sentence.phrases[at])


def _named(sentence: Sentence, words: Sequence[tuple[str, ...]]) -> int | None:
    """The only choice that all content words belong to; its full name beats a part of another's."""
    fits: list[tuple[bool, int]] = []
    for place, name in enumerate(words):
        used = {i for i, stem in enumerate(sentence.stems) if stem in name}
        if used and _rest_is_silent(sentence, used):
            said = {sentence.stems[i] for i in used}
            fits.append((said == set(name), place))
    whole = [place for full, place in fits if full]
    if len(whole) == 1:
        return whole[0]
    return fits[0][1] if len(fits) == 1 else None


def _counted(question: Question, sentence: Sentence, count: int) -> int | None:
    """The choice by its place ("the second one"), or any ("it does not matter")."""
    matches = [m for found in sentence.phrases for m in found]
    if not _rest_is_silent(sentence, _numbers(sentence)):
        return None
    for match in matches:
        if match.word is Word.ORDINAL:
            place = match.number - 1 if match.number > 0 else count - 1
            return place if 0 <= place < count else None
        if match.word is Word.ANY and question.slot in {Slot.OPTION, Slot.MERCHANT}:
            return 0
    return None


def _numbers(sentence: Sentence) -> set[int]:
    return {
        i for i, found in enumerate(sentence.phrases) if any(m.word is Word.ORDINAL for m in found)
    }


def _alike(sentence: Sentence, words: Sequence[tuple[str, ...]], sounds: Sounds) -> int | None:
    """The choice that the strange words sound like."""
    strange = {
        i for i, found in enumerate(sentence.phrases) if not any(m.word in _BESIDE for m in found)
    }
    if any(sentence.phrases[i] for i in strange):
        return None
    if not strange or not _rest_is_silent(sentence, strange):
        return None
    said = "".join(sentence.stems[i] for i in sorted(strange))
    scored = sorted(
        (
            (sounds.likeness(said, part), place)
            for place, name in enumerate(words)
            for part in _parts(name)
        ),
        reverse=True,
    )
    best, place = scored[0]
    rival = next((score for score, other in scored if other != place), 0.0)
    return place if best >= _LIKE_ENOUGH and best - rival > 0.05 else None


def _parts(name: tuple[str, ...]) -> list[str]:
    return ["".join(name), *name] if name else [""]
