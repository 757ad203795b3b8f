"""Checkouts: created, replaced, read and canceled; completed in `completing`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from city.faults import Fault
from city.replay import Answer
from city.shelves import Shelf, look
from city.store import Transaction
from city.ucp.checkout_json import CheckoutBody, checkout_body, order_label
from city.ucp.envelope import answer, failure, metadata, not_found, payment_handlers
from city.ucp.mandates import authorization
from city.ucp.platforms import Platform
from city.ucp.quote import Json, Note, Quote, price_cart
from city.ucp.vocabulary import AP2, CHECKOUT, DISCOUNT, GROCERIES, MODIFIERS, Shared
from city.ucp.wire import CheckoutRequest
from city.world import World

LIFE_S = 6 * 3600.0
OPEN = frozenset({"incomplete", "requires_escalation", "ready_for_complete"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkout as it was last answered. `body` lacks metadata, messages about acts, and URLs."""

    id: str
    merchant: str
    platform: str
    status: str
    request: CheckoutRequest
    body: CheckoutBody
    total: int
    expires_s: float
    order_id: str | None


@dataclass(frozen=True, slots=True)
class Counter:
    """One merchant serving one platform at one moment, inside a transaction."""

    world: World
    slug: str
    platform: Platform
    tx: Transaction

    @property
    def shared(self) -> Shared:
        return self.platform.shared

    def shelf(self, operation: str) -> Shelf:
        shop = self.world.shops[self.slug]
        shelf = look(self.tx, shop, self.world.clock.now_s(), self.world.real_s(), self.world.seed)
        if self.world.faults.strike(self.tx, Fault.CLOSED, self.slug, operation) is None:
            return shelf
        return replace(shelf, is_open=False, opens_text="opens again later")

    def respond(self, body: Json, status: int = 200) -> Answer:
        return answer(self.world.keys[self.slug], body, self.world.real_s(), status)

    def show(self, stored: Stored, notes: Sequence[Note] = (), status: int = 200) -> Answer:
        body = rendered(self.world, stored, self.shared, notes)
        if AP2 in self.shared:
            signature = authorization(body, self.world.keys[self.slug])
            body["ap2"] = {"merchant_authorization": signature}
        return self.respond(body, status)

    def missing(self) -> Answer:
        return self.respond(not_found(self.world, self.slug, self.shared, CHECKOUT, "Checkout"))


def create(counter: Counter, request: CheckoutRequest) -> Answer:
    """Price a new cart. No checkout is made when the shop is closed or nothing can be sold."""
    _only_negotiated(request, counter.shared)
    shelf = counter.shelf("create")
    quote = priced(counter, request, shelf)
    if (why := _hopeless(quote, shelf)) is not None:
        body = failure(counter.world, counter.slug, counter.shared, CHECKOUT, why)
        return counter.respond(body)
    id = f"chk_{secrets.token_hex(12)}"
    now_s = counter.world.real_s()
    stored = Stored(
        id=id,
        merchant=counter.slug,
        platform=counter.platform.profile_url,
        status=quote.status,
        request=request,
        body=_body(counter, quote, request, now_s + LIFE_S),
        total=quote.total,
        expires_s=now_s + LIFE_S,
        order_id=None,
    )
    counter.tx.execute(
        "INSERT INTO checkouts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
        (id, stored.merchant, stored.platform, *_columns(stored), now_s, stored.expires_s),
    )
    _hand_over(counter, stored)
    counter.world.crash.passing("in_checkout")
    return counter.show(stored, status=201)


def update(counter: Counter, id: str, request: CheckoutRequest) -> Answer:
    """Replace the whole cart. A cart that cannot be changed any more comes back as it is."""
    stored = load(counter, id)
    if stored is None:
        return counter.missing()
    if (why := settled(stored)) is not None:
        return counter.show(stored, [why])
    _only_negotiated(request, counter.shared)
    _recall_destinations(request, stored)
    if request.discounts is None:  # codes that are not sent again stay as they were
        request.discounts = stored.request.discounts
    quote = priced(counter, request, counter.shelf("update"), id)
    if not quote.lines:
        counter.tx.execute("UPDATE checkouts SET status = 'incomplete' WHERE id = ?", (id,))
        return counter.show(replace(stored, status="incomplete"), quote.notes)
    return counter.show(requote(counter, stored, request, quote))


def requote(counter: Counter, stored: Stored, request: CheckoutRequest, quote: Quote) -> Stored:
    """Write the cart as it is priced now, and give it back."""
    changed = replace(
        stored,
        status=quote.status,
        request=request,
        body=_body(counter, quote, request, stored.expires_s),
        total=quote.total,
    )
    counter.tx.execute(
        "UPDATE checkouts SET status = ?, request = ?, body = ?, total = ? WHERE id = ?",
        (*_columns(changed), stored.id),
    )
    _hand_over(counter, changed)
    return changed


def read(counter: Counter, id: str) -> Answer:
    stored = load(counter, id)
    return counter.missing() if stored is None else counter.show(stored)


def cancel(counter: Counter, id: str) -> Answer:
    """Canceled for good, unless it was completed or is being completed."""
    stored = load(counter, id)
    if stored is None:
        return counter.missing()
    if (why := settled(stored)) is not None:
        return counter.show(stored, [why])
    counter.tx.execute("UPDATE checkouts SET status = 'canceled' WHERE id = ?", (id,))
    return counter.show(replace(stored, status="canceled"))


def load(counter: Counter, id: str) -> Stored | None:
    """The platform's own checkout at this merchant; canceled when its time is over."""
    row = counter.tx.execute(
        "SELECT id, merchant, platform, status, request, body, total, expires_s, order_id "
        "FROM checkouts WHERE id = ? AND merchant = ? AND platform = ?",
        (id, counter.slug, counter.platform.profile_url),
    ).fetchone()
    if row is None:
        return None
    stored = _stored(row)
    over = stored.expires_s <= counter.world.real_s()
    if over and stored.status in OPEN:
        counter.tx.execute("UPDATE checkouts SET status = 'canceled' WHERE id = ?", (id,))
        return replace(stored, status="canceled")
    return stored


def load_any(tx: Transaction, id: str) -> Stored:
    """For the City itself, which knows that the checkout is there."""
    row = tx.execute(
        "SELECT id, merchant, platform, status, request, body, total, expires_s, order_id "
        "FROM checkouts WHERE id = ?",
        (id,),
    ).fetchone()
    return _stored(row)


def settled(stored: Stored) -> Note | None:
    """Why this checkout cannot be changed, or None."""
    match stored.status:
        case "completed":
            text = f"checkout is completed; order {stored.order_id} was placed"
            return Note("error", "checkout_completed", text)
        case "canceled":
            return Note(
                "error", "checkout_canceled", "checkout is canceled or expired; make a new one"
            )
        case "complete_in_progress":
            return Note(
                "error", "checkout_in_progress", "checkout is being completed; read it again"
            )
        case _:
            return None


def rendered(world: World, stored: Stored, shared: Shared, notes: Sequence[Note] = ()) -> Json:
    """The checkout as an answer."""
    base = world.urls[stored.merchant]
    body: Json = msgspec.to_builtins(stored.body)
    messages = [note.json() for note in notes]
    if stored.status not in {"completed", "canceled"}:
        messages += stored.body.messages
    shown: Json = {
        "ucp": {
            **metadata(shared, CHECKOUT),
            "payment_handlers": payment_handlers(world, stored.merchant, later=GROCERIES in shared),
        },
        "id": stored.id,
        "status": stored.status,
        **body,
        "messages": messages,
        "links": [
            {"type": "terms_of_service", "url": f"{base}/terms"},
            {"type": "privacy_policy", "url": f"{base}/privacy"},
        ],
    }
    if stored.order_id is not None:
        shown["order"] = {
            "id": stored.order_id,
            "label": order_label(stored.order_id),
            "permalink_url": f"{base}/o/{stored.order_id}",
        }
    elif stored.status != "canceled":
        shown["continue_url"] = f"{base}/checkout/{stored.id}"
    return shown


def priced(counter: Counter, request: CheckoutRequest, shelf: Shelf, id: str = "") -> Quote:
    """The cart of the checkout `id`, if it has one yet, at this moment."""
    world = counter.world
    row = counter.tx.execute(
        "SELECT 1 FROM handovers WHERE checkout_id = ? AND confirmed_s IS NOT NULL", (id,)
    ).fetchone()
    door = world.door(counter.slug)
    return price_cart(request, shelf, world.streets, door, of_age=row is not None)


def _hand_over(counter: Counter, stored: Stored) -> None:
    """Remember for whom the buyer acts on our page: there is no platform to ask there."""
    if stored.status == "requires_escalation":
        platform = msgspec.json.encode(counter.platform).decode()
        counter.tx.execute(
            "INSERT INTO handovers VALUES (?, ?, NULL) "
            "ON CONFLICT DO UPDATE SET platform = excluded.platform",
            (stored.id, platform),
        )


def _hopeless(quote: Quote, shelf: Shelf) -> list[Note] | None:
    """Why there can be no checkout at all, or None."""
    if not shelf.is_open:
        blocking = {"merchant_closed"}
    elif not quote.lines:
        blocking = {"item_unavailable"}
    elif all(shelf.left(line.dish) == 0 for line in quote.lines):
        blocking = {"out_of_stock"}
    else:
        return None
    return [replace(n, severity="unrecoverable") for n in quote.notes if n.code in blocking]


def _only_negotiated(request: CheckoutRequest, shared: Shared) -> None:
    """Forget what belongs to an extension that was not negotiated."""
    if DISCOUNT not in shared:
        request.discounts = None
    if GROCERIES not in shared:
        for line in request.line_items:
            line.groceries = None
    if MODIFIERS in shared:
        return
    for line in request.line_items:
        line.modifiers, line.note = [], ""
    for method in request.fulfillment.methods if request.fulfillment else []:
        for place in method.destinations:
            place.latitude = place.longitude = place.instructions = None


def _recall_destinations(request: CheckoutRequest, stored: Stored) -> None:
    """A platform may select a destination that it sent before, by id, without repeating it."""
    before = stored.request.fulfillment
    known = [d for m in (before.methods if before else []) for d in m.destinations]
    for method in request.fulfillment.methods if request.fulfillment else []:
        ids = {d.id for d in method.destinations}
        wanted = method.selected_destination_id
        if wanted is not None and wanted not in ids:
            method.destinations = [*method.destinations, *(d for d in known if d.id == wanted)]


def _columns(stored: Stored) -> tuple[str, str, str, int]:
    request = msgspec.json.encode(stored.request).decode()
    return stored.status, request, msgspec.json.encode(stored.body).decode(), stored.total


def _stored(row: tuple[str, str, str, str, str, str, int, float, str | None]) -> Stored:
    id, merchant, platform, status, request, body, total, expires_s, order_id = row
    return Stored(
        id=id,
        merchant=merchant,
        platform=platform,
        status=status,
        request=msgspec.json.decode(request, type=CheckoutRequest),
        body=msgspec.json.decode(body, type=CheckoutBody),
        total=total,
        expires_s=expires_s,
        order_id=order_id,
    )


def _body(
    counter: Counter, quote: Quote, request: CheckoutRequest, expires_s: float
) -> CheckoutBody:
    wrong = counter.world.faults.strike(counter.tx, Fault.WRONG_TOTAL, counter.slug) is not None
    return checkout_body(
        quote,
        request,
        counter.shared,
        expires_s=expires_s,
        city_s=counter.world.clock.now_s(),
        surplus=100 if wrong else 0,
    )
