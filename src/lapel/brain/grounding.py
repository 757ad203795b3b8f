"""From what a model gave to what may be done: arguments are what the user said, or not there.

Models invent: "two hundred" becomes 20000, a ride without a time gets "now". An argument is looked
up in the user's words, as words, as numbers or as a time of day. What is found is the user's span,
never the model's text; what is not found is dropped, or asked for where the tool needs it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lapel.brain.numerals import in_english, moment, numbered
from lapel.brain.provenance import Argument, Facts, Said, Thing, Words
from lapel.brain.tools import Ask, Call, Proposal, Request, Thought
from lapel.brain.warrant import asked_for

_TOKEN = re.compile(r"[^\W\d_]+(?:['.&-][^\W\d_]+)*|\d+(?:[.,:]\d+)*|[€$£¥%@+]")
_CJK = re.compile(r"[\u3400-\u9fff]")
_FILLERS = frozenset(
    {
        "a", "an", "the", "my", "our", "some", "any", "of", "to", "at", "in", "on", "for", "and",
        "from", "please", "me", "us", "by", "with", "i", "it", "的", "了", "去", "到", "在", "和",
        "给",
    }
)  # fmt: skip
_ANSWERING = frozenset({"is", "it's", "that", "that's", "make", "say", "let", "let's", "well"})
_SYMBOLS = {"€": "euro", "$": "dollar", "£": "pound", "¥": "yuan", "eur": "euro", "usd": "dollar"}
_SMALL_WORDS = re.compile(
    r"\b((?:at|in|on|by|around|about|for|this|next|every)(?: (?:about|around|the))?) $",
    re.IGNORECASE,
)
_MOST_BETWEEN = 3
"""Words that may stand between those of one argument: "a pizza, a large one"."""
_LONGEST_TIME = 6
_SAME = (
    ("home", "家", "家里", "我家"),
    ("work", "office", "the office", "公司", "单位", "办公室"),
    ("school", "学校"),
)
"""Names of places that mean the same."""
_KINDS = (Thing.ADDRESS, Thing.CONTACT, Thing.SERVICE, Thing.MERCHANT)


@dataclass(frozen=True, slots=True)
class _Token:
    """A word, or a number in digits; `start` and `end` are its characters."""

    norm: str
    start: int
    end: int


def grounded(proposal: Proposal, request: Request) -> Thought:
    """The call that a proposal comes to, the question that it waits for, or None."""
    tool = next((each for each in request.tools if each.name == proposal.tool), None)
    if tool is None or (request.withheld and tool.effect and not tool.calls_off):
        return None
    if tool.effect and request.read:
        others = frozenset[str]().union(*(each.asking for each in request.tools))
        if asked_for(request.words, tool.asking, others) is None:
            return None
    found: dict[str, Argument] = {}
    for parameter in tool.parameters:
        argument = located(proposal.arguments.get(parameter.name, ""), request.words, request.facts)
        if parameter.when and isinstance(argument, Said):
            argument = _with_small_words(argument)
        if argument is not None:
            found[parameter.name] = argument
    call = Call(tool, request.words, _once(found))
    for parameter in tool.parameters:
        if parameter.required and parameter.name not in call.arguments:
            question = parameter.ask or f"What is the {parameter.name.replace('_', ' ')}?"
            return Ask(question, call, parameter.name)
    return call


def located(value: str, words: Words, facts: Facts | None = None) -> Argument | None:
    """Where the user said `value`, or the thing on record that the user has named by it."""
    if not value.strip():
        return None
    found = _as_words(value, words) or _as_time(value, words) or _as_meant(value, words)
    if found is not None and not _CJK.search(found.text):
        return found
    return _on_record(value, words, facts) or (None if found is None else _in_english(found))


def _with_small_words(said: Said) -> Said:
    """With what stands before a time: "in" of "in an hour"."""
    before = _SMALL_WORDS.search(said.words.text[: said.start])
    return said if before is None else Said(said.words, before.start(1), said.end)


def _once(found: dict[str, Argument]) -> dict[str, Argument]:
    """Without what was said within another argument: the day in "tomorrow at six"."""

    def within(argument: Argument) -> bool:
        return isinstance(argument, Said) and any(
            isinstance(other, Said)
            and other.words is argument.words
            and other.start <= argument.start
            and argument.end <= other.end
            and len(other.text) > len(argument.text)
            for other in found.values()
        )

    return {name: argument for name, argument in found.items() if not within(argument)}


def same_words(one: str, other: str) -> bool:
    """Whether both say the same, small words, plurals and the writing of numbers aside."""
    plain = ([x.norm for x in _tokens(text) if x.norm not in _FILLERS] for text in (one, other))
    return next(plain) == next(plain)


def answer_of(words: Words) -> Said:
    """What an answer says, without the small words around it."""
    tokens = _tokens(words.text)
    kept = [token for token in tokens if token.norm not in _FILLERS | _ANSWERING] or tokens
    if not kept:
        return Said(words, 0, len(words.text))
    return Said(words, kept[0].start, kept[-1].end)


def _as_words(value: str, words: Words) -> Said | None:
    wanted = [token.norm for token in _tokens(value) if token.norm not in _FILLERS]
    said = [token for token in _tokens(words.text) if token.norm not in _FILLERS]
    if not wanted or not said:
        return None
    count = len(wanted)
    for at in range(len(said) - count + 1):
        if [token.norm for token in said[at : at + count]] == wanted:
            return Said(words, said[at].start, said[at + count - 1].end)
    return _scattered(wanted, said, words)


def _scattered(wanted: list[str], said: list[_Token], words: Words) -> Said | None:
    """The shortest stretch that holds all of the words, in whatever order."""
    if len(wanted) < 2:
        return None
    for size in range(len(wanted), len(wanted) + _MOST_BETWEEN + 1):
        for at in range(len(said) - size + 1):
            window = said[at : at + size]
            left = [token.norm for token in window]
            if all(left.count(word) >= wanted.count(word) for word in wanted):
                return Said(words, window[0].start, window[-1].end)
    return None


def _as_time(value: str, words: Words) -> Said | None:
    wanted = moment([token.norm for token in _tokens(value)])
    if wanted is None:
        return None
    said = _tokens(words.text)
    for size in range(min(_LONGEST_TIME, len(said)), 0, -1):
        for at in range(len(said) - size + 1):
            found = moment([token.norm for token in said[at : at + size]])
            if found is not None and found.agrees(wanted):
                first = next(token for token in said[at:] if token.norm not in _FILLERS)
                return Said(words, first.start, said[at + size - 1].end)
    return None


def _as_meant(value: str, words: Words) -> Said | None:
    """What was said in Chinese and given in English, of what `in_english` knows."""
    said = _tokens(words.text) if _CJK.search(words.text) else []
    wanted = [token.norm for token in _tokens(value)]
    for size in range(min(_LONGEST_TIME, len(said)), 0, -1):
        for at in range(len(said) - size + 1):
            meant = in_english([token.norm for token in said[at : at + size]])
            if meant and [token.norm for token in _tokens(meant)] == wanted:
                return Said(words, said[at].start, said[at + size - 1].end)
    return None


def _on_record(value: str, words: Words, facts: Facts | None) -> Argument | None:
    """By another name for the same place, where it was said."""
    if facts is None:
        return None
    wanted = value.casefold().strip()
    row = next((row for row in _SAME if wanted in row), ())
    if not any(_as_words(name, words) for name in row):
        return None
    for kind in _KINDS:
        for key, name in facts.ids.get(kind, {}).items():
            if name.casefold() in row:
                return facts.known(kind, key)
    return None


def _in_english(found: Said) -> Said:
    """Times, days, durations, sums and counts in Chinese as the grammars of English read them: by
    rules, of the user's words alone.
    """
    text = in_english([token.norm for token in _tokens(found.text)])
    if not text:
        return found
    return Said(Words(replace(found.words.utterance, text=text)), 0, len(text))


def _tokens(text: str) -> list[_Token]:
    """Words in their plain form, numbers in digits; Chinese by the character."""
    found: list[_Token] = []
    for match in _TOKEN.finditer(text.lower().replace("\u2019", "'")):
        word = match[0]
        if _CJK.search(word):
            found += [
                _Token(x, match.start() + i, match.start() + i + 1) for i, x in enumerate(word)
            ]
        else:
            found.append(_Token(_SYMBOLS.get(word, word), match.start(), match.end()))
    merged = numbered([token.norm for token in found])
    return [_Token(_plain(norm), found[x].start, found[y - 1].end) for norm, x, y in merged]


def _plain(word: str) -> str:
    """Without the mark of the plural."""
    word = word.removesuffix("'s")
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word
