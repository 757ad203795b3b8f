"""Languages as data: one TOML file each, loaded once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from itertools import product
from typing import Any, cast

from lapel.brain.tokens import Token, parted, tokenise

__all__ = ["Language", "PhraseMatch", "Word", "language_of", "load_language"]


class Word(StrEnum):
    """What a function word or phrase does in an order."""

    ORDER = "order"
    WANT = "want"
    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    MAKE = "make"
    SEND = "send"
    CANCEL = "cancel"
    NUMBER = "number"
    ORDINAL = "ordinal"
    ARTICLE = "article"
    DEFINITE = "definite"
    THAT = "that"
    PRONOUN = "pronoun"
    ONE = "one"
    MORE = "more"
    EXTRA_NUMBER = "extra_number"
    ONLY = "only"
    ALL = "all"
    AND = "and"
    OR = "or"
    WITH = "with"
    WITHOUT = "without"
    NO = "no"
    TO = "to"
    FROM = "from"
    IN = "in"
    OF = "of"
    INSTEAD = "instead"
    INSTEAD_OF = "instead_of"
    CONTAINER = "container"
    AMOUNT = "amount"
    CORRECT = "correct"
    AGAIN = "again"
    YES = "yes"
    DENY = "deny"
    STATUS = "status"
    MENU = "menu"
    MENU_HAVE = "menu_have"
    MENU_QUESTION = "menu_question"
    REPEAT = "repeat"
    THANKS = "thanks"
    GREETING = "greeting"
    POLITE = "polite"
    FILLER = "filler"
    CART = "cart"
    SOMETHING = "something"
    ANY = "any"
    QUESTION = "question"
    HYPOTHETICAL = "block_hypothetical"
    PAST = "block_past"
    FUTURE = "block_future"
    PERSON = "block_person"
    STATEMENT = "block_statement"
    NOT = "block_not"


_SCRIPTS = {"zh": re.compile("[\u3400-\u9fff]")}
"""Scripts that one language of those here is written in, without spaces."""
_LATIN = re.compile("[A-Za-z]")
_KANA = re.compile("[\u3040-\u30ff]")
_GAPS = ("", ",", ".")
_ACROSS_A_PAUSE = frozenset(
    {Word.CORRECT, Word.YES, Word.DENY, Word.THANKS, Word.AND, Word.ORDER, Word.WANT, Word.AMOUNT}
)


@dataclass(frozen=True, slots=True)
class PhraseMatch:
    """Tokens up to `end` (exclusive) are a phrase of kind `word`."""

    end: int
    word: Word
    number: int = 0
    amount: str = ""


@dataclass(slots=True)
class _Node:
    next: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    leaf: tuple[Word, int, str] | None = None


class _Same:
    """Patterns with "{}" for the same words: whoever says one may say any other."""

    def __init__(self, patterns: list[str]) -> None:
        self._patterns = patterns
        # The longest first: "without any {}" is no "without {}".
        self._found = [
            re.compile(re.escape(pattern).replace(r"\{\}", "(.+)"))
            for pattern in sorted(patterns, key=len, reverse=True)
        ]

    def others(self, name: str) -> list[str]:
        for pattern in self._found:
            if match := pattern.fullmatch(name):
                return [other.format(*match.groups()) for other in self._patterns]
        return []


class Language:
    """One language's words. Read-only after construction, shared by all users."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.code = cast("str", data["code"])
        contractions = cast("dict[str, str]", data.get("contractions", {}))
        self.contractions = {k: tuple(parted(v)) for k, v in contractions.items()}
        self.spaced = self.code not in _SCRIPTS
        self.counts_after = cast("bool", data.get("counts_after", False))
        self.addresses = cast("dict[str, list[str]]", data.get("addresses", {}))
        self.everything = _words(data, "everything")
        self.same_names = tuple(_Same(group) for group in data.get("same_names", ()))
        self.reorder = cast("dict[str, Any]", data["reorder"])
        self.questions = cast("dict[str, Any]", data.get("questions", {}))
        self.multiples = cast("dict[str, int]", data.get("multiples", {}))
        self.homophones = cast("dict[str, int]", data.get("homophones", {}))
        self.synonyms = cast("dict[str, str]", data.get("synonyms", {}))
        self.name_glue = frozenset(_words(data, "name_glue"))
        self.refusals = _words(data, "refusals")
        self.pronouns = frozenset(_words(data, "pronouns"))
        self.roles = frozenset(_words(data, "roles"))
        self.halves = frozenset(_words(data, "halves"))
        self.servings = _words(data, "servings")
        self.none_words = frozenset(w for phrase in data["none"] for w in _expand(phrase))
        self.vowels = cast("str", data["sound"]["vowels"])
        sound = cast("dict[str, Any]", data["sound"])
        self.syllables = cast("str | None", sound.get("syllables"))
        self.beginnings = [(a, b) for a, b in sound.get("beginnings", ())]
        self.ends = [(a, b) for a, b in sound.get("ends", ())]
        self.close_beginnings = _words(sound, "close")
        self.shortest = cast("int", sound.get("shortest", 4))
        self.sound_rules = [(re.compile(a), b) for a, b in data["sound"]["rules"]]
        self._skippable = frozenset(_words(data, "skippable"))
        self.numbers = cast("dict[str, int]", data["numbers"])
        endings = cast("dict[str, Any]", data.get("endings", {}))
        self._endings = [(a, b) for a, b in endings.get("rules", ())]
        self._keep = frozenset(_words(endings, "keep"))
        self._y = cast("str", endings.get("y_after_consonant", "y"))
        self._articles = (data["speaking"]["article"], data["speaking"]["article_before_vowel"])
        self._plurals = [(a, b) for a, b in data["speaking"]["plurals"]]
        digits = data["speaking"].get("digits", False)
        self._spoken_numbers = {} if digits else {n: word for word, n in self.numbers.items()}
        self._forms = [(a, b) for a, b in data.get("forms", {}).get("rules", ())]
        self._hesitations = frozenset(_words(data, "hesitations"))
        self._trailing = frozenset(_words(data, "trailing"))
        self._stems: dict[str, str] = {}
        self._root = _Node()
        self._add_numbers(data)
        for size, phrases in data["amounts"].items():
            for phrase in phrases:
                self._add(phrase, Word.AMOUNT, amount=size)
        for kind, phrases in data["phrases"].items():
            for phrase in phrases:
                self._add(phrase, Word(kind))
        self.verbs = self._single_words(Word.ORDER, Word.WANT, Word.ADD, Word.REMOVE, Word.MAKE)

    def tokens(self, text: str) -> list[Token]:
        """Words of `text` in order, hesitations left out."""
        tokens = tokenise(text, self.contractions)
        if not any(token.text in self._hesitations for token in tokens):
            return tokens
        kept: list[Token] = []
        gap = ""
        hesitated = False
        for token in tokens:
            if token.text in self._hesitations:
                gap, hesitated = max(gap, token.gap, key=_GAPS.index), True
                continue
            if hesitated:
                # Pauses around "uh" separate nothing.
                stop = "." in {gap, token.gap}
                token = replace(token, gap="." if stop else "")
            gap, hesitated = "", False
            kept.append(token)
        return kept

    def trails_off(self, text: str) -> bool:
        """Whether the last word is one that is said while thinking on."""
        last = tokenise(text, {})[-1:]
        return bool(last) and last[0].text in self._hesitations | self._trailing

    def stem(self, word: str) -> str:
        """The form under which a word is looked up: singular, number words as digits."""
        found = self._stems.get(word)
        if found is None:
            found = self._stem(word)
            if len(self._stems) < 20_000:
                self._stems[word] = found
        return found

    def forms(self, words: tuple[str, ...]) -> list[tuple[str, ...]]:
        """The words, and how a name with them is often said ("iced tea" is "ice tea")."""
        found = [words]
        for ending, replacement in self._forms:
            other = tuple(
                w[: len(w) - len(ending)] + replacement if len(w) > 3 and w.endswith(ending) else w
                for w in words
            )
            if other != words:
                found.append(other)
        return found

    def other_names(self, name: str) -> list[str]:
        """What else a name is called by: of "no sugar" and "without sugar" each is the other."""
        found = [other for same in self.same_names for other in same.others(name)]
        found += [self._in_digits(other) for other in (name, *found)]
        return [other for other in dict.fromkeys(found) if other != name]

    def _in_digits(self, name: str) -> str:
        """A name with its numbers of several words as digits: "十二寸" is "12寸"."""
        tokens, parts, at = self.tokens(name), list[str](), 0
        while at < len(tokens):
            numbers = [m for m in self.match(tokens, at) if m.word is Word.NUMBER]
            longest = max(numbers, key=lambda match: match.end, default=None)
            several = longest is not None and longest.end > at + 1
            parts.append(str(longest.number) if longest and several else tokens[at].text)
            at = longest.end if longest and several else at + 1
        changed = len(parts) < len(tokens)
        return " ".join(parts) if changed else name

    def is_plural(self, word: str) -> bool:
        return word.endswith("s") and self.stem(word) != word

    def is_function(self, word: str) -> bool:
        """Whether a word does something in an order by itself, so that it can name nothing."""
        node = self._root.next.get(word)
        leaf = node.leaf if node else None
        return leaf is not None and leaf[0] not in {Word.AMOUNT, Word.FILLER}

    def counted(self, count: int, name: str) -> str:
        """A number of things in words: "a latte", "two lattes"."""
        if count == 1:
            article = self._articles[name[:1].lower() in self.vowels]
            return f"{article} {name}"
        words = self._spoken_numbers.get(count, str(count)) if count <= 12 else str(count)
        return f"{words} {self.plural(name)}"

    def plural(self, name: str) -> str:
        for ending, replacement in self._plurals:
            if re.search(ending, name):
                return re.sub(ending, replacement, name)
        return name

    def amount_of(self, words: str) -> str:
        """The size, "little", "some" or "lot", when the whole of `words` names an amount."""
        tokens = self.tokens(words)
        for match in self.match(tokens, 0):
            if match.end == len(tokens) and match.word is Word.AMOUNT:
                return match.amount
        return ""

    def match(self, tokens: list[Token], start: int) -> list[PhraseMatch]:
        """All phrases that start at token `start`."""
        found: list[PhraseMatch] = []
        word = tokens[start].text
        if word.isdecimal() and len(word) < 4:
            found.append(PhraseMatch(start + 1, Word.NUMBER, int(word)))
        self._walk(tokens, start, start, self._root, found)
        return found

    def _walk(
        self, tokens: list[Token], start: int, at: int, node: _Node, found: list[PhraseMatch]
    ) -> None:
        if at > start and node.leaf:
            word, number, amount = node.leaf
            pause = any(t.gap for t in tokens[start + 1 : at])
            if not pause or word in _ACROSS_A_PAUSE:
                found.append(PhraseMatch(at, word, number, amount))
        if at == len(tokens) or (at > start and tokens[at].gap == "."):
            return
        child = node.next.get(tokens[at].text)
        if child:
            self._walk(tokens, start, at + 1, child, found)
        elif start < at and tokens[at].text in self._skippable and node.next:
            self._walk_skip(tokens, start, at, node, found)

    def _walk_skip(
        self, tokens: list[Token], start: int, at: int, node: _Node, found: list[PhraseMatch]
    ) -> None:
        after = at
        while after < len(tokens) and tokens[after].text in self._skippable:
            after += 1
        if after < len(tokens) and tokens[after].text in node.next:
            self._walk(tokens, start, after + 1, node.next[tokens[after].text], found)

    def _stem(self, word: str) -> str:
        word = self.synonyms.get(word, word)
        if word in self.numbers:
            return str(self.numbers[word])
        if word in self._keep or len(word) < 4:
            return word
        for ending, replacement in self._endings:
            if word.endswith(ending):
                word = word[: len(word) - len(ending)] + replacement
                break
        if len(word) > 3 and word.endswith("y") and word[-2] not in self.vowels:
            word = word[:-1] + self._y
        return self.synonyms.get(word, word)

    def _add_numbers(self, data: dict[str, Any]) -> None:
        for word, number in self.numbers.items():
            self._add(word, Word.NUMBER, number)
            if 20 <= number < 100:
                for unit, extra in self.numbers.items():
                    if 0 < extra < 10:
                        self._add(f"{word} {unit}", Word.NUMBER, number + extra)
        for phrase, number in data.get("number_phrases", {}).items():
            self._add(phrase, Word.NUMBER, number)
        for word, number in data.get("ordinals", {}).items():
            self._add(word, Word.ORDINAL, number)

    def _add(self, pattern: str, word: Word, number: int = 0, amount: str = "") -> None:
        for phrase in _expand(pattern):
            node = self._root
            for part in parted(phrase):
                node = node.next.setdefault(part, _Node())
            if node is not self._root and node.leaf is None:
                node.leaf = (word, number, amount)

    def _single_words(self, *kinds: Word) -> dict[str, Word]:
        return {
            text: node.leaf[0]
            for text, node in self._root.next.items()
            if node.leaf and node.leaf[0] in kinds
        }


def _words(data: dict[str, Any], key: str) -> tuple[str, ...]:
    """A list of words of a language file; one that needs none leaves it out."""
    return tuple(cast("list[str]", data.get(key, [])))


def _expand(pattern: str) -> list[str]:
    """All phrases of a pattern with (a|b) choices, nested ones too."""
    opened = pattern.find("(")
    if opened < 0:
        return [pattern]
    depth, start, choices = 1, opened + 1, list[str]()
    for position in range(opened + 1, len(pattern)):
        character = pattern[position]
        depth += (character == "(") - (character == ")")
        if (character == "|" and depth == 1) or depth == 0:
            choices.append(pattern[start:position])
            start = position + 1
        if depth == 0:
            break
    head, tails = pattern[:opened], _expand(pattern[start:])
    middles = [middle for choice in choices for middle in _expand(choice)]
    return [f"{head}{middle}{tail}" for middle, tail in product(middles, tails)]


def language_of(text: str, usual: str) -> str:
    """The code of the language of a text, as far as its script tells it; else `usual`."""
    if _KANA.search(text):
        return usual
    for code, script in _SCRIPTS.items():
        if script.search(text):
            return code
    return "en" if usual in _SCRIPTS and _LATIN.search(text) else usual


@lru_cache(maxsize=8)
def load_language(code: str = "en") -> Language:
    """The language with this code; a new one is a new file beside en.toml."""
    text = files("lapel.brain.language").joinpath(f"{code}.toml").read_text(encoding="utf-8")
    return Language(tomllib.loads(text))
