"""The members `retail` of the extension `dev.lapel.retail`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Id


class ReturnTermsBody(msgspec.Struct, frozen=True):
    """What a store keeps of a return, and until when it takes one; `until` only once delivered."""

    fee: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    post_paid_by: str = ""
    until: str = ""


class OrderRetail(msgspec.Struct, frozen=True):
    """The member `retail` of an order, by the extension `dev.lapel.retail`."""

    returns: ReturnTermsBody | None = None


class DeliveryWay(msgspec.Struct, frozen=True):
    """One way in which a store brings things; the minutes are from now."""

    id: Id
    title: str
    price: Annotated[int, msgspec.Meta(ge=0, le=10**9)]
    latest_minutes: Annotated[int, msgspec.Meta(ge=0, le=10**6)]
    free_from: Annotated[int, msgspec.Meta(ge=0, le=10**12)] | None = None


class RetailTerms(msgspec.Struct, frozen=True):
    """The member `retail` of a search's answer."""

    delivery: tuple[DeliveryWay, ...] = ()
