"""Finding out which protocol the merchant at a URL speaks: its profile, negotiated."""

from __future__ import annotations

import httpx

from lapel.commerce.ports import Refused
from lapel.services.connectors.acp import profile as acp
from lapel.services.connectors.ucp import profile as ucp
from lapel.services.connectors.ucp.profile import Profile
from lapel.services.urls import check


def base_of(url: str) -> str:
    """The merchant's own URL, whichever of its documents was named."""
    text = url.strip().split("#", 1)[0].split("?", 1)[0].rstrip("/")
    text = text.removesuffix(acp.WELL_KNOWN).removesuffix(ucp.WELL_KNOWN)
    return check(text if "://" in text else f"https://{text}")


async def discover(http: httpx.AsyncClient, url: str) -> Profile:
    """The profile of the merchant at `url`, which is asked for UCP first.

    Unreachable, Nonsense for what is no profile, Refused for a merchant that speaks neither.
    """
    try:
        return await ucp.discover(http, base_of(url))
    except Refused as error:
        if error.code != "no_profile":
            raise
        try:
            return await again(http, base_of(url), acp.ACP)
        except Refused as other:
            if other.code == "no_profile":
                raise error from None
            raise


async def again(http: httpx.AsyncClient, base_url: str, protocol: str) -> Profile:
    """The profile now of a merchant that is known to speak `protocol`."""
    if protocol == acp.ACP:
        return acp.read_profile(base_url, await acp.read_discovery(http, base_url))
    return await ucp.discover(http, base_url)


def read_profile(base_url: str, text: str, protocol: str) -> Profile:
    """Negotiate a document that was fetched earlier."""
    if protocol == acp.ACP:
        return acp.read_profile(base_url, text)
    return ucp.read_profile(base_url + ucp.WELL_KNOWN, text)
