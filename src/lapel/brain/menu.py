"""A merchant's catalogue as the brain reads it: what can be ordered, and with which options."""

from __future__ import annotations

from dataclasses import dataclass, field

from lapel.commerce.money import Money


@dataclass(frozen=True, slots=True)
class OptionValue:
    """One choice ("Large"). `price_delta` is added to the item's price, in minor units."""

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    price_delta: int = 0
    available: bool = True


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """A dimension of choice ("Size", "Milk").

    Exactly one value when `required` (or more if `multiple`), else none, one, or, if `multiple`,
    several.
    """

    id: str
    title: str
    values: tuple[OptionValue, ...]
    required: bool = False
    multiple: bool = False
    default: str | None = None


@dataclass(frozen=True, slots=True)
class MenuItem:
    id: str
    title: str
    price: Money
    aliases: tuple[str, ...] = ()
    category: str = ""
    description: str = ""
    groups: tuple[OptionGroup, ...] = ()
    available: bool = True


@dataclass(frozen=True, slots=True)
class Menu:
    """Everything that one merchant sells. `open_now` is false outside its hours."""

    merchant_id: str
    merchant_name: str
    items: tuple[MenuItem, ...]
    aliases: tuple[str, ...] = ()
    open_now: bool = True
    opens_text: str = ""
    currency: str = "EUR"
    tags: tuple[str, ...] = field(default=())
