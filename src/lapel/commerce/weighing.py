"""What a grocer may keep: the bill, held against what was agreed, line by line. Pure.

Nothing that the user did not agree to is paid for: weights above the bound, another price for a
kilogram, something else where that was not allowed, or dearer than what it stands in for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lapel.commerce.checkout import Checkout, CheckoutLine
from lapel.commerce.money import Money
from lapel.commerce.ports import BilledLine

_ROUNDING = 1
"""Minor units by which a weighed price may be rounded otherwise than ours."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fair` is the most that the merchant may keep; `faults` names the lines that ask for more."""

    fair: Money
    faults: tuple[str, ...] = ()


def judge(
    agreed: Checkout,
    bill: Sequence[BilledLine],
    total: Money,
    accepted: Collection[tuple[str, str]] = (),
) -> Verdict:
    """`total` is the order's; `accepted` are the (line, item) that the user said yes to."""
    lines = {line.id: line for line in agreed.lines}
    faults: list[str] = []
    goods = asked = 0
    seen: set[str] = set()
    for billed in bill:
        line = lines.get(billed.line_id)
        fair = 0
        if line is not None and billed.line_id not in seen:
            fair = min(_fair(line, billed, accepted), line.total.minor)
        seen.add(billed.line_id)
        most = fair + _ROUNDING if line is None else min(fair + _ROUNDING, line.total.minor)
        if billed.total.minor > most:
            faults.append(billed.title)
        goods += min(fair, billed.total.minor)
        asked += billed.total.minor
    agreed_extra = agreed.total.minor - sum(x.total.minor for x in agreed.lines)
    extra = total.minor - asked
    if extra > agreed_extra:
        faults.append("delivery and fees")
    fair_total = max(0, min(goods + min(extra, agreed_extra), total.minor, agreed.total.minor))
    if total.currency != agreed.total.currency:
        return Verdict(Money(0, agreed.total.currency), ("another currency",))
    return Verdict(Money(fair_total, agreed.total.currency), tuple(faults))


def price_of(unit_price: int, grams: int) -> int:
    """What `grams` cost at a price for a kilogram, half a minor unit up."""
    return (unit_price * grams + 500) // 1000


def _fair(line: CheckoutLine, billed: BilledLine, accepted: Collection[tuple[str, str]]) -> int:
    """The most that this line may cost as it was brought."""
    if billed.missing:
        return 0
    if billed.item_id != line.item_id:
        if (line.id, billed.item_id) in accepted:
            return line.total.minor
        most = min(line.substitution_max or line.total.minor, line.total.minor)
        return most if line.substitution == "similar" else 0
    weighing = line.weighing
    if weighing is None:
        return line.total.minor
    grams = min(billed.grams, weighing.max_grams)
    return price_of(weighing.unit_price.minor, grams) + _ROUNDING
