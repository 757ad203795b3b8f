"""What can be done about reminders, timers and notes, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

TOOLS = (
    Tool(
        "remind",
        "remind the user of something",
        ("remind me", " at {time}", " {day}", " to {what}"),
        (
            Parameter("what", "of what", required=True, ask="Of what?"),
            Parameter("time", "at what time", when=True),
            Parameter("day", "on which day", when=True),
        ),
        said="make sure I call mum at five tomorrow",
        example={"what": "call mum", "time": "five", "day": "tomorrow"},
    ),
    Tool(
        "timer",
        "start a timer",
        ("set a timer for {duration}",),
        (Parameter("duration", "how long", required=True, ask="For how long?"),),
        said="ping me once ten minutes are up",
        example={"duration": "ten minutes"},
    ),
    Tool(
        "alarm",
        "wake the user",
        ("wake me up", " at {time}", " {day}"),
        (
            Parameter("time", "when", required=True, ask="When?", when=True),
            Parameter("day", "on which day", when=True),
        ),
        example={"time": "seven", "day": "tomorrow"},
    ),
    Tool(
        "note",
        "write something down",
        ("note that {what}",),
        (Parameter("what", "what", required=True, ask="What shall I note?"),),
        said="keep in mind the key is at anna's",
        example={"what": "the key is at anna's"},
    ),
    Tool("reminders", "say what reminders there are", ("what are my reminders",), effect=False),
    Tool("notes", "read the notes", ("read my notes",), effect=False),
)
