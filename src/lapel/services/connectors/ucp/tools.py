"""The verbs of UCP and of Lapel's extensions as tools of MCP: one table, one row a verb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

from lapel.commerce.ports import Refused


@dataclass(frozen=True, slots=True)
class Tool:
    """A call: the tool's name and its arguments, without the metadata."""

    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Verb:
    """`*` in `path` is the id; `payload` the argument that takes the body, empty for none."""

    tool: str
    method: str
    path: str
    payload: str = ""


_CORE = (
    _Verb("create_checkout", "POST", "/checkout-sessions", "checkout"),
    _Verb("get_checkout", "GET", "/checkout-sessions/*"),
    _Verb("update_checkout", "PUT", "/checkout-sessions/*", "checkout"),
    _Verb("complete_checkout", "POST", "/checkout-sessions/*/complete", "checkout"),
    _Verb("cancel_checkout", "POST", "/checkout-sessions/*/cancel"),
    _Verb("create_cart", "POST", "/carts", "cart"),
    _Verb("get_cart", "GET", "/carts/*"),
    _Verb("update_cart", "PUT", "/carts/*", "cart"),
    _Verb("cancel_cart", "POST", "/carts/*/cancel"),
    _Verb("get_order", "GET", "/orders/*"),
    _Verb("search_catalog", "POST", "/catalog/search", "catalog"),
    _Verb("lookup_catalog", "POST", "/catalog/lookup", "catalog"),
    _Verb("get_product", "POST", "/catalog/product", "catalog"),
)
_GROCERIES = (_Verb("answer_substitution", "POST", "/orders/*/substitutions", "groceries"),)
_RETAIL = (_Verb("return_items", "POST", "/orders/*/returns", "retail"),)
_RIDES = (
    _Verb("estimate_rides", "POST", "/rides/estimate", "ride"),
    _Verb("suggest_places", "POST", "/rides/places", "ride"),
    _Verb("cancel_ride", "POST", "/rides/*/cancel", "ride"),
    _Verb("change_destination", "POST", "/rides/*/destination", "ride"),
    _Verb("change_pickup", "POST", "/rides/*/pickup", "ride"),
)
_TRAVEL = (
    _Verb("search_travel", "POST", "/travel/search", "travel"),
    _Verb("hold_travel", "POST", "/travel/holds", "travel"),
    _Verb("change_booking", "POST", "/travel/*/change", "travel"),
    _Verb("cancel_booking", "POST", "/travel/*/cancel", "travel"),
)
_TABLES = (
    _Verb("search_tables", "POST", "/tables/search", "table"),
    _Verb("change_table", "POST", "/tables/*/change", "table"),
    _Verb("cancel_table", "POST", "/tables/*/cancel", "table"),
)
_PAY = (
    _Verb("find_payee", "POST", "/pay/payees", "transfer"),
    _Verb("read_code", "POST", "/pay/codes", "transfer"),
)
# A new extension: its rows above, its name in the next line, its tools in its page of docs/.
_ALL = (*_CORE, *_GROCERIES, *_RETAIL, *_RIDES, *_TRAVEL, *_TABLES, *_PAY)


def _by_call(verbs: Iterable[_Verb]) -> Mapping[tuple[str, str], _Verb]:
    found = {(verb.method, verb.path): verb for verb in verbs}
    return MappingProxyType(found)


_VERBS = _by_call(_ALL)


def tool_of(method: str, path: str, body: object) -> Tool:
    """The same call as a tool; Refused where the binding has none for it."""
    verb, id = _found(method, path)
    arguments: dict[str, object] = {"id": unquote(id)} if id else {}
    if verb.payload:
        arguments[verb.payload] = body
    return Tool(verb.tool, arguments)


def _found(method: str, path: str) -> tuple[_Verb, str]:
    """The verb, and the id in its path; a path of literals comes before one with an id."""
    if verb := _VERBS.get((method, path)):
        return verb, ""
    _, first, *rest = path.split("/")
    named = "/".join(["", first, "*", *rest[1:]]) if rest else path
    if verb := _VERBS.get((method, named)):
        return verb, rest[0]
    raise Refused("This shop offers that in a way that I do not speak.", code="not_understood")
