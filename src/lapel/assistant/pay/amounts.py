"""Amounts of money as people say them: `twenty euros`, `twelve fifty`, `€12.50`, `80 cents`.

What can be read in two ways is read as people mean it at a till: `twelve fifty` is 12.50, `twenty
five` is 25. What fits no reading is None: an amount is never guessed.
"""

from __future__ import annotations

import re

from lapel.commerce import Money

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_UNITS = {word: n for n, word in enumerate(_SMALL)} | {"a": 1, "an": 1}
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_EURO = frozenset({"euro", "euros", "eur", "€", "quid", "bucks"})
_DOLLAR = frozenset({"dollar", "dollars", "usd", "$"})
_CENT = frozenset({"cent", "cents"})
_MOST = 10**7
"""In minor units: more is no amount that somebody says by mistake."""

_WORD = "|".join((*_SMALL, *_TENS, "hundred", "thousand", "oh"))
_UNIT = r"euros?|eur|€|quid|bucks|dollars?|usd|\$"
_DIGITS = r"\d{1,5}(?:[.,]\d{1,2})?"
_SAID = rf"(?:an? (?=hundred|thousand|euro|dollar|cent))?(?:{_WORD})(?:(?:[ -]| and )(?:{_WORD}))*"
PATTERN = (
    rf"(?:[€$] ?{_DIGITS}|(?:{_DIGITS}|{_SAID}|an?(?= euro| dollar))"
    rf"(?: ?(?:{_UNIT})(?: (?:and )?(?:\d{{1,2}}|{_SAID})(?: cents?)?)?| cents?)?)"
)
"""A regular expression without groups for what `read` may be given."""


def read(said: str, currency: str = "EUR") -> Money | None:
    """The amount; in `currency` where no other is named. None for what is no amount."""
    words = _words(said)
    units = [n for n, word in enumerate(words) if word in _EURO or word in _DOLLAR]
    if len(units) > 1 or not words:
        return None
    if units:
        at = units[0]
        currency = "EUR" if words[at] in _EURO else "USD"
        before, after = words[:at], words[at + 1 :]
        if not before and words[at] in ("€", "$"):
            before, after = after, []
        whole, part = _hundredths(before), _cents(after) if after else 0
        minor = None if whole is None or part is None or (part and whole % 100) else whole + part
    elif words[-1] in _CENT:
        minor = _number(words[:-1])
    else:
        minor = _hundredths(words)
        if minor is None:
            minor = _apart(words)
    return Money(minor, currency) if minor is not None and 0 < minor <= _MOST else None


def names_unit(said: str) -> bool:
    """Whether a currency was said, so that no count of things can be meant."""
    return any(word in _EURO | _DOLLAR | _CENT for word in _words(said))


def _words(said: str) -> list[str]:
    spaced = re.sub(r"([€$])", r" \1 ", said.lower().replace("-", " "))
    return [word for word in spaced.split() if word != "and"]


def _cents(words: list[str]) -> int | None:
    found = _number(words[:-1] if words[-1] in _CENT else words)
    return found if found is not None and found < 100 else None


def _apart(words: list[str]) -> int | None:
    """`twelve fifty`, `twelve oh five`: units, then hundredths of two digits."""
    for at in range(1, len(words)):
        whole, part = _number(words[:at]), _number(words[at:])
        is_low = words[at] == "oh" and len(words) - at == 2
        if is_low:
            part = _number(words[at + 1 :])
        if whole is not None and part is not None and (is_low or 10 <= part < 100):
            return whole * 100 + part
    return None


def _hundredths(words: list[str]) -> int | None:
    if len(words) == 1 and (match := re.fullmatch(r"(\d+)(?:[.,](\d{1,2}))?", words[0])):
        return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))
    found = _number(words)
    return None if found is None else found * 100


def _number(words: list[str]) -> int | None:
    """A whole number in English words or digits; None for words that make none."""
    if len(words) == 1 and words[0].isdecimal():
        return int(words[0])
    if "thousand" in words:
        at = words.index("thousand")
        high, low = _below_thousand(words[:at]), _below_thousand(words[at + 1 :] or ["zero"])
        return None if high is None or low is None else high * 1000 + low
    return _below_thousand(words)


def _below_thousand(words: list[str]) -> int | None:
    if "hundred" in words:
        at = words.index("hundred")
        high = _UNITS.get(words[0]) if at == 1 else None
        low = _below_hundred(words[at + 1 :] or ["zero"])
        fits = high is not None and 0 < high < 10 and low is not None
        return (high or 0) * 100 + (low or 0) if fits else None
    return _below_hundred(words)


def _below_hundred(words: list[str]) -> int | None:
    match words:
        case [word] if word in _UNITS:
            return _UNITS[word]
        case [word] if word in _TENS:
            return _TENS[word]
        case [tens, unit] if tens in _TENS and 0 < _UNITS.get(unit, 0) < 10:
            return _TENS[tens] + _UNITS[unit]
        case _:
            return None
