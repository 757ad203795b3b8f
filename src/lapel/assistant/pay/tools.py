"""What can be done with money between people, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

_HOW_MUCH = Parameter("amount", "with its currency", required=True, ask="How much?")

TOOLS = (
    Tool(
        "send_money",
        "pay somebody",
        ("send {amount} to {person}", " for {reason}"),
        (
            Parameter("person", "who gets it", required=True, ask="To whom?"),
            _HOW_MUCH,
            Parameter("reason", "what for"),
        ),
        said="anna gets ten euros from me for the cinema",
        example={"person": "anna", "amount": "ten euros", "reason": "the cinema"},
    ),
    Tool(
        "request_money",
        "ask somebody to pay the user",
        ("ask {person} for {amount}", " for {reason}"),
        (
            Parameter("person", "who is asked", required=True, ask="Whom?"),
            _HOW_MUCH,
            Parameter("reason", "what for"),
        ),
        example={"person": "ben", "amount": "five euros"},
    ),
    Tool(
        "who_owes",
        "say who still owes the user money",
        ("who owes me money",),
        effect=False,
    ),
)
