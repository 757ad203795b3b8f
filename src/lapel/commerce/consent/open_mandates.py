"""Open mandates (AP2 v0.2): what the user agrees to in advance, within stated limits.

`mandate.payment.open.1` says how much, how often, to whom and until when; `mandate.checkout.open.1`
at which merchants and for which goods. Both are signed by the user's key as the closed ones are,
and prove nothing by themselves: a purchase takes closed mandates, of which the one for the payment
names this one.
AP2 leaves open whether `budget` and `max_occurrences` count in all or in each period of
`agent_recurrence`: here they count in each, over a rolling period that ends with the purchase.
Its text has a cart fill each entry of `line_items` exactly, its verifier no more than fill it; an
entry without `acceptable_items` takes any goods there. Here as there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import msgspec
import rfc8785

from lapel.commerce.consent.assertions import PASSKEY, challenge_for, check_assertion
from lapel.commerce.consent.sdjwt import Issued, Opened, issue, open_presentation, present
from lapel.commerce.errors import MandateError
from lapel.commerce.keys import SigningKey
from lapel.commerce.money import Money, minor_digits
from lapel.commerce.order import PasskeyProof

OPEN_CHECKOUT = "mandate.checkout.open.1"
OPEN_PAYMENT = "mandate.payment.open.1"
AUDIENCE = "lapel:standing-limit"
"""Whom open mandates are bound to: nobody but a reader of the user's own receipts gets them."""

Period = Literal["day", "week", "month"]
PERIOD_S: Mapping[Period, int] = {"day": 86400, "week": 7 * 86400, "month": 30 * 86400}
_FREQUENCY: Mapping[Period, str] = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY"}
MOST_DAYS = 366
MOST_MERCHANTS = 20
MOST_ITEMS = 20
MOST_PIECES = 1000
"""The quantity of the one `line_items` entry: the most pieces in a cart that any limit covers."""
_LINE_ITEMS = "checkout.line_items"


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A merchant by Lapel's own id of it."""

    id: str
    name: str


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that a merchant sells, by the merchant's own id of it."""

    id: str
    title: str


class LimitTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be bought without asking. Amounts in minor units; `valid_until` in seconds.

    No `merchants` means every merchant that the user has paid before; `purchases` is the most in a
    period, 0 for any number. `budget_minor` is a whole amount of the currency's major unit. No
    `items` means any goods; else a cart holds nothing but these.
    """

    currency: str
    most_minor: int
    budget_minor: int
    period: Period
    valid_until: int
    merchants: tuple[Party, ...] = ()
    purchases: int = 0
    items: tuple[Item, ...] = ()

    @property
    def most(self) -> Money:
        return Money(self.most_minor, self.currency)

    @property
    def budget(self) -> Money:
        return Money(self.budget_minor, self.currency)

    @property
    def period_s(self) -> int:
        return PERIOD_S[self.period]

    def names(self, merchant_id: str) -> bool:
        return any(merchant.id == merchant_id for merchant in self.merchants)

    def hash(self) -> str:
        """SHA-256 (hex) over all of it: what an answer to the question is bound to."""
        said = msgspec.to_builtins(self)
        if not self.items:
            del said["items"]  # as the limits from before have it
        return hashlib.sha256(msgspec.json.encode(said)).hexdigest()

    def admits(self, lines: Iterable[tuple[str, int]]) -> bool:
        """Whether a cart of these items and quantities is one that the limit is for."""
        cart = list(lines)
        named = {item.id for item in self.items}
        return 0 < sum(quantity for _, quantity in cart) <= MOST_PIECES and all(
            quantity > 0 and (not named or item in named) for item, quantity in cart
        )

    def fault(self, at: float) -> str:
        """Why nobody can be asked to agree to this, in words for the user; empty when they can."""
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            return f"{self.currency!r} is no currency."
        if self.most_minor <= 0 or self.budget_minor <= 0 or self.purchases < 0:
            return "A limit must be more than nothing."
        if self.most_minor > self.budget_minor:
            return "One purchase cannot be more than the whole budget."
        if self.budget_minor % 10 ** minor_digits(self.currency):
            return "A budget is a whole amount, without cents."
        if not at < self.valid_until <= at + MOST_DAYS * 86400:
            return f"A limit ends between now and {MOST_DAYS} days from now."
        if len(self.merchants) > MOST_MERCHANTS:
            return f"A limit names at most {MOST_MERCHANTS} shops."
        if len({merchant.id for merchant in self.merchants}) != len(self.merchants):
            return "A shop stands twice in it."
        return self._fault_of_items()

    def _fault_of_items(self) -> str:
        if not self.items:
            return ""
        if len(self.merchants) != 1:
            return "A limit for certain goods names the one shop that sells them."
        if len(self.items) > MOST_ITEMS:
            return f"A limit names at most {MOST_ITEMS} goods."
        if len({item.id for item in self.items}) != len(self.items):
            return "One of the goods stands twice in it."
        return ""


class SetBy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the user agreed to the limit: `risk_data` of the open payment mandate."""

    limit_id: str
    terms_hash: str
    device_id: str
    device_name: str
    device_family: str
    gesture: str
    gesture_at_ms: int
    shown_on: tuple[str, ...]
    passkey: PasskeyProof | None = None


class OpenMandates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One limit's mandates as presentations; the nonce is the limit's id."""

    limit_id: str
    checkout: str
    payment: str


@dataclass(frozen=True, slots=True)
class VerifiedOpen:
    """`hash` is what a closed payment mandate names; `since` when the user agreed."""

    terms: LimitTerms
    hash: str
    since: int
    set_by: SetBy


class _Requirement(msgspec.Struct):
    acceptable_items: list[Item]


class _Claims(msgspec.Struct):
    vct: str
    constraints: list[dict[str, object]]
    iat: int
    exp: int
    risk_data: SetBy | None = None


def sign_open(key: SigningKey, terms: LimitTerms, by: SetBy, at: float) -> OpenMandates:
    """Sign both open mandates of a limit that the user agreed to at `at`."""
    times = {"iat": int(at), "exp": terms.valid_until}
    cnf = {"cnf": {"jwk": dict(key.public)}}
    for_checkout = {"vct": OPEN_CHECKOUT, "constraints": _for_checkout(terms), **times}
    reference = open_mandate_hash({**for_checkout, **cnf})
    for_payment = {
        "vct": OPEN_PAYMENT,
        "constraints": _constraints(terms, reference),
        **times,
    }

    def shown(issued: Issued, *names: str) -> str:
        return present(key, issued, names, audience=AUDIENCE, nonce=by.limit_id, at=int(at))

    payment = issue(key, for_payment, {"risk_data": msgspec.to_builtins(by)})
    return OpenMandates(by.limit_id, shown(issue(key, for_checkout)), shown(payment, "risk_data"))


def verify_open(mandates: OpenMandates, key: Mapping[str, str]) -> VerifiedOpen:
    """The limit that `key` signed; else `MandateError`. Whether a purchase fits is asked apart.

    One without `line_items`, as they were signed before, is for any goods.
    """
    checkout, of_checkout = _opened(mandates.checkout, OPEN_CHECKOUT, key, mandates.limit_id)
    payment, of_payment = _opened(mandates.payment, OPEN_PAYMENT, key, mandates.limit_id)
    by = payment.risk_data
    terms = _terms(payment, _items(checkout))
    same_times = (checkout.iat, checkout.exp) == (payment.iat, payment.exp)
    if terms is None or by is None or not same_times:
        raise MandateError("the open mandates are not of one limit", code="not_a_mandate")
    reference = _hash_of(of_checkout)
    shops = _at_merchants(terms)
    as_before = checkout.constraints == shops and not terms.items
    of_checkout_fit = as_before or checkout.constraints == _for_checkout(terms)
    if not of_checkout_fit or payment.constraints != _constraints(terms, reference):
        raise MandateError("the open mandates do not belong together", code="altered")
    if (by.limit_id, by.terms_hash) != (mandates.limit_id, terms.hash()):
        raise MandateError("another limit was agreed to", code="other_evidence")
    if (by.gesture == PASSKEY) != (by.passkey is not None):
        raise MandateError("the passkey that set the limit is missing", code="other_evidence")
    if by.passkey is not None:
        check_assertion(by.passkey, challenge_for(by.limit_id, by.terms_hash))
    return VerifiedOpen(terms, _hash_of(of_payment), payment.iat, by)


def open_mandate_hash(claims: Mapping[str, object]) -> str:
    """AP2's: SHA-256 (hex) over the claims in canonical form (RFC 8785), `cnf` included."""
    return hashlib.sha256(rfc8785.dumps(dict(claims))).hexdigest()  # pyright: ignore[reportArgumentType]  # our own JSON


def check_within(
    opened: VerifiedOpen,
    *,
    amount: Money,
    merchant_id: str,
    lines: Iterable[tuple[str, int]],
    at: float,
) -> None:
    """Raise `MandateError` unless one purchase alone keeps to the limit.

    `lines` are the ids and quantities of what is bought. What was bought before in the same period
    is not known here: Lapel's record keeps that count.
    """
    terms = opened.terms
    if amount.currency != terms.currency or not 0 < amount.minor <= terms.most_minor:
        raise MandateError(f"{amount} is not within the limit", code="other_amount")
    if terms.merchants and not terms.names(merchant_id):
        raise MandateError("the limit is for other merchants", code="other_payee")
    if not terms.admits(lines):
        raise MandateError("the limit is for other goods", code="other_checkout")
    if at < opened.since:
        raise MandateError("the limit was set after the purchase", code="not_yet")
    if at >= terms.valid_until:
        raise MandateError("the limit had ended before the purchase", code="expired")


def _at_merchants(terms: LimitTerms) -> list[dict[str, object]]:
    if not terms.merchants:
        return []
    return [{"type": "checkout.allowed_merchants", "allowed": _parties(terms)}]


def _for_checkout(terms: LimitTerms) -> list[dict[str, object]]:
    """Where, and what: AP2's schema wants `line_items` in every open checkout mandate."""
    goods: dict[str, object] = {
        "id": "goods",
        "acceptable_items": [{"id": item.id, "title": item.title} for item in terms.items],
        "quantity": MOST_PIECES,
    }
    return [{"type": _LINE_ITEMS, "items": [goods]}, *_at_merchants(terms)]


def _constraints(terms: LimitTerms, reference: str) -> list[dict[str, object]]:
    recurrence: dict[str, object] = {
        "type": "payment.agent_recurrence",
        "frequency": _FREQUENCY[terms.period],
    }
    if terms.purchases:
        recurrence["max_occurrences"] = terms.purchases
    until = datetime.fromtimestamp(terms.valid_until, UTC).isoformat().replace("+00:00", "Z")
    found: list[dict[str, object]] = [
        {"type": "payment.reference", "conditional_transaction_id": reference},
        {"type": "payment.amount_range", "currency": terms.currency, "max": terms.most_minor},
        {
            "type": "payment.budget",
            "currency": terms.currency,
            "max": terms.budget_minor // 10 ** minor_digits(terms.currency),  # major units here
        },
        recurrence,
        {"type": "payment.execution_date", "not_after": until},
    ]
    if terms.merchants:
        found.append({"type": "payment.allowed_payees", "allowed": _parties(terms)})
    return found


def _parties(terms: LimitTerms) -> list[dict[str, object]]:
    return [{"id": merchant.id, "name": merchant.name} for merchant in terms.merchants]


def _items(claims: _Claims) -> tuple[Item, ...] | None:
    """The goods that an open checkout mandate names; none of any, None for another shape."""
    named = [x.get("items") for x in claims.constraints if x.get("type") == _LINE_ITEMS]
    try:
        entries = msgspec.convert(named, list[list[_Requirement]])
    except msgspec.ValidationError:
        return None
    return tuple(item for entry in entries for x in entry for item in x.acceptable_items)


def _terms(claims: _Claims, items: tuple[Item, ...] | None) -> LimitTerms | None:
    """The limit behind the constraints, which are then compared with those that it would have."""
    by_type = {str(entry.get("type")): entry for entry in claims.constraints}
    amount = by_type.get("payment.amount_range", {})
    budget = by_type.get("payment.budget", {})
    recurrence = by_type.get("payment.agent_recurrence", {})
    period = next((p for p, name in _FREQUENCY.items() if name == recurrence.get("frequency")), "")
    currency, whole = amount.get("currency"), budget.get("max")
    if not isinstance(currency, str) or type(whole) is not int or items is None:
        return None
    try:
        return msgspec.convert(
            {
                "currency": currency,
                "most_minor": amount.get("max"),
                "budget_minor": whole * 10 ** minor_digits(currency),
                "period": period,
                "valid_until": claims.exp,
                "merchants": by_type.get("payment.allowed_payees", {}).get("allowed", []),
                "purchases": recurrence.get("max_occurrences", 0),
                "items": msgspec.to_builtins(items),
            },
            LimitTerms,
        )
    except msgspec.ValidationError:
        return None


def _opened(
    mandate: str, vct: str, key: Mapping[str, str], limit_id: str
) -> tuple[_Claims, Opened]:
    opened = open_presentation(mandate, key)
    if opened.audience != AUDIENCE:
        raise MandateError("the mandate is for another audience", code="other_audience")
    if opened.nonce != limit_id:
        raise MandateError("the mandate is of another limit", code="other_nonce")
    try:
        claims = msgspec.convert(opened.claims, _Claims)
    except msgspec.ValidationError as error:
        raise MandateError(f"the mandate's claims: {error}", code="not_a_mandate") from error
    if claims.vct != vct:
        raise MandateError(f"an open {vct!r} is wanted, not {claims.vct!r}", code="not_a_mandate")
    return claims, opened


def _hash_of(opened: Opened) -> str:
    claims = {name: value for name, value in opened.claims.items() if name != "risk_data"}
    return open_mandate_hash({**claims, "cnf": {"jwk": dict(opened.key)}})
