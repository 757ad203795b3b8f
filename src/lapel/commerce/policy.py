"""What Lapel may ask the user to approve, and how patient it is with the world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from lapel.commerce.checkout import Checkout
from lapel.commerce.money import Money
from lapel.commerce.words import spoken
from lapel.failures import Code


@dataclass(frozen=True, slots=True)
class Allowed:
    pass


@dataclass(frozen=True, slots=True)
class Denied:
    """The policy says no, whatever the user would say; `words` are for the user."""

    code: Code
    words: str


def _limits() -> Mapping[str, int]:
    return MappingProxyType({"EUR": 20000})


def _of_journeys() -> Mapping[str, int]:
    return MappingProxyType({"EUR": 200000})


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits and patience. A currency that is not named in `max_order` (for journeys, in
    `max_journey`) is never paid in, unless a user sets a ceiling in it.
    """

    max_order: Mapping[str, int] = field(default_factory=_limits)
    max_journey: Mapping[str, int] = field(default_factory=_of_journeys)
    """Flights, trains and rooms: most cost more than a supper. Above `screen_over` they take a
    screen like all else."""
    screen_over: Mapping[str, int] = field(default_factory=dict[str, int])
    """Above this a purchase is confirmed on a screen; half of `max_order` where it is not given."""
    approval_s: float = 60.0
    undo_s: float = 15.0
    """So long a purchase within a standing limit can be undone before it is ordered."""
    undo_late_s: float = 5.0
    """An undo window that Lapel slept through, by so much, was none: the user is asked instead."""
    limit_ask_s: float = 300.0
    """So long the question whether to set a standing limit waits for its answer."""
    stale_s: float = 600.0
    """An approval older than this starts no payment and no placing any more."""
    call_s: float = 20.0
    """A merchant or a bank that has not answered by then counts as unreachable."""
    escalation_s: float = 1800.0
    """So long an order waits for the buyer on the shop's own page."""
    escalation_look_s: float = 2.0
    escalation_look_most_s: float = 15.0
    quote_attempts: int = 4
    pay_attempts: int = 6
    place_attempts: int = 6
    cancel_attempts: int = 3
    refund_attempts: int = 8
    """After so many the user hears of it; the attempts go on."""
    retry_s: float = 0.5
    retry_most_s: float = 8.0
    long_retry_s: float = 30.0
    long_retry_most_s: float = 900.0
    track_first_s: float = 3.0
    track_s: float = 10.0
    track_most_s: float = 300.0
    track_for_s: float = 172800.0
    ask_for_s: float = 86400.0
    """So long a silent merchant is asked again: it must know a key for a day, and no longer."""
    late_s: float = 300.0
    """So much after the promised time an order is called late."""
    refund_late_s: float = 604800.0
    """A refund that a merchant announced is missing when the bank has not made it by then."""
    refund_look_s: float = 3600.0
    """How often it is looked for what is missing."""

    def judge(self, checkout: Checkout, limit: int | None) -> Allowed | Denied:
        """By the user's ceiling for such a purchase, see `ceilings.ceiling`."""
        if limit is None:
            words = f"I may not pay in {checkout.total.currency}. Nothing was ordered."
            return Denied("over_limit", words)
        if checkout.total.minor > limit:
            most = spoken(Money(limit, checkout.total.currency))
            words = f"That is {spoken(checkout.total)}, and your limit is {most}."
            return Denied("over_limit", f"{words} Nothing was ordered.")
        return Allowed()

    def screen_above(self, currency: str) -> int:
        """The largest amount, in minor units, that a press on a device without a screen buys."""
        return self.screen_over.get(currency, self.max_order.get(currency, 0) // 2)

    def retry_in(self, attempt: int) -> float:
        return min(self.retry_s * 2.0 ** min(attempt, 30), self.retry_most_s)

    def long_retry_in(self, attempt: int) -> float:
        return min(self.long_retry_s * 2.0 ** min(attempt, 30), self.long_retry_most_s)

    def escalation_look_in(self, attempt: int) -> float:
        return min(self.escalation_look_s * 1.3 ** min(attempt, 30), self.escalation_look_most_s)

    def track_in(self, attempt: int) -> float:
        return min(self.track_s * 1.6 ** min(attempt - 1, 30), self.track_most_s)
