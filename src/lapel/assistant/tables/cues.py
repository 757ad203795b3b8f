"""What is shown and said of tables in restaurants. Times are spoken as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lapel.assistant import words
from lapel.assistant.tables.choosing import restaurants
from lapel.commerce import Checkout, Money, Table, TableOffer, TableStatus, spoken
from lapel.devices import Card, CardAction, CardLine

ACTION = "table"
"""What the buttons of a list of tables begin with."""
_ORDINALS = ("First", "Second", "Third", "Fourth")
_PAST = {
    5: "five", 10: "ten", 15: "a quarter", 20: "twenty", 25: "twenty-five", 30: "half",
}  # fmt: skip
_HOURS = (
    "twelve", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven",
)  # fmt: skip


def clock(moment: datetime) -> str:
    """`seven`, `half past seven`, `a quarter to eight`, `ten past seven`; `noon`, `midnight`."""
    hour, minute = moment.hour, moment.minute
    if (hour, minute) in ((12, 0), (0, 0)):
        return "noon" if hour else "midnight"
    this, following = _HOURS[hour % 12], _HOURS[(hour + 1) % 12]
    if minute == 0:
        return this
    if minute in _PAST:
        return f"{_PAST[minute]} past {this}"
    if 60 - minute in _PAST:
        return f"{_PAST[60 - minute]} to {following}"
    return f"{this} oh {minute}" if minute < 10 else f"{this} {minute}"


def time_of_day(moment: datetime) -> str:
    """The same with the part of the day: `half past seven in the evening`."""
    said = clock(moment)
    return said if said in ("noon", "midnight") else f"{said} {_part(moment.hour)}"


def day(moment: datetime) -> str:
    """`Friday 27 November`."""
    return f"{moment:%A} {moment.day} {moment:%B}"


def when(moment: datetime) -> str:
    return f"on {day(moment)} at {time_of_day(moment)}"


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
    head = f"A table for {words.count(first.table.party)} on {day(first.table.starts)}"
    if single:
        place = first.table.restaurant
        head = f"{head} at {place.name}, {place.street}{_away(first, near)}"
        times = [f"{clock(x.table.starts)}, {_cost(x)}" for x in listed]
        said = [f"{_ORDINALS[n]}, {each}." for n, each in enumerate(times)]
    else:
        said = [_said(n, x, wall, near) for n, x in enumerate(listed)]
    if len(listed) == 1:
        return f"{head}. {said[0].removeprefix('First, ').capitalize()} Shall I take it?"
    more = f" There are {count - len(listed)} more." if count > len(listed) else ""
    return f"{head}. {' '.join(said)}{more} Which one?"


def agreed(table: Table, total: Money) -> str:
    """The approval read out: all that is agreed to, as any of it may have been misheard."""
    place = table.restaurant
    what = f"for {_people(table.party)} at {place.name}, {place.street}, {when(table.starts)}"
    guest = f", under the name {table.guest}" if table.guest else ""
    if table.is_change:
        return f"Change of your table: {what}{guest}. It costs {spoken(total)} more."
    return f"A table {what}{guest}. {paid_for(table, total)} {terms(table, total.currency)}"


def body(checkout: Checkout, table: Table) -> str:
    """What stands on the card under the price."""
    place = table.restaurant
    at = f"{day(table.starts)}, {table.starts:%H:%M} to {table.leaves:%H:%M}"
    who = f"{table.party} {'person' if table.party == 1 else 'people'}, {table.guest}"
    where = f"{place.name}, {place.street}, {place.city}"
    change = "Change of your table: " if table.is_change else ""
    rest = "" if table.is_change else f" {paid_for(table, checkout.total)}"
    return f"{change}{where}. {at}. {who}.{rest} {terms(table, checkout.total.currency)}"


def paid_for(table: Table, total: Money) -> str:
    """What is paid now, and what for."""
    if table.prepaid == "menu":
        each = Money(table.per_person, total.currency)
        return f"{table.menu or 'The menu'} for {spoken(each)} each, {spoken(total)} now."
    return f"The deposit is {spoken(total)}, which counts towards the bill."


def terms(table: Table, currency: str) -> str:
    """Until when canceling costs nothing, and what it costs then."""
    until = datetime.fromisoformat(table.cancellation.free_until)
    fee = Money(table.cancellation.fee, currency)
    if fee.minor <= 0:
        return "Canceling costs nothing."
    until = until.astimezone(table.starts.tzinfo)
    same = until.date() == table.starts.date()
    moment = f"{time_of_day(until)} that day" if same else f"{day(until)}, {time_of_day(until)}"
    return f"Canceling costs nothing until {moment}, then {spoken(fee)}."


def status(now: TableStatus) -> str:
    table = now.table
    place = table.restaurant
    said = f"Your table for {_people(table.party)} at {place.name}, {place.street}, is"
    if now.expected_begins:
        ready = datetime.fromisoformat(now.expected_begins)
        return (
            f"{said} late: it is ready at {time_of_day(ready)}, not at {clock(table.starts)}, "
            f"on {day(table.starts)}."
        )
    guest = f", under the name {table.guest}" if table.guest else ""
    return f"{said} {when(table.starts)}{guest}."


def cancel_question(now: TableStatus, paid: Money, fee: Money) -> str:
    """What canceling costs at this moment, and what comes back."""
    table = now.table
    what = f"your table at {table.restaurant.name} {when(table.starts)}"
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
    what = f"for {_people(table.party)} {when(table.starts)}"
    return f"Your table at {table.restaurant.name} would be {what}, {cost}. Shall I change it?"


def _people(count: int) -> str:
    return "one person" if count == 1 else f"{words.count(count)} people"


def _part(hour: int) -> str:
    if 5 <= hour < 12:
        return "in the morning"
    if 12 <= hour < 17:
        return "in the afternoon"
    return "in the evening" if 17 <= hour < 22 else "at night"


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
    at = "" if table.starts.replace(tzinfo=None) == wall else f", at {clock(table.starts)}"
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
