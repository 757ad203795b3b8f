"""Standing limits in words and on cards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from lapel.assistant import words
from lapel.commerce import LimitNow, LimitTerms, StandingLimit, spoken
from lapel.devices import Card, CardAction, CardLine, Cue, CueKind, Pattern
from lapel.devices.cues import PASSKEY_ACTION

NOT_SET = "All right, I go on asking."
LOOK = "Look at your screen, and tap Allow there."
NONE = "You have set no limits: I ask before I buy anything."
_TOPIC = "limit:"


def topic_of(limit_id: str) -> str:
    return f"{_TOPIC}{limit_id}"


def limit_of(topic: str) -> str:
    """The id of the limit that a card is about; empty for any other card."""
    return topic.removeprefix(_TOPIC) if topic.startswith(_TOPIC) else ""


def shops(terms: LimitTerms) -> str:
    if not terms.merchants:
        return "Shops that you have paid before"
    return words.joined([merchant.name for merchant in terms.merchants])


def goods(terms: LimitTerms) -> str:
    """What alone may be bought, empty for anything; variants of one thing are said once."""
    return words.joined(list(dict.fromkeys(item.title for item in terms.items)))


def not_bought(said: str, shop: str) -> str:
    where = f"from {shop}" if shop else "yet"
    return f"You have not had {said} {where}: a limit names what you have bought before."


def until(terms: LimitTerms) -> str:
    end = datetime.fromtimestamp(terms.valid_until, UTC)
    return f"{end.day} {end:%B %Y}"


def agreed(terms: LimitTerms) -> str:
    return f"Done. {in_words(terms)} I do not ask, and tell you each time."


def in_words(terms: LimitTerms) -> str:
    """The limit as it is said."""
    only = f" for {goods(terms)} alone" if terms.items else ""
    number = f", at most {words.count(terms.purchases)} times" if terms.purchases else ""
    return (
        f"{shops(terms)}: up to {spoken(terms.most)} a purchase{only}, "
        f"{spoken(terms.budget)} a {terms.period}{number}, until {until(terms)}."
    )


def question(limit: StandingLimit, *, now: float, passkey: bool) -> Cue:
    """The question whether to set it: exactly what is agreed to, and the buttons.

    `passkey` says that it takes the user's passkey.
    """
    terms = limit.terms
    topic = topic_of(limit.id)
    lines = [
        CardLine("Shops", shops(terms)),
        *([CardLine("Only", goods(terms))] if terms.items else []),
        CardLine("Most for one purchase", str(terms.most)),
        CardLine(f"Most in any {_days(terms)}", str(terms.budget)),
    ]
    if terms.purchases:
        lines.append(CardLine(f"Purchases in any {_days(terms)}", str(terms.purchases)))
    lines.append(CardLine("Until", until(terms)))
    allow = CardAction("approve", "Allow")
    if passkey:
        allow = CardAction(PASSKEY_ACTION, "Allow with passkey")
    return Cue(
        id=topic,
        topic=topic,
        kind=CueKind.NOTICE,
        card=Card(
            title="Buy without asking?",
            lines=tuple(lines),
            body="I tell you each time, and you can undo it.",
            footer="Tap Allow on a screen",
            actions=(allow, CardAction("refuse", "No")),
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, limit.expires_at - now),
    )


def settled(limit: StandingLimit) -> Cue:
    """Takes the place of the question about a limit that was agreed to elsewhere."""
    topic = topic_of(limit.id)
    return Cue(
        id=f"{topic}:settled",
        topic=topic,
        kind=CueKind.NOTICE,
        card=Card(title="Buy without asking", body=agreed(limit.terms)),
    )


def withdrawn(limit: StandingLimit) -> Cue:
    """Takes the place of the question about a limit that was taken back."""
    topic = topic_of(limit.id)
    return Cue(
        id=f"{topic}:withdrawn",
        topic=topic,
        kind=CueKind.NOTICE,
        card=Card(title="Buy without asking?", body=NOT_SET),
    )


def overview(found: Sequence[LimitNow]) -> tuple[str, Card | None]:
    """What may be bought without asking, and how much of it is left."""
    standing = [each for each in found if each.stands]
    if not standing:
        return NONE, None
    said: list[str] = []
    lines: list[CardLine] = []
    for each in standing:
        terms, used = each.limit.terms, each.used
        left = terms.budget - used.amount
        said.append(
            f"{shops(terms)}: up to {spoken(terms.most)}, with {spoken(left)} of "
            f"{spoken(terms.budget)} left for the {terms.period}."
        )
        lines.append(CardLine(shops(terms), f"{terms.most}, {left} left"))
    return " ".join(said), Card(title="Without asking", lines=tuple(lines))


def _days(terms: LimitTerms) -> str:
    days = terms.period_s // 86400
    return "24 hours" if days == 1 else f"{days} days"
