"""Names are looked up here and judged before anything is connected: a name may point inside, too.

`urls.check` judges what stands in a URL. A name in a URL says nothing yet: whoever owns it may let
it lead to loopback, to the router or to a cloud's metadata address, and may change that between
two look-ups. So the look-up that is judged is the one that is connected to.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import cast

import httpcore
import httpx

from lapel.commerce.ports import Nonsense

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(host, port) -> its addresses, in the order to try; OSError where there are none."""

_Option = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)  # httpcore's SOCKET_OPTION


async def system_resolve(host: str, port: int) -> list[str]:
    """The operating system's answer."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet at large."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    judged = mapped or parsed
    return judged.is_global and not judged.is_multicast


class JudgingBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses of a name only if all of them are public.

    Literal addresses and `localhost` pass: those stand in the URL, and `urls.check` has judged it.
    """

    def __init__(self, resolve: Resolve = system_resolve) -> None:
        self._resolve = resolve
        self._inner = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[_Option] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host!r} has no address")
        for address in await self._addresses(host, port):
            try:
                return await self._inner.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[_Option] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("merchants are not reached by a socket file")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        if host == "localhost" or _is_literal(host):
            return [host]
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host!r} cannot be looked up") from error
        for address in addresses:
            if not is_public(address):
                raise Nonsense(
                    f"will not call {host!r}: the name leads to the private address {address}",
                    code="unsafe_url",
                )
        return addresses


class JudgingTransport(httpx.AsyncHTTPTransport):
    """httpx's own transport over that backend."""

    def __init__(self, limits: httpx.Limits, resolve: Resolve = system_resolve) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, limits=limits)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=JudgingBackend(resolve),
        )


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
