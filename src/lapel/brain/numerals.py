"""Numbers and times of day in words, English and Chinese, so that two texts can be compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = (
    {word: number for number, word in enumerate(_SMALL)}
    | {word: number for number, word in enumerate("零一二三四五六七八九")}
    | {"两": 2}
)
_SCALES = {"十": 10, "hundred": 100, "百": 100, "thousand": 1000, "千": 1000, "万": 10000}
_BIG = {word: 10 * number for number, word in enumerate(_TENS, 2)}
_AM = frozenset({"am", "morning", "早", "晨", "凌"})
_PM = frozenset({"pm", "afternoon", "evening", "tonight", "night", "晚", "午", "傍"})
_JOINS = frozenset({"o'clock", "at", "the", "in", "past", "to", "点", "分", "钟", "上", "下"})
_WEEK = dict(
    zip(
        "123456日天7",
        (*"monday tuesday wednesday thursday friday saturday".split(), *["sunday"] * 3),  # noqa: SIM905
        strict=True,
    )
)
_DAYS = {"今天": "today", "明天": "tomorrow", "今晚": "tonight", "后天": "in two days"} | {
    f"{week}{day}": name for week in ("周", "星期", "礼拜") for day, name in _WEEK.items()
}
"""By characters with numbers in digits."""
_UNITS = {
    "": "", "个": "", "位": "", "人": "", "个人": "", "位客人": "", "晚": "", "分钟": " minutes",
    "小时": " hours", "个小时": " hours", "天": " days", "秒": " seconds", "块": " yuan",
    "块钱": " yuan", "元": " yuan", "欧": " euros", "欧元": " euros",
}  # fmt: skip
_LASTING = re.compile(r"(?:second|minute|hour|day|week|month)s?$|an?$")
_HALVES = {"half": 30, "半": 30, "quarter": 15, "刻": 15}


def numbered(words: Sequence[str]) -> list[tuple[str, int, int]]:
    """The words, numbers in digits, each with its first and last (exclusive) of the given ones."""
    found: list[tuple[str, int, int]] = []
    at = 0
    while at < len(words):
        value, end = _number(words, at)
        if end == at:
            found.append((words[at], at, at + 1))
            at += 1
        else:
            found.append((str(value), at, end))
            at = end
    return found


def _number(words: Sequence[str], at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends; the same place where none does."""
    total = current = 0
    start, last = (
        at,
        10_000_000,
    )  # each part is smaller than the one before it: "seven thirty" is two
    while at < len(words):
        word = words[at]
        if word in _ONES or word in _BIG:
            value = _ONES.get(word, _BIG.get(word, 0))
            if current % 100 and not (current % 100 >= 20 and current % 10 == 0 and value < 10):
                break
            if at > start and last <= 9 and value >= 0 and current % 10:
                break
            current, last = current + value, value
        elif word in _SCALES and (at > start or word == "十"):
            current, last = max(current, 1) * _SCALES[word], _SCALES[word]
            if word in ("thousand", "千", "万"):
                total, current = total + current, 0
        elif word == "and" and last in (100, 1000) and at + 1 < len(words) and _is(words[at + 1]):
            pass
        else:
            break
        at += 1
    return total + current, at


def _is(word: str) -> bool:
    return word in _ONES or word in _BIG


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day; `half` is "am", "pm", or empty where it was not said."""

    hour: int
    minute: int
    half: str = ""

    def agrees(self, other: Moment) -> bool:
        """Whether both can be the same time."""
        halves = {self.half, other.half} - {""}
        same = (self.hour % 12, self.minute) == (other.hour % 12, other.minute)
        return same and len(halves) < 2

    @property
    def text(self) -> str:
        minute = f":{self.minute:02}" if self.minute else ""
        return f"{self.hour}{minute}{f' {self.half}' if self.half else ''}"


def moment(words: Sequence[str]) -> Moment | None:
    """The time of day that all of the words (numbers in digits) name; None for anything else."""
    if list(words) in (["noon"], ["midday"], ["中", "午"]):
        return Moment(12, 0, "pm")
    if list(words) == ["midnight"]:
        return Moment(12, 0, "am")
    half, numbers, part, before = "", list[int](), 0, False
    marked = False
    for word in words:
        if word in _AM or word in _PM:
            half, marked = half or ("am" if word in _AM else "pm"), True
        elif word in _HALVES:
            part, marked = _HALVES[word], True
        elif (clock := _clock(word)) is not None:
            numbers += clock
            marked = marked or len(clock) == 2
        elif word in _JOINS:
            before = before or word == "to"
            marked = marked or word in ("o'clock", "点", "past", "to")
        else:
            return None
    return _moment(numbers, part, half, before=before) if marked and numbers else None


def in_english(words: Sequence[str]) -> str:
    """What Chinese words for a time, a day, a duration, a sum or a count mean; empty for others.

    The words are characters, with numbers in digits.
    """
    time = moment(words)
    if time is not None:
        return time.text
    for size in (3, 2):  # a day, and maybe a time of that day
        day, rest = _DAYS.get("".join(words[:size])), moment(words[size:])
        if day and (rest or len(words) == size):
            return f"{day} at {rest.text}" if rest else day
    if words and words[0].isdigit():
        unit = _UNITS.get("".join(words[1:]))
        return "" if unit is None else f"{words[0]}{unit}"
    return ""


def is_clock(text: str) -> bool:
    """Whether it begins with a time of day: "nine", "half past seven", "8:15 pm on Friday"."""
    words = re.findall(r"[a-z']+|\d+(?::\d+)?", text.lower())
    plain = [word for word, _, _ in numbered(words)]
    if not plain or (len(plain) > 1 and _LASTING.match(plain[1])):
        return False
    return plain[0][0].isdigit() or plain[0] in ("half", "quarter", "noon", "midday", "midnight")


def _moment(numbers: list[int], part: int, half: str, *, before: bool) -> Moment | None:
    hour, minute = numbers[0], part
    if len(numbers) == 2 and before:
        minute, hour = numbers
    elif len(numbers) == 2:
        minute = numbers[1]
    elif len(numbers) > 2:
        return None
    if before:
        hour, minute = (hour - 2) % 12 + 1, 60 - minute
    if not (0 <= hour < 24 and 0 <= minute < 60):
        return None
    if hour > 12:
        hour, half = hour - 12, "pm"
    return Moment(hour, minute, half)


def _clock(word: str) -> list[int] | None:
    parts = word.split(":")
    if len(parts) > 2 or not all(part.isdigit() and len(part) <= 2 for part in parts):
        return None
    return [int(part) for part in parts]
