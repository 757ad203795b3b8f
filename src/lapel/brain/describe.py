"""The cart in words: one sentence to say, and lines to show."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.brain.frame import CartLine, Frame
from lapel.brain.language import Language
from lapel.brain.menu import Menu, MenuItem
from lapel.brain.wording import listed


@dataclass(frozen=True, slots=True)
class CardLine:
    """One line to show: how many of what, and its options."""

    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """`spoken` is short enough to say, `lines` hold everything."""

    spoken: str
    lines: tuple[CardLine, ...] = ()


def describe(frame: Frame, menu: Menu | None, language: Language) -> Description:
    """Options are told where they differ from the item's defaults."""
    items = {item.id: item for item in menu.items} if menu else {}
    spoken: list[str] = []
    lines: list[CardLine] = []
    for line in frame.lines:
        item = items.get(line.item_id)
        title = item.title if item else line.item_id
        told = _options(line, item, only_unusual=True)
        spoken.append(_speak(line, title, [*told, line.note] if line.note else told, language))
        shown = _options(line, item, only_unusual=False)
        detail = ", ".join([*shown, line.note] if line.note else shown)
        lines.append(CardLine(f"{line.quantity} x {title}", detail))
    sentence = listed(spoken)
    if sentence and menu:
        sentence += f" from {menu.merchant_name}"
    if sentence and frame.address:
        sentence += f" to {_address(frame.address)}"
    return Description(sentence, tuple(lines))


def _address(label: str) -> str:
    return label if label.lower() == "home" else f"your {label}"


def _options(line: CartLine, item: MenuItem | None, *, only_unusual: bool) -> list[str]:
    chosen = dict(line.options)
    words: list[str] = []
    for group in item.groups if item else ():
        for value in group.values:
            usual = only_unusual and value.id == group.default
            if value.id in chosen.get(group.id, ()) and not usual:
                words.append(value.title)
    return words


def _speak(line: CartLine, title: str, details: list[str], language: Language) -> str:
    name = title.lower() if title.istitle() or title[1:].islower() else title
    counted = language.counted(line.quantity, name)
    if not details:
        return counted
    return f"{counted} ({', '.join(d.lower() for d in details)})"
