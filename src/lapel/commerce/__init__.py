"""Money, checkouts, approvals, the durable order, receipts. Imports `lapel.store` alone."""

from lapel.commerce.checkout import (
    Address,
    Checkout,
    CheckoutLine,
    CheckoutMessage,
    CheckoutStatus,
    DraftLine,
    OrderDraft,
    PaymentTarget,
    Total,
)
from lapel.commerce.errors import (
    ApprovalError,
    CommerceError,
    ConsentError,
    EngineError,
    MandateError,
    OrderError,
    ReceiptError,
)
from lapel.commerce.money import Money
from lapel.commerce.order import (
    Approval,
    ApprovalState,
    Decision,
    Evidence,
    Order,
    OrderEvent,
    OrderState,
)
from lapel.commerce.orders import Orders
from lapel.commerce.policy import Allowed, Denied, Policy
from lapel.commerce.ports import (
    Credential,
    MerchantAdjustment,
    MerchantEvent,
    MerchantOrder,
    Merchants,
    Nonsense,
    Payments,
    PaymentState,
    PortError,
    Refused,
    Unreachable,
)
from lapel.commerce.receipt import Receipt, verify, verify_chain
from lapel.commerce.statement import Statement, is_statement
from lapel.commerce.statement import verify as verify_statement
from lapel.commerce.words import off, spoken, unheeded

__all__ = [
    "Address",
    "Allowed",
    "Approval",
    "ApprovalError",
    "ApprovalState",
    "Checkout",
    "CheckoutLine",
    "CheckoutMessage",
    "CheckoutStatus",
    "CommerceError",
    "ConsentError",
    "Credential",
    "Decision",
    "Denied",
    "DraftLine",
    "EngineError",
    "Evidence",
    "MandateError",
    "MerchantAdjustment",
    "MerchantEvent",
    "MerchantOrder",
    "Merchants",
    "Money",
    "Nonsense",
    "Order",
    "OrderDraft",
    "OrderError",
    "OrderEvent",
    "OrderState",
    "Orders",
    "PaymentState",
    "PaymentTarget",
    "Payments",
    "Policy",
    "PortError",
    "Receipt",
    "ReceiptError",
    "Refused",
    "Statement",
    "Total",
    "Unreachable",
    "is_statement",
    "off",
    "spoken",
    "unheeded",
    "verify",
    "verify_chain",
    "verify_statement",
]
