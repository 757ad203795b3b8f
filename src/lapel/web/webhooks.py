"""What merchants call: Lapel's UCP profile, and order events that they sign."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce import Orders
from lapel.services import PlatformProfile, WebhookError, WebhookInbox
from lapel.web.gate import TooLarge, body_of, refused

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
            Route(PlatformProfile.WEBHOOK_PATH, self._receive, methods=["POST"]),
        ]

    async def _show_profile(self, _: Request) -> Response:
        document = await self._profile.document()
        return JSONResponse(document, headers={"cache-control": self._profile.CACHE_CONTROL})

    async def _receive(self, request: Request) -> Response:
        try:
            body = await body_of(request, LARGEST)
            await self._inbox.receive(request.headers, body, self._orders.merchant_reports)
        except TooLarge:
            return refused("the event is too large", "too_large", 413)
        except WebhookError as error:
            if error.status >= 400:
                log.warning("refused a webhook: %s", error.code)
            return refused(error.text, error.code, error.status)
        return Response(status_code=204)
