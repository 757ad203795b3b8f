"""Fetching it oneself: the shop's own place as the destination, and when it will be ready."""

from __future__ import annotations

from collections.abc import Sequence

from city.deliveries import PICK_UP_PLANNED_S
from city.shops import Shop
from city.ucp.wire import Destination, MethodRequest, PostalAddress

PICKUP = "pickup"
PLACE_ID = "shop"
OPTION_ID = "counter"


def place_of(shop: Shop) -> Destination:
    """UCP's retail location."""
    address = PostalAddress(
        street_address=shop.street_address, address_locality="Helsinki", address_country="FI"
    )
    return Destination(id=PLACE_ID, name=shop.name, address=address)


def wanted(methods: Sequence[MethodRequest]) -> MethodRequest | None:
    """The pick-up that is asked for, where nothing is to be brought."""
    asked = next((method for method in methods if method.type == PICKUP), None)
    return asked if all(method.type == PICKUP for method in methods) else None


def ready_s(shop: Shop) -> tuple[float, float]:
    """The span of seconds after the order in which it is ready at the counter."""
    soonest, longest = shop.preparing_s
    return soonest, longest + PICK_UP_PLANNED_S
