"""What a model is told: the tools, a few examples, and what the user said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from lapel.brain.tools import Proposal, Request, Tool
from lapel.models.errors import ModelFailed

NONE = "none"
_RULES = (
    "You are the ear of a wearable assistant. Choose the one tool that does what the user asks. "
    "Arguments are the user's own words, exactly as they were said, in the user's language; never "
    "translate them and leave out every argument that was not said. Choose no tool when the user "
    "only talks, asks about the world, says not to do something, or speaks of what might be."
)
_ANSWERS = (
    "When no tool fits and it is a plain question, answer it in one or two short sentences to be "
    "heard, not read. You cannot do anything yourself and never say that you have done something."
)
_SILENT = "When no tool fits, answer with nothing."
_TALK = (
    ("I could eat a horse, what a day it was", NONE),
    ("please don't get me a taxi, I'd rather walk", NONE),
)
_MOST_EXAMPLES = 10


def body(request: Request, style: str, *, answers: bool) -> dict[str, Any]:
    """The request of `/chat/completions`, without the model's name.

    What is the same for all requests comes first, so that a server can keep it.
    """
    if style == "tools":
        system = f"{_RULES} {_ANSWERS if answers else _SILENT}"
        return {
            "messages": [_message("system", system), _message("user", request.words.text)],
            "tools": [_function(tool) for tool in request.tools],
            "tool_choice": "auto",
        }
    listed = "\n".join(_signature(tool) for tool in request.tools)
    ways = 'Answer with JSON: {"tool": ..., "arguments": {...}}, or {"tool": "none"}.'
    if answers:
        ways += f' {_ANSWERS} Then: {{"tool": "none", "say": ...}}.'
    messages = [_message("system", f"{_RULES}\n{ways}\n\nTools:\n{listed}")]
    for said, chosen in _examples(request.tools):
        messages += [_message("user", said), _message("assistant", chosen)]
    messages.append(_message("user", request.words.text))
    return {
        "messages": messages,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "choice", "schema": schema(request.tools, answers=answers)},
        },
    }


def schema(tools: Sequence[Tool], *, answers: bool) -> dict[str, Any]:
    """What an answer in JSON looks like."""
    none: dict[str, Any] = {"tool": {"const": NONE}}
    if answers:
        none["say"] = {"type": "string"}
    ways = [
        {
            "type": "object",
            "properties": {"tool": {"const": tool.name}, "arguments": tool.schema},
            "required": ["tool", "arguments"],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    ways.append(
        {
            "type": "object",
            "properties": none,
            "required": ["tool"],
            "additionalProperties": False,
        }
    )
    return {"anyOf": ways}


def proposal_of_call(name: str, arguments: str) -> Proposal:
    """A call by the API's own functions. Raises ModelFailed for broken JSON."""
    return Proposal(name, _texts(_decoded(arguments or "{}")))


def proposal_of_text(text: str, style: str) -> Proposal:
    """What was written. Raises ModelFailed where JSON was wanted and it is none."""
    if style == "tools" and not text.lstrip().startswith(("{", "```")):
        return Proposal(text=text.strip())
    found = _decoded(text.strip().removeprefix("```json").strip("`").strip())
    name, say = found.get("tool", found.get("name")), found.get("say", "")
    if name in (None, NONE, ""):
        return Proposal(text=say if isinstance(say, str) else "")
    if not isinstance(name, str):
        raise ModelFailed("it named no tool")
    arguments = found.get("arguments")
    if not isinstance(arguments, dict):
        return Proposal(name)
    return Proposal(name, _texts(cast("Mapping[str, object]", arguments)))


def _decoded(text: str) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError as error:
        raise ModelFailed("it answered with broken JSON") from error


def _texts(arguments: Mapping[str, object]) -> Mapping[str, str]:
    """As words; lists are joined, and what is neither word nor number is nothing that was said."""
    found: dict[str, str] = {}
    for name, value in arguments.items():
        if isinstance(value, list):
            parts = [str(x) for x in cast("list[object]", value) if isinstance(x, str | int)]
            found[name] = " and ".join(parts)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            found[name] = str(value)
    return {name: text for name, text in found.items() if text.strip()}


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _function(tool: Tool) -> dict[str, Any]:
    described = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.schema,
    }
    return {"type": "function", "function": described}


def _signature(tool: Tool) -> str:
    given = ", ".join(
        f"{each.name}{'' if each.required else '?'}: {each.description}" for each in tool.parameters
    )
    return f"- {tool.name}({given}): {tool.description}"


def _examples(tools: Sequence[Tool]) -> list[tuple[str, str]]:
    """Of different tools, and talk in between."""
    shown = [tool for tool in tools if tool.said][:_MOST_EXAMPLES]
    calls = [(tool.said, _choice(tool.name, tool.example)) for tool in shown]
    talk = [(said, _choice(name, None)) for said, name in _TALK]
    return [*calls[:2], *talk[:1], *calls[2:], *talk[1:]]


def _choice(name: str, arguments: Mapping[str, str] | None) -> str:
    found: dict[str, object] = {"tool": name}
    if arguments is not None:
        found["arguments"] = dict(arguments)
    return msgspec.json.encode(found).decode()
