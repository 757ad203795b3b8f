"""What an utterance means: typed actions, each argument with the words it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from lapel.brain.frame import CartLine, Frame, Question, Span
from lapel.brain.questions import Asks


@dataclass(frozen=True, slots=True)
class AddLine:
    line: CartLine
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoveLine:
    index: int
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """The cart line at `index` becomes `line`."""

    index: int
    line: CartLine
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ChooseMerchant:
    merchant_id: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ChooseAddress:
    """`label` is one of the user's own address labels."""

    label: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class UseCode:
    """A discount code for this order, in capitals."""

    code: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class DropCodes:
    """No discount codes any more."""

    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ChooseDelivery:
    """The fastest delivery, or the cheapest again."""

    fastest: bool
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoosePickup:
    """The user fetches it, or has it delivered after all."""

    pickup: bool
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelOrder:
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Affirm:
    """A spoken yes. It answers a question; it never approves a purchase by itself."""

    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Deny:
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class AskStatus:
    """Where is my order?"""

    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class AskMenu:
    """What can I get there? `query` is a category or a dish, or empty; `merchant_id` if named.

    `asks` is what is asked: for the menu, which there are, whether there is one, what is in it.
    """

    query: str = ""
    spans: tuple[Span, ...] = ()
    merchant_id: str = ""
    asks: Asks = Asks.WHICH


@dataclass(frozen=True, slots=True)
class RepeatLast:
    """Say that again."""

    spans: tuple[Span, ...] = ()


Action = (
    AddLine
    | RemoveLine
    | ChangeLine
    | ChooseMerchant
    | ChooseAddress
    | UseCode
    | DropCodes
    | ChooseDelivery
    | ChoosePickup
    | CancelOrder
    | Affirm
    | Deny
    | AskStatus
    | AskMenu
    | RepeatLast
)


@dataclass(frozen=True, slots=True)
class Understanding:
    """The brain's answer.

    `frame` is the frame after the actions. `question` is set when something is missing or unclear;
    it is already in `frame`.
    `unknown` holds the user's words that looked like part of an order and matched nothing: they
    must be told, neither `question` nor `reply` repeats them.
    `is_order` is false for chatter, hypothetical and negated orders: then there are no actions that
    change the cart. `reply` is a short text for the cases that need no purchase (a greeting,
    "I can order food for you"). `notes` are facts to tell (sold out, closed, an option that is not
    there).
    """

    frame: Frame
    actions: tuple[Action, ...] = ()
    question: Question | None = None
    unknown: tuple[str, ...] = ()
    is_order: bool = False
    reply: str = ""
    confidence: float = 1.0
    notes: tuple[str, ...] = ()
