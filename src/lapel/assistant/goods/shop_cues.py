"""How offers are shown and said, with the reason for their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lapel.commerce import Money, spoken
from lapel.devices import Card, CardAction, CardLine
from lapel.services.goods import Ranked, ReturnOffer
from lapel.services.goods.ranking import Wish

Say = Callable[[Money], str]

SHOWN = 5
SPOKEN = 2
_SOON = 240
"""Minutes up to which an arrival is said as a length of time."""
_ABOUT_EQUAL = 60


def offers_card(offers: Sequence[Ranked], wish: Wish, serial: int, when: Clock) -> Card:
    lines = [
        CardLine(f"{x.offer.title}, {x.offer.merchant_name}", str(x.total)) for x in offers[:SHOWN]
    ]
    actions = [
        CardAction(f"shop:{serial}:{n}", f"{n + 1}: {x.offer.merchant_name}")
        for n, x in enumerate(offers[:SHOWN])
    ]
    return Card(
        title="Cheapest first" if wish == "cheapest" else "Fastest first",
        lines=tuple(lines),
        body=" ".join(_sentences(offers[:SHOWN], wish, when, str)),
        footer=_rule(offers, wish),
        actions=tuple(actions),
    )


def offers_text(offers: Sequence[Ranked], wish: Wish, when: Clock) -> str:
    """Nobody listens to five prices: the first two, and how many more there are."""
    told = _sentences(offers[:SPOKEN], wish, when, spoken)
    more = len(offers[:SHOWN]) - SPOKEN
    if more > 0:
        told.append(f"There {'is one' if more == 1 else f'are {more}'} more.")
    return " ".join([*told, "Which one?"])


class Clock:
    """Now, where the user is: for "today" and "tomorrow"."""

    def __init__(self, now_s: float, zone: ZoneInfo) -> None:
        self._now = datetime.fromtimestamp(now_s, zone)

    def days(self, minutes: int) -> int:
        """How many midnights lie between now and then."""
        return ((self._now + timedelta(minutes=minutes)).date() - self._now.date()).days

    def said(self, minutes: int | None) -> str:
        """`within 2 hours`, `today`, `tomorrow`, `in 3 days`; empty where nobody knows."""
        if minutes is None:
            return ""
        if minutes <= _SOON:
            hours = max(1, round(minutes / 60))
            short = "1 hour" if hours == 1 else f"{hours} hours"
            return f"within {minutes} minutes" if minutes <= 90 else f"within {short}"
        days = self.days(minutes)
        return {0: "today", 1: "by tomorrow"}.get(days, f"within {days} days")


def return_question(offer: ReturnOffer, title: str, shop: str, back: Money, until: str) -> str:
    fee = f" It keeps {spoken(offer.fee)}." if offer.fee.minor else ""
    post = {
        "buyer": " You pay the post.",
        "merchant": " It pays the post.",
    }.get(offer.post_paid_by, "")
    window = f" until {until}" if until else ""
    return f"{shop} takes {title} back{window}.{fee}{post} You get {spoken(back)} back. Shall I?"


def return_card(text: str, shop: str) -> Card:
    return Card(
        title=shop,
        body=text,
        actions=(CardAction("return:yes", "Send it back"), CardAction("return:no", "Keep it")),
    )


def _sentences(offers: Sequence[Ranked], wish: Wish, when: Clock, say: Say) -> list[str]:
    """The first with the reason that it is first, the others with what sets them apart."""
    first, *others = offers
    with_delivery = " with delivery" if first.way else " before delivery"
    arrives = when.said(first.minutes)
    comma = f", {arrives}" if arrives else ""
    why = "the cheapest" if wish == "cheapest" else "there first"
    name = first.offer.merchant_name
    what = f"{first.offer.title} at {name}"
    told = [f"{what} is {why}: {say(first.total)}{with_delivery}{comma}."]
    for each in others:
        apart = _apart(each, wish, when, say)
        told.append(
            f"{each.offer.title} at {each.offer.merchant_name}: {say(each.total)}, {apart}."
        )
    return told


def _apart(each: Ranked, wish: Wish, when: Clock, say: Say) -> str:
    price = Money(abs(each.dearer), each.total.currency)
    cost = (
        "the same price"
        if not price.minor
        else f"{say(price)} " + ("more" if each.dearer > 0 else "less")
    )
    if each.way is None:
        return f"{cost}, before delivery"
    arrives = when.said(each.minutes)
    if abs(each.later) < _ABOUT_EQUAL:
        return f"{cost}, {arrives} as well"
    return (
        f"{cost}, but {arrives}"
        if (each.later < 0) == (wish == "cheapest")
        else (f"{cost}, {arrives}")
    )


def _rule(offers: Sequence[Ranked], wish: Wish) -> str:
    if all(each.way is None for each in offers):
        return "By price alone: these shops do not say what delivery costs"
    by = "price with delivery, then arrival" if wish == "cheapest" else "arrival, then price"
    return f"By {by}; no shop pays for its place"
