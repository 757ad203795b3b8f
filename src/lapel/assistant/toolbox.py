"""All tools of the built-in skills, to measure models with. A conversation asks its own skills."""

from __future__ import annotations

from lapel.assistant.cart_tools import CART_TOOLS
from lapel.assistant.goods.tools import LIST_TOOLS, SHOP_TOOLS
from lapel.assistant.guide.tools import TOOLS as GUIDE_TOOLS
from lapel.assistant.pay.tools import TOOLS as PAY_TOOLS
from lapel.assistant.personal.tools import TOOLS as PERSONAL_TOOLS
from lapel.assistant.rides.tools import TOOLS as RIDE_TOOLS
from lapel.assistant.tables.tools import TOOLS as TABLE_TOOLS
from lapel.assistant.travel.tools import TOOLS as TRAVEL_TOOLS

TOOLS = (
    *CART_TOOLS,
    *RIDE_TOOLS,
    *TABLE_TOOLS,
    *TRAVEL_TOOLS,
    *PAY_TOOLS,
    *LIST_TOOLS,
    *SHOP_TOOLS,
    *PERSONAL_TOOLS,
    *GUIDE_TOOLS,
)
