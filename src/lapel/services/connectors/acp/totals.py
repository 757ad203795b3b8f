"""ACP's sums in UCP's terms: what lowers the price is positive there and negative here.

What is wrong among themselves is Nonsense at once; that the parts make the total is checked
afterwards, with UCP's own arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence

from lapel.commerce.ports import Nonsense
from lapel.services.connectors.acp.wire import Line, Total

_LOWER = frozenset({"discount", "items_discount", "store_credit"})
_GOODS = frozenset({"items_base_amount", "base_amount", "subtotal"})
_NAMES = {
    "gift_wrap": "fee",
    "tip": "fee",
    "store_credit": "discount",
    "items_discount": "discount",
}
_AFTERWARDS = "amount_refunded"

Entry = dict[str, object]


def goods_of(line: Line) -> tuple[int, int]:
    """The price of one, and of all of a line before discounts and tax."""
    unit = line.unit_amount if line.unit_amount is not None else line.item.unit_amount
    told = [x.amount for x in line.totals if x.type in ("items_base_amount", "base_amount")]
    told = told or [x.amount for x in line.totals if x.type == "subtotal"]
    if unit is None:
        if len(told) != 1 or told[0] % line.quantity:
            raise _wrong(f"line {line.id!r} names no price")
        unit = told[0] // line.quantity
    return unit, unit * line.quantity


def line_totals(line: Line) -> list[Entry]:
    """Checked: goods less discounts is the subtotal, and with tax and fees the total."""
    _, goods = goods_of(line)
    lowered = _lowered(line.totals, f"line {line.id!r}")
    raised = sum(x.amount for x in line.totals if x.type not in _LOWER | _GOODS | {"total"})
    _among(line.totals, ("items_base_amount", "base_amount"), {goods}, f"line {line.id!r}")
    _among(line.totals, ("subtotal",), {goods, goods - lowered}, f"line {line.id!r}")
    whole = {goods - lowered, goods - lowered + raised}
    _among(line.totals, ("total",), whole, f"line {line.id!r}")
    found: list[Entry] = [{"type": "subtotal", "amount": goods}]
    if lowered:
        found.append({"type": "discount", "amount": -lowered})
    return [*found, {"type": "total", "amount": goods - lowered}]


def session_totals(lines: Sequence[Line], totals: Sequence[Total]) -> list[Entry]:
    """A session's: the goods are the sum of its lines."""
    goods = sum(goods_of(line)[1] for line in lines)
    items = sum(x.amount for x in totals if x.type == "items_discount")
    lowered = _lowered(totals, "the session")
    _among(totals, ("items_base_amount",), {goods}, "the session")
    _among(totals, ("subtotal",), {goods, goods - items, goods - lowered}, "the session")
    return _parts(goods, totals)


def order_totals(totals: Sequence[Total]) -> list[Entry]:
    """An order's: its lines need not be told again, so its own word for the goods counts."""
    _lowered(totals, "the order")
    goods = [x.amount for x in totals if x.type == "items_base_amount"]
    if goods:
        return _parts(goods[0], totals)
    within = [x for x in totals if x.type != "items_discount"]
    return _parts(sum(x.amount for x in totals if x.type == "subtotal"), within)


def _parts(goods: int, totals: Sequence[Total]) -> list[Entry]:
    found: list[Entry] = [{"type": "subtotal", "amount": goods, "display_text": "Subtotal"}]
    for entry in totals:
        if entry.type in _GOODS or entry.type == _AFTERWARDS:
            continue
        amount = -entry.amount if entry.type in _LOWER else entry.amount
        if entry.type in _LOWER and not amount:
            continue
        kind = _NAMES.get(entry.type, entry.type)
        found.append({"type": kind, "amount": amount, "display_text": entry.display_text})
    return found


def _lowered(totals: Sequence[Total], what: str) -> int:
    for entry in totals:
        if entry.type in _LOWER and entry.amount < 0:
            raise _wrong(f"{what}: {entry.type} is {entry.amount}, but takes off what it says")
    return sum(entry.amount for entry in totals if entry.type in _LOWER)


def _among(totals: Sequence[Total], kinds: Sequence[str], fair: set[int], what: str) -> None:
    for entry in totals:
        if entry.type in kinds and entry.amount not in fair:
            raise _wrong(f"{what}: {entry.type} is {entry.amount}, not {sorted(fair)}")


def _wrong(text: str) -> Nonsense:
    return Nonsense(f"the merchant's sums are wrong: {text}", code="wrong_arithmetic")
