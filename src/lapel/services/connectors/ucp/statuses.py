"""What the HTTP status of a merchant's answer means."""

from __future__ import annotations

import msgspec

from lapel.commerce.ports import Nonsense, Refused, Unreachable
from lapel.services.connectors.ucp.refusals import errors_of, refusal
from lapel.services.connectors.ucp.wire.amounts import Message, ProtocolError
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


def raise_for_reasons(answer: Answer, whose: str) -> None:
    """UCP 2026-01-11 says why there is no checkout under a status of 4xx, with messages."""
    if answer.status not in (400, 404, 422):
        return
    try:
        errors = errors_of(decode(answer.body, _Reasons, whose).messages)
    except Nonsense:
        return
    if errors:
        raise refusal(errors, whose, None, fallback="refused")


class _Reasons(msgspec.Struct, frozen=True):
    messages: tuple[Message, ...] = ()


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
