"""What commerce refuses, and why.

CommerceError
  OrderError      the order cannot do that now; `code` says why
  ApprovalError   the decision does not count; `code` says why
  LimitError      the standing limit cannot be set or ended like that; `code` says why
  PasskeyError    the passkey cannot be added or found; `code` says why
  ReceiptError    the file is not a receipt that can be trusted
  ConsentError    the user's keys cannot be used
  MandateError    the mandate proves nothing; `code` says why
  EngineError     the machinery that runs orders cannot start
"""

from __future__ import annotations

from lapel.failures import Code


class CommerceError(Exception):
    code: Code = "commerce_error"

    def __init__(self, text: str, *, code: Code | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.code


class OrderError(CommerceError):
    """Codes: `unknown`, `too_late`, `closed`, `other_merchant`, `empty`, `bad_id`, `stopped`,
    `asked`.
    """

    code = "order_error"


class ApprovalError(CommerceError):
    """Codes: `unknown`, `expired`, `void`, `already_decided`, `hash_mismatch`, `wrong_user`,
    `needs_screen`, `needs_passkey`, `bad_passkey`.
    """

    code = "approval_error"


class LimitError(CommerceError):
    """Codes: `unknown`, `bad_terms`, `too_many`, `expired`, `already_decided`, `wrong_user`,
    `hash_mismatch`, `needs_screen`, `needs_passkey`, `bad_passkey`, `too_large`.
    """

    code = "limit_error"


class PasskeyError(CommerceError):
    """Codes: `unknown`, `no_challenge`, `bad_passkey`, `known`, `too_many`."""

    code = "passkey_error"


class ReceiptError(CommerceError):
    """Codes: `not_a_receipt`, `not_canonical`, `bad_key`, `bad_signature`, `other_key`,
    `other_cart`, `bad_mandate`, `broken_chain`.
    """

    code = "receipt_error"


class ConsentError(CommerceError):
    """Codes: `bad_key_file`, `open_key_file`, `wrong_key`."""

    code = "consent_error"


class MandateError(CommerceError):
    """Codes: `not_a_mandate`, `not_terminal`, `bad_signature`, `wrong_key`, `altered`, `expired`,
    `not_yet`, `other_audience`, `other_nonce`, `other_checkout`, `other_amount`, `other_payee`,
    `other_evidence`, `bad_passkey`.
    """

    code = "mandate_error"


class EngineError(CommerceError):
    code = "engine_busy"
