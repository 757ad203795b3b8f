"""Users and their sign-in tokens."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from lapel.store import Store
from lapel.store.schema import sign_in_tokens, users

TOKEN_PREFIX = "lt_"


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    created_at: float


class Accounts(Protocol):
    """Who a sign-in token belongs to."""

    async def verify_token(self, token: str) -> str | None: ...


def secret(prefix: str) -> str:
    """A new secret of 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


def fingerprint(value: str) -> str:
    """What is stored of a secret. A secret has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


class StoredAccounts:
    """Accounts in the store; of a token only its hash is kept."""

    def __init__(self, store: Store, wall_clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._wall_clock = wall_clock

    async def create_user(self, name: str) -> User:
        user = User("u_" + secrets.token_hex(8), name, self._wall_clock())

        def work(connection: sa.Connection) -> None:
            connection.execute(
                users.insert().values(id=user.id, name=user.name, created_at=user.created_at)
            )

        await self._store.write(work)
        return user

    async def users(self) -> list[User]:
        """Everybody, the first one first."""

        def work(connection: sa.Connection) -> list[User]:
            rows = connection.execute(sa.select(users).order_by(users.c.created_at, users.c.id))
            return [User(row.id, row.name, row.created_at) for row in rows]

        return await self._store.read(work)

    async def create_token(self, user_id: str) -> str:
        """A new sign-in token of this user; it cannot be read again."""
        token = secret(TOKEN_PREFIX)
        row = {"hash": fingerprint(token), "user_id": user_id, "created_at": self._wall_clock()}

        def work(connection: sa.Connection) -> None:
            connection.execute(sign_in_tokens.insert().values(row))

        await self._store.write(work)
        return token

    async def verify_token(self, token: str) -> str | None:
        """The user id of a token that is valid."""
        statement = sa.select(sign_in_tokens.c.user_id).where(
            sign_in_tokens.c.hash == fingerprint(token),
            sign_in_tokens.c.revoked_at.is_(None),
        )
        return await self._store.read(lambda connection: connection.scalar(statement))

    async def revoke_token(self, token: str) -> bool:
        """Whether there was such a token to revoke."""
        return await self._revoke(sign_in_tokens.c.hash == fingerprint(token)) > 0

    async def revoke_tokens(self, user_id: str) -> int:
        """Sign the user out everywhere; how many tokens there were."""
        return await self._revoke(sign_in_tokens.c.user_id == user_id)

    async def _revoke(self, which: sa.ColumnElement[bool]) -> int:
        statement = (
            sign_in_tokens.update()
            .where(which, sign_in_tokens.c.revoked_at.is_(None))
            .values(revoked_at=self._wall_clock())
        )
        return await self._store.write(lambda connection: connection.execute(statement).rowcount)
