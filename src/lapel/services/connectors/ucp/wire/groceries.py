"""The members `groceries` of the extension `dev.lapel.groceries`."""

from __future__ import annotations

from typing import Literal

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Amount, Grams, Id


class GroceryTerms(msgspec.Struct, frozen=True):
    """The member `groceries` of a checkout's line, by the extension `dev.lapel.groceries`.

    `unit_price` is for a kilogram; the weights are 0 for what is not weighed.
    """

    substitution: Literal["none", "ask", "similar"] = "none"
    substitution_max: Amount | None = None
    grams: Grams = 0
    max_grams: Grams = 0
    unit_price: Amount = 0
    estimate: Amount = 0


class NamedItem(msgspec.Struct, frozen=True):
    id: str = ""
    title: str = ""


class BilledTerms(msgspec.Struct, frozen=True):
    """The member `groceries` of a line of an order that is packed."""

    grams: Grams = 0
    unit_price: Amount = 0
    missing: bool = False


class OfferedItem(msgspec.Struct, frozen=True):
    id: Id
    title: str
    total: Amount


class QuestionEntry(msgspec.Struct, frozen=True):
    line_item_id: Id
    offered: OfferedItem
    item: NamedItem | None = None


class OrderGroceries(msgspec.Struct, frozen=True):
    """The member `groceries` of an order: how far it is, and what the buyer is asked."""

    status: str = ""
    questions: tuple[QuestionEntry, ...] | None = ()


class SoldBy(msgspec.Struct, frozen=True):
    """The member `groceries` of a product: how it is sold, and what it can stand in for."""

    sold_by: str = "piece"
    piece_grams: Grams = 0
    size: str = ""
    like: str = ""
