"""How orders are put into words that are short enough to be heard."""

from __future__ import annotations

from collections.abc import Sequence

from lapel.commerce import DraftLine

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOST_READ = 8
"""Lines of groceries that are read back one by one."""
_SIBILANT = ("s", "x", "z", "ch", "sh")


def count(number: int) -> str:
    """A small number as a word, a larger one as digits."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)


def plural(title: str, number: int) -> str:
    """`title` in the plural when `number` asks for it; the last word carries it."""
    if number == 1 or title.endswith("s"):
        return title
    if title.endswith("y") and title[-2:-1] not in "aeiou":
        return f"{title[:-1]}ies"
    return f"{title}es" if title.endswith(_SIBILANT) else f"{title}s"


def joined(parts: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`; with another word before the last one, if that is given."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def line(entry: DraftLine) -> str:
    """One cart line as it is read back: `two iced lattes with oat milk`."""
    if entry.grams:
        return f"{weight(entry.grams)} of {entry.title.lower()}"
    if entry.substitution:  # a grocer's titles name the size, and have no plural
        return entry.title if entry.quantity == 1 else f"{count(entry.quantity)} {entry.title}"
    spoken = f"{count(entry.quantity)} {plural(entry.title.lower(), entry.quantity)}"
    if entry.option_titles:
        spoken += f" with {joined([title.lower() for title in entry.option_titles])}"
    if entry.note:
        spoken += f", {entry.note}"
    return spoken


def weight(grams: int) -> str:
    """`2 kilos`, `half a kilo`, `1.5 kilos`, `250 grams`."""
    if grams == 500:
        return "half a kilo"
    if grams < 1000:
        return f"{grams} grams"
    whole, rest = divmod(grams, 1000)
    number = f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)
    return f"{number} kilo" if number == "1" else f"{number} kilos"


def cart(lines: Sequence[DraftLine]) -> str:
    """The whole cart as it is read back; of many groceries, how many there are."""
    if len(lines) > MOST_READ and any(entry.substitution for entry in lines):
        return f"{len(lines)} things"
    return joined([line(entry) for entry in lines])


def address(label: str) -> str:
    """`your office`, `home`, or the label as it stands."""
    if label == "home":
        return "home"
    return f"your {label}" if label.isalpha() and label.islower() else label
