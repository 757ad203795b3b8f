"""Until when a store takes back what it brought, and what it keeps for that."""

from __future__ import annotations

from city.clock import stamp
from city.shops import Shop
from city.store import Transaction
from city.ucp.quote import Json

DAY_S = 86400.0


def delivered_at(tx: Transaction, order_id: str) -> float | None:
    """City seconds, None while it is not delivered."""
    row = tx.execute(
        "SELECT at_s FROM order_events WHERE order_id = ? AND kind = 'delivered'", (order_id,)
    ).fetchone()
    return None if row is None else float(row[0])


def closes_s(shop: Shop, delivered_s: float | None) -> float | None:
    """The end of the window; None where nothing can be returned, or not yet."""
    if shop.returns is None or delivered_s is None:
        return None
    return delivered_s + shop.returns.days * DAY_S


def returns_of(shop: Shop, delivered_s: float | None) -> Json:
    """The terms as an order shows them; empty where nothing is ever taken back."""
    terms = shop.returns
    if terms is None:
        return {}
    shown: Json = {"days": terms.days, "fee": terms.fee, "post_paid_by": terms.post_paid_by}
    until = closes_s(shop, delivered_s)
    if until is not None:
        shown["until"] = stamp(until)
    return shown
