"""What can be done after a failure, as each medium offers it: a sentence, a longer one, buttons.

The ways and the long form are those of `lapel.failures`; `afterwards` understands what is offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from lapel.commerce import Order, OrderDraft, OrderEvent, OrderState, minor_digits
from lapel.devices import Card, CardAction, Cue
from lapel.failures import FAILURES, Code, Way, code_of

OFFERED = frozenset(
    {
        "quote_failed", "over_limit", "lapsed", "payment_declined", "refunded",
        "merchant_canceled",
    }
)  # fmt: skip
"""Events after which an order is over and something can be done about it. After the other failures
Lapel goes on by itself, asks anew, or their words say whom to ask."""
AGAIN = CardAction("again", "Try again")
ELSEWHERE = CardAction("elsewhere", "Other shops")
REST = CardAction("rest", "Order the rest")
REPEATS = frozenset({Way.AGAIN, Way.BANK, Way.LIMIT})
"""Ways that end in "try again"."""
_SAID = {
    Way.AGAIN: "Shall I try again?",
    Way.ELSEWHERE: "Shall I look elsewhere?",
    Way.REST: "Shall I order the rest?",
    Way.PLACE: "Say another address, or another shop.",
    Way.BANK: "Look at your account, then say try again.",
    Way.LIMIT: "Raise your limit in the console, then say try again.",
    Way.ANSWER: "Answer the question that is shown.",
    Way.WAIT: "I tell you how it ends.",
    Way.PAGE: "Open the page on your phone.",
    Way.OTHERWISE: "Tell me what you would like instead.",
    Way.SHOP: "Ask the shop.",
    Way.SETUP: "It has to be mended in the console.",
}
_SHOWN = {Way.AGAIN: 'Say "try again"', Way.ELSEWHERE: 'Say "another shop"'}
"""Where the failure's own long form speaks of more than there is."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`said` is one sentence for the ear, `shown` the longer form for a card."""

    way: Way
    said: str
    shown: str
    actions: tuple[CardAction, ...] = ()


def offer(code: Code, draft: OrderDraft | None, item: str = "") -> Offer:
    """What to offer after this failure of an order; without a draft, of something that was said."""
    failure = FAILURES[code]
    way = way_of(code, draft, item)
    own = way is failure.way
    said = failure.say if own and failure.say else _SAID.get(way, "")
    if way in (Way.BANK, Way.LIMIT) and not (draft is None or repeatable(draft)):
        said = said.replace("say try again", "ask me again")
        return Offer(way, said, said)
    shown = failure.remedy if own and way is not Way.AGAIN else _SHOWN.get(way, said)
    shop = (ELSEWHERE,) if draft is not None and draft.is_cart else ()
    if way is Way.AGAIN and shop:
        shown += ', or "another shop"'
    match way:
        case Way.AGAIN:
            actions = (AGAIN, *shop)
        case Way.BANK | Way.LIMIT:
            actions = (AGAIN,)
        case Way.REST:
            actions = (REST, *shop)
        case Way.ELSEWHERE | Way.PLACE:
            actions = shop
        case _:
            actions = ()
    return Offer(way, said, f"{shown.replace('`', '').rstrip('.')}." if shown else "", actions)


def way_of(code: Code, draft: OrderDraft | None, item: str = "") -> Way:
    """The failure's own way, or the nearest one that such an order has."""
    way = FAILURES[code].way
    if draft is None:
        return way if way not in (Way.ELSEWHERE, Way.REST, Way.PLACE) else Way.OTHERWISE
    if way is Way.REST and not (draft.is_cart and without(draft, item).lines):
        way = Way.ELSEWHERE
    if way in (Way.ELSEWHERE, Way.PLACE) and not draft.is_cart:
        way = Way.AGAIN
    if way is Way.AGAIN and not repeatable(draft):
        way = Way.OTHERWISE
    return way


def repeatable(draft: OrderDraft) -> bool:
    """Whether the same draft can be asked about again: a journey or a table was held for once."""
    return not draft.plan and draft.journey is None and draft.table is None


def without(draft: OrderDraft, item: str) -> OrderDraft:
    """The draft without its lines of that title; empty where it has no such line."""
    lines = tuple(line for line in draft.lines if line.title != item)
    return msgspec.structs.replace(draft, lines=lines if len(lines) < len(draft.lines) else ())


def failure_of(event: OrderEvent, why: OrderEvent | None = None) -> tuple[Code, str] | None:
    """The code of an order's failure and the thing it is about; `why` is what came before it."""
    for each in (why, event):
        found = None if each is None else code_of(str(each.data.get("code") or each.kind))
        if each is not None and found is not None and FAILURES[found].way is not Way.WAIT:
            return found, str(each.data.get("item") or "")
    return None


def with_offer(cue: Cue, order: Order, event: OrderEvent, why: OrderEvent | None = None) -> Cue:
    """The cue of an event with what can be done about it, where it is a failure that ends."""
    failed = failure_of(event, why) if event.kind in OFFERED and not order.draft.plan else None
    if failed is None or cue.card is None or order.state is OrderState.REFUNDING:
        return cue  # what is on its way back is told next, with the offer
    made = offer(failed[0], order.draft, failed[1])
    reason = why.text if why is not None else ""
    shown = _raising(order) if made.way is Way.LIMIT and order.total is not None else made.shown
    body = " ".join(part for part in (reason, cue.card.body, shown) if part)
    card = msgspec.structs.replace(cue.card, body=body, actions=made.actions)
    return msgspec.structs.replace(cue, speech=f"{cue.speech} {made.said}".strip(), card=card)


def _raising(order: Order) -> str:
    """The one step that raises the limit enough: the console, or this command."""
    assert order.total is not None  # the caller has looked
    most, digits = order.total.minor, 10 ** minor_digits(order.total.currency)
    enough = -(-most // (100 * digits)) * 100
    travel = " --for travel" if order.draft.journey is not None else ""
    money = "" if order.total.currency == "EUR" else f" --currency {order.total.currency}"
    again = 'say "try again"' if repeatable(order.draft) else "ask me again"
    command = f"lapel limit {enough}{travel}{money}"
    return f"Raise your limit under Limits in the console, or with: {command}. Then {again}."


def failed(text: str, code: Code) -> tuple[str, Card]:
    """What is said and shown when something that was asked for could not be done."""
    made = offer(code, None)
    card = Card(title="Lapel", body=f"{text} {made.shown}".strip(), actions=made.actions)
    return f"{text} {made.said}".strip(), card
