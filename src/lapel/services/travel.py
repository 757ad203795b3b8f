"""The travel vertical: what goes where and when, what may be kept, and what a booking allows.

Booking, and changing for money, are orders (`commerce`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from lapel.commerce.journey import JourneyKind
from lapel.commerce.money import Money
from lapel.commerce.ports import JourneyOffer, MerchantOrder, Nonsense, Refused
from lapel.services.asking import ask_all
from lapel.services.booked import Booked
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.journeys import offer_of
from lapel.services.connectors.ucp.profile import TRAVEL
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.registry import Merchant, MerchantRegistry
from lapel.services.connectors.ucp.wire.travel import HoldBody, JourneysBody

MOST_OFFERS = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """A way and a local date there; `origin` is empty for a stay, which has `nights`."""

    kind: JourneyKind
    destination: str
    day: date
    origin: str = ""
    nights: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """What a company keeps for nothing, until `expires_at` (seconds since 1970)."""

    id: str
    offer: JourneyOffer
    expires_at: float


@dataclass(frozen=True, slots=True)
class PricedChange:
    """What changing a booking comes to: `owed` is difference and fee; below nothing it comes back.

    `order` is the booking as it is now.
    """

    order: MerchantOrder
    difference: Money
    fee: Money
    owed: Money


class Travel:
    """Airlines, railways and hotels, and what they say. Nothing is kept."""

    def __init__(self, registry: MerchantRegistry, client: Client) -> None:
        self._registry = registry
        self._client = client
        self._booked = Booked(registry, client, "/travel", lambda order: order.journey)

    async def companies(self, kind: JourneyKind) -> list[Merchant]:
        """Those known that sell it, in the order they were added."""
        return [
            company
            for company in await self._registry.all()
            if TRAVEL in company.profile.capabilities
            and (not company.profile.kinds or kind in company.profile.kinds)
        ]

    async def sells(self, kind: JourneyKind) -> bool:
        """Whether there is any company for it."""
        return bool(await self.companies(kind))

    async def search(self, wanted: Wanted) -> list[JourneyOffer]:
        """What all companies offer on that day, the earliest first, then the cheapest.

        A company that has nothing or does not answer is left out; when none has anything, the
        reason of the first is raised, a refusal before a silence.
        """
        companies = await self.companies(wanted.kind)
        answers, failures = await ask_all(self._search(each, wanted) for each in companies)
        offers = [offer for found in answers for offer in found]
        if failures and not offers:
            raise next((x for x in failures if isinstance(x, Refused)), failures[0])
        offers.sort(key=lambda x: (x.journey.departs, x.price.minor, x.merchant_name))
        return offers[:MOST_OFFERS]

    async def hold(self, offer: JourneyOffer, key: str) -> Held:
        """Have it kept for a while. The same key again gives the same hold."""
        company = await self._registry.get(offer.merchant_id)
        body = {"offer": offer.journey.offer_id}
        answer = await self._client.write(company, "POST", "/travel/holds", body, key, HoldBody)
        errors = errors_of(answer.messages)
        if errors or answer.hold is None:
            raise refusal(errors, company.name, None, fallback="not_held")
        held = offer_of(answer.hold.offer, company)
        if held.journey != offer.journey:
            raise Nonsense(f"{company.name!r} keeps something else than it was asked to")
        try:
            until = datetime.fromisoformat(answer.hold.expires_at).timestamp()
        except (ValueError, OverflowError) as error:
            raise Nonsense(f"{company.name!r} does not say until when it keeps it") from error
        return Held(answer.hold.id, held, until)

    async def look(self, merchant_id: str, booking_id: str) -> MerchantOrder:
        """The booking as the company has it now."""
        return await self._booked.look(merchant_id, booking_id)

    async def price_change(self, merchant_id: str, booking_id: str, offer_id: str) -> PricedChange:
        """What changing to that offer would come to; nothing happens."""
        asked = {"offer": offer_id}
        body, order = await self._booked.price(merchant_id, booking_id, "change", asked)
        change = body.journey_change
        if change is None or change.owed != change.difference + change.fee:
            raise Nonsense(f"the company does not say what changing {booking_id!r} costs")
        if change.applied:
            raise Nonsense(f"the company has changed {booking_id!r}, which nobody agreed to")
        currency = order.total.currency
        difference, fee, owed = (
            Money(minor, currency) for minor in (change.difference, change.fee, change.owed)
        )
        return PricedChange(order, difference, fee, owed)

    async def _search(self, company: Merchant, wanted: Wanted) -> list[JourneyOffer]:
        asked: dict[str, object] = {"to": wanted.destination, "date": wanted.day.isoformat()}
        if wanted.kind == "stay":
            asked["nights"] = wanted.nights
        else:
            asked["from"] = wanted.origin
        # A question changes nothing: it must not be answered from before.
        key = str(uuid.uuid4())
        found = await self._client.write(
            company, "POST", "/travel/search", asked, key, JourneysBody
        )
        errors = errors_of(found.messages)
        if errors and not found.offers:
            raise refusal(errors, company.name, None, fallback="no_connection")
        offers = [offer_of(entry, company) for entry in found.offers[:MOST_OFFERS]]
        fitting = [x for x in offers if x.journey.kind == wanted.kind]
        return [x for x in fitting if x.journey.day == wanted.day]
