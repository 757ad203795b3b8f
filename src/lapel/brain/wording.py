"""What the brain says itself: short sentences, in one place."""

from __future__ import annotations

from collections.abc import Sequence

ASK_ITEM = "What would you like?"
ASK_ADDRESS = "Where should it go?"
OFFER = "I can order food and drinks for you."
EMPTY_CART = "There is nothing in the order yet."
ONLY_NOW = "I can only order for now."
WELCOME = "You are welcome."


def listed(words: Sequence[str], joint: str = "and") -> str:
    """Joins words: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def ask_which(words: str, titles: Sequence[str]) -> str:
    shown = listed(titles[:6], "or")
    return f"Which one: {shown}?"


def ask_option(group: str, item: str, titles: Sequence[str]) -> str:
    return f"{group} for the {item}: {listed(titles[:8], 'or')}?"


def ask_merchant(names: Sequence[str]) -> str:
    return f"From {listed(names[:6], 'or')}?"


def ask_address(labels: Sequence[str]) -> str:
    return f"Where should it go: {listed(labels[:6], 'or')}?" if labels else ASK_ADDRESS


def closed(merchant: str, opens: str) -> str:
    return f"{merchant} is closed now{f'; {opens}' if opens else ''}."


def split_between(found: Sequence[tuple[str, str]]) -> str:
    """`found` pairs a shop's name with what it has."""
    parts = listed([f"{shop} has {what}" for shop, what in found])
    return f"One order comes from one shop, and {parts}. Which one?"


def other_shop(current: str, other: str, what: str) -> str:
    return (
        f"{current} does not have {what}, but {other} does. "
        "One order comes from one shop: which one?"
    )
