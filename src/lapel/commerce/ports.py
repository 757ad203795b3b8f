"""What commerce needs from the world outside: merchants and a payment provider.

Implemented above, in services.

Every write takes an idempotency key. Calling twice with the same key has one effect and the same
answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from lapel.commerce.checkout import Address, Checkout, OrderDraft, PaymentTarget
from lapel.commerce.journey import Journey
from lapel.commerce.money import Money
from lapel.commerce.request import Request
from lapel.commerce.table import Table
from lapel.failures import Code


class PortError(Exception):
    """A call to the outside did not give a usable answer.

    PortError
      Unreachable        no answer, or a 5xx: the effect is UNKNOWN; retry with the same key
      Refused            a clear no, nothing happened; `code` says why, `text` is fit for the user,
                         `item` is the title of the thing that it is about, if it is about one
      Nonsense           an answer that breaks the protocol: do not trust it, do not retry blindly
    """

    code: Code = "port_error"

    def __init__(self, text: str, *, code: Code | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.code


class Unreachable(PortError):
    code = "unreachable"


class Refused(PortError):
    code = "refused"

    def __init__(self, text: str, *, code: Code | None = None, item: str = "") -> None:
        super().__init__(text, code=code)
        self.item = item


class Nonsense(PortError):
    code = "nonsense"


@dataclass(frozen=True, slots=True)
class Credential:
    """What the payment provider gave for one exact payment; `token` goes to the merchant.

    The mandates are the user's proof of consent, for merchants that speak AP2.
    """

    authorization_id: str
    token: str
    handler: str
    handler_id: str
    checkout_mandate: str = ""
    payment_mandate: str = ""


class PaymentState(StrEnum):
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class Payment:
    """One authorization as the bank has it now: what it held, what was taken, what went back."""

    state: PaymentState
    held: Money
    captured: Money
    refunded: Money


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One line of the user's account at the bank; `amount` is negative when money left it."""

    id: str
    kind: str
    """`payment` or `refund`; other kinds are no affair of Lapel's."""
    authorization_id: str
    amount: Money
    at: str


@dataclass(frozen=True, slots=True)
class BankStatement:
    """The user's account at one bank: what is in it and all that happened on it, oldest first."""

    endpoint: str
    balance: Money
    held: Money
    entries: tuple[BankEntry, ...]


@dataclass(frozen=True, slots=True)
class MerchantEvent:
    """One fulfilment event of the merchant's order.

    `kind` is UCP's open type (`preparing`, `picked_up`, `in_transit`, `delivered`...).
    """

    id: str
    kind: str
    at: str
    text: str = ""
    tracking_url: str = ""


@dataclass(frozen=True, slots=True)
class MerchantAdjustment:
    """A change after the placing: `kind` is UCP's open type (`refund`, `return`, `credit`...).

    `status` is `pending`, `completed` or `failed`. `amount` is negative for money that goes back to
    the user, positive for more that the merchant asks for, None where no money is named.
    """

    id: str
    kind: str
    status: str
    amount: Money | None = None
    text: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    """(line id, how many) of the lines that it is about; empty for none in particular."""


@dataclass(frozen=True, slots=True)
class RideStatus:
    """How a ride stands. `eta_minutes` is to the pick-up, and on the trip to the destination.

    `fee_now` is what canceling costs now, `fee_kept` what a canceled ride has cost. `pickup_at` is
    when a ride for later begins, as the company has it now.
    """

    status: str
    driver: str = ""
    car: str = ""
    plate: str = ""
    eta_minutes: int | None = None
    fee_now: Money | None = None
    fee_kept: Money | None = None
    pickup_at: str = ""
    destination: Address | None = None

    def goes_to(self, address: Address) -> bool:
        """Whether that is its destination; a company repeats coordinates, it does not measure."""
        to = self.destination
        return to is not None and _point(to) == _point(address)


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line as it is brought and charged. `line_id` is that of the checkout's line.

    `grams` and `unit_price` (for a kilogram) are of what was weighed. `missing` is not brought.
    """

    line_id: str
    item_id: str
    title: str
    quantity: int
    total: Money
    grams: int = 0
    unit_price: Money | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class SubstitutionQuestion:
    """A line that is not there, and what the merchant would bring instead for `total` in all."""

    line_id: str
    title: str
    item_id: str
    offered: str
    total: Money


@dataclass(frozen=True, slots=True)
class JourneyOffer:
    """A journey for nobody yet, at the price of now; `left` is how many there are."""

    merchant_id: str
    merchant_name: str
    journey: Journey
    price: Money
    left: int = 1


@dataclass(frozen=True, slots=True)
class JourneyStatus:
    """How a booking stands: `journey` is what is booked now, whatever was bought first.

    `refund_now` is what giving it back brings, `change_fee` what changing costs besides the fare's
    difference, None where it cannot be changed; `fee_kept` is what a canceled booking has cost.
    """

    journey: Journey
    status: str
    expected_begins: str = ""
    expected_ends: str = ""
    refund_now: Money | None = None
    change_fee: Money | None = None
    fee_kept: Money | None = None
    choices: tuple[JourneyOffer, ...] = ()


@dataclass(frozen=True, slots=True)
class TableOffer:
    """A table for nobody yet. `price` is what is paid in advance, for the whole party.

    `address` is where the restaurant is, with its coordinates; `distance_m` is in a straight line
    from where was searched, None where nothing was named. `left` is how many such tables there are.
    """

    merchant_id: str
    merchant_name: str
    table: Table
    price: Money
    address: Address
    cuisines: tuple[str, ...] = ()
    distance_m: int | None = None
    left: int = 1


@dataclass(frozen=True, slots=True)
class TableStatus:
    """How a booking stands: `table` is what is booked now, whatever was bought first.

    `status` is the last event of `docs/tables.md`. `fee_now` is what canceling costs at this
    moment, None once it is over; `fee_kept` is what a canceled booking has cost.
    `expected_begins` is when the table is ready, where that is later than was booked.
    """

    table: Table
    status: str
    address: Address
    expected_begins: str = ""
    fee_now: Money | None = None
    fee_kept: Money | None = None


@dataclass(frozen=True, slots=True)
class MerchantOrder:
    merchant_id: str
    id: str
    checkout_id: str
    total: Money
    events: tuple[MerchantEvent, ...]
    permalink: str = ""
    canceled: bool = False
    """The whole order; an adjustment that takes only some of it away is no cancellation."""
    adjustments: tuple[MerchantAdjustment, ...] = ()
    ride: RideStatus | None = None
    bill: tuple[BilledLine, ...] | None = None
    """Of a grocer, once everything is picked and weighed."""
    questions: tuple[SubstitutionQuestion, ...] = ()
    """What a grocer asks now."""
    journey: JourneyStatus | None = None
    table: TableStatus | None = None

    @property
    def refunds(self) -> tuple[Money, ...]:
        """What the merchant says it has given back, one amount for each adjustment."""
        return tuple(
            Money(-x.amount.minor, x.amount.currency)
            for x in self.adjustments
            if x.status == "completed" and x.amount is not None and x.amount.minor < 0
        )


class Merchants(Protocol):
    """Checkouts and orders at merchants; `merchant_id` is Lapel's own id of a known merchant."""

    async def create_checkout(self, draft: OrderDraft, key: str) -> Checkout: ...
    async def update_checkout(self, checkout_id: str, draft: OrderDraft, key: str) -> Checkout: ...
    async def get_checkout(self, merchant_id: str, checkout_id: str) -> Checkout: ...
    async def complete_checkout(
        self, merchant_id: str, checkout_id: str, credential: Credential, key: str
    ) -> Checkout: ...
    async def cancel_checkout(self, merchant_id: str, checkout_id: str, key: str) -> Checkout: ...
    async def get_order(self, merchant_id: str, order_id: str) -> MerchantOrder: ...
    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        """Tell a grocer whether to bring what it offered. Refused: it is not asked any more."""
        ...

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        """Ask for something about an order of the merchant's; the order as it is then.

        Refused: it does not, or not on these terms (`fee_changed`, `refund_changed`, `costs_more`,
        `return_closed`...); nothing has changed.
        """
        ...


class Payments(Protocol):
    """The user's payment provider."""

    async def authorize(
        self, user_id: str, target: PaymentTarget, amount: Money, checkout_hash: str, key: str
    ) -> Credential: ...
    async def state(
        self, user_id: str, target: PaymentTarget, authorization_id: str
    ) -> PaymentState: ...
    async def payment(
        self, user_id: str, target: PaymentTarget, authorization_id: str
    ) -> Payment: ...
    async def refund(
        self, user_id: str, target: PaymentTarget, authorization_id: str, amount: Money, key: str
    ) -> Payment:
        """Give `amount` of what was captured back; Refused when less than that is left."""
        ...

    async def statements(self, user_id: str) -> tuple[BankStatement, ...]:
        """One for each of the user's accounts; an account that was never opened has none."""
        ...

    async def release(
        self, user_id: str, target: PaymentTarget, authorization_id: str, key: str
    ) -> PaymentState:
        """Void it if nothing was captured, refund it if it was; answers VOIDED or REFUNDED."""
        ...


def _point(address: Address) -> str:
    """Where it is, to ten centimetres."""
    return f"{address.latitude:.6f} {address.longitude:.6f}"
