"""What can be done about rides, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

_TO = Parameter("destination", "where to")
_FROM = Parameter("pickup", "where from")
_AT = Parameter("time", "when to be picked up", when=True)
_DAY = Parameter("day", "on which day", when=True)

TOOLS = (
    Tool(
        "ride",
        "get a taxi or a car with a driver",
        ("get me a ride", " from {pickup}", " to {destination}", " at {time}", " {day}"),
        (_TO, _FROM, _AT, _DAY),
        said="somebody has to drive me over to the airport around nine",
        example={"destination": "the airport", "time": "nine"},
    ),
    Tool(
        "ride_price",
        "say what a taxi would cost",
        ("how much is a ride", " from {pickup}", " to {destination}"),
        (Parameter("destination", "where to", required=True, ask="Where to?"), _FROM),
        effect=False,
        example={"destination": "the airport"},
    ),
    Tool(
        "ride_status",
        "say where the driver is and when they come",
        ("where is my driver",),
        effect=False,
    ),
    Tool(
        "change_destination",
        "send a ride that is under way somewhere else",
        ("change my destination to {destination}",),
        (Parameter("destination", "the new one", required=True, ask="Where to?"),),
        example={"destination": "the library"},
    ),
    Tool("cancel_ride", "call off a taxi that was booked", ("cancel my ride",), calls_off=True),
)
