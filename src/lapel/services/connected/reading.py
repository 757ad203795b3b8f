"""What a server says, in our own terms: its tools, its answers, its questions. All of it is text
of somebody else's: cleaned, cut, and never more than shown.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import msgspec

from lapel.services.connected.model import TEXT, TOOLS, Field, Question, Tool
from lapel.services.connectors.ucp.refusals import plain

if TYPE_CHECKING:
    import mcp_types as types

_TITLE = 60
_DESCRIPTION = 300
_FIELDS = 40
Json = dict[str, Any]
_ACTS = frozenset({
    "approve", "book", "buy", "cancel", "create", "delete", "drop", "erase", "execute", "lock",
    "move", "overwrite", "pay", "purchase", "reboot", "remove", "rename", "reset", "send", "set",
    "sign", "submit", "subscribe", "switch", "transfer", "turn", "unlock", "unsubscribe",
    "update", "wipe", "write",
})  # fmt: skip
"""What a tool that only reads is not called."""


def tools_of(listed: Iterable[types.Tool]) -> tuple[Tool, ...]:
    """The first `TOOLS` of them; a tool is free only where the server says that it reads only."""
    return tuple(_tool(tool) for tool, _ in zip(listed, range(TOOLS), strict=False))


def _tool(tool: types.Tool) -> Tool:
    hints = tool.annotations
    title = tool.title or (hints.title if hints else None) or ""
    whole = msgspec.json.encode(
        [tool.name, tool.description, tool.input_schema, hints.model_dump() if hints else None],
        order="deterministic",
    )
    return Tool(
        name=tool.name[:200],
        title=plain(title, _TITLE),
        description=plain(tool.description or "", _DESCRIPTION),
        free=_only_reads(tool, title),
        destructive=bool(hints and hints.destructive_hint),
        outside=bool(hints and hints.open_world_hint),
        fields=fields_of(tool.input_schema),
        mark=hashlib.sha256(whole).hexdigest()[:32],
    )


def _only_reads(tool: types.Tool, title: str) -> bool:
    """As the server says, unless it says the contrary too, or calls the tool like an act."""
    hints = tool.annotations
    if not hints or hints.read_only_hint is not True or hints.destructive_hint:
        return False
    return not any(_first_word(name) in _ACTS for name in (tool.name, title))


def _first_word(name: str) -> str:
    found = re.search(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return found[0].lower() if found else ""


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The properties of an object schema, the required ones marked."""
    properties = schema.get("properties")
    required = schema.get("required")
    listed = cast("list[object]", required) if isinstance(required, list) else []
    names = {str(name) for name in listed}
    if not isinstance(properties, dict):
        return ()
    found = list(cast("Json", properties).items())[:_FIELDS]
    return tuple(_field(str(name), value, str(name) in names) for name, value in found)


def _field(name: str, schema: object, required: bool) -> Field:
    about = cast("Json", schema) if isinstance(schema, dict) else {}
    kind = about.get("type")
    if isinstance(kind, list):  # ["string", "null"]
        kind = next((x for x in cast("list[object]", kind) if x != "null"), None)
    if kind is None and isinstance(about.get("anyOf"), list):
        options = [cast("Json", x) for x in about["anyOf"] if isinstance(x, dict)]
        kind = next((x.get("type") for x in options if x.get("type") != "null"), None)
    choices = about.get("enum")
    words = [str(x) for x in cast("list[object]", choices)] if isinstance(choices, list) else []
    return Field(
        name=name[:100],
        kind=kind if isinstance(kind, str) else "object",
        title=plain(str(about.get("title") or ""), _TITLE).lower(),
        required=required,
        choices=tuple(plain(word, _TITLE) for word in words[:50]),
    )


def text_of(content: Sequence[types.ContentBlock]) -> str:
    """The text of an answer; pictures and sounds are only mentioned."""
    parts: list[str] = []
    for block in content:
        if block.type == "text":
            parts.append(block.text)
        else:
            parts.append(f"({block.type})")
    return kept("\n".join(parts))


def kept(text: str) -> str:
    """Without control characters, line by line, and not for ever."""
    lines = [" ".join(line.split()) for line in text[: 4 * TEXT].splitlines()]
    clean = "\n".join(
        "".join(letter for letter in line if letter.isprintable()) for line in lines if line
    )
    return clean if len(clean) <= TEXT else clean[: TEXT - 1] + "…"


def question_of(requests: Mapping[str, object]) -> Question | None:
    """The one question that the user can answer in words or by a gesture; None for all others.

    More than one at a time, a page to open, a model to ask: Lapel does none of these for a server.
    """
    if len(requests) != 1:
        return None
    [(key, request)] = requests.items()
    if getattr(request, "method", "") != "elicitation/create":
        return None
    params: Any = getattr(request, "params", None)
    schema = getattr(params, "requested_schema", None)
    if schema is None:
        return None
    asked = cast("Json", schema if isinstance(schema, dict) else schema.model_dump(by_alias=True))
    return Question(key, plain(str(params.message), _DESCRIPTION), fields_of(asked))
