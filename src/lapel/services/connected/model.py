"""Servers, their tools, and one call of a tool from the words to the answer."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

import msgspec

from lapel.commerce.ports import Refused

TOOLS = 100
"""Tools of one server that are looked at."""
TEXT = 4_000
"""Characters kept of an answer; more is cut, and said to be."""


class ServerError(Refused):
    """A clear no about a server. Codes: `unknown_server`, `name_taken`, `bad_name`, `bad_url`,
    `no_command`, `dead_server`, `no_tools`.
    """

    code = "server_error"


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """One argument of a tool, or one answer to a question of a server's.

    `kind` is a JSON type; `object` and `array` cannot be filled by words.
    """

    name: str
    kind: str
    title: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        return self.title or self.name.replace("_", " ").replace("-", " ")


class Tool(msgspec.Struct, frozen=True, omit_defaults=True):
    """`free` tools only read, as their server declares; every other one needs a yes on a device.

    A hint of the server's that makes a tool look milder is believed in this one point alone, and
    not where the tool is called like an act. What makes it look graver is always said.
    `mark` is a hash of all that the server says of the tool: a yes is for that tool alone.
    """

    name: str
    title: str = ""
    description: str = ""
    free: bool = False
    destructive: bool = False
    """The server says that it may delete or overwrite something."""
    outside: bool = False
    """The server says that it reaches others, beyond what belongs to it."""
    fields: tuple[Field, ...] = ()
    mark: str = ""

    @property
    def called(self) -> str:
        return (self.title or self.name).replace("_", " ").replace("-", " ").strip()


class Server(msgspec.Struct, frozen=True, omit_defaults=True):
    """`command` is empty for a server at a `url`. `tools` are those that it listed last."""

    id: str
    name: str
    url: str = ""
    command: tuple[str, ...] = ()
    token: str = ""
    tools: tuple[Tool, ...] = ()
    added_at: float = 0.0
    seen_at: float = 0.0

    @property
    def where(self) -> str:
        return self.url or " ".join(self.command)


class State(StrEnum):
    ASKING = "asking"
    """For the user's yes."""
    RUNNING = "running"
    QUESTIONED = "questioned"
    """The server wants to know something more; the user is asked."""
    DONE = "done"
    FAILED = "failed"
    """It did not happen, or the server says that it went wrong."""
    UNKNOWN = "unknown"
    """It was begun, and how it ended is not known. It is never tried again by itself."""
    REFUSED = "refused"
    LAPSED = "lapsed"


class Question(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a server asks in the middle of a call (MCP elicitation). `key` is its own name for it.

    With one required boolean alone it is a question for consent, answered by a gesture.
    """

    key: str
    text: str
    fields: tuple[Field, ...] = ()

    @property
    def is_consent(self) -> bool:
        return len(self.fields) == 1 and self.fields[0].kind == "boolean"


class ToolCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """One call. `arguments` is all that is sent, `said` the user's words."""

    id: str
    user_id: str
    server_id: str
    server_name: str
    tool: str
    tool_called: str
    mark: str
    arguments: dict[str, Any]
    said: str
    state: State
    asked_at: float
    expires_at: float = 0.0
    began_at: float = 0.0
    """When it was last sent to the server."""
    where: str = ""
    destructive: bool = False
    outside: bool = False
    """What the server said of the tool, as in `Tool`."""
    question: Question | None = None
    request_state: str = ""
    text: str = ""
    evidence: str = ""

    def hash(self) -> str:
        """SHA-256 (hex) over what a yes is for: where, which tool, with which arguments.

        Once the server has asked for consent, its question is part of it.
        """
        agreed = [
            self.server_id,
            self.where,
            self.tool,
            self.mark,
            sorted(self.arguments.items()),
            None if self.question is None else [self.question.key, self.question.text],
        ]
        return hashlib.sha256(msgspec.json.encode(agreed, order="deterministic")).hexdigest()


class Answered(msgspec.Struct, frozen=True):
    """The tool has run; `text` is the server's own, cleaned and cut."""

    text: str


class Asks(msgspec.Struct, frozen=True):
    """The server wants to know something before it goes on."""

    question: Question
    request_state: str


class Failed(msgspec.Struct, frozen=True):
    """`unknown`: it may have happened all the same."""

    text: str
    unknown: bool = False


Outcome = Answered | Asks | Failed
