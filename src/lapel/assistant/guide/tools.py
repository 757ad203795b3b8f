"""What can be done about the way, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

_TO = Parameter("place", "where to", required=True, ask="Where to?")

TOOLS = (
    Tool(
        "navigate",
        "guide the user who walks or drives there by themselves",
        ("navigate to {place}",),
        (_TO,),
        effect=False,
        said="I want to walk to the museum, show me",
        example={"place": "the museum"},
    ),
    Tool(
        "distance",
        "say how far a place is",
        ("how far is it to {place}",),
        (_TO,),
        effect=False,
        example={"place": "the library"},
    ),
    Tool(
        "nearest",
        "say where the nearest shop, station or the like is",
        ("where is the nearest {place}",),
        (Parameter("place", "of what kind", required=True, ask="The nearest what?"),),
        effect=False,
        example={"place": "pharmacy"},
    ),
)
