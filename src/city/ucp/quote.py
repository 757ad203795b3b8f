"""Pricing a cart: lines, modifiers, delivery and totals, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from city.geometry import Point, distance_m
from city.shelves import Shelf
from city.shops import Choice, ChoiceGroup, Discount, Dish, Shop
from city.streets import Address, Route, Streets
from city.ucp import pickup
from city.ucp.wire import (
    CheckoutRequest,
    Destination,
    GroceriesRequest,
    LineRequest,
    MethodRequest,
)

Json = dict[str, object]

APPROACH_S = 180.0
"""What a courier typically needs to reach the shop after the order."""

SMALL_ORDER = 1000
SMALL_ORDER_FEE = 150
BUYER_REVIEW = "requires_buyer_review"
VAT_PERCENT_OF_GROSS = (135, 1135)
"""Finnish VAT on food is 13.5 %, so this share of a price is tax."""

_DAY_S = 86400.0
_HINT_M = 300.0
_METHOD = "method_1"
_OPTIONS = (("standard", "Courier", 0, 1.0), ("priority", "Priority courier", 200, 0.7))


@dataclass(frozen=True, slots=True)
class Note:
    """A UCP message."""

    kind: str
    code: str
    text: str
    path: str = ""
    severity: str = "recoverable"

    def json(self) -> Json:
        message: Json = {"type": self.kind, "code": self.code}
        if self.path:
            message["path"] = self.path
        message["content"] = self.text
        if self.kind == "error":
            message["severity"] = self.severity
        return message


@dataclass(frozen=True, slots=True)
class Line:
    id: str
    dish: Dish
    choices: tuple[Choice, ...]
    note: str
    quantity: int
    unit_price: int
    per_kilo: int = 0
    """Of what is weighed; `unit_price` is then for `max_grams`."""
    grams: int = 0
    substitution: str = "none"
    substitution_max: int | None = None

    @property
    def total(self) -> int:
        return self.unit_price * self.quantity

    @property
    def max_grams(self) -> int:
        return most_grams(self.grams)

    @property
    def substitute_most(self) -> int:
        """The most that something else in its place may cost."""
        most = self.substitution_max
        return self.total if most is None else min(most, self.total)


def most_grams(grams: int) -> int:
    """What is weighed may come to a tenth more than was asked."""
    return grams + grams // 10


def cost_of(per_kilo: int, grams: int) -> int:
    """Minor units, half a cent up."""
    return (per_kilo * grams + 500) // 1000


@dataclass(frozen=True, slots=True)
class Option:
    """A way of delivery: what it costs and the span of city seconds after the order."""

    id: str
    title: str
    price: int
    earliest_s: float
    latest_s: float
    what: str = "Arrives"

    @property
    def description(self) -> str:
        if self.latest_s > _DAY_S:
            first, last = (max(1, round(s / _DAY_S)) for s in (self.earliest_s, self.latest_s))
            days = f"{first} to {last} days" if first < last else f"{last} days"
            return f"{self.what} in {days}"
        soonest, latest = round(self.earliest_s / 60), round(self.latest_s / 60)
        return f"{self.what} in {soonest} to {latest} minutes"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where to and how. `point` is None when the address cannot be reached."""

    destinations: tuple[Destination, ...]
    selected: Destination | None
    point: Point | None
    options: tuple[Option, ...]
    option: Option | None
    route_m: float
    kind: str = "shipping"


@dataclass(frozen=True, slots=True)
class Quote:
    lines: tuple[Line, ...]
    delivery: Delivery | None
    notes: tuple[Note, ...]
    discounts: tuple[tuple[Discount, int], ...] = ()
    """What is taken off the whole cart, and how much it comes to."""

    @property
    def subtotal(self) -> int:
        return sum(line.total for line in self.lines)

    @property
    def fee(self) -> int:
        if self.is_fetched:
            return 0
        return SMALL_ORDER_FEE if 0 < self.subtotal < SMALL_ORDER else 0

    @property
    def is_fetched(self) -> bool:
        return self.delivery is not None and self.delivery.kind == pickup.PICKUP

    @property
    def shipping(self) -> int | None:
        chosen = self.delivery.option if self.delivery else None
        return chosen.price if chosen else None

    @property
    def total(self) -> int:
        return self.subtotal + self.fee + (self.shipping or 0) - self.off

    @property
    def off(self) -> int:
        return sum(amount for _, amount in self.discounts)

    @property
    def status(self) -> str:
        """The checkout's: what a platform can mend comes before what only the buyer can do."""
        severities = {note.severity for note in self.notes if note.kind == "error"}
        if severities - {BUYER_REVIEW}:
            return "incomplete"
        return "requires_escalation" if severities else "ready_for_complete"

    @property
    def is_ready(self) -> bool:
        return self.status == "ready_for_complete"

    @property
    def tax(self) -> int:
        part, whole = VAT_PERCENT_OF_GROSS
        return (self.total * part + whole // 2) // whole


@dataclass(slots=True)
class _Draft:
    notes: list[Note] = field(default_factory=list[Note])

    def error(self, code: str, text: str, path: str) -> None:
        self.notes.append(Note("error", code, text, path))


def price_cart(
    request: CheckoutRequest, shelf: Shelf, streets: Streets, door: Point, *, of_age: bool = False
) -> Quote:
    """What the cart costs at this moment. Lines with unknown items are left out, with a message.

    `of_age`: the buyer has said on the merchant's page that they are old enough.
    """
    draft = _Draft()
    lines = _lines(request.line_items, shelf, draft)
    if not shelf.is_open:
        name = shelf.shop.name
        draft.error("merchant_closed", f"{name} is closed; it {shelf.opens_text}", "$")
    methods = request.fulfillment.methods if request.fulfillment else []
    subtotal = sum(line.total for line in lines)
    if shelf.shop.pickup and (asked := pickup.wanted(methods)) is not None:
        delivery: Delivery | None = _at_the_counter(asked, shelf.shop, door)
    else:
        delivery = _delivery(request, streets, door, shelf.shop, subtotal, draft)
    age = max((line.dish.age for line in lines), default=0)
    if age and not of_age:
        text = f"The buyer must confirm on our page to be {age} or older."
        draft.notes.append(Note("error", "age_verification", text, "$.line_items", BUYER_REVIEW))
    codes = request.discounts.codes if request.discounts else []
    discounts = _discounts(shelf.shop, sum(line.total for line in lines), codes, draft)
    return Quote(tuple(lines), delivery, tuple(draft.notes), discounts)


def _discounts(
    shop: Shop, subtotal: int, codes: Sequence[str], draft: _Draft
) -> tuple[tuple[Discount, int], ...]:
    """One code and what comes of itself; every other code is turned down with a warning."""
    found = [(x, x.off(subtotal)) for x in shop.discounts if not x.code and not x.expired]
    used: set[str] = set()
    for at, said in enumerate(codes):
        code = said.strip().upper()
        known = next((x for x in shop.discounts if x.code and x.code == code), None)
        why = ""
        if code in used:
            why = "already_applied"
        elif known is None:
            why = "invalid"
        elif known.expired:
            why = "expired"
        elif used:
            why = "combination_disallowed"
        elif not known.off(subtotal):
            why = "user_ineligible"
        if known is None or why:
            path = f"$.discounts.codes[{at}]"
            draft.notes.append(Note("warning", f"discount_code_{why}", f"{said}: {why}", path))
            continue
        used.add(code)
        found.append((known, known.off(subtotal)))
    return tuple((x, off) for x, off in found if off)


def _lines(requests: Sequence[LineRequest], shelf: Shelf, draft: _Draft) -> list[Line]:
    taken: dict[str, int] = {}
    lines: list[Line] = []
    used = {r.id for r in requests if r.id}
    for position, request in enumerate(requests):
        path = f"$.line_items[{position}]"
        dish = shelf.shop.dish(request.item.id)
        if dish is None:
            text = f"{shelf.shop.name} does not sell {request.item.id!r}"
            draft.error("item_unavailable", text, f"{path}.item.id")
            continue
        taken[dish.id] = taken.get(dish.id, 0) + request.quantity
        left = shelf.left(dish)
        if left == 0:
            draft.error("out_of_stock", f"{dish.title} is sold out", path)
        elif left is not None and taken[dish.id] > left:
            text = f"only {left} of {dish.title} left"
            draft.error("insufficient_stock", text, f"{path}.quantity")
        choices = _choices(dish, request.modifiers, f"{path}.modifiers", draft)
        unit = shelf.price(dish) + sum(choice.price_delta for choice in choices)
        id = request.id or _fresh_id(used, position)
        line = Line(id, dish, choices, request.note, request.quantity, max(0, unit))
        lines.append(_as_groceries(line, request.groceries, path, draft))
    return lines


def _as_groceries(line: Line, asked: GroceriesRequest | None, path: str, draft: _Draft) -> Line:
    """What is weighed is priced by the most that it can weigh, which is what is held."""
    asked = asked or GroceriesRequest()
    line = replace(line, substitution=asked.substitution, substitution_max=asked.substitution_max)
    if not line.dish.kilo:
        return line
    if asked.grams is None or line.quantity != 1:
        text = f"{line.dish.title}: sold by weight; say how many grams, quantity 1"
        draft.error("weight_missing", text, path)
    grams = asked.grams or line.dish.piece_g
    most = cost_of(line.unit_price, most_grams(grams))
    return replace(line, per_kilo=line.unit_price, grams=grams, unit_price=most)


def _fresh_id(used: set[str], position: int) -> str:
    number = position + 1
    while f"li_{number}" in used:
        number += 1
    used.add(f"li_{number}")
    return f"li_{number}"


def _choices(dish: Dish, wanted: Sequence[str], path: str, draft: _Draft) -> tuple[Choice, ...]:
    known = {choice.id for group in dish.groups for choice in group.values}
    for id in wanted:
        if id not in known:
            draft.error("modifier_unknown", f"{dish.title} has no {id!r}", path)
    chosen: list[Choice] = []
    for group in dish.groups:
        chosen += _in_group(group, dish, wanted, path, draft)
    return tuple(chosen)


def _in_group(
    group: ChoiceGroup, dish: Dish, wanted: Sequence[str], path: str, draft: _Draft
) -> list[Choice]:
    here = [choice for choice in group.values if choice.id in wanted]
    if not here and group.default is not None:
        here = [choice for choice in group.values if choice.id == group.default]
    if not here and group.required:
        draft.error("modifier_required", f"{dish.title}: choose {group.title.lower()}", path)
    if len(here) > 1 and not group.multiple:
        names = " or ".join(choice.title for choice in here)
        draft.error("modifier_conflict", f"{dish.title}: {names}, not both", path)
    return here


def _delivery(
    request: CheckoutRequest,
    streets: Streets,
    door: Point,
    shop: Shop,
    subtotal: int,
    draft: _Draft,
) -> Delivery | None:
    methods = request.fulfillment.methods if request.fulfillment else []
    method = next((m for m in methods if m.type == "shipping"), None)
    path = "$.fulfillment.methods[0]"
    if method is None:
        if methods:
            draft.error("fulfillment_unavailable", "that is not offered here", f"{path}.type")
        draft.error("missing", "a delivery address is required", f"{path}.destinations")
        return None
    destinations = _with_ids(method.destinations)
    selected = _selected(destinations, method.selected_destination_id)
    if selected is None:
        what = "selected_destination_id" if destinations else "destinations"
        draft.error("missing", "a delivery address is required", f"{path}.{what}")
        return Delivery(destinations, None, None, (), None, 0.0)
    route = _way(streets, door, selected)
    if route is None:
        at = destinations.index(selected)
        text = "this address is outside the delivery area"
        draft.error("address_undeliverable", text, f"{path}.destinations[{at}]")
        return Delivery(destinations, selected, None, (), None, 0.0)
    options = store_options(shop, subtotal) or delivery_options(route, shop.preparing_s)
    wanted = next((g.selected_option_id for g in method.groups if g.selected_option_id), None)
    option = next((o for o in options if o.id == wanted), None)
    if wanted is not None and option is None:
        text = f"there is no option {wanted!r}"
        draft.error("option_unavailable", text, f"{path}.groups[0].selected_option_id")
    option = option or options[0]
    return Delivery(destinations, selected, route.points[-1], options, option, route.length_m)


def _at_the_counter(method: MethodRequest, shop: Shop, door: Point) -> Delivery:
    """One place, one option, for nothing; both are selected unless another was."""
    place = pickup.place_of(shop)
    option = Option(pickup.OPTION_ID, "At the counter", 0, *pickup.ready_s(shop), "Ready")
    chosen = method.selected_destination_id in (None, place.id)
    return Delivery(
        (place,), place if chosen else None, door, (option,), option, 0.0, pickup.PICKUP
    )


def _way(streets: Streets, door: Point, to: Destination) -> Route | None:
    point = locate(streets, to)
    return streets.route(door, point) if point is not None else None


def delivery_options(route: Route, preparing_s: tuple[float, float]) -> tuple[Option, ...]:
    """Cheapest first. The fee grows with the way, half a kilometre at a time."""
    fee = 190 + 60 * int(route.length_m // 500)
    soonest, longest = preparing_s
    return tuple(
        Option(
            id,
            title,
            fee + extra,
            soonest + route.duration_s,
            (longest + APPROACH_S) * haste + route.duration_s + 120.0,
        )
        for id, title, extra, haste in _OPTIONS
    )


def store_options(shop: Shop, subtotal: int) -> tuple[Option, ...]:
    """The ways of a retail store, the cheapest first; none of a merchant that sends couriers."""
    options = [
        Option(x.id, x.title, x.cost(subtotal), x.minutes[0] * 60.0, x.minutes[1] * 60.0)
        for x in shop.delivery
    ]
    return tuple(sorted(options, key=lambda option: option.price))


def locate(streets: Streets, destination: Destination) -> Point | None:
    """The door: by street and number, refined or replaced by coordinates when they are given."""
    if _plain(destination.address_locality, "helsinki") not in {"helsinki", "helsingfors"}:
        return None
    if _plain(destination.address_country, "fi") not in {"fi", "fin", "finland", "suomi"}:
        return None
    known: Address | None = streets.find(destination.street_address or "")
    hint: Point | None = None
    if destination.latitude is not None and destination.longitude is not None:
        hint = (destination.latitude, destination.longitude)
    if known is None:
        return hint
    if hint is not None and distance_m(hint, known.point) <= _HINT_M and streets.spot(hint):
        return hint
    return known.point


def _plain(text: str | None, absent: str) -> str:
    return (text or absent).strip().casefold()


def _with_ids(destinations: Sequence[Destination]) -> tuple[Destination, ...]:
    used = {d.id for d in destinations if d.id}
    for number, destination in enumerate(destinations, 1):
        if not destination.id:
            destination.id = next(
                id for n in range(number, number + 20) if (id := f"dest_{n}") not in used
            )
            used.add(destination.id)
    return tuple(destinations)


def _selected(destinations: Sequence[Destination], wanted: str | None) -> Destination | None:
    if wanted is not None:
        return next((d for d in destinations if d.id == wanted), None)
    return destinations[0] if len(destinations) == 1 else None
