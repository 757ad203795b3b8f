"""What is shown and said about calls of tools. A server's text is quoted as its own."""

from __future__ import annotations

from collections.abc import Sequence

from lapel.assistant import words
from lapel.assistant.compose import approval_topic
from lapel.devices import Card, CardAction, CardLine, Cue, CueKind, Pattern
from lapel.services.connected import Field, Server, Tool, ToolCall

SPOKEN = 300
"""Characters of an answer that are read out; the card holds more."""
SHOWN = 1_200
NONE = "No services are connected. Add one with: lapel services add, and its address."
NEVER_MIND = "All right, I leave it."
NOT_DONE = "All right, I did not use it."
ASKED = "I ask you first."
WAIT = "I am asking {server}; you hear from me."


def topic_of(call_id: str) -> str:
    return approval_topic(call_id)


def name_of(server: str) -> str:
    return server[:1].upper() + server[1:]


def question(call: ToolCall, *, now: float) -> Cue:
    """Exactly what a yes is for: the server, the tool, every argument, and the server's words."""
    topic = topic_of(call.id)
    lines = [CardLine(name.replace("_", " "), _short(value)) for name, value in _sent(call)]
    asks = call.question
    who = name_of(call.server_name)
    told = ", ".join(f"{line.text} {line.value}" for line in lines)
    if asks is None:
        said = f"May I use {call.tool_called} of {who}{': ' if told else ''}{told}?"
    else:
        said = f"{who} asks: {asks.text}"
    grave = _warning(call) + " " if call.destructive and asks is None else ""
    return Cue(
        id=f"{topic}:{call.hash()[:12]}",
        topic=topic,
        kind=CueKind.APPROVAL,
        speech=f"{said} {grave}Press to allow it, hold to refuse.",
        card=Card(
            title=f"{who}: {call.tool_called}",
            lines=tuple(lines),
            body="" if asks is None else f"{who} asks: “{asks.text}”",
            footer=f"{_warning(call)} Press to allow",
            actions=(CardAction("approve", "Allow"), CardAction("refuse", "No")),
        ),
        haptic=Pattern.PULSE,
        expires_s=max(0.0, call.expires_at - now),
    )


def _warning(call: ToolCall) -> str:
    """What it may do; a server can make this graver, not milder."""
    may = "delete or overwrite something" if call.destructive else "change something"
    return f"It may {may}, and reach others." if call.outside else f"It may {may}."


def answer(call: ToolCall) -> tuple[str, Card]:
    """The server's answer, as its own words."""
    who = name_of(call.server_name)
    text = call.text or "done"
    spoken = " ".join(text.split())
    if len(spoken) > SPOKEN:
        spoken = spoken[: SPOKEN - 1] + "…"
    card = Card(title=f"{who}: {call.tool_called}", body=text[:SHOWN])
    return f"{who} says: {spoken}", card


def failure(call: ToolCall) -> str:
    who = name_of(call.server_name)
    return f"{who} could not do it: {' '.join(call.text.split())[:SPOKEN]}"


def unknown(call: ToolCall) -> str:
    """Said when nobody knows whether it happened. It is not tried again."""
    who, tool = name_of(call.server_name), call.tool_called
    return f"I do not know whether {who} did it ({tool}). Look there before you ask again."


def told(call: ToolCall, text: str, card: Card | None = None) -> Cue:
    """An answer that comes after its turn."""
    return Cue(
        id=f"tool:{call.id}:{call.state.value}",
        topic=f"tool:{call.id}",
        kind=CueKind.NOTICE,
        speech=text,
        card=card,
    )


def ask_for(field: Field) -> str:
    if field.choices:
        return f"Which {field.called}: {words.joined(field.choices[:6], 'or')}?"
    if field.kind == "boolean":
        return f"{field.called.capitalize()}: yes or no?"
    return f"Which {field.called}?"


def which(server: Server) -> str:
    names = words.joined([tool.called for tool in server.tools[:6]], "or")
    first = server.tools[0].called if server.tools else ""
    return f"{name_of(server.name)} can {names}. Say, for example: ask {server.name} {first}."


def overview(servers: Sequence[Server]) -> tuple[str, Card | None]:
    if not servers:
        return NONE, None
    said = words.joined([name_of(server.name) for server in servers])
    lines = tuple(
        CardLine(name_of(server.name), ", ".join(tool.called for tool in server.tools[:6]))
        for server in servers
    )
    return f"You can ask {said}.", Card(title="Services", lines=lines)


def tools(server: Server) -> tuple[str, Card]:
    lines = tuple(CardLine(tool.called, _needs(tool)) for tool in server.tools[:12])
    return which(server), Card(title=name_of(server.name), lines=lines)


def _needs(tool: Tool) -> str:
    return "" if tool.free else "asks first"


def _sent(call: ToolCall) -> list[tuple[str, object]]:
    return [(str(name), value) for name, value in call.arguments.items()]


def _short(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
