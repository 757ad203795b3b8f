"""The brain at the desk, without a model: the wish is heard as if the user had said it."""

from __future__ import annotations

from lapel.brain import (
    AddressLabel,
    Brain,
    CartLine,
    Frame,
    Menu,
    MenuItem,
    OptionGroup,
    OptionValue,
    Source,
    Utterance,
)
from lapel.commerce.money import Money
from lapel.evals.delivery.desk import Desk, Refused
from lapel.evals.delivery.tasks import Item, Store, Task, attributes_of

_ATTRIBUTE = "attribute"


def order(task: Task, desk: Desk) -> None:
    """Orders what the brain understands of the wish, which may be nothing."""
    addresses = [AddressLabel(label, default=label == "home") for label in task.addresses]
    brain = Brain([_menu(store) for store in task.stores.values()], addresses)
    frame = brain.understand(Utterance(task.wish, Source.TYPED), Frame()).frame
    items = [_item(line) for line in frame.lines]
    if not items or frame.question is not None or frame.address is None:
        return
    try:
        desk.create(frame.merchant_id or "", items, task.addresses[frame.address])
    except Refused:
        return


def _item(line: CartLine) -> Item:
    chosen = [value for _, values in line.options for value in values]
    return line.item_id, line.quantity, attributes_of(chosen)


def _menu(store: Store) -> Menu:
    items = tuple(
        MenuItem(
            each.id,
            each.name,
            Money(0, "CNY"),
            groups=(
                OptionGroup(
                    _ATTRIBUTE, _ATTRIBUTE, tuple(OptionValue(a, a) for a in each.attributes)
                ),
            )
            if each.attributes
            else (),
        )
        for each in store.products
    )
    return Menu(store.id, store.name, items, currency="CNY")
