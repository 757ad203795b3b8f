"""How a shopping list, and a question while it is picked, are shown and said."""

from __future__ import annotations

from collections.abc import Sequence

from lapel.assistant.words import count, joined, weight
from lapel.commerce import Order, OrderEvent
from lapel.devices import Card, CardAction, CardLine, Cue, CueKind, Pattern
from lapel.services.goods import Good, Wanted

LONGEST = 12
"""Entries that a card shows."""
SPOKEN = 6
ACCEPT, DECLINE = "take", "leave"


def substitution_topic(order_id: str, line_id: object) -> str:
    return f"substitution:{order_id}:{line_id}"


def substitution(order: Order, event: OrderEvent) -> Cue:
    """Whether the grocer shall bring something else, with a button for each answer."""
    topic = substitution_topic(order.id, event.data.get("line_id"))
    return Cue(
        id=f"{topic}:{event.n}",
        topic=topic,
        kind=CueKind.NOTICE,
        speech=event.text,
        card=Card(
            title=order.merchant_name,
            body=event.text,
            footer="Without an answer it is left out",
            actions=(CardAction(ACCEPT, "Take it"), CardAction(DECLINE, "Leave it out")),
        ),
        haptic=Pattern.PULSE,
    )


def entry(wanted: Wanted) -> str:
    """`2 kilos of apples`, `two packs of eggs`, `milk`."""
    match wanted.unit:
        case "g":
            return f"{weight(wanted.amount)} of {wanted.text}"
        case "ml":
            return f"{_volume(wanted.amount)} of {wanted.text}"
        case "pack":
            packs = "pack" if wanted.amount == 1 else "packs"
            return f"{count(wanted.amount)} {packs} of {wanted.text}"
        case _:
            return f"{count(wanted.amount)} {wanted.text}" if wanted.amount > 1 else wanted.text


def list_card(wanted: Sequence[Wanted], said: str = "") -> Card:
    """The list, under what was done to it."""
    shown = [CardLine(entry(each)) for each in wanted[:LONGEST]]
    more = len(wanted) - LONGEST
    if more > 0:
        shown.append(CardLine(f"and {more} more"))
    return Card(title="Shopping list", lines=tuple(shown), body=said)


def list_text(wanted: Sequence[Wanted]) -> str:
    names = [entry(each) for each in wanted]
    if len(names) > SPOKEN + 1:
        names = [*names[:SPOKEN], f"{count(len(wanted) - SPOKEN)} more"]
    return joined(names)


def which(text: str, choices: Sequence[Good]) -> str:
    """One short question."""
    return f"Which {text}: {_or([good_text(good) for good in choices])}?"


def choices_card(text: str, choices: Sequence[Good]) -> Card:
    lines = [CardLine(f"{x.title} {x.size}".strip(), _price(x)) for x in choices]
    return Card(title=f"Which {text}?", lines=tuple(lines))


def good_text(good: Good) -> str:
    size = f", {good.size}," if good.size else ""
    return f"{good.title}{size} for {_price(good)}"


def _volume(millilitres: int) -> str:
    if millilitres % 1000 == 0:
        litres = millilitres // 1000
        return f"{litres} litre" if litres == 1 else f"{litres} litres"
    return f"{millilitres // 100} decilitres"


def _price(good: Good) -> str:
    return f"{good.price} a kilo" if good.by_weight else str(good.price)


def _or(parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} or {parts[-1]}"
