"""What can be done about tables in restaurants, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

TOOLS = (
    Tool(
        "book_table",
        "reserve a table in a restaurant to eat there",
        (
            "book a table",
            " for {people} people",
            " at {time}",
            " {day}",
            " at a {cuisine} restaurant",
            " near {place}",
        ),
        (
            Parameter("people", "how many, as a number"),
            Parameter("time", "the time of day", when=True),
            Parameter("day", "the day", when=True),
            Parameter("cuisine", "kind of food"),
            Parameter("place", "near what"),
        ),
        said="four of us want to eat out somewhere italian at eight",
        example={"people": "four", "cuisine": "italian", "time": "eight"},
    ),
    Tool(
        "table_status",
        "say when and where the booked table is",
        ("when is my table",),
        effect=False,
    ),
    Tool("cancel_table", "give a booked table back", ("cancel my table",), calls_off=True),
)
