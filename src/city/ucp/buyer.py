"""What the buyer does on a merchant's own page with a cart that was handed over to them."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from city.shelves import look
from city.store import Database, Transaction
from city.ucp.checkouts import Counter, Stored, load_any, priced
from city.ucp.completing import place_order
from city.ucp.platforms import Platform
from city.world import World

HANDED_OVER = frozenset({"requires_escalation", "ready_for_complete"})
"""Where the buyer can still do something: a confirmed cart can be finished on the page, too."""


def confirm(world: World, slug: str, id: str, database: Database) -> bool:
    """The buyer is old enough: the platform may go on. False when there is nothing to confirm."""
    with database.transaction() as tx:
        found = handed_over(world, slug, id, tx)
        if found is None:
            return False
        _confirm(world, tx, found)
        return True


def finish(world: World, slug: str, id: str, database: Database) -> bool:
    """The buyer confirms and orders here, and pays the courier; no bank is in it."""
    with database.transaction() as tx:
        stored = handed_over(world, slug, id, tx)
        if stored is None:
            return False
        stored = _confirm(world, tx, stored)
        row = tx.execute("SELECT platform FROM handovers WHERE checkout_id = ?", (id,)).fetchone()
        counter = Counter(world, slug, msgspec.json.decode(row[0], type=Platform), tx)
        shelf = look(tx, world.shops[slug], world.clock.now_s(), world.real_s(), world.seed)
        quote = priced(counter, stored.request, shelf, id)
        if not quote.is_ready or quote.total != stored.total:
            return False
        place_order(counter, stored, authorization="")
        return True


def handed_over(world: World, slug: str, id: str, tx: Transaction) -> Stored | None:
    """The merchant's checkout, if it was handed over to the buyer and is still open."""
    row = tx.execute(
        "SELECT 1 FROM handovers JOIN checkouts ON checkouts.id = checkout_id "
        "WHERE checkout_id = ? AND merchant = ? AND expires_s > ?",
        (id, slug, world.real_s()),
    ).fetchone()
    stored = load_any(tx, id) if row else None
    return stored if stored is not None and stored.status in HANDED_OVER else None


def _confirm(world: World, tx: Transaction, stored: Stored) -> Stored:
    if stored.status != "requires_escalation":
        return stored
    body = stored.body
    body.messages = [x for x in body.messages if x.get("code") != "age_verification"]
    tx.execute(
        "UPDATE handovers SET confirmed_s = ? WHERE checkout_id = ?", (world.real_s(), stored.id)
    )
    tx.execute(
        "UPDATE checkouts SET status = 'ready_for_complete', body = ? WHERE id = ?",
        (msgspec.json.encode(body).decode(), stored.id),
    )
    return replace(stored, status="ready_for_complete")
