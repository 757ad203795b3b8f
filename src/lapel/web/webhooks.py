"""What merchants call: Lapel's UCP profile, and order events that they sign."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce import Orders
from lapel.services import PlatformProfile, WebhookError, WebhookInbox
from lapel.web.gate import refused

log = logging.getLogger(__name__)

LARGEST = 1 << 20
"""Bytes of a webhook; a full order is a few kilobytes."""


class Webhooks:
    """Verifies before it believes; answers 2xx only after the event is in the record."""

    def __init__(self, profile: PlatformProfile, inbox: WebhookInbox, orders: Orders) -> None:
        self._profile = profile
        self._inbox = inbox
        self._orders = orders

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/ucp", self._show_profile),
            Route("/webhooks/ucp", self._receive, methods=["POST"]),
        ]

    async def _show_profile(self, _: Request) -> Response:
        return JSONResponse(await self._profile.document(), headers={"cache-control": "max-age=60"})

    async def _receive(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > LARGEST:
            return refused("the event is too large", "too_large", 413)
        try:
            order = await self._inbox.verify(
                request.method, str(request.url), dict(request.headers), body
            )
        except WebhookError as error:
            log.warning("refused a webhook: %s", error.code)
            return refused(str(error), error.code, error.status)
        if order is not None:
            await self._orders.merchant_reports(order)
        return Response(status_code=204)
