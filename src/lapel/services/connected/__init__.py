"""MCP servers as services: known by a name, their tools called with the user's consent.

`Servers` knows them and talks to them, `ToolCalls` is the record of what was asked and answered.
What a server says is shown and read out as its words; nothing here obeys it. The `mcp` package is
loaded with the first call to a server, not before.
"""

from lapel.services.connected.calls import ToolCalls
from lapel.services.connected.filling import Unfit, Wanted, missing, value_of
from lapel.services.connected.maps import McpMaps
from lapel.services.connected.model import (
    Answered,
    Asks,
    Failed,
    Field,
    Question,
    Server,
    ServerError,
    State,
    Tool,
    ToolCall,
)
from lapel.services.connected.servers import Servers

__all__ = [
    "Answered",
    "Asks",
    "Failed",
    "Field",
    "McpMaps",
    "Question",
    "Server",
    "ServerError",
    "Servers",
    "State",
    "Tool",
    "ToolCall",
    "ToolCalls",
    "Unfit",
    "Wanted",
    "missing",
    "value_of",
]
