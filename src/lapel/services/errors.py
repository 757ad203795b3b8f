"""What services itself refuses. Calls to merchants and banks raise `lapel.commerce.ports` errors.

ServiceError
  SignatureRejected   a message is not signed as UCP demands; the codes are UCP's
  WebhookError        an inbound webhook is not to be believed, or is already known
"""

from __future__ import annotations

from lapel.failures import Code


class ServiceError(Exception):
    code: Code = "service_error"

    def __init__(self, text: str, *, code: Code | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.code


class SignatureRejected(ServiceError):
    """`code` is UCP's: signature_missing, signature_invalid, key_not_found, digest_mismatch,
    algorithm_unsupported.
    """

    code = "signature_invalid"


class WebhookError(ServiceError):
    """`code`: a signature code, or unknown_merchant, stale, replayed, malformed.

    `status` is the HTTP status to answer with. A replay answers 200, so that a merchant whose
    acknowledgement was lost stops repeating itself.
    """

    code = "malformed"

    def __init__(self, text: str, *, code: Code | None = None, status: int = 400) -> None:
        super().__init__(text, code=code)
        self.status = status
