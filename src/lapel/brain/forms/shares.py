"""What is said of several orders at once, and what tells the things of one order apart."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from lapel.brain.forms.orders import Ordered
from lapel.brain.forms.schema import Schema


def share(
    orders: Sequence[Ordered], schema: Schema, once: AbstractSet[str], measured: AbstractSet[str]
) -> tuple[Ordered, ...]:
    """The orders with all that is said of each.

    `once` are slots of one value, `measured` those whose values take an amount.
    """
    return _spread(_divide(orders, schema, once), measured)


def _divide(orders: Sequence[Ordered], schema: Schema, once: AbstractSet[str]) -> list[Ordered]:
    """A number of things told apart: of "two lattes, one large, one small" each is a latte.

    Where the parts are fewer, the others stay as they were.
    """
    divided: list[Ordered] = []
    at = 0
    while at < len(orders):
        whole, count, end = orders[at], 0, at + 1
        while end < len(orders) and _is_part(orders[end], whole, count, schema, once):
            count += orders[end].number
            end += 1
        parts = orders[at + 1 : end]
        several = len(parts) > 1 and count == whole.number
        if not several and any(part.named for part in parts):
            parts, end = (), at + 1
        if not parts or count < whole.number:
            rest = whole.number - (count if parts else 0)
            divided.append(replace(whole, number=rest))
        divided += [
            replace(part, form=whole.form, said=(*whole.said, *part.said)) for part in parts
        ]
        at = end
    return divided


def _is_part(
    part: Ordered, whole: Ordered, before: int, schema: Schema, once: AbstractSet[str]
) -> bool:
    """Whether what is said of a part may be said of the whole, and was not said of it."""
    if part.named > 1 or not part.number or before + part.number > whole.number:
        return False
    form = next(form for form in schema.forms if form.name == whole.form)
    taken = {said.slot for said in whole.said} & once
    return all(form.slot(said.slot) and said.slot not in taken for said in part.said)


def _spread(orders: list[Ordered], measured: AbstractSet[str]) -> tuple[Ordered, ...]:
    """Gives the orders just before one their part in what was said of all: "both with milk"."""
    for at, order in enumerate(orders):
        for before in range(at - 1, -1, -1):
            if not order.each or orders[before].number:
                break
            orders[before] = replace(orders[before], number=order.number)
        shared = tuple(replace(said, shared=False) for said in order.said if said.shared)
        for before in range(at - 1, -1, -1):
            dressed = any(said.slot in measured for said in orders[before].said)
            if not shared or orders[before].form != order.form or dressed:
                break
            orders[before] = replace(orders[before], said=(*orders[before].said, *shared))
        said = tuple(replace(said, shared=False) for said in order.said)
        orders[at] = replace(order, each=False, named=0, said=said)
    return tuple(replace(order, number=order.number or 1) for order in orders)
