"""What is said of journeys: times in the zone of the place they belong to, and the fare's rules."""

from __future__ import annotations

from datetime import datetime

from lapel.commerce.journey import FareRules, Journey, Stop
from lapel.commerce.money import Money
from lapel.commerce.ports import JourneyStatus
from lapel.commerce.times import clock, day
from lapel.commerce.words import spoken

CALLED_OFF = "The company cancelled your booking."

NAMES = {"flight": "flight", "train": "train", "stay": "room"}


def days_later(before: datetime, after: datetime) -> str:
    """How the local dates of a beginning and an end differ, as a word behind the time."""
    match (after.date() - before.date()).days:
        case 0:
            return ""
        case 1:
            return " the next day"
        case -1:
            return " the day before"
        case days:
            return f" {days} days later" if days > 0 else f" {-days} days before"


def plus_days(before: datetime, after: datetime) -> str:
    """The same for a card: ` +1 day`."""
    days = (after.date() - before.date()).days
    return f" {days:+d} day{'' if abs(days) == 1 else 's'}" if days else ""


def place(stop: Stop, kind: str) -> str:
    """Cities are said; of a stay, the hotel."""
    return stop.name if kind == "stay" else stop.city


def times(journey: Journey) -> str:
    """`leaves Helsinki on Friday 27 November at 08:25 and arrives in Berlin at 09:20`."""
    begins, ends = journey.departs, journey.arrives
    if journey.kind == "stay" or journey.origin is None:
        return f"from {day(begins.date())}, {clock(begins)}, to {day(ends.date())}, {clock(ends)}"
    return (
        f"leaves {journey.origin.city} on {day(begins.date())} at {clock(begins)} and arrives in "
        f"{journey.destination.city} at {clock(ends)}{days_later(begins, ends)}"
    )


def title(journey: Journey) -> str:
    """`flight TQ 431 to Berlin`, `room at Lantern Berlin Mitte`."""
    if journey.kind == "stay":
        return f"room at {journey.destination.name}"
    return f"{journey.kind} {journey.number} to {journey.destination.city}"


def rules(fare: FareRules, currency: str) -> str:
    """What changing and giving back cost, as one or two sentences."""
    if fare.rigid:
        return "It cannot be changed or refunded."
    change = _fee("Changing", fare.change_fee, currency, "It cannot be changed.")
    refund = _fee("A refund", fare.refund_fee, currency, "It cannot be refunded.", less=True)
    if fare.change_fee == fare.refund_fee == 0:
        both = "Changes and a refund are free"
        return f"{both} until {until(fare)}."
    return f"{change} {refund} Both until {until(fare)}."


def _fee(what: str, fee: int | None, currency: str, never: str, *, less: bool = False) -> str:
    if fee is None:
        return never
    if fee == 0:
        return f"{what} is free."
    return f"{what} costs {spoken(Money(fee, currency))}{' of the price' if less else ''}."


def until(fare: FareRules) -> str:
    moment = datetime.fromisoformat(fare.until)
    return f"{day(moment.date())} at {clock(moment)}"


def agreed(journey: Journey, total: Money, merchant: str) -> str:
    """Everything that the user agrees to, to be read out."""
    who = " and ".join(str(traveller) for traveller in journey.travellers)
    fare = f"{journey.fare.title}, {spoken(total)}."
    what = title(journey)
    name = f"{what[0].upper()}{what[1:]} with {merchant}, {times(journey)}, for {who}."
    if journey.is_change:
        return f"Change to {what}, {times(journey)}. It costs {spoken(total)} more."
    return f"{name} {fare} {rules(journey.fare, total.currency)}"


def placed(journey: Journey) -> str:
    if journey.is_change:
        return "The change is paid."
    return f"Your {NAMES[journey.kind]} is booked: {title(journey)}, {times(journey)}."


def step(kind: str, journey: Journey, status: JourneyStatus | None) -> str:
    """What became of a booking, in Lapel's words; what can be done is said with it."""
    what = title(journey)
    match kind:
        case "journey_delayed":
            return _delayed(what, journey, status)
        case "journey_disrupted":
            return _disrupted(what, journey, status)
        case "journey_changed":
            return f"Your booking is for {what} now: it {times(journey)}."
        case "change_done":
            return "The change is made."
        case "journey_begun":
            begun = "You can check in" if journey.kind == "stay" else "It has left"
            return f"{begun}: {what}."
        case _:
            return f"It is over: {what}."


def _delayed(what: str, journey: Journey, status: JourneyStatus | None) -> str:
    if status is None or not status.expected_begins or not status.expected_ends:
        return f"Your {what} is late. The company does not say how much."
    begins = datetime.fromisoformat(status.expected_begins)
    ends = datetime.fromisoformat(status.expected_ends)
    late = round((begins - journey.departs).total_seconds() / 60)
    city = journey.destination.city
    said = (
        f"Your {what} is {late} minutes late. It leaves at {clock(begins)}"
        f"{days_later(journey.departs, begins)} and arrives in {city} at {clock(ends)}"
        f"{days_later(begins, ends)}."
    )
    back = status.refund_now
    waived = journey.fare.rigid and back is not None and back.minor > 0
    return f"{said} You may change it or give it back for nothing." if waived else said


def _disrupted(what: str, journey: Journey, status: JourneyStatus | None) -> str:
    said = f"{what[0].upper()}{what[1:]} on {day(journey.day)} is called off by the company."
    if status is None or not status.choices:
        return f"{said} You get all your money back: say, refund it."
    other = status.choices[0].journey
    return (
        f"{said} You can take {other.number}, which {times(other)}, for nothing: say, rebook it. "
        "Or say, refund it, and all your money comes back."
    )
