"""Written English as it is said: money, times, ordinals, codes, quantities.

Plain whole numbers, years and dates are left to the voice, which reads them well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

_ONES: Final = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen",
    "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS: Final = [
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]  # fmt: skip
_SCALES: Final = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

# code -> (one, many, hundredth one, hundredth many); None: no smaller unit is said
_Unit = tuple[str, str, str | None, str | None]
CURRENCIES: Final[dict[str, _Unit]] = {
    "EUR": ("euro", "euros", "cent", "cents"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "CHF": ("franc", "francs", "centime", "centimes"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "SEK": ("krona", "kronor", "öre", "öre"),
    "NOK": ("krone", "kroner", "øre", "øre"),
    "DKK": ("krone", "kroner", "øre", "øre"),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "JPY": ("yen", "yen", None, None),
    "KRW": ("won", "won", None, None),
}
_SYMBOLS: Final = {
    "€": "EUR",
    "US$": "USD",
    "$": "USD",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "₩": "KRW",
    "zł": "PLN",
}
_MEASURES: Final = {
    "min": ("minute", "minutes"),
    "mins": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "hr": ("hour", "hours"),
    "hrs": ("hour", "hours"),
    "km": ("kilometre", "kilometres"),
    "m": ("metre", "metres"),
    "mi": ("mile", "miles"),
    "kg": ("kilogram", "kilograms"),
    "g": ("gram", "grams"),
    "ml": ("millilitre", "millilitres"),
    "cl": ("centilitre", "centilitres"),
    "l": ("litre", "litres"),
    "L": ("litre", "litres"),
    "oz": ("ounce", "ounces"),
    "kcal": ("kilocalorie", "kilocalories"),
}

_NUMBER: Final = r"\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?:\.\d+)?|\d+(?:[.,]\d{1,2})?(?!\d)"
_NAMES: Final = "|".join(re.escape(name) for name in sorted(_SYMBOLS, key=len, reverse=True))
_CODES: Final = "|".join(CURRENCIES)
_MONEY: Final = re.compile(
    rf"(?<![\w.])(?P<minus>[-\u2212])?(?:"
    rf"(?P<before>{_NAMES}|(?:{_CODES})\b)\s?(?P<first>{_NUMBER})"
    rf"|(?P<second>{_NUMBER})\s?(?P<after>{_NAMES}|(?:{_CODES})\b))"
)
_TIME: Final = re.compile(
    r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![\d:])"
    r"(?:\s?(?P<half>[ap])\.?m\b\.?)?",
    re.IGNORECASE,
)
_HOUR: Final = re.compile(r"\b(?P<hour>1[0-2]|0?[1-9])\s?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE)
_ORDINAL: Final = re.compile(r"\b(\d{1,4})(?:st|nd|rd|th)\b", re.IGNORECASE)
_PERCENT: Final = re.compile(r"(\d+(?:[.,]\d+)?)\s?%")
_RANGE: Final = re.compile(r"(?<![\w.,-])(\d{1,4})\s?[\u2013-]\s?(\d{1,4})(?![\w,.-]*\d)(?!\w)")
_TIMES: Final = re.compile(r"\b(\d{1,3})\s?[x\u00d7](?=\s)|(?<!\w)[x\u00d7](\d{1,3})\b")
_MEASURE: Final = re.compile(
    rf"(?<![\w.])(\d+(?:[.,]\d+)?)\s?({'|'.join(sorted(_MEASURES, key=len, reverse=True))})\b"
)
_HASH: Final = re.compile(r"(?:\b(?:No|Nos)\.\s?|#)(?=[A-Z]*-?\d)")
_LABELLED: Final = re.compile(
    r"\b(order|code|number|pin|flight|gate|room|booking|reference|ticket)(\s+(?:is\s+)?)(\d{3,12})\b",
    re.IGNORECASE,
)
_MIXED: Final = re.compile(r"\b(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)[A-Z0-9]+(?:-[A-Z0-9]+)*\b")
_DECIMAL: Final = re.compile(r"(?<![\w.,])(\d+)\.(\d+)(?![\w.]*\d)")
_MARKUP: Final = re.compile(r"[*_`~|<>\\^]+|^\s*(?:[-•#]+)\s+", re.MULTILINE)
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)|https?://\S+")
_PICTURES: Final = re.compile("[\u2190-\u2bff\ufe0f\u200d\U0001f000-\U0001faff]+")
_SPACES: Final = re.compile(r"[ \t\u00a0\u202f]+")


def spoken(text: str) -> str:
    """The text in the words of a person reading it aloud; safe to apply twice."""
    said = _LINK.sub(lambda match: match[1] or "the link", text)
    said = _PICTURES.sub(" ", said)
    said = _MONEY.sub(_money, said)
    said = _TIME.sub(_clock, said)
    said = _HOUR.sub(_clock, said)
    said = _HASH.sub("number ", said)
    said = _LABELLED.sub(lambda match: match[1] + match[2] + _spell(match[3]), said)
    for pattern, read in _READERS:
        said = pattern.sub(read, said)
    said = _MARKUP.sub(" ", said).replace("&", " and ")
    return _SPACES.sub(" ", said).strip()


def cardinal(number: int) -> str:
    """1234 -> 'one thousand two hundred and thirty four'."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_ONES[hundreds]} hundred" + (f" and {cardinal(rest)}" if rest else "")
    for size, name in _SCALES:
        if number >= size:
            many, rest = divmod(number, size)
            joint = " and " if 0 < rest < 100 else " "
            return f"{cardinal(many)} {name}" + (f"{joint}{cardinal(rest)}" if rest else "")
    raise AssertionError("every number from 1000 up has a scale")


def ordinal(number: int) -> str:
    head, _, last = cardinal(number).rpartition(" ")
    if last in _ORDINALS:
        last = _ORDINALS[last]
    else:
        last = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{head} {last}".strip()


def _parts(written: str) -> tuple[int, str]:
    """Whole part and decimals; a comma before one or two last digits is a decimal mark."""
    plain = re.sub(r"[\u00a0\u202f]", "", written)
    comma = re.fullmatch(r"(\d+),(\d{1,2})", plain)
    plain = f"{comma[1]}.{comma[2]}" if comma else plain.replace(",", "")
    whole, _, decimals = plain.partition(".")
    return int(whole), decimals


def _number(written: str) -> str:
    whole, decimals = _parts(written)
    return cardinal(whole) + (f" point {_digits(decimals)}" if decimals else "")


def _digits(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits)


def _money(match: re.Match[str]) -> str:
    name = match["before"] or match["after"]
    one, many, small_one, small_many = CURRENCIES[_SYMBOLS.get(name, name)]
    whole, decimals = _parts(match["first"] or match["second"])
    minus = "minus " if match["minus"] else ""
    if len(decimals) > 2 or (decimals and small_one is None):
        return f"{minus}{cardinal(whole)} point {_digits(decimals)} {many}"
    small = int(decimals.ljust(2, "0")) if decimals else 0
    large_part = f"{cardinal(whole)} {one if whole == 1 else many}"
    if not small:
        return minus + large_part
    small_part = f"{cardinal(small)} {small_one if small == 1 else small_many}"
    return minus + (small_part if whole == 0 else f"{large_part} and {small_part}")


def _clock(match: re.Match[str]) -> str:
    hour = int(match["hour"])
    minute = int(match.groupdict().get("minute") or 0)
    half = (match["half"] or "").upper()
    if not half and (hour > 12 or hour == 0):
        half = "A" if hour % 24 < 12 else "P"
    said = cardinal((hour - 1) % 12 + 1)
    if minute:
        said += f" {'oh ' if minute < 10 else ''}{cardinal(minute)}"
    elif not half:
        said += " o'clock"
    end = "." if match[0].endswith(".") and not match.string[match.end() :].strip() else ""
    return said + (f" {half} M" if half else "") + end


def _spell(code: str) -> str:
    return " ".join(
        _ONES[int(sign)] if sign.isdecimal() else sign for sign in code if sign.isalnum()
    )


def _times(match: re.Match[str]) -> str:
    return cardinal(int(match[1] or match[2]))


def _measure(match: re.Match[str]) -> str:
    one, many = _MEASURES[match[2]]
    return f"{_number(match[1])} {one if match[1] == '1' else many}"


_READERS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...]] = (
    (_ORDINAL, lambda match: ordinal(int(match[1]))),
    (_PERCENT, lambda match: f"{_number(match[1])} percent"),
    (_RANGE, lambda match: f"{match[1]} to {match[2]}"),
    (_TIMES, _times),
    (_MEASURE, _measure),
    (_MIXED, lambda match: _spell(match[0])),
    (_DECIMAL, lambda match: f"{cardinal(int(match[1]))} point {_digits(match[2])}"),
)
