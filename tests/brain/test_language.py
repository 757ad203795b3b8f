"""Tokens, phrases and sounds: what the language file says, and what any script gets."""

from __future__ import annotations

import pytest

from lapel.brain.language import Word, load_language
from lapel.brain.sound import Sounds
from lapel.brain.tokens import parted, tokenise

pytestmark = pytest.mark.unit


def words(text: str) -> list[str]:
    return [token.text for token in load_language().tokens(text)]


def test_tokens_keep_their_places() -> None:
    text = "I'd like a Crème brûlée, 12oz."
    tokens = load_language().tokens(text)
    assert [t.text for t in tokens] == ["i", "would", "like", "a", "creme", "brulee", "12", "oz"]
    assert [text[t.start : t.end] for t in tokens[:2]] == ["I'd", "I'd"]
    assert text[tokens[4].start : tokens[5].end] == "Crème brûlée"
    assert tokens[6].gap == ","


def test_hesitations_separate_nothing() -> None:
    tokens = load_language().tokens("can I, uh, get a latte")
    assert [t.text for t in tokens] == ["can", "i", "get", "a", "latte"]
    assert not any(t.gap for t in tokens)


def test_scripts_without_spaces_are_cut_into_characters() -> None:
    assert [t.text for t in tokenise("两杯latte吧", {})] == ["两", "杯", "latte", "吧"]
    assert parted("来(一|)杯 latte") == ["来", "(", "一", "|)", "杯", "latte"]


@pytest.mark.parametrize(
    ("said", "stem"),
    [
        ("lattes", "latte"),
        ("sandwiches", "sandwich"),
        ("cookies", "cookie"),
        ("berries", "berrie"),
        ("berry", "berrie"),
        ("twelve", "12"),
        ("oz", "ounce"),
        ("swiss", "swiss"),
    ],
)
def test_stems(said: str, stem: str) -> None:
    assert load_language().stem(said) == stem


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("two", 2),
        ("a couple of", 2),
        ("half a dozen", 6),
        ("a dozen", 12),
        ("twenty one", 21),
        ("17", 17),
    ],
)
def test_numbers(text: str, number: int) -> None:
    language = load_language()
    tokens = language.tokens(text)
    matches = [m for m in language.match(tokens, 0) if m.end == len(tokens)]
    assert [(m.word, m.number) for m in matches] == [(Word.NUMBER, number)]


def test_a_phrase_may_be_interrupted_by_politeness() -> None:
    language = load_language()
    tokens = language.tokens("could I please maybe get a latte")
    longest = max(language.match(tokens, 0), key=lambda m: m.end)
    assert (longest.word, longest.end) == (Word.ORDER, 5)


@pytest.mark.parametrize(
    ("said", "name", "other"),
    [
        ("mocker", "mocha", "latte"),
        ("capuchin", "cappuccino", "croissant"),
        ("kwason", "croissant", "latte"),
        ("mediumrow", "mediumroast", "lightroast"),
        ("laterose", "lightroast", "latte"),
    ],
)
def test_a_name_sounds_most_like_what_was_meant(said: str, name: str, other: str) -> None:
    sounds = Sounds(load_language())
    assert sounds.likeness(said, name) > sounds.likeness(said, other)
    assert sounds.likeness(name, name) == 1.0
