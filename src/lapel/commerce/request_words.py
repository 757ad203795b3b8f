"""What the user hears of a request to a merchant: that it is put, and how it ended."""

from __future__ import annotations

from lapel.commerce import words
from lapel.commerce.order import Order
from lapel.commerce.request import Cancel, Change, PutOff, Redirect, Request, SendBack

_REFUSED = {
    Cancel: "It is not cancelled.",
    Change: "Your booking stays as it is.",
    PutOff: "The ride stays at its time.",
    Redirect: "The destination stays as it is.",
    SendBack: "It is not on its way back.",
}
_CLOSED = {
    Cancel: "there is nothing to cancel",
    Change: "there is nothing to change",
    PutOff: "that ride cannot be put off",
    Redirect: "there is no ride under way",
    SendBack: "that order was not delivered",
}


def closed(request: Request) -> str:
    return _CLOSED[type(request)]


def asked_already(order: Order) -> str:
    return f"{_whom(order)} has been asked already and has not answered yet."


def slow(order: Order) -> str:
    return f"{_whom(order)} does not answer yet. I keep asking, and tell you how it ends."


def done(order: Order, request: Request) -> str:
    match request:
        case Cancel():
            return f"{_whom(order)} has cancelled it."
        case Change():
            return f"{_whom(order)} has changed your booking. It costs nothing more."
        case PutOff():
            return f"{_whom(order)} comes at the other time. It costs nothing more."
        case Redirect(destination=destination):
            return f"Your driver goes to {words.place(destination)} now. It costs nothing more."
        case SendBack(title=title):
            return f"{_whom(order)} expects {title} back. I tell you when the money comes."


def refused(order: Order, request: Request, text: str) -> str:
    """The merchant's own words, and what follows for the user."""
    said, stays = words.from_shop(text), _REFUSED[type(request)]
    return said if said.endswith(stays) else f"{said} {stays}"


def unanswered(order: Order, request: Request) -> str:
    return f"{_whom(order)} did not answer. {_REFUSED[type(request)]} Ask me again, or ask them."


def _whom(order: Order) -> str:
    return order.merchant_name or "The company"
