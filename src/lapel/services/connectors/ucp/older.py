"""UCP 2026-01-11 in terms of 2026-04-08: its profile, what is asked, and what is answered.

What it lacks: a catalogue, a look at an order (webhooks alone tell of it), signed answers. Its
discounts and refunds are positive numbers; a request names the currency.
"""

from __future__ import annotations

from typing import Annotated, cast

import msgspec

from lapel.commerce.ports import Nonsense
from lapel.services.connectors.ucp.keys import Jwk
from lapel.services.connectors.ucp.versions import OLDER, VERSION
from lapel.services.fetch import decode

Json = dict[str, object]
Amount = Annotated[int, msgspec.Meta(ge=-(10**12), le=10**12)]
_KNOWN = frozenset({"checkout", "fulfillment", "discount", "order"})
_EMPTY = msgspec.Raw(b"{}")
_LESS = frozenset({"discount", "items_discount"})
_BACK = frozenset({"refund", "return", "credit", "cancellation", "price_adjustment"})


class _Binding(msgspec.Struct, frozen=True):
    endpoint: str = ""


class _Service(msgspec.Struct, frozen=True):
    version: str
    rest: _Binding | None = None


class _Capability(msgspec.Struct, frozen=True):
    name: str
    version: str
    spec: str = ""
    extends: str = ""
    config: msgspec.Raw = _EMPTY


class _Handler(msgspec.Struct, frozen=True):
    id: str
    name: str
    version: str
    config: msgspec.Raw = _EMPTY


class _Payment(msgspec.Struct, frozen=True):
    handlers: tuple[_Handler, ...] = ()


class _Block(msgspec.Struct, frozen=True):
    version: str
    services: dict[str, _Service] = {}
    capabilities: tuple[_Capability, ...] = ()


class _Document(msgspec.Struct, frozen=True):
    ucp: _Block
    payment: _Payment = _Payment()
    signing_keys: tuple[Jwk, ...] = ()
    name: Annotated[str, msgspec.Meta(max_length=255)] = ""


def profile_in(text: bytes, whose: str) -> bytes:
    """The profile document as one of 2026-04-08 that still says which version it is of."""
    found = decode(text, _Document, whose)
    services = {
        name: [{"version": x.version, "transport": "rest", "endpoint": x.rest.endpoint}]
        for name, x in found.ucp.services.items()
        if x.rest is not None
    }
    capabilities: dict[str, list[Json]] = {}
    for x in found.ucp.capabilities:
        entry: Json = {"version": x.version, "spec": x.spec, "config": x.config}
        if x.extends:
            entry["extends"] = x.extends
        capabilities.setdefault(x.name, []).append(entry)
    document: Json = {
        "ucp": {
            "version": found.ucp.version,
            "services": services,
            "capabilities": capabilities,
            "payment_handlers": _handlers(found.payment.handlers),
        },
        "signing_keys": found.signing_keys,
        "name": found.name,
    }
    return msgspec.json.encode(document)


def profile_out(document: Json) -> Json:
    """Lapel's own profile for merchants of this version: what it has no word for is left out."""
    block = cast("Json", document["ucp"])
    capabilities = cast("dict[str, list[Json]]", block["capabilities"])
    shown: list[Json] = []
    for name, entries in capabilities.items():
        if name.rpartition(".")[2] in _KNOWN and name.startswith("dev.ucp.shopping."):
            [entry] = entries
            shown.append(
                {"name": name, **entry, "version": OLDER}
                | {k: str(entry[k]).replace(VERSION, OLDER) for k in ("spec", "schema")}
            )
    handlers = cast("dict[str, list[Json]]", block["payment_handlers"])
    return {
        "ucp": {
            "version": OLDER,
            "services": {
                "dev.ucp.shopping": {
                    "version": OLDER,
                    "spec": f"https://ucp.dev/{OLDER}/specification/overview",
                }
            },
            "capabilities": shown,
        },
        "payment": {
            "handlers": [
                {
                    "id": entry["id"],
                    "name": name,
                    "version": entry["version"],
                    "spec": entry["spec"],
                    "config_schema": entry["schema"],
                    "instrument_schemas": [],
                    "config": {},
                }
                for name, entries in handlers.items()
                for entry in entries
            ]
        },
        "signing_keys": document["signing_keys"],
        "name": document["name"],
    }


class _Instruments(msgspec.Struct):
    instruments: Annotated[list[Json], msgspec.Meta(min_length=1, max_length=1)]


_CARRIED = ("line_items", "fulfillment", "discounts")
"""What is sent of a body of Lapel's; the buyer's context has no place in this version."""


def ask(method: str, path: str, body: object, currency: str) -> object:
    """A body of 2026-04-08 for the same call."""
    asked = msgspec.convert(msgspec.json.decode(msgspec.json.encode(body)), Json)
    if path.endswith("/cancel"):
        return {}
    if path.endswith("/complete"):
        [instrument] = msgspec.convert(asked["payment"], _Instruments).instruments
        return {"payment_data": {k: v for k, v in instrument.items() if k != "selected"}}
    kept = {name: asked[name] for name in _CARRIED if name in asked}
    whole: Json = {**kept, "currency": currency, "payment": {}}
    return {"id": path.rsplit("/", 1)[-1], **whole} if method == "PUT" else whole


class _Total(msgspec.Struct):
    type: str
    amount: Amount
    display_text: str | None = None


class _Line(msgspec.Struct):
    id: str
    item: msgspec.Raw
    quantity: msgspec.Raw
    totals: list[_Total] = []


class _Envelope(msgspec.Struct):
    version: str


class _Checkout(msgspec.Struct):
    """The fields that this version writes otherwise; the others are taken over as they stand."""

    ucp: _Envelope
    totals: list[_Total] = []
    line_items: list[_Line] = []
    payment: _Payment | None = None


class _Adjustment(msgspec.Struct):
    id: str
    type: str
    amount: Amount | None = None


class _Order(msgspec.Struct):
    ucp: _Envelope
    id: str
    checkout_id: str
    totals: list[_Total]
    adjustments: list[_Adjustment] | None = None


def checkout_in(body: bytes, whose: str) -> bytes:
    """The checkout of an answer, in the shape of 2026-04-08."""
    found = decode(body, _Checkout, whose)
    kept = cast("Json", msgspec.json.decode(body))
    kept["totals"] = [_signed(x) for x in found.totals]
    kept["line_items"] = [
        {
            "id": x.id,
            "item": x.item,
            "quantity": x.quantity,
            "totals": [_signed(total) for total in x.totals],
        }
        for x in found.line_items
    ]
    handlers = found.payment.handlers if found.payment else ()
    kept["ucp"] = {"version": _version(found.ucp, whose), "payment_handlers": _handlers(handlers)}
    return msgspec.json.encode(kept)


def order_in(body: bytes, currency: str, whose: str) -> bytes:
    """The order of a webhook, which names no currency: it is the checkout's."""
    found = decode(body, _Order, whose)
    kept = cast("Json", msgspec.json.decode(body))
    kept |= {
        "ucp": {"version": _version(found.ucp, whose)},
        "currency": currency,
        "totals": [_signed(x) for x in found.totals],
    }
    entries = cast("list[Json]", kept.get("adjustments") or [])
    kept["adjustments"] = [
        _adjusted(entry, x) for entry, x in zip(entries, found.adjustments or (), strict=True)
    ]
    return msgspec.json.encode(kept)


def checkout_of(body: bytes, whose: str) -> str:
    """The checkout that the order of a webhook came from."""
    return decode(body, _Order, whose).checkout_id


def _adjusted(entry: Json, adjustment: _Adjustment) -> Json:
    """Its amount is what goes back; none is named where the kind does not say which way."""
    shown = {name: value for name, value in entry.items() if name not in ("amount", "totals")}
    if adjustment.amount and adjustment.amount > 0 and adjustment.type in _BACK:
        shown["totals"] = [{"type": "total", "amount": -adjustment.amount}]
    return shown


def _signed(total: _Total) -> Json:
    if total.amount < 0:
        raise Nonsense(f"{total.type!r} is {total.amount}: amounts of {OLDER} have no sign")
    amount = -total.amount if total.type in _LESS else total.amount
    return {"type": total.type, "amount": amount, "display_text": total.display_text}


def _version(ucp: _Envelope, whose: str) -> str:
    if ucp.version != OLDER:
        raise Nonsense(f"{whose!r} answers in UCP {ucp.version!r}, not {OLDER!r}")
    return VERSION


def _handlers(handlers: tuple[_Handler, ...]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for x in handlers:
        entry: Json = {"id": x.id, "version": x.version, "config": x.config}
        found.setdefault(x.name, []).append(entry)
    return found
