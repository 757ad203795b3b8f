"""What a merchant offers, and what it lacks for Lapel to buy there: asked without buying."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
import msgspec

from lapel.commerce.ports import PortError
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.keys import Jwk, PublicKey, UnusableKey
from lapel.services.connectors.ucp.mapping import BankConfig
from lapel.services.connectors.ucp.merchants import HANDLERS
from lapel.services.connectors.ucp.probing import NEEDED, Kind, kind_of, missed, probe
from lapel.services.connectors.ucp.profile import (
    SEARCH,
    ProfileDocument,
    document_of,
    read_profile,
    read_profile_text,
    spoken_in,
)
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.versions import OLDER

PATIENCE_S = 20.0
_SIGNATURE_CODES = frozenset(
    {"signature_invalid", "signature_missing", "key_not_found", "digest_mismatch"}
    | {"algorithm_unsupported"}
)
PaysAt = Callable[[str], Awaitable[bool]]
"""bank's endpoint -> whether the user can pay there."""


@dataclass(frozen=True, slots=True)
class KeyFound:
    """A signing key of the profile; `fault` says why it cannot be used."""

    kid: str
    algorithm: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class HandlerFound:
    """A way to be paid; `usable` when Lapel can pay by it at that bank."""

    name: str
    id: str
    usable: bool


@dataclass(slots=True)
class CheckUp:
    """`lacks` is what stands in the way of buying, in words; `warns` is what will be missed."""

    url: str
    name: str = ""
    offers_version: str = ""
    version: str = ""
    endpoint: str = ""
    capabilities: tuple[tuple[str, str, bool], ...] = ()
    """Name, the version offered, whether Lapel speaks it."""
    keys: tuple[KeyFound, ...] = ()
    handlers: tuple[HandlerFound, ...] = ()
    signatures: str = "unknown"
    """Of an answer that was asked for: `right`, `none`, `wrong`, or `unknown` without an answer."""
    products: int | None = None
    kind: str = ""
    """`food`, `groceries`, `goods`, `shop`, `rides`, `travel`, `tables` or `money`."""
    transport: str = ""
    answers: str = ""
    """What it answered to the one question, in words."""
    lacks: list[str] = field(default_factory=list[str])
    warns: list[str] = field(default_factory=list[str])

    @property
    def can_buy(self) -> bool:
        return not self.lacks


async def check_up(http: httpx.AsyncClient, client: Client, url: str, pays_at: PaysAt) -> CheckUp:
    """Read the profile, then ask for the catalogue once. Faults of the merchant are in the result.

    Nonsense (`unsafe_url`) for a URL that Lapel calls for nobody.
    """
    found = CheckUp(url)
    try:
        profile_url, text = await read_profile_text(http, url)
        document = document_of(profile_url, text)
    except PortError as error:
        if error.code == "unsafe_url":
            raise
        found.lacks.append(error.text)
        if error.code == "no_profile":
            found.warns.append("an MCP server that is no shop is added by `lapel services add URL`")
        return found
    await _declared(found, document, pays_at)
    try:
        profile = read_profile(profile_url, text)
    except PortError as error:
        found.lacks.append(error.text)
        return found
    found.name, found.endpoint = profile.name, profile.endpoint
    found.version = profile.version
    kind = kind_of(profile)
    found.kind, found.transport = kind.name, profile.transport
    found.lacks += [NEEDED[name] for name in kind.needed if name not in profile.capabilities]
    if profile.version == OLDER:
        found.warns.append(f"it speaks UCP {OLDER}: no look at an order, its webhooks alone tell")
    found.warns += missed(profile, kind)
    if SEARCH in profile.capabilities or SEARCH not in kind.needed:
        merchant = Merchant(f"check:{profile_url}", url, profile.name, profile, 0.0)
        await _ask(found, client, merchant, kind)
    return found


async def _declared(found: CheckUp, document: ProfileDocument, pays_at: PaysAt) -> None:
    """What stands in the profile, whether or not Lapel can use it."""
    block = document.ucp
    spoken = spoken_in(block.version)
    found.offers_version, found.name = block.version, document.name
    found.capabilities = tuple(
        (name, entry.version, entry.version == spoken.get(name))
        for name, entries in sorted(block.capabilities.items())
        for entry in entries
    )
    found.keys = tuple(_key(jwk) for jwk in document.signing_keys)
    if not any(not key.fault for key in found.keys):
        found.warns.append("it publishes no key that Lapel can use, so its webhooks are refused")
    handlers: list[HandlerFound] = []
    for name, entries in sorted(block.payment_handlers.items()):
        for entry in entries:
            usable = name in HANDLERS and await pays_at(_endpoint(bytes(entry.config)))
            handlers.append(HandlerFound(name, entry.id, usable))
    found.handlers = tuple(handlers)
    if not any(handler.usable for handler in handlers):
        found.lacks.append("Lapel can pay it by none of its payment handlers")


async def _ask(found: CheckUp, client: Client, merchant: Merchant, kind: Kind) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            found.answers, found.products = await probe(client, merchant, kind)
    except TimeoutError:
        found.lacks.append(f"it did not answer within {PATIENCE_S:g} s")
    except PortError as error:
        if error.code in _SIGNATURE_CODES:
            found.signatures = "wrong"
        found.lacks.append(error.text)
    else:
        found.signatures = "right" if client.signs(merchant.id) else "none"
        if found.products == 0:
            found.lacks.append("its catalogue is empty")


def _key(jwk: Jwk) -> KeyFound:
    try:
        PublicKey.of(jwk)
    except UnusableKey as error:
        return KeyFound(jwk.kid, jwk.alg or jwk.crv or jwk.kty, str(error))
    return KeyFound(jwk.kid, jwk.alg or {"P-256": "ES256", "P-384": "ES384"}[jwk.crv])


def _endpoint(config: bytes) -> str:
    try:
        return msgspec.json.decode(config, type=BankConfig).endpoint.rstrip("/")
    except msgspec.DecodeError:
        return ""
