"""What connected services do, as a tool: the user still has to name the service."""

from __future__ import annotations

from collections.abc import Sequence

from lapel.brain.provenance import clean
from lapel.brain.tools import Parameter, Tool
from lapel.services.connected import Server

_LONGEST = 40
"""Characters of a name: it is the server's, and stands before a model."""


def tools(servers: Sequence[Server]) -> tuple[Tool, ...]:
    """One for all of them; none without services."""
    if not servers:
        return ()
    listed = "; ".join(
        f"{_short(server.name)}: {', '.join(_short(tool.called) for tool in server.tools)}"
        for server in servers
    )
    return (
        Tool(
            "ask_service",
            f"ask a service that the user names for one of its things. Services: {listed}",
            ("ask {service}", " {thing}", " {words}"),
            (
                Parameter("service", "its name", required=True, ask="Which service?"),
                Parameter("thing", "which of its things"),
                Parameter("words", "what is asked of it"),
            ),
        ),
    )


def _short(name: str) -> str:
    return clean(name)[:_LONGEST]
