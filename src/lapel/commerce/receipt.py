"""Receipts: what was bought, who agreed to it and how, signed, and verified without any network.

The file is one line of canonical JSON, `{"jwk": ..., "jws": ..., "receipt": ...}`. No number in it
is a float, every key is ASCII, and the encoding is that of RFC 8785, so that the bytes follow from
the content and any changed byte is found. `jws` is a compact JWS (ES256, raw r||s, low s) whose
payload is the receipt. docs/receipts.md is the format's description.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
import rfc8785

from lapel.commerce import keys, proof
from lapel.commerce.checkout import (
    Address,
    Checkout,
    Substitution,
    Transfer,
    TransferKind,
    TripKind,
    TripTerms,
    Weighing,
)
from lapel.commerce.consent.closed import ClosedMandates
from lapel.commerce.consent.open_mandates import OpenMandates
from lapel.commerce.errors import ReceiptError
from lapel.commerce.journey import Journey
from lapel.commerce.money import Money
from lapel.commerce.order import Order, PasskeyProof, PlanYes
from lapel.commerce.ports import BilledLine
from lapel.commerce.table import Table

VERSION = 2
"""1 is the same without `mandates`; it is still read."""
TYPE = "lapel-receipt+json"
LARGEST = 1 << 20
"""No receipt has more bytes; a larger file is not read."""


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    minor: int
    currency: str


class LineWeighing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was agreed about a weighed line; `unit_price` is for a kilogram."""

    grams: int
    max_grams: int
    unit_price: Amount
    estimate: Amount


class BillLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What came of a line of groceries, once it was picked and weighed."""

    item_id: str
    title: str
    quantity: int
    total: Amount
    grams: int = 0
    missing: bool = False


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    item_id: str
    title: str
    quantity: int
    unit_price: Amount
    total: Amount
    options: tuple[str, ...]
    note: str
    substitution: Substitution = ""
    weighing: LineWeighing | None = None
    substitution_max: int = 0
    """Minor units; the most that something else may cost, where it is less than the line."""


class TotalLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    label: str
    amount: Amount


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: str
    street: str
    city: str
    postal_code: str
    country: str
    latitude: str
    longitude: str
    instructions: str


class Merchant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: str
    order_id: str
    checkout_id: str


class Payment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`amount` was agreed. `paid` is there when that was a bound, or when the merchant took less,
    and is what the bank paid.
    """

    payee: str
    handler: str
    authorization_id: str
    amount: Amount
    paid: Amount | None = None


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who said yes, on what, how; `at` by Lapel's clock, `gesture_at` by the device's.

    `plan` is there when the yes was one to several orders: what it was for, order by order.
    """

    approval_id: str
    checkout_hash: str
    asked_at: str
    at: str
    gesture_at: str
    gesture: str
    device_id: str
    device_name: str
    device_family: str
    shown_on: tuple[str, ...]
    read_aloud_on: tuple[str, ...]
    passkey: PasskeyProof | None = None
    plan: PlanYes | None = None


class Mandates(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The user's closed mandates (AP2), what they answer, and the key that signed them.

    `merchant_jwk` is the key under the merchant's own signature, if it signed the checkout.
    `standing` is the limit that gave the yes in the user's stead, if one did.
    """

    jwk: dict[str, str]
    audience: str
    nonce: str
    checkout: str
    payment: str
    merchant_jwk: dict[str, str]
    standing: OpenMandates | None = None


class TripLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A ride (or a change of one, or a tip); `pickup` is absent where there is none.

    `pickup_at` and `free_until` (until when canceling is free) are of a ride for later.
    """

    kind: TripKind
    destination: Place
    ride_id: str
    tip: int
    surge_percent: int
    free_minutes: int
    pickup: Place | None = None
    cancel_fee: Amount | None = None
    pickup_at: str = ""
    free_until: str = ""


class TransferLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Money for a person or a shop, as the bank stated whom."""

    kind: TransferKind
    payee: str
    name: str
    amount: Amount
    note: str = ""
    request_id: str = ""
    code: str = ""


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`previous` is the SHA-256 of the user's previous receipt file, empty in the first one."""

    version: int
    id: str
    order_id: str
    user_id: str
    placed_at: str
    merchant: Merchant
    lines: tuple[Line, ...]
    totals: tuple[TotalLine, ...]
    total: Amount
    address: Place
    payment: Payment
    consent: Consent
    key_id: str
    previous: str
    mandates: Mandates | None = None
    trip: TripLine | None = None
    bill: tuple[BillLine, ...] = ()
    """Of groceries: what was brought in the end. `lines` are what was agreed."""
    pickup: bool = False
    """Fetched at `address` by the user."""
    transfer: TransferLine | None = None
    journey: Journey | None = None
    table: Table | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    receipt: Receipt
    jws: str
    jwk: dict[str, str]


class Signer:
    """Signs receipts with one key."""

    def __init__(self, key: keys.SigningKey) -> None:
        self._key = key
        self.key_id = key.id

    def sign(self, receipt: Receipt) -> str:
        """The receipt's file."""
        jws = keys.sign_jws(self._key, TYPE, canonical(receipt))
        return canonical(_File(receipt, jws, dict(self._key.public))).decode()


def receipt_of(
    order: Order,
    checkout: Checkout,
    at: float,
    key_id: str,
    previous: str | None,
    mandates: ClosedMandates | None = None,
    paid: Money | None = None,
    bill: tuple[BilledLine, ...] = (),
) -> Receipt:
    """The receipt of an order that is being placed as `checkout`; `paid` if it is not that total.

    `bill` is what a grocer brought in the end.
    """
    approval, payment = order.approval, checkout.payment
    evidence = approval.evidence if approval else None
    if approval is None or evidence is None or approval.decided_at is None or payment is None:
        raise ReceiptError(f"order {order.id!r} was not approved, so it has no receipt")
    return Receipt(
        version=VERSION if mandates else 1,
        id=f"r_{order.id.removeprefix('o_')}",
        order_id=order.id,
        user_id=order.user_id,
        placed_at=_time(at),
        merchant=Merchant(
            checkout.merchant_id, checkout.merchant_name, checkout.order_id, checkout.id
        ),
        lines=_lines(checkout),
        totals=tuple(TotalLine(x.kind, x.label, _amount(x.amount)) for x in checkout.totals),
        total=_amount(checkout.total),
        address=_place(checkout.address),
        payment=Payment(
            payment.payee,
            payment.handler,
            order.authorization_id,
            _amount(approval.amount),
            _amount(paid) if paid else None,
        ),
        consent=Consent(
            approval_id=approval.id,
            checkout_hash=approval.checkout_hash,
            asked_at=_time(approval.asked_at),
            at=_time(approval.decided_at),
            gesture_at=_time(evidence.at),
            gesture=evidence.gesture,
            device_id=evidence.device_id,
            device_name=evidence.device_name,
            device_family=evidence.family,
            shown_on=evidence.shown_on,
            read_aloud_on=evidence.read_aloud_on,
            passkey=evidence.passkey,
            plan=evidence.plan,
        ),
        key_id=key_id,
        previous=file_hash(previous) if previous else "",
        mandates=_mandates(checkout, mandates) if mandates else None,
        trip=None if checkout.trip is None else _trip(checkout.trip),
        bill=tuple(
            BillLine(x.item_id, x.title, x.quantity, _amount(x.total), x.grams, x.missing)
            for x in bill
        ),
        pickup=checkout.pickup,
        transfer=None if checkout.transfer is None else _transfer(checkout.transfer),
        journey=checkout.journey,
        table=checkout.table,
    )


def verify(file: bytes | str, *, key: str = "") -> Receipt:
    """The receipt in a file that nobody changed; `key` pins the signer by its JWK thumbprint.

    Without `key` the file proves only that it is whole: anyone can sign with a key of their own.
    Raises `ReceiptError`.
    """
    data = file.encode() if isinstance(file, str) else file
    if len(data) > LARGEST:
        raise ReceiptError("the file is too large for a receipt", code="not_a_receipt")
    try:
        parsed = msgspec.json.decode(data, type=_File)
        plain = json.loads(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReceiptError(f"this is not a receipt: {error}", code="not_a_receipt") from None
    if encoded(plain) != data:
        raise ReceiptError(
            "the file is not in canonical form: it was edited or reformatted", code="not_canonical"
        )
    public = keys.public_key(parsed.jwk)
    signer = keys.thumbprint(parsed.jwk)
    if key and key != signer:
        raise ReceiptError(f"signed with the key {signer!r}, not with {key!r}", code="other_key")
    if keys.verify_jws(public, signer, TYPE, parsed.jws) != canonical(parsed.receipt):
        raise ReceiptError("the signature is for other content", code="bad_signature")
    receipt = parsed.receipt
    if receipt.key_id != signer or receipt.version != (VERSION if receipt.mandates else 1):
        raise ReceiptError("the receipt names another key or version", code="bad_signature")
    if receipt.mandates is not None:
        proof.check(receipt, receipt.mandates)
    return receipt


def verify_chain(files: Iterable[bytes | str], *, key: str = "") -> list[Receipt]:
    """Verify a user's receipts, oldest first, and that none is missing between them."""
    receipts: list[Receipt] = []
    before: bytes | str | None = None
    for file in files:
        receipt = verify(file, key=key)
        if before is not None and receipt.previous != file_hash(before):
            raise ReceiptError(
                f"receipt {receipt.id!r} does not follow {receipts[-1].id!r}: one is missing",
                code="broken_chain",
            )
        receipts.append(receipt)
        before = file
    return receipts


def file_hash(file: bytes | str) -> str:
    return hashlib.sha256(file.encode() if isinstance(file, str) else file).hexdigest()


def canonical(value: msgspec.Struct) -> bytes:
    """RFC 8785 for values without floats and with ASCII keys."""
    return encoded(msgspec.to_builtins(value))


def encoded(plain: object) -> bytes:
    """RFC 8785 for what was read from a file; raises `ReceiptError` for what has no such form."""
    try:
        return rfc8785.dumps(plain)  # pyright: ignore[reportArgumentType]  # it says if it cannot
    except rfc8785.CanonicalizationError as error:
        raise ReceiptError(f"this has no canonical form: {error}", code="not_canonical") from None


def _mandates(checkout: Checkout, given: ClosedMandates) -> Mandates:
    key = checkout.signed.key if checkout.signed else "{}"
    merchant = msgspec.json.decode(key, type=dict[str, str])
    return Mandates(
        given.jwk,
        given.audience,
        given.nonce,
        given.checkout,
        given.payment,
        merchant,
        given.standing,
    )


def _lines(checkout: Checkout) -> tuple[Line, ...]:
    return tuple(
        Line(
            x.item_id,
            x.title,
            x.quantity,
            _amount(x.unit_price),
            _amount(x.total),
            x.options,
            x.note,
            x.substitution,
            None if x.weighing is None else _weighing(x.weighing),
            x.substitution_max,
        )
        for x in checkout.lines
    )


def _weighing(known: Weighing) -> LineWeighing:
    return LineWeighing(
        known.grams, known.max_grams, _amount(known.unit_price), _amount(known.estimate)
    )


def _trip(terms: TripTerms) -> TripLine:
    trip, fee = terms.trip, terms.cancel_fee
    return TripLine(
        kind=trip.kind,
        destination=_place(trip.destination),
        ride_id=trip.ride_id,
        tip=trip.tip,
        surge_percent=terms.surge_percent,
        free_minutes=terms.free_minutes,
        pickup=None if trip.pickup is None else _place(trip.pickup),
        cancel_fee=None if fee is None else _amount(fee),
        pickup_at=trip.pickup_at,
        free_until=terms.free_until,
    )


def _transfer(transfer: Transfer) -> TransferLine:
    return TransferLine(
        kind=transfer.kind,
        payee=transfer.payee,
        name=transfer.name,
        amount=_amount(transfer.amount),
        note=transfer.note,
        request_id=transfer.request_id,
        code=transfer.code,
    )


def _place(address: Address) -> Place:
    return Place(
        address.label,
        address.street,
        address.city,
        address.postal_code,
        address.country,
        repr(address.latitude),
        repr(address.longitude),
        address.instructions,
    )


def _amount(amount: Money) -> Amount:
    return Amount(amount.minor, amount.currency)


def _time(at: float) -> str:
    stamp = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")
