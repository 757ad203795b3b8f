"""What a passkey's assertion proves, offline: this user was there and agreed to this very question.

The challenge is no random number but the hash of the question, so the assertion is worth nothing
for another cart, limit or price. A question takes one answer, which makes it good once.
"""

from __future__ import annotations

import hashlib

from lapel.commerce.errors import MandateError, ReceiptError
from lapel.commerce.keys import base64url, from_base64url
from lapel.commerce.order import PasskeyProof

PASSKEY = "passkey"
"""What stands for the gesture where a passkey gave the yes."""


def challenge_for(question_id: str, agreed_hash: str) -> bytes:
    """What a passkey signs for a question: its id, and the hash of all that is agreed to."""
    return hashlib.sha256(f"lapel consent\n{question_id}\n{agreed_hash}".encode()).digest()


def key_hash(public_key: str) -> str:
    """What a mandate names a passkey by."""
    return base64url(hashlib.sha256(public_key.encode("ascii", "replace")).digest())


def check_assertion(proof: PasskeyProof, challenge: bytes, *, sign_count: int = 0) -> int:
    """The authenticator's new count; `MandateError` (`bad_passkey`) for what does not prove it.

    The user must have been verified (a finger, a face, a PIN), not only present. `sign_count` is
    the last count that is known; a copied authenticator falls behind it.
    """
    # Imported here: it is needed by few and takes a tenth of a second to load.
    from webauthn import verify_authentication_response
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        public_key = from_base64url(proof.public_key)
        found = verify_authentication_response(
            credential={
                "id": proof.credential_id,
                "rawId": proof.credential_id,
                "type": "public-key",
                "response": {
                    "authenticatorData": proof.authenticator_data,
                    "clientDataJSON": proof.client_data,
                    "signature": proof.signature,
                },
            },
            expected_challenge=challenge,
            expected_rp_id=proof.rp_id,
            expected_origin=proof.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ReceiptError, ValueError) as error:
        raise MandateError(f"the passkey does not prove it: {error}", code="bad_passkey") from error
    return found.new_sign_count
