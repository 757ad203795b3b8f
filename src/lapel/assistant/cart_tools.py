"""What the catalogue grammar does, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

CART_TOOLS = (
    Tool(
        "order",
        "order food, drinks or what is on a menu",
        ("order {items}", " to {place}", " from {shop}"),
        (
            Parameter("items", "what, with how many and how", required=True, ask="What?"),
            Parameter("place", "where to"),
            Parameter("shop", "from which shop"),
        ),
        said="somebody fetch me two lattes over to the office",
        example={"items": "two lattes", "place": "office"},
    ),
    Tool(
        "order_status",
        "say where an order of food is",
        ("where is my order",),
        effect=False,
        said="any idea when that food shows up",
    ),
)
