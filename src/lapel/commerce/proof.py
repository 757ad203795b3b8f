"""What a receipt's mandates prove: who agreed, to exactly this cart, on which device, how."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from lapel.commerce.checkout import (
    Address,
    Checkout,
    CheckoutLine,
    CheckoutStatus,
    PaymentTarget,
    Total,
    Transfer,
    Trip,
    TripTerms,
    Weighing,
)
from lapel.commerce.consent.assertions import (
    PASSKEY,
    challenge_for,
    check_assertion,
    key_hash,
)
from lapel.commerce.consent.closed import WITHIN_LIMIT, RiskData
from lapel.commerce.consent.jws import verify_es256
from lapel.commerce.consent.open_mandates import check_within, verify_open
from lapel.commerce.consent.sdjwt import strict_json
from lapel.commerce.consent.verify import agreed_in, parts_of, verify_checkout, verify_payment
from lapel.commerce.errors import MandateError, ReceiptError
from lapel.commerce.money import Money

if TYPE_CHECKING:
    from lapel.commerce.receipt import (
        Amount,
        Consent,
        LineWeighing,
        Mandates,
        Place,
        Receipt,
        TransferLine,
        TripLine,
    )


def check(receipt: Receipt, mandates: Mandates) -> None:
    """Raise `ReceiptError` unless the mandates are the user's yes to what the receipt says."""
    cart = _agreed_cart(receipt)
    _within(receipt)
    consent = receipt.consent
    at = datetime.fromisoformat(consent.at).timestamp()
    try:
        agreed = verify_checkout(
            mandates.checkout,
            key=mandates.jwk,
            audience=mandates.audience,
            nonce=mandates.nonce,
            at=at,
        )
        paid = verify_payment(
            mandates.payment,
            key=mandates.jwk,
            audience=mandates.audience,
            nonce=mandates.nonce,
            at=at,
            transaction=agreed.transaction,
            amount=_money(receipt.payment.amount),
            payee=receipt.payment.payee,
        )
        _same_cart(agreed.checkout_jwt, mandates, cart, receipt)
        _same_evidence(paid.risk, consent, receipt.order_id)
        _same_limit(paid.within, mandates, receipt, at)
    except MandateError as error:
        raise ReceiptError(
            f"the mandate does not prove it ({error.code}): {error.text}", code="bad_mandate"
        ) from error


def _same_cart(checkout_jwt: str, mandates: Mandates, cart: Checkout, receipt: Receipt) -> None:
    own = agreed_in(checkout_jwt, mandates.jwk)
    if own is not None:
        if own != cart.agreed() or mandates.audience != receipt.merchant.id:
            raise MandateError("another cart was signed", code="other_checkout")
        return
    _, payload = parts_of(checkout_jwt)
    verify_es256(mandates.merchant_jwk, checkout_jwt)
    found = strict_json(payload)
    body = cast("dict[str, object]", found) if isinstance(found, dict) else {}
    if (body.get("id"), body.get("currency"), _total(body)) != (
        receipt.merchant.checkout_id,
        cart.total.currency,
        cart.total.minor,
    ):
        raise MandateError("the merchant signed another cart", code="other_checkout")


def _total(body: dict[str, object]) -> object:
    totals = body.get("totals")
    for entry in cast("list[object]", totals) if isinstance(totals, list) else []:
        if isinstance(entry, dict):
            line = cast("dict[str, object]", entry)
            if line.get("type") == "total":
                return line.get("amount")
    return None


def _same_evidence(risk: RiskData | None, consent: Consent, order_id: str) -> None:
    """What the user signed about device and gesture is what the receipt says of them."""
    if risk is None:
        raise MandateError("the mandate does not say how it was given", code="other_evidence")
    signed_at = datetime.fromisoformat(consent.gesture_at).timestamp()
    said = (
        consent.approval_id,
        consent.checkout_hash,
        consent.device_id,
        consent.device_name,
        consent.device_family,
        consent.gesture,
        consent.shown_on,
        consent.read_aloud_on,
    )
    if (
        said
        != (
            risk.approval_id,
            risk.checkout_hash,
            risk.device_id,
            risk.device_name,
            risk.device_family,
            risk.gesture,
            risk.shown_on,
            risk.read_aloud_on,
        )
        or abs(signed_at * 1000 - risk.gesture_at_ms) > 1
    ):
        raise MandateError("another device or gesture was signed", code="other_evidence")
    plan = consent.plan
    if risk.plan != (plan.hash() if plan else ""):
        raise MandateError("another plan was signed", code="other_evidence")
    if plan and not plan.covers(order_id, consent.approval_id, consent.checkout_hash):
        raise MandateError("the plan that was agreed to is without this", code="other_evidence")
    _same_passkey(risk, consent)


def _same_passkey(risk: RiskData, consent: Consent) -> None:
    """The user's mandate names the passkey, and the passkey signed this very cart, or its plan."""
    passkey = consent.passkey
    if (consent.gesture == PASSKEY) != (passkey is not None):
        raise MandateError("the passkey that agreed is missing", code="other_evidence")
    if risk.passkey != (key_hash(passkey.public_key) if passkey else ""):
        raise MandateError("another passkey was signed", code="other_evidence")
    if passkey is not None:
        plan = consent.plan
        asked = (plan.id, plan.hash()) if plan else (consent.approval_id, consent.checkout_hash)
        check_assertion(passkey, challenge_for(*asked))


def _same_limit(within: str, mandates: Mandates, receipt: Receipt, at: float) -> None:
    """What nobody pressed for was bought within a limit that the user had signed before."""
    by_limit = receipt.consent.gesture == WITHIN_LIMIT
    if by_limit != (mandates.standing is not None) or by_limit != bool(within):
        raise MandateError("the limit that it stands on is missing", code="other_evidence")
    if mandates.standing is None:
        return
    opened = verify_open(mandates.standing, mandates.jwk)
    if opened.hash != within:
        raise MandateError("it stands on another limit", code="other_evidence")
    amount = _money(receipt.payment.amount)
    check_within(
        opened,
        amount=amount,
        merchant_id=receipt.merchant.id,
        lines=[(line.item_id, line.quantity) for line in receipt.lines],
        at=at,
    )


def _within(receipt: Receipt) -> None:
    """A final price is one that the user agreed to, when it lies within the bound."""
    most, paid = receipt.payment.amount, receipt.payment.paid
    if paid is not None and not (paid.currency == most.currency and 0 < paid.minor <= most.minor):
        raise ReceiptError("more was paid than was agreed to", code="other_cart")


def _agreed_cart(receipt: Receipt) -> Checkout:
    """The checkout of the receipt that the user agreed to; raises `ReceiptError` without one.

    Where another amount was paid the price had been a bound, or exact and the merchant took less.
    """
    for at_most in (False,) if receipt.payment.paid is None else (True, False):
        cart = _cart(receipt, at_most=at_most)
        if cart.hash() == receipt.consent.checkout_hash:
            return cart
    raise ReceiptError("the cart is not the one that was agreed to", code="other_cart")


def _cart(receipt: Receipt, *, at_most: bool) -> Checkout:
    """The checkout as far as the user agreed to it, from the receipt alone."""
    return Checkout(
        merchant_id=receipt.merchant.id,
        merchant_name=receipt.merchant.name,
        id=receipt.merchant.checkout_id,
        status=CheckoutStatus.COMPLETED,
        lines=tuple(
            CheckoutLine(
                x.item_id,
                x.title,
                x.quantity,
                _money(x.unit_price),
                _money(x.total),
                x.options,
                x.note,
                substitution=x.substitution,
                weighing=None if x.weighing is None else _weighing(x.weighing),
                substitution_max=x.substitution_max,
            )
            for x in receipt.lines
        ),
        totals=tuple(Total(x.kind, x.label, _money(x.amount)) for x in receipt.totals),
        total=_money(receipt.total),
        address=_address(receipt.address),
        payment=PaymentTarget(
            receipt.payment.handler,
            "",
            "",
            receipt.payment.payee,
            at_most=at_most,
        ),
        trip=None if receipt.trip is None else _trip(receipt.trip),
        pickup=receipt.pickup,
        transfer=None if receipt.transfer is None else _transfer(receipt.transfer),
        journey=receipt.journey,
        table=receipt.table,
    )


def _transfer(line: TransferLine) -> Transfer:
    return Transfer(
        kind=line.kind,
        payee=line.payee,
        name=line.name,
        amount=_money(line.amount),
        note=line.note,
        request_id=line.request_id,
        code=line.code,
    )


def _weighing(line: LineWeighing) -> Weighing:
    return Weighing(line.grams, line.max_grams, _money(line.unit_price), _money(line.estimate))


def _trip(line: TripLine) -> TripTerms:
    return TripTerms(
        trip=Trip(
            kind=line.kind,
            destination=_address(line.destination),
            pickup=None if line.pickup is None else _address(line.pickup),
            ride_id=line.ride_id,
            tip=line.tip,
            pickup_at=line.pickup_at,
        ),
        surge_percent=line.surge_percent,
        free_minutes=line.free_minutes,
        cancel_fee=None if line.cancel_fee is None else _money(line.cancel_fee),
        free_until=line.free_until,
    )


def _address(place: Place) -> Address:
    try:
        latitude, longitude = float(place.latitude), float(place.longitude)
    except ValueError:
        raise ReceiptError("the address has no coordinates", code="other_cart") from None
    return Address(
        place.label,
        place.street,
        place.city,
        place.postal_code,
        place.country,
        latitude,
        longitude,
        place.instructions,
    )


def _money(amount: Amount) -> Money:
    return Money(amount.minor, amount.currency)
