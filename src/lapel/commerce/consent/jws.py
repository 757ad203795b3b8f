"""Compact JWS of others, ES256 as anybody makes it: any header with `alg` ES256, any s."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lapel.commerce.consent.verify import parts_of
from lapel.commerce.errors import MandateError, ReceiptError
from lapel.commerce.keys import from_base64url, public_key


def verify_es256(jwk: Mapping[str, str], jws: str) -> bytes:
    """The payload; `MandateError` unless the P-256 key `jwk` signed it."""
    header, payload = parts_of(jws)
    if header.get("alg") != "ES256" or "crit" in header or header.get("b64") is not None:
        raise MandateError("the merchant's signature is not ES256", code="bad_signature")
    signed, _, last = jws.rpartition(".")
    try:
        public = public_key({name: jwk.get(name, "") for name in ("kty", "crv", "x", "y")})
        signature = from_base64url(last)
        if len(signature) != 64:
            raise MandateError("the signature is not r and s", code="bad_signature")
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        public.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ReceiptError) as error:
        raise MandateError("the merchant did not sign this", code="bad_signature") from error
    return payload
