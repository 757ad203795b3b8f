"""What can be done about flights, trains and hotels, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

_WAY = (
    Parameter("origin", "from which city"),
    Parameter("destination", "to which city", required=True, ask="Where to?"),
    Parameter("day", "on which day", when=True),
)

TOOLS = (
    Tool(
        "find_flight",
        "look for flights",
        ("find a flight", " from {origin}", " to {destination}", " {day}"),
        _WAY,
        effect=False,
        said="get me in the air to berlin friday",
        example={"destination": "berlin", "day": "friday"},
    ),
    Tool(
        "find_train",
        "look for trains",
        ("find a train", " from {origin}", " to {destination}", " {day}"),
        _WAY,
        effect=False,
        example={"destination": "turku", "day": "tomorrow"},
    ),
    Tool(
        "find_hotel",
        "look for a hotel room",
        ("find a hotel", " in {city}", " for {nights} nights", " from {day}"),
        (
            Parameter("city", "in which city", required=True, ask="In which city?"),
            Parameter("nights", "how many, as a number"),
            Parameter("day", "from which day", when=True),
        ),
        effect=False,
        example={"city": "berlin", "nights": "two", "day": "friday"},
    ),
)
