"""UCP's AP2 extension: a merchant that offers it signs every checkout, and takes no order without
the user's mandate. Its signature is checked here, before anything else sees the checkout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, cast

import msgspec
import rfc8785

from lapel.commerce.checkout import SignedTerms
from lapel.commerce.consent import verify_es256
from lapel.commerce.consent.sdjwt import strict_json
from lapel.commerce.errors import MandateError, ReceiptError
from lapel.commerce.keys import base64url, from_base64url
from lapel.commerce.ports import Nonsense
from lapel.services.connectors.ucp.client import Client
from lapel.services.connectors.ucp.keys import Jwk
from lapel.services.connectors.ucp.profile import AP2
from lapel.services.connectors.ucp.registry import ASKED_FLOOR_S, Merchant, MerchantRegistry
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody
from lapel.services.fetch import decode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TermsClient:
    """The client, for checkouts of whose terms the merchant's signature is verified.

    With `mandates` false the extension was not negotiated: Lapel does not declare it.
    """

    client: Client
    registry: MerchantRegistry
    mandates: bool

    async def read(self, merchant: Merchant, path: str, shape: type[T]) -> T:
        if shape is not CheckoutBody:
            return await self.client.read(merchant, path, shape)
        raw = await self.client.read(merchant, path, msgspec.Raw)
        return cast("T", await self._checked(merchant, bytes(raw)))

    async def write(
        self, merchant: Merchant, method: str, path: str, body: object, key: str, shape: type[T]
    ) -> T:
        if shape is not CheckoutBody:
            return await self.client.write(merchant, method, path, body, key, shape)
        raw = await self.client.write(merchant, method, path, body, key, msgspec.Raw)
        return cast("T", await self._checked(merchant, bytes(raw)))

    async def _checked(self, merchant: Merchant, raw: bytes) -> CheckoutBody:
        body = decode(raw, CheckoutBody, merchant.name)
        signed = None
        negotiated = self.mandates and AP2 in merchant.profile.capabilities
        if negotiated and body.ucp.status != "error":
            signed = await self._terms(merchant, raw)
        # Set in any case: what stands in this place on the wire is not believed.
        return msgspec.structs.replace(body, signed=signed)

    async def _terms(self, merchant: Merchant, raw: bytes) -> SignedTerms:
        header, signature, payload = _detached(merchant, raw)
        key = _key(merchant.profile.keys, header)
        if key is None:
            fresh = await self.registry.refresh(merchant.id, ASKED_FLOOR_S)
            key = _key(fresh.profile.keys, header)
        if key is None:
            raise _invalid(merchant, "with a key that it does not publish")
        jwk = {"kty": key.kty, "crv": key.crv, "x": key.x, "y": key.y}
        jws = f"{header}.{base64url(payload)}.{signature}"
        try:
            verify_es256(jwk, jws)
        except MandateError as error:
            raise _invalid(merchant, f"wrongly: {error.text}") from error
        return SignedTerms(jws, merchant.profile.audience, msgspec.json.encode(jwk).decode())


def _detached(merchant: Merchant, raw: bytes) -> tuple[str, str, bytes]:
    """Header and signature of the detached JWS, and the canonical checkout that it is over."""
    try:
        found = strict_json(raw)
    except MandateError as error:
        raise _invalid(merchant, f"ambiguous JSON: {error.text}") from error
    body = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    ap2 = body.pop("ap2", None)
    authorization = cast("dict[str, object]", ap2) if isinstance(ap2, dict) else {}
    text = authorization.get("merchant_authorization")
    if not isinstance(text, str):
        raise Nonsense(
            f"{merchant.name!r} offers AP2 but did not sign the checkout",
            code="merchant_authorization_missing",
        )
    parts = text.split(".")
    if len(parts) != 3 or parts[1]:
        raise _invalid(merchant, "in another form than a detached JWS")
    try:
        payload = rfc8785.dumps(body)  # pyright: ignore[reportArgumentType]  # JSON, it was parsed
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise _invalid(merchant, "what has no canonical form") from error
    return parts[0], parts[2], payload


def _key(keys: tuple[Jwk, ...], header: str) -> Jwk | None:
    try:
        found = strict_json(from_base64url(header))
    except (MandateError, ReceiptError):
        return None
    kid = cast("dict[str, object]", found).get("kid") if isinstance(found, dict) else None
    return next((key for key in keys if key.kid == kid), None)


def _invalid(merchant: Merchant, how: str) -> Nonsense:
    return Nonsense(
        f"{merchant.name!r} signed the checkout {how}", code="merchant_authorization_invalid"
    )
