"""What merchants call: Lapel's UCP profile, and order events that they sign, by UCP or ACP."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce import MerchantOrder, Orders
from lapel.services import ACP_WEBHOOKS, AcpInbox, PlatformProfile, WebhookError, WebhookInbox
from lapel.web.gate import TooLarge, body_of, refused

log = logging.getLogger(__name__)

LARGEST = 1 << 20
"""Bytes of a webhook; a full order is a few kilobytes."""


class Webhooks:
    """Verifies before it believes; answers 2xx only after the event is in the record."""

    def __init__(
        self, profile: PlatformProfile, inbox: WebhookInbox, acp: AcpInbox, orders: Orders
    ) -> None:
        self._profile = profile
        self._inbox = inbox
        self._acp = acp
        self._orders = orders

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/ucp", self._show_profile),
            Route("/.well-known/ucp/2026-01-11", self._show_older),
            Route(PlatformProfile.WEBHOOK_PATH, self._receive, methods=["POST"]),
            Route(f"{ACP_WEBHOOKS}/{{merchant}}", self._receive_acp, methods=["POST"]),
        ]

    async def _show_older(self, _: Request) -> Response:
        document = await self._profile.older()
        return JSONResponse(document, headers={"cache-control": self._profile.CACHE_CONTROL})

    async def _show_profile(self, _: Request) -> Response:
        document = await self._profile.document()
        return JSONResponse(document, headers={"cache-control": self._profile.CACHE_CONTROL})

    async def _receive(self, request: Request) -> Response:
        refusal = await self._taken(
            request,
            lambda body: self._inbox.receive(request.headers, body, self._orders.merchant_reports),
        )
        return refusal or Response(status_code=204)

    async def _receive_acp(self, request: Request) -> Response:
        merchant = str(request.path_params["merchant"])
        refusal = await self._taken(
            request,
            lambda body: self._acp.receive(
                merchant, request.headers, body, self._orders.merchant_reports
            ),
        )
        return refusal or JSONResponse({"received": True})

    async def _taken(
        self, request: Request, receive: Callable[[bytes], Awaitable[MerchantOrder]]
    ) -> Response | None:
        """None once the event is in the record, else why it is not."""
        try:
            await receive(await body_of(request, LARGEST))
        except TooLarge:
            return refused("the event is too large", "too_large", 413)
        except WebhookError as error:
            if error.status >= 400:
                log.warning("refused a webhook: %s", error.code)
            return refused(error.text, error.code, error.status)
        return None
