"""Carts: what somebody is still choosing, priced without delivery; checkouts begin from them."""

from __future__ import annotations

import secrets

import msgspec

from city.clock import stamp_utc
from city.replay import Answer
from city.ucp.checkout_json import CURRENCY, line_json, totals_json
from city.ucp.checkouts import Counter
from city.ucp.envelope import failure, metadata, not_found
from city.ucp.quote import Json, Note, Quote, price_cart
from city.ucp.vocabulary import CART
from city.ucp.wire import CheckoutRequest, LineRequest

LIFE_S = 7 * 24 * 3600.0
_LATER = frozenset({"missing", "merchant_closed"})
"""What is no fault of a cart: where it goes is asked at the checkout."""


def create(counter: Counter, request: CheckoutRequest) -> Answer:
    """A new cart; none where nothing of it is sold."""
    quote = _priced(counter, request.line_items)
    if not quote.lines:
        notes = [note for note in quote.notes if note.code == "item_unavailable"]
        return counter.respond(failure(counter.world, counter.slug, counter.shared, CART, notes))
    id = f"cart_{secrets.token_hex(12)}"
    expires_s = counter.world.real_s() + LIFE_S
    counter.tx.execute(
        "INSERT INTO carts VALUES (?, ?, ?, ?, ?)",
        (id, counter.slug, counter.platform.profile_url, _lines(request), expires_s),
    )
    return counter.respond(_shown(counter, id, quote, expires_s), 201)


def read(counter: Counter, id: str) -> Answer:
    found = lines_of(counter, id)
    if found is None:
        return _missing(counter)
    return counter.respond(_shown(counter, id, _priced(counter, found), _expires(counter, id)))


def update(counter: Counter, id: str, request: CheckoutRequest) -> Answer:
    """Replace all of it."""
    if lines_of(counter, id) is None:
        return _missing(counter)
    counter.tx.execute("UPDATE carts SET lines = ? WHERE id = ?", (_lines(request), id))
    return read(counter, id)


def cancel(counter: Counter, id: str) -> Answer:
    """The cart as it was; it is gone afterwards."""
    answer = read(counter, id)
    counter.tx.execute("DELETE FROM carts WHERE id = ?", (id,))
    return answer


def lines_of(counter: Counter, id: str) -> list[LineRequest] | None:
    """What the platform's own cart holds; None for one that is not there any more."""
    row = counter.tx.execute(
        "SELECT lines FROM carts WHERE id = ? AND merchant = ? AND platform = ? AND expires_s > ?",
        (id, counter.slug, counter.platform.profile_url, counter.world.real_s()),
    ).fetchone()
    return None if row is None else msgspec.json.decode(row[0], type=list[LineRequest])


def _expires(counter: Counter, id: str) -> float:
    return counter.tx.execute("SELECT expires_s FROM carts WHERE id = ?", (id,)).fetchone()[0]


def _priced(counter: Counter, lines: list[LineRequest]) -> Quote:
    world = counter.world
    request = CheckoutRequest(line_items=lines)
    return price_cart(request, counter.shelf("cart"), world.streets, world.door(counter.slug))


def _shown(counter: Counter, id: str, quote: Quote, expires_s: float) -> Json:
    notes = [note for note in quote.notes if note.code not in _LATER]
    told = Note("info", "estimated", "without delivery; the checkout says what it costs")
    return {
        "ucp": metadata(counter.shared, CART),
        "id": id,
        "line_items": [line_json(line, counter.shared) for line in quote.lines],
        "currency": CURRENCY,
        "totals": totals_json(quote),
        "messages": [note.json() for note in (*notes, told)],
        "continue_url": f"{counter.world.urls[counter.slug]}/",
        "expires_at": stamp_utc(expires_s),
    }


def _missing(counter: Counter) -> Answer:
    return counter.respond(not_found(counter.world, counter.slug, counter.shared, CART, "Cart"))


def _lines(request: CheckoutRequest) -> str:
    return msgspec.json.encode(request.line_items).decode()
