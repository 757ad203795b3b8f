"""The extension `dev.lapel.groceries` on UCP's wire: weights, substitutes, and the bill."""

from __future__ import annotations

from lapel.commerce.checkout import DraftLine, Weighing
from lapel.commerce.money import Money
from lapel.commerce.ports import BilledLine, Nonsense, Refused, SubstitutionQuestion
from lapel.commerce.weighing import price_of
from lapel.services.connectors.ucp.profile import GROCERIES
from lapel.services.connectors.ucp.refusals import plain
from lapel.services.connectors.ucp.registry import Merchant
from lapel.services.connectors.ucp.wire.checkout import LineEntry
from lapel.services.connectors.ucp.wire.groceries import GroceryTerms
from lapel.services.connectors.ucp.wire.order import OrderBody

_ROUNDING = 1
_TITLE = 120
_QUESTIONS = 50


def line_body(line: DraftLine, merchant: Merchant) -> dict[str, object]:
    """What a line asks for besides its item; Refused by a merchant that weighs nothing."""
    if not line.grams and not line.substitution:
        return {}
    if GROCERIES not in merchant.profile.capabilities:
        raise Refused(f"{merchant.name} does not sell by weight.", code="option_invalid")
    asked: dict[str, object] = {"substitution": line.substitution or "none"}
    if line.substitution_max:
        asked["substitution_max"] = line.substitution_max
    if line.grams:
        asked["grams"] = line.grams
    return {"groceries": asked}


def kept_body(terms: GroceryTerms | None) -> dict[str, object]:
    """The same of a line that the merchant has answered with, to be sent once more."""
    if terms is None:
        return {}
    kept: dict[str, object] = {"substitution": terms.substitution}
    if terms.substitution_max is not None:
        kept["substitution_max"] = terms.substitution_max
    if terms.grams:
        kept["grams"] = terms.grams
    return {"groceries": kept}


def weighing_of(line: LineEntry, currency: str) -> Weighing | None:
    """What is known of a weighed line; its price must be that of its greatest weight."""
    terms = line.groceries
    if terms is None or not terms.grams:
        return None
    dear, likely = (price_of(terms.unit_price, grams) for grams in (terms.max_grams, terms.grams))
    right = (
        terms.unit_price > 0
        and line.quantity == 1
        and terms.max_grams >= terms.grams
        and abs(line.item.price - dear) <= _ROUNDING
        and abs(terms.estimate - likely) <= _ROUNDING
    )
    if not right:
        raise Nonsense(
            f"line {line.id!r}: weights, estimate and price do not fit", code="wrong_arithmetic"
        )
    return Weighing(
        terms.grams,
        terms.max_grams,
        Money(terms.unit_price, currency),
        Money(min(terms.estimate, line.item.price), currency),
    )


def check_asked(line: LineEntry, draft: DraftLine) -> None:
    """The merchant weighs what was asked, and brings instead what was allowed; else Nonsense."""
    terms = line.groceries or GroceryTerms()
    answered = (terms.grams, terms.substitution, terms.substitution_max or 0)
    if answered != (draft.grams, draft.substitution or "none", draft.substitution_max):
        raise Nonsense(
            f"line {line.id!r} is {terms.grams} g ({terms.substitution}), not {draft.grams} g "
            f"({draft.substitution})",
            code="cart_changed",
        )


def bill_of(body: OrderBody, currency: str) -> tuple[BilledLine, ...] | None:
    """What was brought and what each came to; None until it is packed, or of any other order."""
    if body.groceries is None or body.groceries.status != "packed":
        return None
    return tuple(
        BilledLine(
            line_id=line.id,
            item_id=line.item.id if line.item else "",
            title=plain(line.item.title if line.item else "", _TITLE),
            quantity=line.quantity.total,
            total=Money(
                _total([x.amount for x in line.totals or () if x.type == "total"], line.id),
                currency,
            ),
            grams=line.groceries.grams if line.groceries else 0,
            unit_price=Money(line.groceries.unit_price, currency)
            if line.groceries and line.groceries.grams
            else None,
            missing=bool(line.groceries and line.groceries.missing),
        )
        for line in body.line_items
    )


def questions_of(body: OrderBody, currency: str) -> tuple[SubstitutionQuestion, ...]:
    """What the buyer is asked now."""
    asked = (body.groceries.questions if body.groceries else None) or ()
    return tuple(
        SubstitutionQuestion(
            line_id=entry.line_item_id,
            title=plain(entry.item.title if entry.item else "", _TITLE),
            item_id=entry.offered.id,
            offered=plain(entry.offered.title, _TITLE),
            total=Money(entry.offered.total, currency),
        )
        for entry in asked[:_QUESTIONS]
    )


def _total(totals: list[int], line_id: str) -> int:
    if len(totals) != 1 or totals[0] < 0:
        raise Nonsense(f"line {line_id!r} of the bill has no total", code="wrong_arithmetic")
    return totals[0]
