"""The catalogue: a merchant's menu as UCP products, searched, looked up and shown."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Sequence

from city.errors import ProtocolError
from city.shelves import Shelf
from city.shops import Choice, ChoiceGroup, Dish, Shop
from city.ucp.checkout_json import CURRENCY
from city.ucp.envelope import metadata
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import GROCERIES, LOOKUP, MODIFIERS, RETAIL, SEARCH, Shared
from city.ucp.wire import Filters, LookupRequest, ProductRequest, SearchRequest

LARGEST_PAGE = 50
LARGEST_BATCH = 100


def search(shelf: Shelf, shared: Shared, request: SearchRequest) -> Json:
    """Best matches first; without a query, the menu's own order."""
    if not request.query.strip() and not _says_something(request.filters):
        raise ProtocolError("send a query or at least one filter")
    found = [
        dish
        for dish in shelf.shop.dishes.values()
        if _passes(dish, shelf, request.filters) and (GROCERIES in shared or not dish.kilo)
    ]
    if words := _words(request.query):
        scored = [(_score(dish, words), dish) for dish in found]
        found = [d for s, d in sorted(scored, key=lambda pair: -pair[0]) if s > 0]
    start, limit = 0, 10
    if request.pagination is not None:
        start = _position(request.pagination.cursor)
        limit = min(request.pagination.limit, LARGEST_PAGE)
    more = start + limit < len(found)
    page: Json = {"has_next_page": more, "total_count": len(found)}
    if more:
        page["cursor"] = _cursor(start + limit)
    return {
        "ucp": metadata(shared, SEARCH),
        "products": [product(d, shelf, shared) for d in found[start : start + limit]],
        "pagination": page,
        **_business(shelf, shared),
        **_terms(shelf, shared),
    }


def lookup(shelf: Shelf, shared: Shared, request: LookupRequest) -> Json:
    """Products by product or variant id, each once, with the ids that led to it."""
    if len(request.ids) > LARGEST_BATCH:
        raise ProtocolError(
            f"at most {LARGEST_BATCH} ids in one lookup", code="request_too_large", status=400
        )
    found: dict[str, list[Json]] = {}
    unknown: list[str] = []
    for id in dict.fromkeys(request.ids):
        dish = shelf.shop.dish(id)
        if dish is None:
            unknown.append(id)
        elif _passes(dish, shelf, request.filters):
            match = "exact" if id == dish.id else "featured"
            found.setdefault(dish.id, []).append({"id": id, "match": match})
    products: list[Json] = []
    for id, inputs in found.items():
        products.append(product(shelf.shop.dishes[id], shelf, shared, inputs))
    return {
        "ucp": metadata(shared, LOOKUP),
        "products": products,
        "messages": [Note("info", "not_found", id).json() for id in unknown],
        **_business(shelf, shared),
    }


def one(shelf: Shelf, shared: Shared, request: ProductRequest) -> Json | None:
    """One product in full, or None."""
    dish = shelf.shop.dish(request.id)
    if dish is None or not _passes(dish, shelf, request.filters):
        return None
    return {
        "ucp": metadata(shared, LOOKUP),
        "product": product(dish, shelf, shared),
        **_business(shelf, shared),
    }


def product(dish: Dish, shelf: Shelf, shared: Shared, inputs: Sequence[Json] | None = None) -> Json:
    """A dish as a product with its one variant; choices are modifiers."""
    price = {"amount": shelf.price(dish), "currency": CURRENCY}
    available = shelf.left(dish) != 0
    description = {"plain": dish.description or dish.title}
    variant: Json = {
        "id": dish.id,
        "title": dish.title,
        "description": description,
        "price": price,
        "availability": {
            "available": available,
            "status": "in_stock" if available else "out_of_stock",
        },
    }
    if inputs is not None:
        variant["inputs"] = list(inputs)
    shown: Json = {
        "id": dish.product_id,
        "handle": dish.id.replace("_", "-"),
        "title": dish.title,
        "description": description,
        "categories": [{"value": dish.category, "taxonomy": "merchant"}],
        "price_range": {"min": price, "max": price},
        "variants": [variant],
    }
    if MODIFIERS in shared:
        shown["aliases"] = list(dish.aliases)
        shown["modifier_groups"] = [_group(group) for group in dish.groups]
    if GROCERIES in shared:
        sold: Json = {"sold_by": "weight" if dish.kilo else "piece", "like": dish.like}
        if dish.kilo:
            sold["piece_grams"] = dish.piece_g
        if dish.size:
            sold["size"] = dish.size
        shown["groceries"] = sold
    if RETAIL in shared:
        shown["retail"] = {"gtin": dish.gtin}
    return shown


def _group(group: ChoiceGroup) -> Json:
    return {
        "id": group.id,
        "title": group.title,
        "required": group.required,
        "multiple": group.multiple,
        "default": group.default,
        "values": [_value(choice) for choice in group.values],
    }


def _value(choice: Choice) -> Json:
    return {
        "id": choice.id,
        "title": choice.title,
        "aliases": list(choice.aliases),
        "price_delta": choice.price_delta,
        "available": True,
    }


def _terms(shelf: Shelf, shared: Shared) -> Json:
    """How a retail store brings things, and takes them back."""
    shop = shelf.shop
    if RETAIL not in shared:
        return {}
    delivery: list[Json] = []
    for way in shop.delivery:
        shown: Json = {
            "id": way.id,
            "title": way.title,
            "price": way.price,
            "earliest_minutes": way.minutes[0],
            "latest_minutes": way.minutes[1],
        }
        if way.free_from is not None:
            shown["free_from"] = way.free_from
        delivery.append(shown)
    return {"retail": {"delivery": delivery, "returns": return_terms(shop)}}


def return_terms(shop: Shop) -> Json:
    terms = shop.returns
    if terms is None:
        return {}
    return {"days": terms.days, "fee": terms.fee, "post_paid_by": terms.post_paid_by}


def _business(shelf: Shelf, shared: Shared) -> Json:
    if MODIFIERS not in shared:
        return {}
    return {
        "business": {
            "name": shelf.shop.name,
            "open_now": shelf.is_open,
            "opens_text": shelf.opens_text,
        }
    }


def _says_something(filters: Filters | None) -> bool:
    return filters is not None and bool(
        filters.categories or filters.price is not None or filters.available is not None
    )


def _passes(dish: Dish, shelf: Shelf, filters: Filters | None) -> bool:
    if filters is None:
        return True
    price = shelf.price(dish)
    if filters.categories and dish.category not in filters.categories:
        return False
    if filters.available is not None and filters.available != (shelf.left(dish) != 0):
        return False
    if filters.price is None:
        return True
    low, high = filters.price.min, filters.price.max
    return (low is None or price >= low) and (high is None or price <= high)


def _score(dish: Dish, words: Sequence[str]) -> float:
    """Whole names count most, then words in names, then words anywhere."""
    names = [" ".join(_words(name)) for name in (dish.title, *dish.aliases)]
    asked = " ".join(words)
    if asked in names:
        return 100.0
    in_names = {word for name in names for word in name.split()}
    anywhere = set(_words(f"{dish.category} {dish.description}")) | in_names
    score = 0.0
    for word in words:
        if word in in_names:
            score += 5.0
        elif len(word) > 2 and any(known.startswith(word) for known in in_names):
            score += 3.0
        elif word in anywhere:
            score += 1.0
    return score + (10.0 if any(name in asked for name in names) else 0.0)


def _words(text: str) -> list[str]:
    spread = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(c for c in spread if not unicodedata.combining(c)))


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _position(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
        return int(text.removeprefix("at:"))
    except (ValueError, binascii.Error) as error:
        raise ProtocolError(f"cursor {cursor!r} is not one of ours") from error
