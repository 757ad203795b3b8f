"""What is shown and said of tables in restaurants. Times are spoken as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lapel.assistant.tables.choosing import restaurants
from lapel.assistant.words import count as counted
from lapel.commerce import Checkout, Money, Table, TableOffer, TableStatus, spoken
from lapel.commerce import table_words as words
from lapel.commerce.times import day, hour, spoken_day, time_of_day
from lapel.devices import Card, CardAction, CardLine

ACTION = "table"
"""What the buttons of a list of tables begin with."""
_ORDINALS = ("First", "Second", "Third", "Fourth")


def offers_card(listed: Sequence[TableOffer], near: str, serial: int) -> Card:
    """The tables with what is paid in advance, and a button each."""
    first = listed[0].table
    single = restaurants(listed) == 1
    around = f"Distances from {near}." if near else ""
    name = f"{first.restaurant.name}, t" if single else "T"
    return Card(
        title=f"{name}able for {first.party}, {day(first.starts)}",
        lines=tuple(CardLine(_line(x), f"{_paid(x)} {x.price}") for x in listed),
        body=" ".join(x for x in (_explained(listed), around) if x),
        actions=tuple(
            CardAction(
                f"{ACTION}:{serial}:{n}",
                f"{x.table.starts:%H:%M}" if single else x.table.restaurant.name,
            )
            for n, x in enumerate(listed)
        ),
    )


def offers_text(listed: Sequence[TableOffer], count: int, wall: datetime, near: str) -> str:
    """The same to be heard; `count` is how many restaurants or times there are in all."""
    first = listed[0]
    single = restaurants(listed) == 1
    head = f"A table for {counted(first.table.party)} on {day(first.table.starts)}"
    if single:
        place = first.table.restaurant
        head = f"{head} at {place.name}, {place.street}{_away(first, near)}"
        times = [f"{hour(x.table.starts)}, {_cost(x)}" for x in listed]
        said = [f"{_ORDINALS[n]}, {each}." for n, each in enumerate(times)]
    else:
        said = [_said(n, x, wall, near) for n, x in enumerate(listed)]
    if len(listed) == 1:
        return f"{head}. {said[0].removeprefix('First, ').capitalize()} Shall I take it?"
    more = f" There are {count - len(listed)} more." if count > len(listed) else ""
    return f"{head}. {' '.join(said)}{more} Which one?"


def body(checkout: Checkout, table: Table, now: float) -> str:
    """What stands on the card under the price."""
    place, currency = table.restaurant, checkout.total.currency
    at = f"{day(table.starts)}, {table.starts:%H:%M} to {table.leaves:%H:%M}"
    where = f"{place.name}, {place.street}, {place.city}"
    change = "Change of your table: " if table.is_change else ""
    paid = "" if table.is_change else f" {words.prepaid(table, currency)}"
    who = f"{words.people(table.party)}, {table.guest}"
    return f"{change}{where}. {at}. {who}.{paid} {words.rules(table, currency, now)}"


def status(now: TableStatus) -> str:
    table = now.table
    place = table.restaurant
    said = f"Your table for {words.people(table.party)} at {place.name}, {place.street}, is"
    if now.expected_begins:
        ready = datetime.fromisoformat(now.expected_begins)
        return (
            f"{said} late: it is ready at {time_of_day(ready)}, not at {hour(table.starts)}, "
            f"on {day(table.starts)}."
        )
    guest = f", under the name {table.guest}" if table.guest else ""
    return f"{said} on {spoken_day(table.starts)}{guest}."


def cancel_question(now: TableStatus, paid: Money, fee: Money) -> str:
    """What canceling costs at this moment, and what comes back."""
    table = now.table
    what = f"your table at {table.restaurant.name} on {spoken_day(table.starts)}"
    back = Money(max(0, paid.minor - fee.minor), paid.currency)
    if fee.minor <= 0:
        return f"Canceling {what} costs nothing, you get {spoken(back)} back. Shall I cancel it?"
    rest = f"{spoken(back)} comes back" if back.minor else "nothing comes back"
    return f"Canceling {what} costs {spoken(fee)}, {rest}. Shall I cancel it?"


def too_late(table: Table) -> str:
    """Time and party can be changed as long as canceling is free."""
    until = datetime.fromisoformat(table.cancellation.free_until)
    return f"It could be changed until {time_of_day(until)} on {day(until)}. That has passed."


def change_question(table: Table, owed: Money) -> str:
    """A change that costs nothing, before it is made."""
    back = Money(-owed.minor, owed.currency)
    cost = f"and {spoken(back)} comes back" if back.minor else "and costs nothing"
    what = f"for {words.people(table.party)} on {spoken_day(table.starts)}"
    return f"Your table at {table.restaurant.name} would be {what}, {cost}. Shall I change it?"


def metres(distance: int) -> str:
    """`200 m`, `1.2 km`."""
    tens = round(distance / 10) * 10
    return f"{distance / 1000:.1f} km" if distance >= 1000 else f"{max(tens, 10)} m"


def _metres_said(distance: int) -> str:
    if distance >= 1000:
        return f"about {distance / 1000:.1f} kilometres"
    return f"about {max(round(distance / 50) * 50, 50)} metres"


def _away(offer: TableOffer, near: str) -> str:
    if offer.distance_m is None:
        return ""
    return f", {_metres_said(offer.distance_m)} from {near}" if near else ""


def _line(offer: TableOffer) -> str:
    place = offer.table.restaurant
    away = "" if offer.distance_m is None else f", {metres(offer.distance_m)}"
    return f"{offer.table.starts:%H:%M} {place.name}, {place.street}{away}"


def _said(n: int, offer: TableOffer, wall: datetime, near: str) -> str:
    table = offer.table
    at = "" if table.starts.replace(tzinfo=None) == wall else f", at {hour(table.starts)}"
    away = "" if n else _away(offer, near)
    if n and offer.distance_m is not None and near:
        away = f", {_metres_said(offer.distance_m)}"
    return f"{_ORDINALS[n]}, {table.restaurant.name}{away}{at}, {_cost(offer)}."


def _cost(offer: TableOffer) -> str:
    if offer.table.prepaid == "menu":
        return f"{offer.table.menu or 'a menu'} for {spoken(offer.price)}"
    return f"{spoken(offer.price)} deposit"


def _paid(offer: TableOffer) -> str:
    return (offer.table.menu or "Menu") if offer.table.prepaid == "menu" else "deposit"


def _explained(listed: Sequence[TableOffer]) -> str:
    deposit = any(x.table.prepaid == "deposit" for x in listed)
    return "A deposit counts towards the bill." if deposit else ""
