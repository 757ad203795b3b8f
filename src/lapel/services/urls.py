"""Which URLs Lapel is willing to call: they come from merchants, who may want to reach inside."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from lapel.commerce.ports import Nonsense

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_LENGTH = 2048


def origin_of(url: str) -> str:
    """Scheme, host and port in one canonical text, e.g. `https://shop.example`."""
    parts = split(url)
    return f"{parts.scheme}://{authority_of(url)}"


def authority_of(url: str) -> str:
    """Host in lower case, with the port when it is not the scheme's own (RFC 9421, 2.2.3)."""
    parts = split(url)
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme):
        return host
    return f"{host}:{parts.port}"


def split(url: str) -> SplitResult:
    """Parse an absolute http(s) URL; Nonsense for anything else."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise _unsafe(url, str(error)) from error
    if len(url) > _MAX_LENGTH or any(ord(letter) <= 32 for letter in url) or not port_is_fine:
        raise _unsafe(url, "it is too long or holds spaces")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise _unsafe(url, "it is not an absolute http or https URL")
    if parts.username is not None or parts.password is not None:
        raise _unsafe(url, "it carries a user name")
    return parts


def is_loopback(url: str) -> bool:
    """True for 127.0.0.0/8, ::1 and localhost."""
    host = (split(url).hostname or "").lower()
    if host == "localhost":
        return True
    address = _literal(host)
    return address is not None and address.is_loopback


def check(url: str, *, named_by: str = "") -> str:
    """The URL itself, if Lapel may call it; Nonsense (`unsafe_url`) otherwise.

    Plain http is for loopback only. A URL that a party at `named_by` names may point at loopback
    or at a private address only when that party lives on loopback itself.
    """
    parts = split(url)
    inside = is_loopback(url)
    if parts.scheme == "http" and not inside:
        raise _unsafe(url, "plain http is accepted on loopback only; use https")
    address = _literal((parts.hostname or "").lower())
    private = inside or (address is not None and not address.is_global)
    if private and named_by and not is_loopback(named_by):
        raise _unsafe(url, f"{origin_of(named_by)!r} may not send Lapel to a private address")
    return url


def check_page(url: str, *, named_by: str) -> str:
    """A merchant's page for the user to open: https at the merchant's own host or below it.

    A neighbour under the same suffix may be somebody else's (`a.shops.example`, `b.shops.example`),
    so only a `www.` or `api.` in front of the merchant's own name is looked past. On loopback it is
    the merchant's origin alone. Nonsense (`unsafe_url`) otherwise.
    """
    check(url, named_by=named_by)
    if is_loopback(url):
        if origin_of(url) != origin_of(named_by):
            raise _unsafe(url, f"{origin_of(named_by)!r} may only send the user to itself")
        return url
    host, own = (_host(x) for x in (url, named_by))
    base = own.partition(".")[2] if own.startswith(("www.", "api.")) else own
    if host not in (own, base) and not host.endswith(f".{base}"):
        raise _unsafe(url, f"it is no page of {own!r}")
    return url


def _host(url: str) -> str:
    return (split(url).hostname or "").lower().rstrip(".")


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _unsafe(url: str, why: str) -> Nonsense:
    return Nonsense(f"will not call {url[:200]!r}: {why}", code="unsafe_url")
