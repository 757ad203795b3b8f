"""What can be done about the shopping list and about goods from stores, as tools."""

from __future__ import annotations

from lapel.brain.tools import Parameter, Tool

LIST_TOOLS = (
    Tool(
        "list_add",
        "put something on the shopping list",
        ("add {things} to my shopping list",),
        (Parameter("things", "what", required=True, ask="What?"),),
        said="we are out of milk and eggs",
        example={"things": "milk and eggs"},
    ),
    Tool("list_show", "say what is on the shopping list", ("show my shopping list",), effect=False),
    Tool(
        "list_remove",
        "take something off the shopping list",
        ("remove {things} from my shopping list",),
        (Parameter("things", "what", required=True, ask="What?"),),
        example={"things": "milk"},
    ),
    Tool(
        "list_order",
        "buy everything that is on the shopping list",
        ("order my shopping list", " to {place}"),
        (Parameter("place", "where to"),),
        example={"place": "home"},
    ),
)
SHOP_TOOLS = (
    Tool(
        "find_product",
        "look for goods in stores: electronics, clothes, things for the house",
        ("find {product}",),
        (Parameter("product", "what", required=True, ask="What?"),),
        effect=False,
        said="where would one get a phone charger",
        example={"product": "phone charger"},
    ),
)
