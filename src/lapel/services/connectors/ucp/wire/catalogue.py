"""What a merchant sells: a search's answer, a look-up's, a product's."""

from __future__ import annotations

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Amount, Envelope, Id, Message, Price
from lapel.services.connectors.ucp.wire.groceries import SoldBy
from lapel.services.connectors.ucp.wire.retail import RetailTerms


class Description(msgspec.Struct, frozen=True):
    plain: str = ""


class SelectedOption(msgspec.Struct, frozen=True):
    name: str
    label: str


class OptionLabel(msgspec.Struct, frozen=True):
    label: str


class ProductOption(msgspec.Struct, frozen=True):
    name: str
    values: tuple[OptionLabel, ...]


class Availability(msgspec.Struct, frozen=True):
    available: bool = True


class Variant(msgspec.Struct, frozen=True):
    id: Id
    title: str
    price: Price
    availability: Availability | None = None
    options: tuple[SelectedOption, ...] | None = ()


class Category(msgspec.Struct, frozen=True):
    value: str


class ModifierValue(msgspec.Struct, frozen=True):
    id: Id
    title: str
    aliases: tuple[str, ...] = ()
    price_delta: Amount = 0
    available: bool = True


class ModifierGroup(msgspec.Struct, frozen=True):
    id: Id
    title: str
    values: tuple[ModifierValue, ...]
    required: bool = False
    multiple: bool = False
    default: str | None = None


class Product(msgspec.Struct, frozen=True):
    id: Id
    title: str
    variants: tuple[Variant, ...]
    description: Description | None = None
    options: tuple[ProductOption, ...] | None = ()
    categories: tuple[Category, ...] | None = ()
    aliases: tuple[str, ...] | None = ()
    modifier_groups: tuple[ModifierGroup, ...] | None = ()
    groceries: SoldBy | None = None


class Page(msgspec.Struct, frozen=True):
    has_next_page: bool = False
    cursor: str | None = None


class Business(msgspec.Struct, frozen=True):
    name: str = ""
    open_now: bool = True
    opens_text: str | None = ""


class SearchBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    products: tuple[Product, ...] = ()
    retail: RetailTerms | None = None
    pagination: Page | None = None
    business: Business | None = None
    messages: tuple[Message, ...] | None = ()


class LookupBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    products: tuple[Product, ...] = ()
    messages: tuple[Message, ...] | None = ()


class ProductBody(msgspec.Struct, frozen=True):
    ucp: Envelope
    product: Product | None = None
    messages: tuple[Message, ...] | None = ()
