"""The JSON API of passkeys: add, list, remove, and agree with one to a question that takes it."""

from __future__ import annotations

import ipaddress
import json
import time
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.assistant import (
    House,
    approval_topic,
    limit_settled,
    limit_topic,
    plan_agreed,
    plan_question_id,
)
from lapel.commerce import (
    ApprovalError,
    Evidence,
    LimitError,
    Orders,
    Passkey,
    PasskeyError,
    PlanError,
    Plans,
    RelyingParty,
)
from lapel.commerce.passkeys import proof_of
from lapel.devices import Card, Cue, CueKind
from lapel.web.api import LARGEST, Answer, Api
from lapel.web.gate import body_of, refused

NAME_MOST = 60


class _New(msgspec.Struct, forbid_unknown_fields=True):
    """`credential` is what the browser made, as `PublicKeyCredential.toJSON` gives it."""

    name: str
    credential: dict[str, object]


class _Signed(msgspec.Struct):
    authenticatorData: str  # WebAuthn's own names
    clientDataJSON: str
    signature: str


class _Assertion(msgspec.Struct):
    id: str
    response: _Signed


class _Question(msgspec.Struct, frozen=True):
    """What a passkey is asked about: `agreed` is the hash of all that the user was shown."""

    id: str
    topic: str
    agreed: str


def relying_party(url: str) -> RelyingParty | None:
    """Where passkeys are used; None for an address by number, which cannot have any.

    Loopback is called localhost, as WebAuthn wants it.
    """
    found = urlsplit(url)
    host = found.hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host
    else:
        if not address.is_loopback:
            return None
        name = "localhost"
    if not name or (found.scheme != "https" and name != "localhost"):
        return None
    port = f":{found.port}" if found.port else ""
    return RelyingParty(name, f"{found.scheme}://{name}{port}")


class PasskeysApi:
    """Only a signed-in session reaches this. The proof itself is judged where the record is."""

    def __init__(
        self, api: Api, orders: Orders, plans: Plans, house: House, party: RelyingParty | None
    ) -> None:
        self._api = api
        self._orders = orders
        self._plans = plans
        self._passkeys = orders.passkeys
        self._house = house
        self._party = party

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/passkeys", self._list),
            route("/api/passkeys/offer", self._offer, "POST"),
            route("/api/passkeys", self._add, "POST"),
            route("/api/passkeys/{passkey}", self._remove, "DELETE"),
            route("/api/passkeys/ask/{kind}/{question}", self._ask, "POST"),
            route("/api/passkeys/agree/{kind}/{question}", self._agree, "POST"),
        ]

    async def _list(self, _: Request, user_id: str) -> Response:
        return JSONResponse([_row(key) for key in await self._passkeys.of(user_id)])

    async def _offer(self, _: Request, user_id: str) -> Response:
        if self._party is None:
            return _no_party()
        options = await self._passkeys.offer(user_id, f"Lapel on {self._party.id}", self._party)
        return _options(self._party, options)

    async def _add(self, request: Request, user_id: str) -> Response:
        if self._party is None:
            return _no_party()
        new = msgspec.json.decode(await body_of(request, LARGEST), type=_New)
        name = " ".join(new.name.split())[:NAME_MOST] or "Passkey"
        try:
            key = await self._passkeys.add(user_id, new.credential, name, self._party)
        except PasskeyError as error:
            return refused(error.text, error.code, 400)
        await self._notice(user_id, key, "added", f"The passkey {name!r} was added.")
        return JSONResponse(_row(key), 201)

    async def _remove(self, request: Request, user_id: str) -> Response:
        try:
            key = await self._passkeys.remove(user_id, request.path_params["passkey"])
        except PasskeyError as error:
            return refused(error.text, "not_found", 404)
        await self._notice(user_id, key, "removed", f"The passkey {key.name!r} was removed.")
        return Response(status_code=204)

    async def _notice(self, user_id: str, key: Passkey, what: str, text: str) -> None:
        """Who did not do this must hear of it."""
        topic = f"passkey:{key.id}:{what}:{time.time_ns()}"
        card = Card(title="Passkeys", body=text)
        cue = Cue(id=topic, topic=topic, kind=CueKind.NOTICE, speech=text, card=card)
        await self._house.tell(user_id, [cue])

    async def _ask(self, request: Request, user_id: str) -> Response:
        if self._party is None:
            return _no_party()
        question = await self._question(request, user_id)
        if question is None:
            return _gone()
        options = await self._passkeys.ask(user_id, question.id, question.agreed, self._party)
        return _options(self._party, options)

    async def _agree(self, request: Request, user_id: str) -> Response:
        if self._party is None:
            return _no_party()
        question = await self._question(request, user_id)
        if question is None:
            return _gone()
        given = msgspec.json.decode(await body_of(request, LARGEST), type=_Assertion)
        keys = {key.credential_id: key for key in await self._passkeys.of(user_id)}
        key = keys.get(given.id)
        if key is None:
            return refused("that is no passkey of yours", "bad_passkey", 400)
        evidence = self._evidence(user_id, question, key, self._party, given.response)
        try:
            await self._decide(request.path_params["kind"], user_id, question, evidence)
        except (ApprovalError, LimitError, PlanError) as error:
            return refused(error.text, error.code, 400)
        return Response(status_code=204)

    def _evidence(
        self,
        user_id: str,
        question: _Question,
        key: Passkey,
        party: RelyingParty,
        signed: _Signed,
    ) -> Evidence:
        assistant = self._house.assistants.get(user_id)
        told = assistant.telling.told(question.topic) if assistant is not None else None
        return Evidence(
            device_id=key.id,
            device_name=key.name,
            family="passkey",
            gesture="passkey",
            at=time.time(),
            shown_on=told.shown_on if told else (),
            read_aloud_on=told.read_on if told else (),
            passkey=proof_of(
                key, party, signed.authenticatorData, signed.clientDataJSON, signed.signature
            ),
        )

    async def _decide(
        self, kind: str, user_id: str, question: _Question, evidence: Evidence
    ) -> None:
        if kind == "approval":
            await self._orders.decide(
                question.id, "approve", evidence, checkout_hash=question.agreed, user_id=user_id
            )
            return
        if kind == "plan":
            await self._plans.decide(
                question.id, "approve", evidence, plan_hash=question.agreed, user_id=user_id
            )
            await self._house.tell(user_id, [plan_agreed(question.id)])
            return
        limit = await self._orders.standing.decide(
            question.id, "approve", evidence, terms_hash=question.agreed, user_id=user_id
        )
        await self._house.tell(user_id, [limit_settled(limit)])

    async def _question(self, request: Request, user_id: str) -> _Question | None:
        """The question of this user that waits for an answer."""
        id = request.path_params["question"]
        if request.path_params["kind"] == "approval":
            for asked in await self._orders.pending_approvals(user_id):
                if asked.id == id and not asked.limit_id:
                    return _Question(id, approval_topic(id), asked.checkout_hash)
        if request.path_params["kind"] == "plan":
            for plan in await self._plans.asked(user_id):
                if plan.id == id:
                    return _Question(id, plan_question_id(plan), plan.hash())
        if request.path_params["kind"] == "limit":
            for limit in await self._orders.standing.asked(user_id):
                if limit.id == id:
                    return _Question(id, limit_topic(id), limit.terms.hash())
        return None


def _options(party: RelyingParty, options: str) -> Response:
    """With the address at which a browser must be to use them."""
    return JSONResponse({"origin": party.origin, "options": json.loads(options)})


def _row(key: Passkey) -> Answer:
    return {
        "id": key.id,
        "name": key.name,
        "rp_id": key.rp_id,
        "created_at": key.created_at,
        "used_at": key.used_at,
    }


def _gone() -> Response:
    return refused("that question waits for no answer any more", "not_found", 404)


def _no_party() -> Response:
    return refused(
        "passkeys need a name with TLS, or localhost: set server.public_url", "no_name", 400
    )
