"""Where the courier is: a merchant's tracking URL, read with care and only where it may lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import httpx
import msgspec

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.fetch import decode, fetch
from lapel.services.urls import check, origin_of

TIMEOUT_S = 5.0
BODY_LIMIT = 256 * 1024
POINTS_LIMIT = 5_000

Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Point = tuple[float, float]
"""Latitude, longitude."""


class _Courier(msgspec.Struct, frozen=True):
    lat: Latitude
    lon: Longitude
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""


class _Body(msgspec.Struct, frozen=True):
    status: Annotated[str, msgspec.Meta(max_length=64)] = ""
    courier: _Courier | None = None
    origin: tuple[Latitude, Longitude] | None = None
    destination: tuple[Latitude, Longitude] | None = None
    route: tuple[tuple[Latitude, Longitude], ...] = ()
    eta_minutes: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    streets: tuple[tuple[tuple[Latitude, Longitude], ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Tracking:
    """`route` is the way still planned, `streets` what is around it; all points (lat, lon)."""

    status: str
    courier: Point | None
    origin: Point | None
    destination: Point | None
    route: tuple[Point, ...]
    streets: tuple[tuple[Point, ...], ...]
    eta_minutes: int | None
    who: str = ""
    """Who brings it, or who drives, with car and plate; as the merchant calls them."""


async def track(http: httpx.AsyncClient, merchant: Merchant, tracking_url: str) -> Tracking:
    """Fetch the state of a delivery.

    The URL must be at the merchant's own origin, at its API's, or at one that its profile lists;
    Nonsense (`unsafe_url`) otherwise: it comes from the merchant and may point anywhere.
    """
    allowed = {
        origin_of(merchant.profile.url),
        origin_of(merchant.profile.endpoint),
        *merchant.profile.tracking_origins,
    }
    if origin_of(check(tracking_url, named_by=merchant.profile.url)) not in allowed:
        raise Nonsense(
            f"{merchant.name!r} names a tracking URL at {origin_of(tracking_url)!r}, which is not "
            "its own",
            code="unsafe_url",
        )
    answer = await fetch(http, "GET", tracking_url, timeout_s=TIMEOUT_S, limit=BODY_LIMIT)
    if answer.status >= 500:
        raise Unreachable(f"{merchant.name!r} answers {answer.status}")
    if answer.status != 200:
        raise Refused(f"{merchant.name} does not tell where the courier is.", code="no_tracking")
    body = decode(answer.body, _Body, merchant.name)
    points = len(body.route) + sum(len(street) for street in body.streets)
    if points > POINTS_LIMIT:
        raise Nonsense(f"{merchant.name!r} draws a map of {points} points")
    return Tracking(
        status=body.status,
        courier=(body.courier.lat, body.courier.lon) if body.courier else None,
        origin=body.origin,
        destination=body.destination,
        route=body.route,
        streets=body.streets,
        eta_minutes=body.eta_minutes,
        who=plain(body.courier.name, 80) if body.courier else "",
    )
