"""Platforms: their profiles, fetched and kept, and the proof that a request is theirs."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn
from urllib.parse import urlsplit

import httpx
import msgspec

from city.errors import ProtocolError
from city.ucp.signatures import Jwk, Message, key_id, verify_request
from city.ucp.vocabulary import (
    OFFERED,
    ORDER,
    VERSION,
    Declared,
    Offered,
    Shared,
    negotiate,
)

LEAST_S = 60.0
"""How long a profile is kept at least, and a missing key not looked for again."""

_MOST_S = 3600.0
_PROFILES = 128
_SIZE = 256 * 1024
_TIMEOUT_S = 3.0
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class _Named(Declared, kw_only=True):
    """A capability as UCP 2026-01-11 lists it."""

    name: str


class _Metadata(msgspec.Struct):
    version: str
    capabilities: dict[str, list[Declared]] | list[_Named] = {}

    def declared(self) -> Mapping[str, Sequence[Declared]]:
        if isinstance(self.capabilities, dict):
            return self.capabilities
        return {entry.name: [entry] for entry in self.capabilities}


class _Profile(msgspec.Struct):
    ucp: _Metadata
    signing_keys: list[Jwk] = []


@dataclass(frozen=True, slots=True)
class Platform:
    """Who is asking. `signed` tells that its signature was verified."""

    profile_url: str
    shared: Shared
    webhook_url: str
    signed: bool
    keys: tuple[Jwk, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """A version of UCP: what is offered in it, and how its requests are signed."""

    version: str
    offered: Sequence[Offered]
    key_id: Callable[[Mapping[str, str]], str]
    verify: Callable[[Message, bytes, Sequence[Jwk]], None]


NEWEST = Manner(VERSION, OFFERED, key_id, verify_request)


@dataclass(frozen=True, slots=True)
class _Kept:
    profile: _Profile
    fetched_s: float
    until_s: float


class Platforms:
    """Knows platforms by their profiles; keeps `_PROFILES`, dropping the least recently used."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def identify(
        self,
        message: Message,
        body: bytes,
        now_s: float,
        manner: Manner = NEWEST,
    ) -> Platform:
        """Raises ProtocolError when the profile is unusable or the signature is not its own."""
        url = profile_url(message.headers.get("ucp-agent"))
        kept = await self._profile(url, now_s)
        if kept.profile.ucp.version != manner.version:
            raise ProtocolError(
                f"version {kept.profile.ucp.version!r} is not supported; use {manner.version}",
                code="version_unsupported",
                status=422,
            )
        keys = kept.profile.signing_keys
        if keys:
            known = {k.kid for k in keys}
            if manner.key_id(message.headers) not in known and now_s - kept.fetched_s >= LEAST_S:
                kept = await self._fetch(url, now_s)
            manner.verify(message, body, kept.profile.signing_keys)
        declared = kept.profile.ucp.declared()
        keys = kept.profile.signing_keys
        shared = negotiate(declared, manner.offered)
        hook = _webhook_url(declared, manner.version)
        return Platform(url, shared, hook, bool(keys), tuple(keys))

    async def with_key(self, platform: Platform, kid: str, now_s: float) -> Platform:
        """The platform with its newest keys, if `kid` is none of those that are known.

        Users come more often than platforms change their own keys, so the profile is read however
        new it is; only by a signed request, so nobody else can make it be read.
        """
        if not platform.signed or any(key.kid == kid for key in platform.keys):
            return platform
        fresh = await self._fetch(platform.profile_url, now_s)
        return replace(platform, keys=tuple(fresh.profile.signing_keys))

    async def _profile(self, url: str, now_s: float) -> _Kept:
        kept = self._kept.get(url)
        if kept is None or kept.until_s <= now_s:
            return await self._fetch(url, now_s)
        self._kept.move_to_end(url)
        return kept

    async def _fetch(self, url: str, now_s: float) -> _Kept:
        try:
            async with self._client.stream("GET", url, timeout=_TIMEOUT_S) as response:
                if response.status_code != 200:
                    _unreachable(url, f"it answered {response.status_code}")
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _SIZE:
                        _unreachable(url, "it is over 256 kB")
                age = _max_age(response.headers.get("cache-control", ""))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            _unreachable(url, type(error).__name__)
        try:
            profile = msgspec.json.decode(body, type=_Profile)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise ProtocolError(
                f"the profile at {url!r} breaks the schema: {error}",
                code="profile_malformed",
                status=422,
            ) from error
        kept = _Kept(profile, now_s, now_s + min(_MOST_S, max(LEAST_S, age)))
        self._kept[url] = kept
        self._kept.move_to_end(url)
        while len(self._kept) > _PROFILES:
            self._kept.popitem(last=False)
        return kept


def profile_url(header: str | None) -> str:
    """The URL in a UCP-Agent header. Raises ProtocolError."""
    match = re.search(r'(?:^|[,\s])profile="([^"]+)"', header or "")
    if match is None or not is_safe_url(match[1]):
        raise ProtocolError(
            'UCP-Agent must be profile="<https URL>" (http on loopback only)',
            code="invalid_profile_url",
        )
    return match[1]


def is_safe_url(url: str) -> bool:
    """Https, or http that does not leave this machine."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _webhook_url(declared: Mapping[str, Sequence[Declared]], version: str) -> str:
    for entry in declared.get(ORDER, []):
        url = entry.config.get("webhook_url")
        if entry.version == version and isinstance(url, str) and is_safe_url(url):
            return url
    return ""


def _max_age(header: str) -> float:
    match = re.search(r"max-age=(\d{1,9})", header)
    return float(match[1]) if match else 0.0


def _unreachable(url: str, why: str) -> NoReturn:
    raise ProtocolError(
        f"cannot fetch the profile {url!r}: {why}", code="profile_unreachable", status=424
    )
