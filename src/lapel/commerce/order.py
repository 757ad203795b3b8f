"""An order, its approval and its events, as the rest of Lapel sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec

from lapel.commerce.checkout import Checkout, OrderDraft
from lapel.commerce.money import Money


class OrderState(StrEnum):
    QUOTING = "quoting"
    AWAITING_APPROVAL = "awaiting_approval"
    ESCALATED = "escalated"
    """The shop wants the buyer on its own page before it goes on."""
    REFUSED = "refused"
    LAPSED = "lapsed"
    CANCELED = "canceled"
    PAYING = "paying"
    PLACING = "placing"
    PLACED = "placed"
    DELIVERED = "delivered"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    FAILED = "failed"
    TROUBLE = "trouble"


OPEN = frozenset(
    {
        OrderState.QUOTING,
        OrderState.AWAITING_APPROVAL,
        OrderState.ESCALATED,
        OrderState.PAYING,
        OrderState.PLACING,
        OrderState.PLACED,
        OrderState.REFUNDING,
        OrderState.TROUBLE,
    }
)
"""The states in which something may still happen by itself."""

CHANGEABLE = frozenset({OrderState.QUOTING, OrderState.AWAITING_APPROVAL, OrderState.ESCALATED})
"""The states in which the user may still change or drop the order."""


class ApprovalState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"
    LAPSED = "lapsed"
    VOID = "void"


Decision = Literal["approve", "refuse"]


class PasskeyProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WebAuthn assertion over the hash of a question; all but the last two are base64url.

    `public_key` is the credential's, as COSE has it.
    """

    credential_id: str
    public_key: str
    authenticator_data: str
    client_data: str
    signature: str
    rp_id: str
    origin: str


class PlanYes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plan that one yes was given to. It covers each part's exact checkout and nothing else.

    `parts` are the id of the order, of its approval and the hash of its checkout, in their order.
    """

    id: str
    parts: tuple[tuple[str, str, str], ...]

    def hash(self) -> str:
        """SHA-256 (hex) over all that is agreed to."""
        return hashlib.sha256(msgspec.json.encode(self.parts)).hexdigest()

    def covers(self, order_id: str, approval_id: str, checkout_hash: str) -> bool:
        return (order_id, approval_id, checkout_hash) in self.parts


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the user decided; `at` is in seconds since 1970.

    `plan` is set where the yes was given to a whole plan; a passkey has then signed that.
    """

    device_id: str
    device_name: str
    family: str
    gesture: str
    at: float
    shown_on: tuple[str, ...] = ()
    read_aloud_on: tuple[str, ...] = ()
    passkey: PasskeyProof | None = None
    plan: PlanYes | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to the user about one exact checkout; it is worth nothing for any other."""

    id: str
    order_id: str
    user_id: str
    checkout_hash: str
    amount: Money
    payee: str
    merchant_name: str
    address_label: str
    asked_at: float
    expires_at: float
    state: ApprovalState
    decided_at: float | None = None
    evidence: Evidence | None = None
    limit_id: str = ""
    """The standing limit by which it answers itself with yes at `expires_at`; empty for none."""


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something that the user is to be told, exactly once. `n` is a cursor that only grows."""

    n: int
    order_id: str
    user_id: str
    kind: str
    at: float
    text: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    user_id: str
    merchant_id: str
    merchant_name: str
    state: OrderState
    revision: int
    draft: OrderDraft
    checkout: Checkout | None
    checkout_id: str
    total: Money | None
    approval: Approval | None
    """Of the present round of pricing; None while it is not asked yet."""
    merchant_order_id: str
    authorization_id: str
    receipt: str | None
    created_at: float
    updated_at: float
    asked: bool = False
    """The merchant was asked something about it and has not answered (see `asking`)."""
