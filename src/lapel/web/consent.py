"""The JSON API of consent: the keys that a user signs with."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce.consent import KEY_LEAD_S, PublicUserKey, Vault, public_keys
from lapel.store import Store
from lapel.web.api import Answer, Api


class ConsentApi:
    """Only a signed-in session reaches this: no device's link, and no model."""

    def __init__(self, api: Api, store: Store, vault: Vault) -> None:
        self._api = api
        self._store = store
        self._vault = vault

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/keys", self._keys),
            route("/api/keys/rotate", self._rotate, "POST"),
        ]

    async def _keys(self, _: Request, user_id: str) -> Response:
        found = await self._store.read(lambda c: public_keys(c, user_id))
        return JSONResponse([_key(key) for key in found])

    async def _rotate(self, request: Request, user_id: str) -> Response:
        """The new key, and `signs_from` (seconds since 1970): with `?now` it signs at once."""
        at = time.time()
        lead_s = 0.0 if "now" in request.query_params else KEY_LEAD_S
        await self._store.write(lambda c: self._vault.rotate(c, user_id, at, lead_s=lead_s))
        found = await self._store.read(lambda c: public_keys(c, user_id))
        return JSONResponse({**_key(found[0]), "signs_from": at + lead_s})


def _key(key: PublicUserKey) -> Answer:
    return {
        "id": key.id,
        "jwk": dict(key.jwk) | {"kid": key.id, "alg": "ES256", "use": "sig"},
        "created_at": key.created_at,
        "retired_at": key.retired_at,
    }
