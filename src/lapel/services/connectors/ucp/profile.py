"""UCP profiles: a merchant's, fetched and negotiated, and the one that Lapel publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp import older
from lapel.services.connectors.ucp.keys import Jwk
from lapel.services.connectors.ucp.versions import OLDER, VERSION, Offer, chosen
from lapel.services.fetch import decode, fetch
from lapel.services.urls import check, origin_of

UCP = "ucp"
WELL_KNOWN = "/.well-known/ucp"
REST, MCP = "rest", "mcp"
TRANSPORTS = (REST, MCP)
"""How Lapel talks to a merchant that offers it, the preferred way first."""

SHOPPING = "dev.ucp.shopping"
CHECKOUT = "dev.ucp.shopping.checkout"
FULFILLMENT = "dev.ucp.shopping.fulfillment"
DISCOUNT = "dev.ucp.shopping.discount"
ORDER = "dev.ucp.shopping.order"
AP2 = "dev.ucp.shopping.ap2_mandate"
SEARCH = "dev.ucp.shopping.catalog.search"
LOOKUP = "dev.ucp.shopping.catalog.lookup"
CART = "dev.ucp.shopping.cart"
MODIFIERS = "dev.lapel.food.modifiers"
RIDES = "dev.lapel.rides"
GROCERIES = "dev.lapel.groceries"
PAY = "dev.lapel.pay"
RETAIL = "dev.lapel.retail"
TRAVEL = "dev.lapel.travel"
TABLES = "dev.lapel.tables"
FEED = "dev.lapel.feed"
CITY_BANK = "dev.lapel.city.bank"

SPOKEN: Mapping[str, str] = MappingProxyType(
    {
        CHECKOUT: VERSION,
        FULFILLMENT: VERSION,
        DISCOUNT: VERSION,
        ORDER: VERSION,
        SEARCH: VERSION,
        LOOKUP: VERSION,
        CART: VERSION,
        AP2: VERSION,
        MODIFIERS: "2026-11-01",
        RIDES: "2026-11-01",
        GROCERIES: "2026-11-01",
        PAY: "2026-11-01",
        RETAIL: "2026-11-01",
        TRAVEL: "2026-11-01",
        TABLES: "2026-11-01",
    }
)
"""The capabilities that Lapel speaks, with their version."""
BOOKED = (RIDES, TRAVEL, TABLES)
"""Those of companies that sell no goods: what is booked there is no line of a cart."""
SPOKEN_OLDER: Mapping[str, str] = MappingProxyType(
    {CHECKOUT: OLDER, FULFILLMENT: OLDER, DISCOUNT: OLDER, ORDER: OLDER, FEED: "2026-11-01"}
)
"""The same with merchants of UCP 2026-01-11."""

Date = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Short = Annotated[str, msgspec.Meta(max_length=255)]
_EMPTY = msgspec.Raw(b"{}")
T = TypeVar("T", bound=msgspec.Struct)


class ServiceEntry(msgspec.Struct, frozen=True):
    version: Date
    transport: str
    endpoint: str = ""


class CapabilityEntry(msgspec.Struct, frozen=True):
    version: Date
    spec: str = ""
    extends: str | tuple[str, ...] = ()
    config: msgspec.Raw = _EMPTY


class HandlerEntry(msgspec.Struct, frozen=True):
    version: Date
    id: Short = ""
    config: msgspec.Raw = _EMPTY


class UcpBlock(msgspec.Struct, frozen=True):
    version: Date
    services: dict[str, tuple[ServiceEntry, ...]] = {}
    capabilities: dict[str, tuple[CapabilityEntry, ...]] = {}
    payment_handlers: dict[str, tuple[HandlerEntry, ...]] = {}
    supported_versions: dict[str, str] = {}


class ProfileDocument(msgspec.Struct, frozen=True):
    """The wire shape of a business profile; fields that Lapel does not use are ignored."""

    ucp: UcpBlock
    signing_keys: tuple[Jwk, ...] = ()
    name: Short = ""


class RidesAhead(msgspec.Struct, frozen=True):
    """How near and how far ahead a company is booked, and the zone (IANA) where it drives."""

    time_zone: Annotated[str, msgspec.Meta(max_length=64)]
    least_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    most_days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class Profile:
    """A merchant's profile, negotiated: `capabilities` are those that both sides speak."""

    url: str
    name: str
    endpoint: str
    capabilities: frozenset[str]
    keys: tuple[Jwk, ...]
    text: str
    aliases: tuple[str, ...] = field(default=())
    tags: tuple[str, ...] = field(default=())
    kinds: tuple[str, ...] = field(default=())
    """What a travel company sells; empty where it does not say."""
    tracking_origins: tuple[str, ...] = field(default=())
    version: str = VERSION
    """Of the protocol, as negotiated."""
    code_prefix: str = ""
    """What the codes of a service that moves money begin with."""
    bank: str = ""
    """Where its payment handler says that accounts are."""
    feed: str = ""
    """Where its product list is, of a merchant whose version has no catalogue."""
    transport: str = REST
    protocol: str = UCP
    ahead: RidesAhead | None = None
    """Of a company that takes rides for later."""

    @property
    def audience(self) -> str:
        """What the merchant is called in mandates, whichever way it is spoken to."""
        return self.endpoint if self.transport == REST else self.url.removesuffix(WELL_KNOWN)


class _OrderConfig(msgspec.Struct, frozen=True):
    tracking_origins: tuple[str, ...] = ()


class _FoodConfig(msgspec.Struct, frozen=True):
    name: Short = ""
    aliases: tuple[Short, ...] = ()
    tags: tuple[Short, ...] = ()
    kinds: tuple[Short, ...] = ()


class _RidesConfig(msgspec.Struct, frozen=True):
    ahead: RidesAhead | None = None


class _PayConfig(msgspec.Struct, frozen=True):
    name: Short = ""
    aliases: tuple[Short, ...] = ()
    codes: Short = ""


def older_url(profile_url: str) -> str:
    """Where Lapel's own profile is for merchants of UCP 2026-01-11."""
    return f"{profile_url}/{OLDER}"


def profile_url_of(url: str) -> str:
    """Where the profile of the merchant at `url` is; a bare host name gets https."""
    text = url.strip()
    if "://" not in text:
        text = f"https://{text}"
    text = text.split("#", 1)[0].split("?", 1)[0].rstrip("/")
    return check(text if text.endswith(WELL_KNOWN) else f"{text}{WELL_KNOWN}")


async def discover(http: httpx.AsyncClient, url: str) -> Profile:
    """Fetch and negotiate the profile of the merchant at `url`.

    Unreachable, Nonsense for what is no profile, Refused (`version_unsupported`,
    `capabilities_incompatible`) for a merchant that speaks something else.
    """
    profile_url, text = await read_profile_text(http, url)
    return read_profile(profile_url, text)


async def read_profile_text(http: httpx.AsyncClient, url: str) -> tuple[str, str]:
    """The profile's URL, and its text in the version that both sides speak; not judged further."""
    profile_url = profile_url_of(url)
    text = await _fetch(http, profile_url)
    offer = decode(text, Offer, profile_url)
    version = chosen(offer)
    if version is None:
        raise Refused(
            f"{origin_of(profile_url)} speaks UCP {offer.version}, not {VERSION} or {OLDER}",
            code="version_unsupported",
        )
    if leaf := offer.leaf(version):
        if origin_of(leaf) != origin_of(profile_url):
            raise Nonsense(f"the profile of {profile_url!r} sends Lapel to another origin")
        text = await _fetch(http, leaf)
    return profile_url, text.decode("utf-8", "strict")


def read_profile(profile_url: str, text: str) -> Profile:
    """Negotiate a profile document that has been fetched, now or earlier."""
    document = document_of(profile_url, text)
    version = document.ucp.version
    spoken = spoken_in(version)
    active = intersection(document.ucp.capabilities, spoken)
    if CHECKOUT not in active:
        raise Refused(
            f"{origin_of(profile_url)} offers no checkout that Lapel speaks",
            code="capabilities_incompatible",
        )
    if version == OLDER:
        active |= {SEARCH}  # from the list that the profile or the settings name, if they do
    transport, endpoint = _endpoint(document, profile_url, version)
    food = _config(document, MODIFIERS, _FoodConfig, profile_url)
    others = [_config(document, name, _FoodConfig, profile_url) for name in BOOKED]
    service = next((each for each in others if each.name), _FoodConfig())
    pay = _config(document, PAY, _PayConfig, profile_url)
    retail = _config(document, RETAIL, _FoodConfig, profile_url)
    named = food.name or retail.name or service.name or pay.name
    return Profile(
        url=profile_url,
        name=named or document.name or urlsplit(profile_url).hostname or "",
        endpoint=endpoint,
        capabilities=active,
        keys=document.signing_keys,
        text=text,
        aliases=food.aliases or retail.aliases or service.aliases or pay.aliases,
        tags=food.tags,
        kinds=service.kinds,
        tracking_origins=_tracking_origins(document, profile_url),
        version=version,
        transport=transport,
        feed=_feed(document, profile_url) if FEED in active else "",
        code_prefix=check(pay.codes, named_by=profile_url) if pay.codes else "",
        bank=_bank(document, profile_url) if PAY in active else "",
        ahead=_ahead(document, profile_url),
    )


def _ahead(document: ProfileDocument, profile_url: str) -> RidesAhead | None:
    """Nonsense for a zone that does not exist: times in it could not be said."""
    ahead = _config(document, RIDES, _RidesConfig, profile_url).ahead
    if ahead is not None:
        try:
            ZoneInfo(ahead.time_zone)
        except (ValueError, ZoneInfoNotFoundError, OSError) as error:
            raise Nonsense(f"{profile_url!r} drives in {ahead.time_zone!r}") from error
    return ahead


def document_of(profile_url: str, text: str) -> ProfileDocument:
    """A profile in the shape of the newest version; Nonsense for one that is not spoken."""
    raw = text.encode()
    version = decode(raw, Offer, profile_url).version
    if version not in (VERSION, OLDER):
        raise Nonsense(f"{profile_url!r} is a profile of UCP {version!r}")
    if version == OLDER:
        raw = older.profile_in(raw, profile_url)
    return decode(raw, ProfileDocument, profile_url)


def spoken_in(version: str) -> Mapping[str, str]:
    """The capabilities that count with a merchant of that version of UCP."""
    return SPOKEN_OLDER if version == OLDER else SPOKEN


def intersection(
    offered: Mapping[str, Iterable[CapabilityEntry]], spoken: Mapping[str, str] = SPOKEN
) -> frozenset[str]:
    """UCP's intersection: same name, same version, and an extension only with a parent."""
    names = {
        name
        for name, entries in offered.items()
        if any(x.version == spoken.get(name) and _owns(name, x.spec) for x in entries)
    }
    while True:
        orphans = {
            name
            for name in names
            if (parents := _parents(name, offered[name])) and not names.intersection(parents)
        }
        if not orphans:
            return frozenset(names)
        names -= orphans


async def _fetch(http: httpx.AsyncClient, url: str) -> bytes:
    answer = await fetch(http, "GET", check(url))
    if answer.status >= 500:
        raise Unreachable(f"{origin_of(url)!r} answers {answer.status}")
    if answer.status != 200:
        raise Refused(
            f"{origin_of(url)} publishes no UCP profile (it answers {answer.status})",
            code="no_profile",
        )
    return answer.body


def _endpoint(document: ProfileDocument, profile_url: str, version: str) -> tuple[str, str]:
    """Transport and URL, by the first transport that both sides have."""
    offered = document.ucp.services.get(SHOPPING, ())
    for transport in TRANSPORTS:
        for entry in offered:
            if (entry.transport, entry.version) == (transport, version) and entry.endpoint:
                return transport, check(entry.endpoint.rstrip("/"), named_by=profile_url)
    raise Refused(
        f"{origin_of(profile_url)} has no REST or MCP endpoint for {SHOPPING} {version}",
        code="capabilities_incompatible",
    )


def _owns(name: str, spec: str) -> bool:
    """A capability's specification must come from the domain that its name belongs to."""
    if not spec:
        return True
    first, second, *_ = [*name.split("."), "", ""]
    domain = f"{second}.{first}"
    parts = urlsplit(spec)
    host = parts.hostname or ""
    return parts.scheme == "https" and (host == domain or host.endswith(f".{domain}"))


class _BankConfig(msgspec.Struct, frozen=True):
    endpoint: str = ""


def _bank(document: ProfileDocument, profile_url: str) -> str:
    for entry in document.ucp.payment_handlers.get(CITY_BANK, ()):
        config = decode(bytes(entry.config), _BankConfig, profile_url)
        if config.endpoint:
            return config.endpoint.rstrip("/")
    return ""


def _parents(name: str, entries: Iterable[CapabilityEntry]) -> frozenset[str]:
    found: set[str] = set()
    for entry in entries:
        if entry.version in (SPOKEN.get(name), SPOKEN_OLDER.get(name)):
            extends = entry.extends
            found.update((extends,) if isinstance(extends, str) else extends)
    return frozenset(found)


class _FeedConfig(msgspec.Struct, frozen=True):
    url: str = ""


def _feed(document: ProfileDocument, profile_url: str) -> str:
    for entry in document.ucp.capabilities.get(FEED, ()):
        config = decode(bytes(entry.config), _FeedConfig, profile_url)
        if config.url:
            return check(config.url, named_by=profile_url)
    return ""


def _tracking_origins(document: ProfileDocument, profile_url: str) -> tuple[str, ...]:
    config = _config(document, ORDER, _OrderConfig, profile_url)
    return tuple(
        origin_of(check(url, named_by=profile_url)) for url in config.tracking_origins[:16]
    )


def _config(document: ProfileDocument, name: str, shape: type[T], profile_url: str) -> T:
    for entry in document.ucp.capabilities.get(name, ()):
        if entry.version == SPOKEN[name]:
            return decode(bytes(entry.config), shape, profile_url)
    return shape()
