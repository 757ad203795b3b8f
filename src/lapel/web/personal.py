"""The JSON API of reminders, timers and notes."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.assistant.personal import Wording, Words, answer_when
from lapel.services.personal import (
    AlreadyPast,
    Kind,
    Moment,
    Note,
    Notes,
    Reminder,
    Reminders,
    TooMany,
    resolve,
)
from lapel.web.api import LARGEST, Answer, Api
from lapel.web.gate import body_of, refused


class _NewReminder(msgspec.Struct):
    """`when` as it is said ("tomorrow at 9", "every weekday at 8") or an ISO 8601 time."""

    text: str
    when: str


class _NewNote(msgspec.Struct):
    text: str


class PersonalApi:
    """The user's own, under /api/reminders and /api/notes."""

    def __init__(
        self, api: Api, reminders: Reminders, notes: Notes, words: Words, zone: ZoneInfo
    ) -> None:
        self._api = api
        self._reminders = reminders
        self._notes = notes
        self._words = words
        self._zone = zone
        self._wording = Wording(words, zone)

    def routes(self) -> list[Route]:
        route = self._api.route
        return [
            route("/api/reminders", self._list),
            route("/api/reminders", self._add, "POST"),
            route("/api/reminders/{reminder}", self._cancel, "DELETE"),
            route("/api/notes", self._list_notes),
            route("/api/notes", self._add_note, "POST"),
            route("/api/notes/{note}", self._remove_note, "DELETE"),
        ]

    async def _list(self, _: Request, user_id: str) -> Response:
        rows = await self._reminders.waiting(user_id)
        return JSONResponse([self._shown(row) for row in rows])

    async def _add(self, request: Request, user_id: str) -> Response:
        wanted = msgspec.json.decode(await body_of(request, LARGEST), type=_NewReminder)
        if not wanted.text.strip():
            return refused("a reminder needs a text", "empty", 400)
        try:
            moment = self._moment(wanted.when)
            if moment is None:
                return refused(
                    f"{wanted.when!r} is no time; say, for example, 'tomorrow at 9', 'in two "
                    "hours', 'every weekday at 8' or '2027-01-31T18:00'",
                    "unknown_time",
                    400,
                )
            row = await self._reminders.add(
                user_id, Kind.REMINDER, wanted.text.strip(), moment, self._zone
            )
        except (AlreadyPast, TooMany) as error:
            return refused(str(error), error.code, 400)
        return JSONResponse(self._shown(row))

    def _moment(self, said: str) -> Moment | None:
        now = time.time()
        when = answer_when(said, self._words)
        if when is not None:
            return resolve(when, now, self._zone)
        try:
            named = datetime.fromisoformat(said.strip())
        except ValueError:
            return None
        if named.tzinfo is None:
            named = named.replace(tzinfo=self._zone)
        if named.timestamp() <= now:
            raise AlreadyPast("that has already passed")
        return Moment(named.timestamp())

    async def _cancel(self, request: Request, user_id: str) -> Response:
        if not await self._reminders.cancel(user_id, request.path_params["reminder"]):
            return refused("no such reminder waits", "not_found", 404)
        return Response(status_code=204)

    async def _list_notes(self, _: Request, user_id: str) -> Response:
        return JSONResponse([_note(note) for note in await self._notes.all(user_id)])

    async def _add_note(self, request: Request, user_id: str) -> Response:
        wanted = msgspec.json.decode(await body_of(request, LARGEST), type=_NewNote)
        if not wanted.text.strip():
            return refused("a note needs a text", "empty", 400)
        try:
            note = await self._notes.add(user_id, wanted.text.strip())
        except TooMany as error:
            return refused(str(error), error.code, 400)
        return JSONResponse(_note(note))

    async def _remove_note(self, request: Request, user_id: str) -> Response:
        if not await self._notes.remove(user_id, request.path_params["note"]):
            return refused("there is no such note", "not_found", 404)
        return Response(status_code=204)

    def _shown(self, row: Reminder) -> Answer:
        return {
            "id": row.id,
            "kind": row.kind.value,
            "text": row.text,
            "due_at": row.due_at,
            "when": self._wording.when(row, time.time()),
            "rule": row.rule,
        }


def _note(note: Note) -> Answer:
    return {"id": note.id, "text": note.text, "created_at": note.created_at}
