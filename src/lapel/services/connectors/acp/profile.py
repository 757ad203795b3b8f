"""ACP's discovery document, read into the same `Profile` that a UCP merchant has."""

from __future__ import annotations

from typing import Annotated

import httpx
import msgspec

from lapel.commerce.ports import Refused, Unreachable
from lapel.services.connectors.ucp.profile import (
    CART,
    CHECKOUT,
    DISCOUNT,
    FULFILLMENT,
    ORDER,
    SEARCH,
    Profile,
)
from lapel.services.fetch import decode, fetch
from lapel.services.urls import check, origin_of

ACP = "acp"
VERSION = "2026-04-17"
WELL_KNOWN = "/.well-known/acp.json"
ENROLMENT = "dev.lapel.enrolment"
"""Lapel's own extension: whoever asks gets a key. See docs/merchants.md."""

Short = Annotated[str, msgspec.Meta(max_length=255)]


class _Protocol(msgspec.Struct, frozen=True):
    name: Short
    version: Short
    supported_versions: tuple[Short, ...]


class _Extension(msgspec.Struct, frozen=True):
    name: Short


class _Capabilities(msgspec.Struct, frozen=True):
    services: tuple[Short, ...]
    extensions: tuple[_Extension, ...] = ()


class Discovery(msgspec.Struct, frozen=True):
    """The document; what Lapel does not use is ignored."""

    protocol: _Protocol
    api_base_url: str
    transports: tuple[Short, ...]
    capabilities: _Capabilities

    @property
    def enrols(self) -> bool:
        """Whether the seller gives everybody a key."""
        return any(x.name == ENROLMENT for x in self.capabilities.extensions)


async def read_discovery(http: httpx.AsyncClient, base_url: str) -> str:
    """The document at this seller's origin, as it came. Refused (`no_profile`) without one."""
    url = check(base_url + WELL_KNOWN)
    answer = await fetch(http, "GET", url)
    if answer.status >= 500:
        raise Unreachable(f"{origin_of(url)!r} answers {answer.status}")
    if answer.status != 200:
        raise Refused(
            f"{origin_of(url)} publishes no ACP document (it answers {answer.status})",
            code="no_profile",
        )
    decode(answer.body, Discovery, url)
    return answer.body.decode("utf-8", "strict")


def document_of(base_url: str, text: str) -> Discovery:
    return decode(text.encode(), Discovery, base_url + WELL_KNOWN)


def read_profile(base_url: str, text: str) -> Profile:
    """Negotiate a document. The name is empty: ACP does not tell it before there is a key.

    Refused (`version_unsupported`, `capabilities_incompatible`) for what Lapel cannot use.
    """
    url = base_url + WELL_KNOWN
    document = document_of(base_url, text)
    protocol, offered = document.protocol, document.capabilities
    if protocol.name != ACP or VERSION not in protocol.supported_versions:
        raise Refused(
            f"{origin_of(url)} speaks ACP {protocol.version}, not {VERSION}",
            code="version_unsupported",
        )
    if "checkout" not in offered.services or "rest" not in document.transports:
        raise Refused(
            f"{origin_of(url)} offers no checkout that Lapel speaks",
            code="capabilities_incompatible",
        )
    names = {CHECKOUT, FULFILLMENT, SEARCH}
    if "orders" in offered.services:
        names.add(ORDER)
    if any(x.name == "discount" for x in offered.extensions):
        names.add(DISCOUNT)
    if "carts" in offered.services:
        names.add(CART)
    return Profile(
        url=url,
        name="",
        endpoint=check(document.api_base_url.rstrip("/"), named_by=url),
        capabilities=frozenset(names),
        keys=(),
        text=text,
        version=VERSION,
        protocol=ACP,
    )
