"""Which protocol each merchant speaks, and the client that speaks it.

A merchant is asked for UCP first: it says more. One that is known is asked in its own protocol.
"""

from __future__ import annotations

from typing import TypeVar

from lapel.services.connectors.acp.client import AcpClient
from lapel.services.connectors.acp.profile import ACP
from lapel.services.connectors.ucp.client import UcpClient
from lapel.services.connectors.ucp.registry import Merchant

T = TypeVar("T")


class Doors:
    """One client for all merchants. Every answer has UCP's shape, whatever was spoken."""

    def __init__(self, ucp: UcpClient, acp: AcpClient) -> None:
        self._ucp = ucp
        self._acp = acp

    def signs(self, merchant_id: str) -> bool:
        """Whether this merchant has signed an answer since the start."""
        return self._ucp.signs(merchant_id)

    async def read(self, merchant: Merchant, path: str, shape: type[T]) -> T:
        return await self._of(merchant).read(merchant, path, shape)

    async def write(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T:
        return await self._of(merchant).write(merchant, method, path, body, key, shape)

    def _of(self, merchant: Merchant) -> UcpClient | AcpClient:
        return self._acp if merchant.profile.protocol == ACP else self._ucp
