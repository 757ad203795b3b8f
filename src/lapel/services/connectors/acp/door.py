"""Getting to know an ACP merchant: its key, its name, and what it lacks for Lapel to buy there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import msgspec

from lapel.commerce.ports import PortError, Refused
from lapel.services.connectors.acp.access import Access, Accesses, enrol
from lapel.services.connectors.acp.client import AcpClient
from lapel.services.connectors.acp.feed import read_feed
from lapel.services.connectors.acp.profile import VERSION, document_of
from lapel.services.connectors.acp.webhooks import webhook_url
from lapel.services.connectors.ucp.catalogue import read_menu
from lapel.services.connectors.ucp.checkup import PATIENCE_S, CheckUp
from lapel.services.connectors.ucp.profile import ORDER
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.urls import split


class AcpDoor:
    """`origin` is where sellers reach this Lapel."""

    def __init__(
        self, http: httpx.AsyncClient, accesses: Accesses, client: AcpClient, origin: str
    ) -> None:
        self._http = http
        self._accesses = accesses
        self._client = client
        self._origin = origin

    async def admit(self, merchant: Merchant, given: Access | None) -> Merchant:
        """The merchant with its key in the record: the one given, the one it has, or a new one.

        Refused (`key_needed`) by a seller that gives its keys out by hand.
        """
        access = given or await self._accesses.find(merchant.id)
        if access is None or (given is None and not await self._still(merchant, access)):
            access = await enrol(self._http, merchant, webhook_url(self._origin, merchant.id))
        name = access.name or split(merchant.url).hostname or merchant.id
        await self._accesses.keep(merchant.id, access)
        return replace(merchant, name=name)

    async def _still(self, merchant: Merchant, access: Access) -> bool:
        """Whether the key is good; one that a seller has forgotten, it gives again if it enrols."""
        if not document_of(merchant.url, merchant.profile.text).enrols:
            return True
        try:
            await read_feed(self._http, merchant, access)
        except Refused:
            return False
        except PortError:
            return True
        return True

    async def forget(self, merchant_id: str) -> None:
        await self._accesses.forget(merchant_id)

    async def check_up(self, merchant: Merchant) -> CheckUp:
        """Faults are in the result. How it is paid, ACP tells in a session only."""
        document = document_of(merchant.url, merchant.profile.text)
        spoken = merchant.profile.capabilities
        found = CheckUp(
            merchant.url,
            name=merchant.name or split(merchant.url).hostname or "",
            offers_version=f"ACP {document.protocol.version}",
            version=VERSION,
            kind="shop",
            transport="rest",
            endpoint=merchant.profile.endpoint,
            capabilities=tuple((name, VERSION, True) for name in sorted(spoken)),
        )
        if ORDER not in spoken:
            found.warns.append("it reports nothing of an order once it is placed")
        found.warns.append("ACP tells how it wants to be paid only when something is bought")
        access = await self._accesses.find(merchant.id)
        if access is None:
            if document.enrols:
                found.warns.append("it gives Lapel a key when it is added; only then its catalogue")
            else:
                found.lacks.append("it wants a key: `lapel merchants add URL --key KEY`")
            return found
        found.name = access.name or found.name
        if not access.secret:
            found.warns.append("it shares no secret with Lapel, so its order events are refused")
        await self._ask(found, merchant)
        return found

    async def _ask(self, found: CheckUp, merchant: Merchant) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                menu = await read_menu(self._client, merchant)
        except TimeoutError:
            found.lacks.append(f"its catalogue was not read within {PATIENCE_S:g} s")
        except PortError as error:
            found.lacks.append(error.text)
        else:
            found.signatures = "none"
            found.products = len(menu.items)
            found.answers = f"{len(menu.items)} things for sale"
            if not menu.items:
                found.lacks.append("its catalogue is empty")


def access_from(
    key: str, secret: str = "", feed_url: str = "", name: str = "", currency: str = "EUR"
) -> Access:
    """What was given by hand, checked; msgspec.ValidationError says what is wrong with it."""
    given = {
        "token": key, "secret": secret, "feed_url": feed_url, "name": name, "currency": currency,
    }  # fmt: skip
    return msgspec.convert(given, Access)
