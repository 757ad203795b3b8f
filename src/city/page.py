"""The status page: the map with its couriers, merchants and latest orders. No script needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from html import escape
from itertools import cycle

from city.clock import city_time
from city.deliveries import couriers
from city.geometry import Point
from city.store import Transaction
from city.streets import Streets
from city.tables import houses
from city.ucp import orders
from city.world import World

_WIDTH = 900.0
_COLOURS = ("#2f6fed", "#c2571a", "#0f8a5f", "#a4328c", "#b8860b", "#5b4bc4", "#c9366b")

_STYLE = """
:root{color-scheme:light dark;--ground:#f6f3ec;--street:#fff;--edge:#dcd6c8;--park:#d9e8cf;
--water:#cfe3ee;--text:#23303a;--card:#fff;--soft:#6b7680}
@media(prefers-color-scheme:dark){:root{--ground:#1c2226;--street:#39434a;--edge:#2a3338;
--park:#26352a;--water:#1d3441;--text:#e8ecef;--card:#262e33;--soft:#93a0a8}}
*{box-sizing:border-box}body{margin:0;font:15px/1.45 system-ui,sans-serif;color:var(--text);
background:var(--ground)}header{display:flex;gap:1rem;align-items:baseline;padding:1rem 1.5rem}
h1{font-size:1.2rem;margin:0}header span{color:var(--soft)}main{display:grid;gap:1.5rem;
grid-template-columns:minmax(0,1fr) 22rem;padding:0 1.5rem 1.5rem}
@media(max-width:60rem){main{grid-template-columns:1fr}}svg{width:100%;height:auto;display:block;
border-radius:12px;background:var(--ground);border:1px solid var(--edge)}
section{background:var(--card);border:1px solid var(--edge);border-radius:12px;padding:.8rem 1rem;
margin-bottom:1rem}h2{font-size:.8rem;text-transform:uppercase;letter-spacing:.06em;
color:var(--soft);margin:0 0 .5rem}ul{list-style:none;margin:0;padding:0}li{padding:.3rem 0;
border-top:1px solid var(--edge)}li:first-child{border:0}small{color:var(--soft);display:block}
i{display:inline-block;width:.65rem;height:.65rem;border-radius:50%;margin-right:.5rem}
footer{padding:0 1.5rem 1.5rem;color:var(--soft);font-size:.8rem}text{font:600 11px system-ui;
fill:var(--text);paint-order:stroke;stroke:var(--ground);stroke-width:3px}
"""

_SCRIPT = (
    "setInterval(async()=>{try{const r=await fetch('/?part');"
    "document.querySelector('#live').innerHTML=await r.text()}catch{}},1000)"
)


def draw(world: World, tx: Transaction, whole: bool) -> str:
    """The page, or only the part that changes."""
    live = _live(world, tx)
    if not whole:
        return live
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>The City</title>"
        "<meta name=viewport content='width=device-width'>"
        "<noscript><meta http-equiv=refresh content=3></noscript>"
        f"<style>{_STYLE}</style><div id=live>{live}</div>"
        "<footer>Map data © <a href=https://www.openstreetmap.org/copyright>OpenStreetMap"
        f"</a> contributors, ODbL. Everything else is invented.</footer><script>{_SCRIPT}</script>"
        "</html>"
    )


def _live(world: World, tx: Transaction) -> str:
    now_s = world.clock.now_s()
    at = city_time(now_s)
    pace = f"{world.clock.pace:g} times real time"
    head = f"<header><h1>The City</h1><span>{at:%A %H:%M}, {pace}</span></header>"
    return f"{head}<main>{_map(world, tx, now_s)}<div>{_lists(world, tx, now_s)}</div></main>"


def _map(world: World, tx: Transaction, now_s: float) -> str:
    project = _Projection(world.streets.bounds)
    lines: list[str] = []
    dots: list[str] = []
    for colour, slug in zip(cycle(_COLOURS), world.shops, strict=False):
        x, y = project(world.door(slug))
        name = escape(world.shops[slug].name)
        dots.append(
            f"<rect x={x - 6:.1f} y={y - 6:.1f} width=12 height=12 rx=3 fill={colour} />"
            f"{_label(x, y, name, project.height)}"
        )
    for house in (house for company in houses.COMPANIES for house in company.houses):
        x, y = project(house.point(world.streets))
        dots.append(
            f"<path d='M{x:.1f},{y - 6:.1f}l6,6l-6,6l-6,-6z' fill=var(--soft) />"
            f"{_label(x, y, escape(house.name), project.height)}"
        )
    busy: set[str] = set()
    for order in _under_way(tx):
        colour = _colour(world, order.merchant)
        point = order.position(now_s)
        if point is None:
            continue
        busy.add(order.plan.courier)
        line = _line(project, order.plan.legs[-1].points)
        x, y = project(point)
        end_x, end_y = project(order.plan.legs[-1].points[-1])
        lines.append(
            f"<polyline points='{line}' fill=none stroke={colour} stroke-width=4 "
            f"stroke-opacity=.55 stroke-linejoin=round />"
        )
        dots.append(
            f"<circle cx={end_x:.1f} cy={end_y:.1f} r=5 fill=none stroke={colour} "
            f"stroke-width=3 /><circle cx={x:.1f} cy={y:.1f} r=8 fill={colour} stroke=#fff "
            f"stroke-width=2 /><text x={x + 11:.1f} y={y + 4:.1f}>{order.plan.courier}</text>"
        )
    for courier in couriers(tx):
        if courier.free_s <= now_s and courier.name not in busy:
            x, y = project(courier.at)
            dots.append(f"<circle cx={x:.1f} cy={y:.1f} r=5 fill=#8a949b stroke=#fff />")
    size = f"0 0 {_WIDTH:.0f} {project.height:.0f}"
    return f"<svg viewBox='{size}' role=img>{_ground(world.streets)}{''.join(lines + dots)}</svg>"


def _lists(world: World, tx: Transaction, now_s: float) -> str:
    merchants = "".join(
        f"<li><i style='background:{_colour(world, slug)}'></i>"
        f"<a href='{world.urls[slug]}/'>{escape(shop.name)}</a>"
        f"<small>{escape(shop.street_address)}, {escape(shop.opens_text(now_s))}</small>"
        for slug, shop in world.shops.items()
    )
    rows = tx.execute("SELECT id FROM orders ORDER BY number DESC LIMIT 8").fetchall()
    latest: list[str] = []
    for (id,) in rows:
        order = orders.load(tx, id)
        minutes = max(0, round((order.plan.promised_s(now_s) - now_s) / 60))
        done = order.status in {"delivered", "collected", "canceled"}
        when = order.status if done else f"{order.status.replace('_', ' ')}, {minutes} min"
        latest.append(
            f"<li><i style='background:{_colour(world, order.merchant)}'></i>"
            f"{escape(world.shops[order.merchant].name)} {id[-4:].upper()}"
            f"<small>{escape(when)}, {escape(order.plan.courier)}</small>"
        )
    empty = "<li><small>None yet.</small>"
    return (
        f"<section><h2>Orders</h2><ul>{''.join(latest) or empty}</ul></section>"
        f"<section><h2>Merchants</h2><ul>{merchants}</ul></section>"
        f"<section><h2>Restaurants</h2><ul>{_restaurants(world)}</ul></section>"
    )


def _restaurants(world: World) -> str:
    return "".join(
        f"<li><a href='{world.urls[company.slug]}/'>{escape(house.name)}</a>"
        f"<small>{escape(house.street)}, {escape(', '.join(house.cuisines[:2]))}</small>"
        for company in houses.COMPANIES
        for house in company.houses
    )


def _under_way(tx: Transaction) -> list[orders.Order]:
    rows = tx.execute(
        "SELECT id FROM orders WHERE status NOT IN ('delivered', 'canceled') ORDER BY number"
    ).fetchall()
    return [orders.load(tx, id) for (id,) in rows]


def _colour(world: World, slug: str) -> str:
    return _COLOURS[list(world.shops).index(slug) % len(_COLOURS)]


class _Projection:
    """Degrees to pixels, the north up."""

    def __init__(self, bounds: tuple[Point, Point]) -> None:
        (south, west), (north, east) = bounds
        self._north, self._west = north, west
        self._scale = _WIDTH / (east - west)
        self._stretch = self._scale / math.cos(math.radians((north + south) / 2))
        self.height = (north - south) * self._stretch

    def __call__(self, point: Point) -> Point:
        return (point[1] - self._west) * self._scale, (self._north - point[0]) * self._stretch


def _label(x: float, y: float, name: str, height: float) -> str:
    """Beside its mark: at the left where there is no room at the right, and never below the map."""
    low = min(y + 4, height - 5)
    if x > _WIDTH * 0.84:
        return f"<text x={x - 9:.1f} y={low:.1f} text-anchor=end>{name}</text>"
    return f"<text x={x + 9:.1f} y={low:.1f}>{name}</text>"


def _line(project: _Projection, points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in map(project, points))


@cache
def _ground(streets: Streets) -> str:
    """Everything that never moves: parks, water, streets."""
    project = _Projection(streets.bounds)
    drawn = [
        f"<polygon points='{_line(project, area.outline)}' fill=var(--{area.kind}) />"
        for area in streets.areas
    ]
    for main, width in ((False, 1.5), (True, 5.0)):
        path = " ".join(
            f"M{_line(project, edge.points)}"
            for edge in streets.edges
            if edge.main == main and (edge.ride or not main)
        )
        for colour, extra in (("edge", 2.0 if main else 0.0), ("street", 0.0)):
            drawn.append(
                f"<path d='{path}' fill=none stroke=var(--{colour}) "
                f"stroke-width={width + extra} stroke-linecap=round stroke-linejoin=round />"
            )
    return "".join(drawn)
