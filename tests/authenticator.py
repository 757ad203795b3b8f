"""A passkey in software: what a phone with a fingerprint reader would answer."""

from __future__ import annotations

import hashlib
import json
import os

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from lapel.commerce import PasskeyProof, RelyingParty
from lapel.commerce.keys import base64url, from_base64url

UP, UV, AT = 0x01, 0x04, 0x40


class Authenticator:
    """One credential. `flags` says whether the user was there and was verified."""

    def __init__(self, party: RelyingParty) -> None:
        self.party = party
        self.id = os.urandom(16)
        self.flags = UP | UV
        self.count = 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        numbers = self._key.public_key().public_numbers()
        self.public_key = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        )

    def register(self, options: str, origin: str = "") -> dict[str, object]:
        """What the browser gives back for an offer."""
        challenge = from_base64url(json.loads(options)["challenge"])
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + self.public_key
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(AT) + attested}
        return {
            "id": base64url(self.id),
            "rawId": base64url(self.id),
            "type": "public-key",
            "response": {
                "attestationObject": base64url(cbor2.dumps(statement)),
                "clientDataJSON": base64url(self._client("webauthn.create", challenge, origin)),
            },
        }

    def sign(self, challenge: bytes, origin: str = "") -> PasskeyProof:
        self.count += 1
        data, client = self._data(), self._client("webauthn.get", challenge, origin)
        signed = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return PasskeyProof(
            base64url(self.id),
            base64url(self.public_key),
            base64url(data),
            base64url(client),
            base64url(signed),
            self.party.id,
            origin or self.party.origin,
        )

    def _data(self, more: int = 0) -> bytes:
        rp = hashlib.sha256(self.party.id.encode()).digest()
        return rp + bytes([self.flags | more]) + self.count.to_bytes(4)

    def _client(self, kind: str, challenge: bytes, origin: str) -> bytes:
        told = {
            "type": kind,
            "challenge": base64url(challenge),
            "origin": origin or self.party.origin,
            "crossOrigin": False,
        }
        return json.dumps(told).encode()
