"""What is said of tables: times on the restaurant's clocks, what is paid now, and what is kept."""

from __future__ import annotations

from datetime import datetime

from lapel.commerce.money import Money
from lapel.commerce.ports import TableStatus
from lapel.commerce.table import Table
from lapel.commerce.times import spoken_day, time_of_day
from lapel.commerce.words import spoken

CALLED_OFF = "The restaurant cancelled your booking."


def title(table: Table) -> str:
    """`table for two people at Juniper Room`."""
    return f"table for {people(table.party)} at {table.restaurant.name}"


def people(party: int) -> str:
    return "one person" if party == 1 else f"{party} people"


def prepaid(table: Table, currency: str) -> str:
    """What is paid in advance for each, as a sentence."""
    each = spoken(Money(table.per_person, currency))
    if table.prepaid == "menu":
        return f"{table.menu or 'The menu'}, {each} a person, is paid now."
    return f"A deposit of {each} a person is paid now and counts towards the bill."


def rules(table: Table, currency: str, now: float) -> str:
    """Until when canceling is free, and what it costs then; at once where that has passed."""
    terms = table.cancellation
    fee = spoken(Money(terms.fee, currency))
    if not terms.fee:
        return "Cancelling is free."
    until, begins = datetime.fromisoformat(terms.free_until), table.starts
    if until.timestamp() <= now:
        return f"Cancelling costs {fee}, even now."
    until = until.astimezone(begins.tzinfo)
    that_day = f"{time_of_day(until)} that day" if until.date() == begins.date() else ""
    return f"Cancelling is free until {that_day or spoken_day(until)}, then it costs {fee}."


def agreed(table: Table, total: Money, merchant: str, now: float) -> str:
    """Everything that the user agrees to, to be read out."""
    when = f"on {spoken_day(table.starts)}"
    if table.is_change:
        return f"Change to a {title(table)}, {when}. It costs {spoken(total)} more."
    where = f"{table.restaurant.street}, {when}, under the name {table.guest}"
    taker = "" if merchant == table.restaurant.name else f" {merchant} takes the booking."
    paid = f"{prepaid(table, total.currency)} {spoken(total)} in all."
    return f"A {title(table)}, {where}.{taker} {paid} {rules(table, total.currency, now)}"


def placed(table: Table) -> str:
    if table.is_change:
        return "The change is paid."
    when = spoken_day(table.starts)
    return f"Your table is booked: {table.restaurant.name}, {when}, for {people(table.party)}."


def step(kind: str, table: Table, status: TableStatus | None) -> str:
    """What became of a booking, in Lapel's words."""
    name = table.restaurant.name
    match kind:
        case "table_soon":
            at = table.starts
            if status is not None and status.expected_begins:
                at = datetime.fromisoformat(status.expected_begins)
            return f"{name} expects you at {time_of_day(at)}, {table.restaurant.street}."
        case "table_delayed":
            return _delayed(table, status)
        case "table_changed":
            return f"Your booking is for a {title(table)} on {spoken_day(table.starts)} now."
        case "change_done":
            return "The change is made."
        case "table_seated":
            return f"Your table at {name} is ready."
        case "table_missed":
            return f"{name} says that nobody came, and keeps what was paid."
        case _:
            return f"Your time at {name} is over."


def _delayed(table: Table, status: TableStatus | None) -> str:
    name = table.restaurant.name
    if status is None or not status.expected_begins:
        return f"Your table at {name} is late. They do not say how much."
    at = datetime.fromisoformat(status.expected_begins)
    late = round((at - table.starts).total_seconds() / 60)
    said = f"Your table at {name} is {late} minutes late: it is ready at {time_of_day(at)}."
    free = table.cancellation.fee > 0 and status.fee_now is not None and not status.fee_now.minor
    return f"{said} You may cancel it for nothing." if free else said
