"""Where and how what is bought gets to its buyer."""

from __future__ import annotations

import msgspec

from lapel.services.connectors.ucp.wire.amounts import Id, TotalEntry


class PostalAddress(msgspec.Struct, frozen=True):
    street_address: str | None = ""
    address_locality: str | None = ""
    postal_code: str | None = ""
    address_country: str | None = ""


class Destination(msgspec.Struct, frozen=True):
    """Where it is brought; of what is fetched, a place of the merchant's: `name`, `address`."""

    id: str = ""
    name: str | None = ""
    address: PostalAddress | None = None
    street_address: str | None = ""
    address_locality: str | None = ""
    postal_code: str | None = ""
    address_country: str | None = ""
    extended_address: str | None = ""
    latitude: float | None = None
    longitude: float | None = None
    instructions: str | None = ""


class FulfillmentOption(msgspec.Struct, frozen=True):
    id: Id
    title: str = ""
    description: str | None = ""
    totals: tuple[TotalEntry, ...] = ()
    latest_fulfillment_time: str | None = None


class Group(msgspec.Struct, frozen=True):
    id: Id
    options: tuple[FulfillmentOption, ...] | None = ()
    selected_option_id: str | None = None


class Method(msgspec.Struct, frozen=True):
    id: Id
    type: str
    line_item_ids: tuple[str, ...] = ()
    destinations: tuple[Destination, ...] | None = ()
    selected_destination_id: str | None = None
    groups: tuple[Group, ...] | None = ()


class Fulfillment(msgspec.Struct, frozen=True):
    methods: tuple[Method, ...] | None = ()
