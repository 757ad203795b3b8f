"""What the user hears about an order: short plain sentences, fit to be spoken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from lapel.commerce import times
from lapel.commerce.checkout import Address, Checkout, OrderDraft, Transfer, TripTerms
from lapel.commerce.money import Money
from lapel.commerce.ports import BilledLine, RideStatus, SubstitutionQuestion

_NAMES = {"EUR": ("euro", "euros", "cents"), "USD": ("dollar", "dollars", "cents")}

SHOP_SAYS_MOST = 160
"""Characters of a shop's own text that the user may hear."""
NOTHING_CHARGED = "Nothing was charged."
NO_QUOTE = "The shop does not answer. Nothing was ordered."
ODD_QUOTE = "The shop gave an answer that makes no sense. Nothing was ordered."
OTHER_CART = "The shop priced something else than you asked for. Nothing was ordered."
OTHER_ADDRESS = "The shop would deliver to another address. Nothing was ordered."
OTHER_WAY = "The shop would not hand it over the way that you asked for. Nothing was ordered."
OTHER_TRIP = "The company offers another ride than you asked for. Nothing was ordered."
OTHER_TRANSFER = "The bank would pay something else than you asked for. Nothing was sent."
OTHER_TABLE = "The restaurant offers another table than you asked for. Nothing was paid."
OTHER_JOURNEY = "The company offers another journey than you asked for. Nothing was paid."
OTHER_MONEY = "The shop mixed up its prices. Nothing was ordered."
NO_WAY_TO_PAY = "The shop offers no way to pay. Nothing was ordered."
NOT_READY = "The shop cannot take this order. Nothing was ordered."
LARGE = "That is a large order."
OTHER_ACCOUNT = "The shop wants to be paid into another account than last time."
FROM_A_CODE = "That comes from a code that you scanned."
LARGE_TRANSFER = "That is a lot of money."
ON_SCREEN = "Look at your phone for this one."
WITH_PASSKEY = "Confirm it with your passkey on your phone."
REFUSED = "All right, I did not order it."
NO_LINK = (
    "The shop wants you to confirm something itself, but gave no link that I trust. "
    "Nothing was ordered."
)
ESCALATION_GONE = "The shop gave the order up. Nothing was ordered."
ESCALATION_LAPSED = "You did not confirm it on the shop's page in time, so I did not order it."
ALREADY_THERE = "The shop had taken that order on its own page before. I cannot take it back."
THERE_CANCELED = "The shop cancelled the order. What you paid on its page comes back from the shop."
LAPSED = "Nobody confirmed, so I did not order it."
CANCELED = "The order is cancelled. Nothing was charged."
APPROVED = "Confirmed. I am ordering it now."
WITHIN_LIMIT = "It is within your limit, so I order it now."
LIMIT_ENDED = "Your limit does not cover this any more, so I ask you."
SETS_LIMIT = "A limit is set on a screen that shows it."
REVISED = "I changed the order and ask for the price again."
DECLINED = "The card was declined. Nothing was charged."
BANK_SILENT = "The bank does not answer, so I did not order. I make sure that nothing is charged."
BANK_LATE = "It took too long to pay, so I did not order. I make sure that nothing is charged."
PLACE_FAILED = "The shop did not take the order."
SHOP_SILENT = "The shop does not answer, so I stopped the order."
SHOP_LATE = "It took too long to place, so I stopped the order."
SHOP_CANCELED = "The shop cancelled the order."
SHOP_CANCELED_LATER = f"{SHOP_CANCELED} I get your money back."
SHOP_GAVE_BACK = "The shop took the order and gave your money back."
SHOP_TOOK_NOTHING = (
    "The shop has the order and never took its money, which is free again. "
    "Ask the shop whether it still comes."
)
SAME_ORDER = "The shop answers with an order that you had before. I get your money back."
NOT_SOLVED = "The shop took the payment but does not answer. You pay once at most. I keep checking."
BOTH_SILENT = "Neither the shop nor the bank answers. You pay once at most. I keep checking."
BANK_UNSURE = (
    "The shop took the order, but the bank does not answer. You pay once at most. I keep checking."
)
REFUND_SLOW = "The bank does not answer about your money yet. I keep trying."
PREPARING = "Your order is being prepared."
PICKED_UP = "Your order was picked up."
FETCHED = "You have picked up your order."
ON_THE_WAY = "Your order is on its way."
DELIVERED = "Your order was delivered."
LATE = "Your order is late. It costs nothing more. Ask the shop if you cannot wait."


def spoken(amount: Money) -> str:
    """An amount as it is said: `16 euros 40`."""
    names = _NAMES.get(amount.currency)
    if names is None:
        return str(amount)
    one, many, small = names
    whole, part = divmod(abs(amount.minor), 100)
    sign = "minus " if amount.minor < 0 else ""
    if whole == 0 and part:
        return f"{sign}{part} {small}"
    said = f"{sign}{whole} {one if whole == 1 else many}"
    return f"{said} {part:02d}" if part else said


def from_shop(text: str) -> str:
    """A shop's own words, made harmless: one line, not long, never empty."""
    line = "".join(c if c.isprintable() else " " for c in text)
    short = " ".join(line.split())
    if len(short) > SHOP_SAYS_MOST:
        short = f"{short[: SHOP_SAYS_MOST - 3].rstrip()}..."
    return short or PLACE_FAILED


def set_free(text: str) -> str:
    """Why an order came to nothing after its money was set aside."""
    return f"{text if text.endswith(('.', '!', '?')) else f'{text}.'} Your money is set free."


def not_ordered(text: str) -> str:
    return f"{from_shop(text)} Nothing was ordered."


def unheeded(checkout: Checkout, draft: OrderDraft) -> list[str]:
    """What the shop did not do of what the user wished, one sentence each."""
    said: list[str] = []
    for message in checkout.messages:
        if message.code == "no_faster_delivery":
            said.append(f"{checkout.merchant_name} offers no faster delivery.")
        if message.code == "price_since_menu":
            said += _priced_anew(checkout, draft, message.path)
        why = _CODES.get(message.code)
        at = _CODE_AT.search(message.path)
        if why is not None and at and int(at.group(1)) < len(draft.codes):
            said.append(why.format(shop=checkout.merchant_name, code=draft.codes[int(at.group(1))]))
    return list(dict.fromkeys(said))


def _priced_anew(checkout: Checkout, draft: OrderDraft, path: str) -> list[str]:
    """Of a line whose price on the menu was another: what it is now, by the checkout's own word."""
    at = _LINE_AT.search(path)
    wanted = draft.lines[int(at.group(1))] if at and int(at.group(1)) < len(draft.lines) else None
    found = [x for x in checkout.lines if wanted is not None and x.item_id == wanted.item_id]
    return [f"{x.title} has a new price, {spoken(x.unit_price)}." for x in found[:1]]


def off(checkout: Checkout) -> str:
    """What the discounts take off, to be put behind a price; empty where there are none."""
    kinds = ("discount", "items_discount")
    less = sum(total.amount.minor for total in checkout.totals if total.kind in kinds)
    return f", {spoken(Money(-less, checkout.total.currency))} off" if less else ""


_LINE_AT = re.compile(r"line_items\[(\d+)\]")
_CODE_AT = re.compile(r"discounts\.codes\[(\d+)\]")
_CODES = {
    "discount_code_expired": "The code {code} has expired.",
    "discount_code_invalid": "{shop} does not know the code {code}.",
    "discount_code_already_applied": "The code {code} counts only once.",
    "discount_code_combination_disallowed": "The code {code} does not go with another discount.",
    "discount_code_user_not_logged_in": "The code {code} needs an account at {shop}.",
    "discount_code_user_ineligible": "The code {code} is not for this order.",
    "discount_code_unsupported": "{shop} takes no codes.",
    "discount_code_unused": "The code {code} changed nothing.",
}


def quoted(checkout: Checkout) -> str:
    if checkout.trip is not None:
        return f"{trip(checkout.trip, checkout)} {spoken(checkout.total)} in all."
    if checkout.transfer is not None:
        return transfer(checkout.transfer)
    if checkout.journey is not None:
        return f"{checkout.journey.number} with {checkout.merchant_name}, {spoken(checkout.total)}."
    if checkout.table is not None:
        return f"{checkout.lines[0].title}, {spoken(checkout.total)}."
    goods = ", ".join(f"{line.quantity} {line.title}" for line in checkout.lines)
    return f"{checkout.merchant_name}: {goods}. {cost(checkout)} in all{off(checkout)}."


def cost(checkout: Checkout) -> str:
    """What it costs; where that is weighed, about what, and what at most."""
    payment, most = checkout.payment, spoken(checkout.total)
    if payment is None or not payment.at_most:
        return most
    if checkout.estimate == checkout.total:
        return f"at most {most}"
    return f"about {spoken(checkout.estimate)}, at most {most}"


def approval(checkout: Checkout, draft: OrderDraft) -> str:
    if draft.is_booking:
        return f"{quoted(checkout)} Shall I order it?"
    if draft.transfer is not None:
        return f"{quoted(checkout)} Shall I send it?"
    notes = "".join(f"{note} " for note in unheeded(checkout, draft))
    where = f"You pick it up at {fetched_at(checkout)}." if checkout.pickup else ""
    where = where or f"To {draft.address.label}."
    return f"{notes}{quoted(checkout)} {where} Shall I order it?"


def fetched_at(checkout: Checkout) -> str:
    """The shop's place, as the user is told where to go: its name and its street."""
    at = checkout.address
    name, street = from_shop(at.label or checkout.merchant_name), at.street.strip()
    return f"{name}, {from_shop(street)}" if street and street != name else name


def ready(checkout: Checkout | None) -> str:
    if checkout is None:
        return "Your order is ready for pick-up."
    return f"Your order is ready for pick-up at {fetched_at(checkout)}."


def within_limit(checkout: Checkout, draft: OrderDraft) -> str:
    """The notice of a purchase that is not asked about."""
    notes = "".join(f"{note} " for note in unheeded(checkout, draft))
    return f"{notes}Ordering {quoted(checkout)} It is within your limit. Say stop to undo."


def always_asked(most: Money) -> str:
    return f"More than {spoken(most)} I always ask you about."


def escalated(shop: str, life_s: float) -> str:
    minutes = max(1, round(life_s / 60))
    return (
        f"{shop} wants you to confirm this on its own page. The link is on your phone. "
        f"I wait {minutes} {_minutes(minutes)}; nothing is ordered yet."
    )


def placed_there(checkout: Checkout) -> str:
    paid = f"You ordered it on the page of {checkout.merchant_name}"
    return f"{paid}, for {spoken(checkout.total)}. I paid nothing, and follow the order."


def other_there(quoted: Money, there: Money) -> str:
    if quoted == there:
        return (
            "You ordered something else on the shop's page. I paid nothing and do not follow it. "
            "Ask the shop about it."
        )
    change = f"for {spoken(there)} instead of {spoken(quoted)}"
    return (
        f"You ordered it on the shop's page, {change}. I paid nothing and do not follow it. "
        "Ask the shop about it."
    )


def took_less(stated: Money, taken: Money) -> str:
    return f"The shop asked for {spoken(stated)} and took {spoken(taken)}: that is what you paid."


def paid(amount: Money) -> str:
    return f"{spoken(amount)} is set aside for the shop."


def placed(checkout: Checkout, final: Money) -> str:
    if checkout.trip is not None:
        return _trip_placed(checkout.trip)
    if checkout.transfer is not None:
        return f"{spoken(final)} are on the way to {checkout.transfer.name}."
    eta = checkout.eta_minutes
    when = f" It should be there in about {eta} {_minutes(eta)}." if eta else ""
    if checkout.pickup:
        when = f" You can pick it up at {fetched_at(checkout)}"
        when += f" in about {eta} {_minutes(eta)}." if eta else "; I tell you when it is ready."
    payment = checkout.payment
    came = ""
    if checkout.billed_later:
        came = f" It costs {cost(checkout)}."
    elif payment is not None and payment.at_most:
        came = f" It came to {spoken(final)}."
    return f"Your order at {checkout.merchant_name} is placed.{came}{when}"


HOLD_OVER = (
    "The shop never took its money, and what was set aside is free again. Nothing was charged. "
    "Ask the shop whether it still comes."
)
TOO_LATE_TO_ANSWER = "That was too late: the shop leaves it out."


def substitution(asked: SubstitutionQuestion) -> str:
    return (
        f"There is no {from_shop(asked.title)}. Take {from_shop(asked.offered)} for "
        f"{spoken(asked.total)} instead?"
    )


def billed(agreed: Checkout, bill: Sequence[BilledLine], paid: Money) -> str:
    """What was brought otherwise than it was ordered, what it came to, and what is free again."""
    if not bill:
        return f"{agreed.merchant_name} took {spoken(paid)} and shows no bill. Ask the shop for it."
    lines = {line.id: line for line in agreed.lines}
    missing = [x.title for x in bill if x.missing]
    swapped = [
        f"{x.title} instead of {lines[x.line_id].title}"
        for x in bill
        if not x.missing and x.line_id in lines and x.item_id != lines[x.line_id].item_id
    ]
    said = [f"{agreed.merchant_name} has packed your groceries."]
    if swapped:
        said.append(f"You get {joined(swapped)}.")
    if missing:
        said.append(f"There was no {joined(missing)}.")
    rest = Money(agreed.total.minor - paid.minor, paid.currency)
    free = f"; {spoken(rest)} of what was set aside is free again" if rest.minor > 0 else ""
    return " ".join([*said, f"It came to {spoken(paid)}{free}."])


def overbilled(faults: Sequence[str], excess: Money) -> str:
    what = from_shop(joined(faults)) if faults else "the bill"
    more = f"The shop took {spoken(excess)} more than you agreed to, for {what}."
    return f"{more} I got that back for you."


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def price_changed(before: Money, after: Money) -> str:
    if before == after:
        return f"The shop changed the order. {NOTHING_CHARGED} I ask you again."
    change = f"from {spoken(before)} to {spoken(after)}"
    return f"The price changed {change}. {NOTHING_CHARGED} I ask you again."


def overcharged(approved: Money, asked: Money) -> str:
    if approved == asked:
        return "The shop placed something else than you approved. I get your money back."
    asked_for = f"The shop asks for {spoken(asked)} instead of {spoken(approved)}."
    return f"{asked_for} I do not pay that and get your money back."


def other_total(paid: Money, asked: Money) -> str:
    return f"The shop's order says {spoken(asked)}. You pay {spoken(paid)}, as you approved."


def refunded(amount: Money, *, was_captured: bool) -> str:
    return f"You got {spoken(amount)} back." if was_captured else NOTHING_CHARGED


def part_refunded(amount: Money, reason: str = "") -> str:
    return f"The shop gives you {spoken(amount)} back.{_because(reason)}"


def refund_promised(amount: Money, reason: str = "") -> str:
    return f"The shop wants to give you {spoken(amount)} back.{_because(reason)}"


def refund_failed(amount: Money) -> str:
    return f"The shop could not give you {spoken(amount)} back. Ask the shop."


def refund_overdue(amount: Money, shop: str, days: int) -> str:
    when = f"{days} {'day' if days == 1 else 'days'} ago" if days else "some time ago"
    promised = f"{shop or 'The shop'} said {when} that it gives {spoken(amount)} back"
    return f"{promised}, and it has not come. Ask the shop: your receipt is the proof."


def refund_came(amount: Money) -> str:
    return f"The {spoken(amount)} that the shop owed you came back."


def charged_more(amount: Money, reason: str = "") -> str:
    more = f"The shop asks for {spoken(amount)} more.{_because(reason)}"
    return f"{more} I pay nothing that you have not agreed to."


def adjusted(kind: str, status: str, reason: str = "") -> str:
    what = _ADJUSTED.get((kind, status), "The shop changed something in your order.")
    return f"{what}{_because(reason)}"


_ADJUSTED = {
    ("return", "pending"): "The shop expects something back from your order.",
    ("return", "completed"): "The shop has got back what you returned.",
    ("return", "failed"): "The shop did not take back what you returned.",
    ("cancellation", "pending"): "The shop looks into cancelling a part of your order.",
    ("cancellation", "completed"): "The shop cancelled a part of your order.",
    ("cancellation", "failed"): "The shop could not cancel it.",
    ("dispute", "pending"): "Your complaint about the order is being looked into.",
    ("dispute", "completed"): "Your complaint about the order is settled.",
    ("dispute", "failed"): "Your complaint about the order was turned down.",
}


def _because(reason: str) -> str:
    return f" It says: {from_shop(reason)}" if reason else ""


def place(address: Address) -> str:
    """`home`, `your office`, or the street."""
    label = address.label
    if label == "home":
        return label
    return f"your {label}" if label.isalpha() and label.islower() else label or address.street


def trip(terms: TripTerms, checkout: Checkout) -> str:
    """What is bought: `Economy ride with Lokki Rides from your office to home`, as a sentence."""
    wanted = terms.trip
    match wanted.kind:
        case "tip":
            return f"{checkout.lines[0].title} at {checkout.merchant_name}."
        case "change":
            return f"To {place(wanted.destination)} instead costs more."
        case "time":
            return f"Your ride on {times.moment(wanted.pickup_at)} instead costs more."
        case _:
            start = f" from {place(wanted.pickup)}" if wanted.pickup else ""
            what = f"{checkout.lines[0].title} with {checkout.merchant_name}"
            when = f", on {times.moment(wanted.pickup_at)}" if wanted.pickup_at else ""
            return f"{what}{start} to {place(wanted.destination)}{when}."


def new_payee(name: str, handle: str) -> str:
    return f"You have not paid {name} ({handle}) before."


def transfer(wanted: Transfer) -> str:
    """`20 euros to Anna Korhonen (@anna) for lunch.`, as a sentence."""
    note = f" for {wanted.note}" if wanted.note else ""
    return f"{spoken(wanted.amount)} to {wanted.name} ({wanted.payee}){note}."


def _trip_placed(terms: TripTerms) -> str:
    match terms.trip.kind:
        case "tip":
            return "The tip is paid."
        case "change" | "time":
            return "The change is paid."
        case _ if terms.trip.pickup_at:
            return f"Your ride is booked for {times.moment(terms.trip.pickup_at)}."
        case _:
            minutes = terms.pickup_minutes
            when = f" Pick-up in about {minutes} {_minutes(minutes)}." if minutes else ""
            return f"Your ride is booked.{when}"


RIDE_CANCELED = "Your ride is cancelled."
DRIVER_LATE = "Your driver should be here by now, and the company says nothing. Ask it."
NO_DRIVER_LEFT = "The ride company cancelled the ride: there is no driver for it."


_RIDE_STEPS = {
    "driver_arriving": "Your driver is almost there.",
    "dropped_off": "You have arrived.",
    "driver_canceled": "Your driver had to give up the ride. The company looks for another one.",
    "tipped": "Your driver has the tip.",
}


def ride_step(kind: str, ride: RideStatus, draft: OrderDraft) -> str:
    """What became of a ride, in Lapel's words; the driver's name, car and plate are quoted."""
    car = ", ".join(part for part in (ride.car, ride.plate) if part)
    near = f", about {ride.eta_minutes} {_minutes(ride.eta_minutes)}" if ride.eta_minutes else ""
    if kind in _RIDE_STEPS:
        return _RIDE_STEPS[kind]
    match kind:
        case "driver_assigned":
            return f"{ride.driver or 'A driver'} comes for you in a {car or 'car'}{near}."
        case "driver_here":
            return f"Your driver is here: {car}." if car else "Your driver is here."
        case "on_trip":
            return f"You are on your way{near}."
        case "destination_changed":
            return f"Your driver goes to {place(draft.address)} now."
        case "pickup_soon":
            return f"Your ride comes at {_clock(draft)}."
        case _:
            return f"Your driver is held up{near}."


def pickup_changed(pickup_at: str) -> str:
    return f"Your ride is on {times.moment(pickup_at)} now."


def pickup_shifted(agreed: str, now: str) -> str:
    """A time that the company changed by itself."""
    return (
        f"The ride company now says {times.moment(now)}. You booked {times.moment(agreed)}. "
        "If that does not suit you, say: cancel my ride."
    )


def _clock(draft: OrderDraft) -> str:
    at = draft.trip.pickup_at if draft.trip else ""
    return times.clock(datetime.fromisoformat(at)) if at else "its time"


def _minutes(count: int) -> str:
    return "minute" if count == 1 else "minutes"
