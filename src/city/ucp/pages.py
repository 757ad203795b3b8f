"""What people see of a merchant in a browser; only a cart handed over to them can be bought."""

from __future__ import annotations

from html import escape

import msgspec

from city.clock import stamp
from city.shelves import look
from city.store import Database
from city.ucp import orders
from city.ucp.buyer import handed_over
from city.ucp.checkouts import load_any
from city.ucp.quote import Json
from city.world import World


class _Item(msgspec.Struct):
    title: str


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;"
    "color:#1d2733;background:#fbfaf7}h1{font-size:1.6rem}h2{font-size:1.1rem;margin-top:2rem}"
    "td{padding:.15rem 1rem .15rem 0;vertical-align:top}td:last-child{text-align:right}"
    "small{color:#667}button{font:inherit;padding:.6rem 1rem;margin:.3rem 0;width:100%;"
    "border:1px solid #1d2733;border-radius:.6rem;background:#1d2733;color:#fff;cursor:pointer}"
)
_TEXTS = {
    "terms": "Everything here is invented: food is not cooked, couriers do not ride, and the "
    "money is worth nothing.",
    "privacy": "Addresses and orders stay in this City's database on this machine, until "
    "<code>city reset</code> deletes them.",
}


def draw(world: World, slug: str, name: str, id: str, database: Database) -> str | None:
    """The page, or None when there is nothing to show."""
    match name:
        case "menu":
            return _menu(world, slug, database)
        case "checkout":
            return _checkout(world, slug, id, database)
        case "order":
            return _order(world, slug, id, database)
        case _:
            return _page(world, slug, f"<p>{_TEXTS[name]}</p>")


def _menu(world: World, slug: str, database: Database) -> str:
    with database.transaction() as tx:
        shelf = look(tx, world.shops[slug], world.clock.now_s(), world.real_s(), world.seed)
    body = f"<p>{escape(str(world.address(slug)))}, {escape(shelf.opens_text)}</p>"
    category = ""
    for dish in shelf.shop.dishes.values():
        if dish.category != category:
            body += ("</table>" if category else "") + f"<h2>{escape(dish.category)}</h2><table>"
            category = dish.category
        gone = " <small>sold out</small>" if shelf.left(dish) == 0 else ""
        text = f"{escape(dish.title)}{gone}<br><small>{escape(dish.description)}</small>"
        body += f"<tr><td>{text}<td>{_money(shelf.price(dish))}"
    return _page(world, slug, body + "</table>")


def _checkout(world: World, slug: str, id: str, database: Database) -> str | None:
    with database.transaction() as tx:
        row = tx.execute(
            "SELECT 1 FROM checkouts WHERE id = ? AND merchant = ?", (id, slug)
        ).fetchone()
        stored = load_any(tx, id) if row else None
        open_here = handed_over(world, slug, id, tx) is not None
    if stored is None:
        return None
    goods = "".join(
        f"<tr><td>{line['quantity']} x {escape(_title(line))}<td>"
        for line in stored.body.line_items
    )
    lines = "".join(
        f"<tr><td>{escape(str(total.get('display_text', '')))}<td>{_money(total['amount'])}"
        for total in stored.body.totals
    )
    text = (
        f"<p>Your cart is {escape(stored.status.replace('_', ' '))}. Go on in your assistant.</p>"
    )
    if open_here:
        text = _form(id, asks=stored.status == "requires_escalation")
    return _page(world, slug, f"<table>{goods}{lines}</table>{text}")


def _form(id: str, *, asks: bool) -> str:
    """The buttons of a cart that waits for its buyer; `asks` while the age is not confirmed."""
    question, confirm, finish = "<p>Thank you. Go on in your assistant, or finish here.</p>", "", ""
    if asks:
        question = "<p>Something in this cart is sold to adults only.</p>"
        confirm = _button(id, "confirm", "I am 18 or older")
        finish = "I am 18 or older; order now, I pay the courier"
    return question + confirm + _button(id, "finish", finish or "Order now, I pay the courier")


def _button(id: str, act: str, label: str) -> str:
    return (
        f"<form method=post action='/checkout/{escape(id)}/{act}'>"
        f"<button id={act}>{escape(label)}</button></form>"
    )


def _title(line: Json) -> str:
    return msgspec.convert(line["item"], _Item).title


def _order(world: World, slug: str, id: str, database: Database) -> str | None:
    with database.transaction() as tx:
        found = orders.find(tx, "id", id)
        if found is None or found.merchant != slug:
            return None
        rows = tx.execute(
            "SELECT description, at_s FROM order_events WHERE order_id = ? ORDER BY seq", (id,)
        ).fetchall()
    events = "".join(f"<tr><td>{escape(text)}<td>{stamp(at)[11:16]}" for text, at in rows)
    return _page(world, slug, f"<h2>Your order</h2><table>{events}</table>")


def _page(world: World, slug: str, body: str) -> str:
    name = escape(world.shops[slug].name)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title>"
        f"<style>{_STYLE}</style><h1>{name}</h1>{body}</html>"
    )


def _money(minor: object) -> str:
    return f"{minor / 100:.2f} €" if isinstance(minor, int) else ""
