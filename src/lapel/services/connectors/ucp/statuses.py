"""What the HTTP status of a merchant's answer means."""

from __future__ import annotations

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp.wire.amounts import ProtocolError
from lapel.services.fetch import Answer, decode

_NO_ANSWER = frozenset({408, 424, 425, 429})
"""Nothing was decided: 424 is a merchant that could not read Lapel's own profile in time."""


def raise_for_status(answer: Answer, whose: str) -> None:
    """Only 200 and 201 bring what was asked for."""
    if answer.status in (200, 201):
        return
    try:
        said = decode(answer.body, ProtocolError, whose)
    except Nonsense:
        said = ProtocolError()
    raise said_no(answer.status, said.code, whose)


def said_no(status: int, code: str, whose: str) -> Refused | Unreachable | Nonsense:
    """The port error for a status; `code` is the merchant's own word."""
    if status >= 500 or status in _NO_ANSWER:
        return Unreachable(f"{whose!r} answers {status}; its effect is unknown")
    if status == 404:
        return Refused(f"{whose} does not know that any more", code="not_found")
    if status in (401, 403):
        return Refused(f"{whose} does not accept orders from here", code="unauthorized")
    if status == 409:
        return Nonsense(
            f"{whose!r} answers 409 {code[:64]!r}: it knows this key with other words",
            code="idempotency_conflict",
        )
    if not 400 <= status < 500:
        return Nonsense(f"{whose!r} answers {status}, which UCP does not use")
    return Refused(
        f"{whose} did not understand the request ({status} {code[:64]})", code="not_understood"
    )
