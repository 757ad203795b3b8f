"""The MCP servers that this Lapel knows, and calls of their tools."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from lapel.commerce.ports import Nonsense
from lapel.services.connected.model import Failed, Outcome, Server, ServerError, Tool, ToolCall
from lapel.services.urls import check
from lapel.store import Store, schema

if TYPE_CHECKING:
    from lapel.services.connected.connection import Line

_NAME = re.compile(r"[a-z][a-z0-9 ]{0,30}")

Commands = Callable[[], Mapping[str, Sequence[str]]]
"""Programs that may be started, by name. They come from a file of the data folder, so that who
writes them can write there: a token for the API is not enough to run programs."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A server as it is now; `trouble` says why it cannot be talked to."""

    server: Server
    trouble: str = ""


class Servers:
    """`close` ends every line; a server that is dead is still known."""

    def __init__(self, store: Store, commands: Commands, clock: Callable[[], float]) -> None:
        self._store = store
        self._commands = commands
        self._clock = clock
        self._lines: dict[str, Line] = {}
        self._known: tuple[Server, ...] | None = None

    async def all(self) -> tuple[Server, ...]:
        """Every server, in the order they were added."""
        if self._known is not None:
            return self._known
        table = schema.mcp_servers
        query = sa.select(table.c.body).order_by(table.c.added_at, table.c.id)
        texts = await self._store.read(lambda at: list(at.scalars(query)))
        self._known = tuple(msgspec.json.decode(text, type=Server) for text in texts)
        return self._known

    async def named(self, name: str) -> Server:
        """ServerError (`unknown_server`) where there is none of that name or id."""
        for server in await self.all():
            if name.casefold() in (server.name, server.id):
                return server
        raise ServerError(f"there is no service {name!r}", code="unknown_server")

    async def add(self, *, url: str = "", name: str = "", token: str = "") -> Server:
        """Get to know a server at a URL, or the program of that name. It must answer now."""
        command: tuple[str, ...] = ()
        if url:
            try:
                check(url)
            except Nonsense as error:
                raise ServerError(error.text, code="bad_url") from error
        else:
            command = tuple(self._commands().get(name, ()))
            if not command:
                raise ServerError(f"there is no program for {name!r}", code="no_command")
        known = await self.all()
        before = next((x for x in known if (x.url, x.command) == (url, command)), None)
        now = self._clock()
        server = Server(
            before.id if before else f"s_{secrets.token_hex(6)}",
            name,
            url,
            command,
            token or (before.token if before else ""),
            added_at=before.added_at if before else now,
        )
        await self._hang_up(server.id)
        told, tools = await self._tools(server)
        called = " ".join(re.sub(r"[^a-z0-9]+", " ", (name or told).lower()).split())[:31]
        if not _NAME.fullmatch(called):
            raise ServerError("give it a name of letters: --name", code="bad_name")
        if any(x.name == called and x.id != server.id for x in known):
            raise ServerError(f"there is a service {called!r} already", code="name_taken")
        made = msgspec.structs.replace(server, name=called, tools=tools, seen_at=now)
        await self._keep(made)
        return made

    async def check(self, name: str) -> Checked:
        """Ask a known server for its tools again; its trouble is in the answer."""
        server = await self.named(name)
        try:
            _, tools = await self._tools(server)
        except ServerError as error:
            return Checked(server, error.text)
        fresh = msgspec.structs.replace(server, tools=tools, seen_at=self._clock())
        await self._keep(fresh)
        return Checked(fresh)

    async def remove(self, name: str) -> Server:
        """Forget a server; what was asked of it stays in the record."""
        server = await self.named(name)
        table = schema.mcp_servers
        gone = sa.delete(table).where(table.c.id == server.id)
        await self._store.write(lambda at: at.execute(gone))
        self._known = None
        await self._hang_up(server.id)
        return server

    async def call(self, call: ToolCall, content: dict[str, Any] | None = None) -> Outcome:
        """Call the tool once. `content` answers the server's question, if it has asked one."""
        from lapel.services.connected.connection import Dead, Request, answer_to

        try:
            server = await self.named(call.server_id)
        except ServerError as error:
            return Failed(error.text)
        if server.where != call.where:
            return Failed("The service has moved since you were asked, so I did not use it.")
        answers = None if call.question is None else answer_to(call.question.key, content)
        request = Request(call.tool, call.mark, call.arguments, answers, call.request_state)
        try:
            return await self._line(server).call(request)
        except Dead as error:
            return Failed(str(error), unknown=error.sent)

    async def read(self, server: Server, tool: str, arguments: dict[str, Any]) -> str:
        """What a tool that only reads says, for a program. ServerError: `dead_server`, `refused`.

        For services that know a server's tools by name, such as maps; never for the user's words.
        """
        from lapel.services.connected.connection import Dead, Refusal

        try:
            return await self._line(server).read(tool, arguments)
        except Dead as error:
            raise ServerError(f"{server.name}: {error}", code="dead_server") from error
        except Refusal as error:
            raise ServerError(f"{server.name}: {error}", code="refused") from error

    async def close(self) -> None:
        for server_id in list(self._lines):
            await self._hang_up(server_id)

    async def _tools(self, server: Server) -> tuple[str, tuple[Tool, ...]]:
        from lapel.services.connected.connection import Dead

        try:
            told, tools = await self._line(server).tools()
        except Dead as error:
            raise ServerError(
                f"{server.where} cannot be used: {error}", code="dead_server"
            ) from error
        if not tools:
            raise ServerError(f"{server.where} has no tools", code="no_tools")
        return told, tools

    def _line(self, server: Server) -> Line:
        from lapel.services.connected.connection import Line

        return self._lines.setdefault(server.id, Line(server))

    async def _hang_up(self, server_id: str) -> None:
        line = self._lines.pop(server_id, None)
        if line is not None:
            await line.close()

    async def _keep(self, server: Server) -> None:
        def write(at: sa.Connection) -> None:
            table = schema.mcp_servers
            at.execute(sa.delete(table).where(table.c.id == server.id))
            body = msgspec.json.encode(server).decode()
            at.execute(sa.insert(table).values(id=server.id, body=body, added_at=server.added_at))

        await self._store.write(write)
        self._known = None
