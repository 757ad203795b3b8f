"""Which tool of which server is meant: the user names it, nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lapel.assistant.politeness import spans
from lapel.services.connected import Server, Tool

_ASK = re.compile(r"(?:ask|use|call)(?: the)? (?P<rest>.+)", re.IGNORECASE)
_LIST = re.compile(
    r"(?:list|what are|show)(?: me)?(?: my| the)? (?:connected )?services"
    r"|(?:which|what) services (?:are there|do you know|can you use)",
    re.IGNORECASE,
)
_WHAT = re.compile(r"what can (?P<name>.+?) do", re.IGNORECASE)
_JOINTS = frozenset({"for", "about", "to", "with", "on", "of", "that", "the", "whether", "if"})


@dataclass(frozen=True, slots=True)
class ListServices:
    pass


@dataclass(frozen=True, slots=True)
class WhatCan:
    server: Server


@dataclass(frozen=True, slots=True)
class WhichTool:
    """A server of several tools was named, and none of them."""

    server: Server


@dataclass(frozen=True, slots=True)
class UseTool:
    """`words` are what was said after the name; they are the argument, if there is one."""

    server: Server
    tool: Tool
    words: str


Wish = ListServices | WhatCan | WhichTool | UseTool


def read(text: str, servers: Sequence[Server]) -> Wish | None:
    """What the whole of `text` asks of a server; None for everything else."""
    said = text.strip(" .!?").split()
    plain = [word.casefold().strip(",") for word in said]
    found = (_read(" ".join(said[start:end]), servers) for start, end in spans(plain))
    return next((wish for wish in found if wish is not None), None)


def _read(said: str, servers: Sequence[Server]) -> Wish | None:
    if _LIST.fullmatch(said):
        return ListServices()
    what = _WHAT.fullmatch(said)
    if what is not None:
        server = next((x for x in servers if x.name == what["name"].casefold()), None)
        return None if server is None else WhatCan(server)
    asked = _ASK.fullmatch(said)
    return None if asked is None else _named(asked["rest"], servers)


def _named(rest: str, servers: Sequence[Server]) -> Wish | None:
    """By the longest name that the words begin with: server and tool, tool, or server alone."""
    words = rest.split()
    plain = [word.casefold().strip(",.:;") for word in words]
    best: tuple[int, Wish] | None = None
    for server in servers:
        own = server.name.split()
        for tool in server.tools:
            named = tool.called.casefold().split()
            for name in ([*own, *named], [*own, "to", *named], named):
                at = len(name)
                longer = best is None or at > best[0] or (at == best[0] and _asks_which(best[1]))
                if plain[:at] == name and longer:
                    best = at, UseTool(server, tool, _after(words[at:]))
        at = len(own)
        if plain[:at] == own and (best is None or at > best[0]):
            best = at, _of_server(server, words[at:])
    return None if best is None else best[1]


def _asks_which(wish: Wish) -> bool:
    return isinstance(wish, WhichTool)


def _of_server(server: Server, words: Sequence[str]) -> Wish:
    if len(server.tools) == 1:
        return UseTool(server, server.tools[0], _after(words))
    return WhichTool(server)


def _after(words: Sequence[str]) -> str:
    """Without the words that only join the name to what is asked."""
    left = list(words)
    if left and left[0].casefold() in _JOINTS:
        left.pop(0)
    return " ".join(left)
