"""What a merchant is for, what it needs for that, and one question that shows that it answers.

The questions buy nothing, hold nothing and say nothing of the user.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

import msgspec

from lapel.services.connectors.ucp.catalogue import read_menu
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.profile import (
    AP2,
    CART,
    CHECKOUT,
    DISCOUNT,
    FULFILLMENT,
    GROCERIES,
    LOOKUP,
    MODIFIERS,
    ORDER,
    PAY,
    RETAIL,
    RIDES,
    SEARCH,
    TABLES,
    TRAVEL,
    Profile,
)
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.versions import OLDER

_GOODS = (CHECKOUT, FULFILLMENT, SEARCH)
_BOOKED = (CHECKOUT, ORDER)
NEEDED: Mapping[str, str] = MappingProxyType(
    {
        CHECKOUT: "it has no checkout",
        FULFILLMENT: "it does not deliver",
        SEARCH: "it has no catalogue, so nobody can order by words",
        ORDER: "it reports nothing of a booking once it is made",
    }
)
_MISSED: Mapping[str, str] = MappingProxyType(
    {
        ORDER: "it reports nothing of an order once it is placed",
        LOOKUP: "what is gone is heard from its checkout only",
        DISCOUNT: "it takes no discount codes",
        CART: "no price before the last question",
        AP2: "your signed consent stays in the receipt; it asks for none",
        MODIFIERS: "sizes and options are read from its variants; no notes to the kitchen",
    }
)
_OF_SHOPS = frozenset(_MISSED) - {MODIFIERS}
_NOT_OLDER = frozenset({LOOKUP, CART, AP2, MODIFIERS})
"""What UCP 2026-01-11 has no words for; that is said in one sentence."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`capability` makes a merchant one of these; "" is a shop. `missed` are of use, not needed."""

    name: str
    capability: str
    needed: tuple[str, ...]
    missed: frozenset[str] = frozenset()


KINDS = (
    Kind("rides", RIDES, _BOOKED),
    Kind("travel", TRAVEL, _BOOKED),
    Kind("tables", TABLES, _BOOKED),
    Kind("money", PAY, (CHECKOUT,), frozenset({ORDER})),
    Kind("groceries", GROCERIES, _GOODS, _OF_SHOPS),
    Kind("goods", RETAIL, _GOODS, _OF_SHOPS),
    Kind("food", MODIFIERS, _GOODS, _OF_SHOPS),
)
SHOP = Kind("shop", "", _GOODS, frozenset(_MISSED))


def kind_of(profile: Profile) -> Kind:
    return next((x for x in KINDS if x.capability in profile.capabilities), SHOP)


def missed(profile: Profile, kind: Kind) -> list[str]:
    """What will be missed at this merchant, in words."""
    gone = kind.missed - profile.capabilities
    if profile.version == OLDER:
        gone -= _NOT_OLDER
    return [why for name, why in _MISSED.items() if name in gone]


class _Counted(msgspec.Struct):
    """Whatever a service answers with; only how much of it counts."""

    places: tuple[msgspec.Raw, ...] = ()
    offers: tuple[msgspec.Raw, ...] = ()


async def probe(client: Client, merchant: Merchant, kind: Kind) -> tuple[str, int | None]:
    """What it has answered, in words, and how many things it sells; a port error if it has not."""
    question = _QUESTIONS.get(kind.name)
    if question is None:
        menu = await read_menu(client, merchant)
        count = len(menu.items)
        return f"{count} thing{'' if count == 1 else 's'} for sale", count
    path, body, said = question(merchant.profile)
    key = str(uuid.uuid4())
    found = await client.write(merchant, "POST", path, body, key, _Counted)
    return said(found), None


Question = tuple[str, dict[str, object], Callable[[_Counted], str]]


def _places(_: Profile) -> Question:
    body: dict[str, object] = {"text": "Main Street", "limit": 5}
    return "/rides/places", body, _counted("places for “Main Street”")


def _journeys(profile: Profile) -> Question:
    day = (date.today() + timedelta(days=14)).isoformat()
    if "stay" in profile.kinds:
        body: dict[str, object] = {"to": "Helsinki", "date": day, "nights": 1}
        return "/travel/search", body, _counted("rooms in Helsinki in two weeks")
    body = {"from": "Helsinki", "to": "Tampere", "date": day}
    if "flight" in profile.kinds:
        body["to"] = "Berlin"
    return "/travel/search", body, _counted(f"ways from Helsinki to {body['to']} in two weeks")


def _tables(_: Profile) -> Question:
    day = (date.today() + timedelta(days=14)).isoformat()
    body: dict[str, object] = {"date": day, "time": "19:00", "party": 2}
    return "/tables/search", body, _counted("tables for two in two weeks")


def _codes(profile: Profile) -> Question:
    """A code that nobody has issued: that it says so is the answer."""
    body: dict[str, object] = {"code": f"{profile.code_prefix}-"}
    return "/pay/codes", body, lambda _: "knows its own codes"


def _counted(what: str) -> Callable[[_Counted], str]:
    def said(found: _Counted) -> str:
        return f"{len(found.offers) + len(found.places) or 'no'} {what}"

    return said


_QUESTIONS: Mapping[str, Callable[[Profile], Question]] = MappingProxyType(
    {"rides": _places, "travel": _journeys, "tables": _tables, "money": _codes}
)
