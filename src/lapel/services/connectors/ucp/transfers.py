"""The extension `dev.lapel.pay` on UCP's wire: money for a person, a request or a scanned code."""

from __future__ import annotations

from lapel.commerce.checkout import Transfer, TransferKind
from lapel.commerce.money import Money
from lapel.commerce.ports import Nonsense, Refused
from lapel.services.connectors.ucp.profile import PAY
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.wire.pay import TransferBody

ITEM = "transfer"
NOTE_LIMIT = 140
"""Characters of what the payer writes to the payee."""

_KINDS: dict[str, TransferKind] = {"send": "send", "request": "request", "code": "code"}


def transfer_body(transfer: Transfer, merchant: Merchant) -> dict[str, object]:
    """The one line and the transfer; Refused by a merchant that moves no money for others."""
    if PAY not in merchant.profile.capabilities:
        raise Refused(f"{merchant.name} does not send money.", code="no_transfer")
    asked: dict[str, object] = {
        "kind": transfer.kind,
        "payee": transfer.payee,
        "amount": transfer.amount.minor,
        "currency": transfer.amount.currency,
        "note": transfer.note,
    }
    if transfer.request_id:
        asked["request_id"] = transfer.request_id
    if transfer.code:
        asked["code"] = transfer.code
    return {"line_items": [{"item": {"id": ITEM}, "quantity": 1}], "transfer": asked}


def transfer_of(body: TransferBody | None) -> Transfer | None:
    """What the bank says that it will move, in its own words."""
    if body is None:
        return None
    kind = _KINDS.get(body.kind)
    if kind is None or body.amount is None:
        raise Nonsense(f"{body.kind[:40]!r} of {body.amount!r} is no transfer")
    return Transfer(
        kind=kind,
        payee=body.payee.handle,
        name=plain(body.payee.name, 80),
        amount=Money(body.amount, body.currency),
        note=plain(body.note or "", NOTE_LIMIT),
        request_id=body.request_id,
        code=body.code,
    )
