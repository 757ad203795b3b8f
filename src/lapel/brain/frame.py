"""The dialogue frame: the state of one conversation about one order, kept in code."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` of the utterance that an argument comes from."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CartLine:
    """One line of the cart being talked about. `options` maps group id to value ids."""

    item_id: str
    quantity: int = 1
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str = ""


class Slot(StrEnum):
    """What can be missing, and asked for."""

    ITEM = "item"
    OPTION = "option"
    MERCHANT = "merchant"
    ADDRESS = "address"
    WHICH_ITEM = "which_item"


@dataclass(frozen=True, slots=True)
class Question:
    """The question that Lapel asked last.

    `choices` are (id, words) pairs that may answer it; `line` is the cart line that it is about.
    """

    slot: Slot
    text: str
    choices: tuple[tuple[str, str], ...] = ()
    line: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """`awaiting_approval` is true while the priced cart is before the user.

    `pending` holds the user's words that wait for the answer to `question`, and `settled` what was
    answered for them before: pairs of the words asked about and the id that they mean.
    `address_unknown` is true after an address was said that the user does not have: then no default
    may take its place. `codes` are discount codes in capitals; `fastest` is the wish for the
    fastest delivery, `pickup` that the user fetches it: then no address is needed.
    `cart_id` is the cart that the merchant keeps while something is still to be asked.
    """

    merchant_id: str | None = None
    lines: tuple[CartLine, ...] = ()
    address: str | None = None
    question: Question | None = None
    awaiting_approval: bool = False
    said: tuple[str, ...] = field(default=())
    pending: tuple[str, ...] = field(default=())
    settled: tuple[tuple[str, str], ...] = field(default=())
    address_unknown: bool = False
    codes: tuple[str, ...] = ()
    fastest: bool = False
    pickup: bool = False
    cart_id: str = ""
