"""The JSON API of contacts, and where a picture of a code is sent to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.assistant import PaySkill
from lapel.commerce import Money, OrderError, PortError, Refused
from lapel.services import Contact, ContactError, Contacts, Pay, PictureError, Scanned, codes_in
from lapel.services.pictures import LARGEST as LARGEST_PICTURE
from lapel.web.api import LARGEST, Answer, Api
from lapel.web.gate import body_of, refused

PICTURE = "image/x-portable-graymap"


class _NewContact(msgspec.Struct):
    name: str
    handle: str
    aliases: tuple[str, ...] = ()


class _Code(msgspec.Struct):
    """What a device has read itself; `amount` in minor units where the code leaves it open."""

    code: Annotated[str, msgspec.Meta(max_length=8192)]
    amount: Annotated[int, msgspec.Meta(gt=0, le=10**7)] | None = None


class PayApi:
    """The user's own, under /api/contacts and /api/scan.

    `skill_of` gives the user's dialogue, which asks what is missing; `ask` makes the user hear it.
    """

    def __init__(
        self,
        api: Api,
        pay: Pay,
        contacts: Contacts,
        skill_of: Callable[[str], PaySkill],
        ask: Callable[[str, str], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._api = api
        self._pay = pay
        self._contacts = contacts
        self._skill_of = skill_of
        self._ask = ask
        self._clock = clock

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/contacts", self._list),
            route("/api/contacts", self._add, "POST"),
            route("/api/contacts/{contact}", self._remove, "DELETE"),
            route("/api/scan", self._scan, "POST"),
        ]

    async def _list(self, _: Request, user_id: str) -> Response:
        return JSONResponse([_contact(x) for x in await self._contacts.all(user_id)])

    async def _add(self, request: Request, user_id: str) -> Response:
        asked = msgspec.json.decode(await body_of(request, LARGEST), type=_NewContact)
        try:
            party = (await self._pay.payee(asked.handle)).party
            saved = await self._contacts.save(
                user_id, asked.name, party.handle, party.name, asked.aliases
            )
        except ContactError as error:
            return refused(error.text, error.code, 409 if error.code == "taken" else 400)
        except PortError as error:
            return _port_error(error)
        return JSONResponse(_contact(saved), 201)

    async def _remove(self, request: Request, user_id: str) -> Response:
        if not await self._contacts.remove(user_id, request.path_params["contact"]):
            return refused("there is no such contact", "unknown", 404)
        return Response(status_code=204)

    async def _scan(self, request: Request, user_id: str) -> Response:
        """Propose what a code asks for. Whatever it says, nothing is paid without a yes."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        try:
            if kind == PICTURE:
                found = await codes_in(await body_of(request, LARGEST_PICTURE))
                if len(found) != 1:
                    text = "there is no QR code in that picture" if not found else "one at a time"
                    return refused(text, "no_code" if not found else "several_codes", 422)
                code, said = found[0], request.query_params.get("amount", "")
                amount = int(said) if said.isdecimal() and 0 < int(said) <= 10**7 else None
            else:
                asked = msgspec.json.decode(await body_of(request, LARGEST), type=_Code)
                code, amount = asked.code, asked.amount
            return await self._propose(user_id, await self._pay.code(code), amount)
        except PictureError as error:
            return refused(str(error), "bad_picture", 415)
        except (OrderError, PortError) as error:
            return _port_error(error)

    async def _propose(self, user_id: str, found: Scanned, amount: int | None) -> Response:
        if found.amount is None and amount is not None:
            found = replace(found, amount=Money(amount, found.currency))
        outcome = await self._skill_of(user_id).scanned(found, self._clock())
        if outcome.text:
            await self._ask(user_id, outcome.text)
        party = found.payee.party
        shown: Answer = {
            "payee": {"handle": party.handle, "name": party.name},
            "amount": None if found.amount is None else found.amount.minor,
            "currency": found.currency,
            "note": found.note,
            "order": outcome.awaited,
            "question": outcome.text,
        }
        return JSONResponse(shown, 202)


def _contact(contact: Contact) -> Answer:
    return {
        "id": contact.id,
        "name": contact.name,
        "aliases": list(contact.aliases),
        "handle": contact.handle,
        "bank_name": contact.bank_name,
    }


def _port_error(error: PortError | OrderError) -> Response:
    status = 422 if isinstance(error, Refused | OrderError) else 502
    return refused(error.text, error.code, status)
