"""Passkeys (WebAuthn): added by their user, asked for what a press is not enough for."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from lapel.commerce.consent.assertions import challenge_for, check_assertion
from lapel.commerce.desk import Clock
from lapel.commerce.errors import MandateError, PasskeyError
from lapel.commerce.journal import Journal
from lapel.commerce.keys import base64url, from_base64url
from lapel.commerce.order import Evidence, OrderEvent, PasskeyProof
from lapel.store import schema

CHALLENGE_S = 300.0
MOST = 20
"""Passkeys of one user."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Where passkeys are used: the host of the gateway's address, and the address itself."""

    id: str
    origin: str
    name: str = "Lapel"


@dataclass(frozen=True, slots=True)
class Passkey:
    """`id` is Lapel's, a hash of the credential's; times are seconds since 1970."""

    id: str
    user_id: str
    name: str
    credential_id: str
    public_key: str
    rp_id: str
    sign_count: int
    created_at: float
    used_at: float | None


class Passkeys:
    """The passkeys of all users. What is offered to a browser is in WebAuthn's JSON form."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._challenges: dict[str, tuple[bytes, float]] = {}
        """Of registrations under way, one a user, good once."""

    async def of(self, user_id: str) -> list[Passkey]:
        return await self._journal.read(lambda c: passkeys_of(c, user_id))

    async def offer(self, user_id: str, user_name: str, party: RelyingParty) -> str:
        """What a browser needs to make a passkey for this user."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        known = await self.of(user_id)
        challenge = secrets.token_bytes(32)
        self._challenges[user_id] = (challenge, self._clock() + CHALLENGE_S)
        options = generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_name=user_name,
            user_id=hashlib.sha256(user_id.encode()).digest(),
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=from_base64url(key.credential_id)) for key in known
            ],
        )
        return options_to_json(options)

    async def add(
        self, user_id: str, credential: dict[str, object], name: str, party: RelyingParty
    ) -> Passkey:
        """Keep the passkey that a browser made for the last offer. Raises `PasskeyError`."""
        from webauthn import verify_registration_response
        from webauthn.helpers.exceptions import WebAuthnException

        challenge, until = self._challenges.pop(user_id, (b"", 0.0))
        now = self._clock()
        if now >= until:
            raise PasskeyError("that took too long: begin again", code="no_challenge")
        try:
            made = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=party.id,
                expected_origin=party.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, TypeError) as error:
            text = f"the browser's passkey is not one that can be used: {error}"
            raise PasskeyError(text, code="bad_passkey") from error
        passkey = Passkey(
            id=hashlib.sha256(made.credential_id).hexdigest()[:32],
            user_id=user_id,
            name=name,
            credential_id=base64url(made.credential_id),
            public_key=base64url(made.credential_public_key),
            rp_id=party.id,
            sign_count=made.sign_count,
            created_at=now,
            used_at=None,
        )
        await self._journal.commit(lambda c: (_insert(c, passkey), []))
        return passkey

    async def remove(self, user_id: str, passkey_id: str) -> Passkey:
        """Forget it; what it has signed stays provable. Raises `PasskeyError` (`unknown`)."""

        def work(connection: sa.Connection) -> tuple[Passkey, list[OrderEvent]]:
            found = next((x for x in passkeys_of(connection, user_id) if x.id == passkey_id), None)
            if found is None:
                raise PasskeyError(f"you have no passkey {passkey_id!r}", code="unknown")
            connection.execute(sa.delete(schema.passkeys).where(schema.passkeys.c.id == passkey_id))
            return found, []

        return await self._journal.commit(work)

    async def ask(
        self, user_id: str, question_id: str, agreed_hash: str, party: RelyingParty
    ) -> str:
        """What a browser needs to answer a question with one of the user's passkeys."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import (
            PublicKeyCredentialDescriptor,
            UserVerificationRequirement,
        )

        options = generate_authentication_options(
            rp_id=party.id,
            challenge=challenge_for(question_id, agreed_hash),
            allow_credentials=[
                PublicKeyCredentialDescriptor(id=from_base64url(key.credential_id))
                for key in await self.of(user_id)
                if key.rp_id == party.id
            ],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)


def passkeys_of(connection: sa.Connection, user_id: str) -> list[Passkey]:
    """The user's passkeys, the oldest first."""
    table = schema.passkeys
    rows = connection.execute(
        sa.select(table).where(table.c.user_id == user_id).order_by(table.c.created_at, table.c.id)
    )
    return [Passkey(**row) for row in rows.mappings()]


def proved(
    connection: sa.Connection,
    user_id: str,
    evidence: Evidence,
    question_id: str,
    agreed_hash: str,
    at: float,
    *,
    again: bool = False,
) -> bool:
    """Whether a passkey of the user's gave this answer; its count is moved on.

    `again` looks once more at an answer that was proved before: its count is not new any more.
    Raises `MandateError` (`bad_passkey`) for evidence that claims so and does not prove it.
    """
    proof = evidence.passkey
    if proof is None:
        return False
    known = {key.credential_id: key for key in passkeys_of(connection, user_id)}
    key = known.get(proof.credential_id)
    if key is None or (key.public_key, key.rp_id) != (proof.public_key, proof.rp_id):
        raise MandateError("that is no passkey of yours", code="bad_passkey")
    challenge = challenge_for(question_id, agreed_hash)
    count = check_assertion(proof, challenge, sign_count=0 if again else key.sign_count)
    if again:
        return True
    connection.execute(
        sa.update(schema.passkeys)
        .where(schema.passkeys.c.id == key.id)
        .values(sign_count=count, used_at=at)
    )
    return True


def proof_of(
    key: Passkey, party: RelyingParty, authenticator_data: str, client_data: str, signature: str
) -> PasskeyProof:
    """The proof out of what a browser's assertion holds, for `proved` to judge."""
    return PasskeyProof(
        credential_id=key.credential_id,
        public_key=key.public_key,
        authenticator_data=authenticator_data,
        client_data=client_data,
        signature=signature,
        rp_id=party.id,
        origin=party.origin,
    )


def _insert(connection: sa.Connection, passkey: Passkey) -> None:
    known = passkeys_of(connection, passkey.user_id)
    if len(known) >= MOST:
        raise PasskeyError("there are too many passkeys: remove one first", code="too_many")
    taken = sa.select(schema.passkeys.c.id).where(schema.passkeys.c.id == passkey.id)
    if connection.execute(taken).first() is not None:
        raise PasskeyError("this passkey is known already", code="known")
    connection.execute(
        sa.insert(schema.passkeys).values(
            id=passkey.id,
            user_id=passkey.user_id,
            name=passkey.name,
            credential_id=passkey.credential_id,
            public_key=passkey.public_key,
            rp_id=passkey.rp_id,
            sign_count=passkey.sign_count,
            created_at=passkey.created_at,
        )
    )
