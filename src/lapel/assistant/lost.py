"""What to say to words that nobody understood: what they seem to be about, and how to say that.

It leads to no action. A hint is only another way to say "I did not understand".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from lapel.brain.router import EncoderUnavailable, Router

LOST = "I did not understand that. You can say, for example: two lattes and a muffin to my office."
Hint = Callable[[str], Awaitable[str]]

_SORRY = "I did not understand that."
_HOW = {
    "For a table, say how many and when: a table for two at seven.": (
        "restaurant_reservation", "accept_reservations", "how_busy", "restaurant_suggestion",
        "restaurant_reviews",
    ),
    "For your table, say: when is my table, or: cancel my table.": (
        "cancel_reservation", "confirm_reservation",
    ),
    "For a ride, say where to: a ride home, or: a taxi to the station at ten.": (
        "uber", "car_rental",
    ),
    "To travel, say where and when: flights to Berlin on Friday.": (
        "book_flight", "travel_suggestion", "flight_status", "carry_on",
    ),
    "For a room, say: a hotel in Berlin for two nights from Friday.": ("book_hotel",),
    "For the way, say: take me to the station, or: how far is the library.": (
        "directions", "distance", "traffic", "current_location", "gas",
    ),
    "For money, say: send ten euros to Anna, or: ask Ben for five euros.": ("transfer", "pay_bill"),
    "For your list, say: add milk to my list, or: what is on my list.": (
        "shopping_list", "shopping_list_update",
    ),
    "For a reminder, say: remind me at five to call mum.": (
        "reminder", "reminder_update", "calendar", "calendar_update", "meeting_schedule",
        "schedule_meeting", "alarm",
    ),
    "For a timer, say: set a timer for ten minutes.": ("timer",),
    "For a note, say: note that the key is at Anna's.": ("todo_list", "todo_list_update"),
    "To order, say what and how many: two lattes and a muffin to my office.": (
        "order", "meal_suggestion", "food_last",
    ),
    "For your order, say: where is my order.": ("order_status",),
}  # fmt: skip
"""How something is said that Lapel can do, by the router's intents."""
EXAMPLES = tuple(said.partition(": ")[2].rstrip(".") for said in _HOW)
"""One way to ask for each, or two."""
_BY_INTENT = {intent: said for said, intents in _HOW.items() for intent in intents}

log = logging.getLogger(__name__)


async def nobody_knows(text: str) -> str:
    """Where nothing can route."""
    return LOST


def hinting(load: Callable[[], Router] = Router.shared) -> Hint:
    """Hints by the router, which is loaded when it is first needed: some 0.5 s, in a thread."""
    broken = False

    async def hint(text: str) -> str:
        nonlocal broken
        if broken or not text.strip():
            return LOST
        try:
            route = await asyncio.to_thread(lambda: load().route(text))
        except EncoderUnavailable as error:
            log.info("no hints for what is not understood: %s", error)
            broken = True
            return LOST
        said = _BY_INTENT.get(route.intent) if route.known else None
        return f"{_SORRY} {said}" if said else LOST

    return hint
