"""UCP's own models of 2026-01-11, asked in a process of their own: the newer line has the same name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(sys.prefix) / "ucp-2026-01-11"
CREATE = "POST /checkout-sessions"
UPDATE = "PUT /checkout-sessions/*"
GET = "GET /checkout-sessions/*"
COMPLETE = "POST /checkout-sessions/*/complete"
CANCEL = "POST /checkout-sessions/*/cancel"
SHOPPING = "ucp_sdk.models.schemas.shopping"
CHECKOUT = (f"{SHOPPING}.fulfillment_resp:Checkout", f"{SHOPPING}.discount_resp:Checkout")
MODELS: dict[str, tuple[str, ...]] = {
    f"{CREATE} asks": (
        f"{SHOPPING}.fulfillment_create_req:Checkout",
        f"{SHOPPING}.discount_create_req:Checkout",
    ),
    f"{UPDATE} asks": (
        f"{SHOPPING}.fulfillment_update_req:Checkout",
        f"{SHOPPING}.discount_update_req:Checkout",
    ),
    # The published instrument is a card and nothing else; what a handler of another kind wants
    # stands in its own `instrument_schemas`, and all instruments have this base.
    f"{COMPLETE} asks payment_data": (
        f"{SHOPPING}.types.payment_instrument_base:PaymentInstrumentBase",
    ),
    "webhook": (f"{SHOPPING}.order:Order",),
    "platform's profile": ("ucp_sdk.models.discovery.profile_schema:UcpDiscoveryProfile",),
    "business's profile": ("ucp_sdk.models.discovery.profile_schema:UcpDiscoveryProfile",),
    **{f"{operation} answers": CHECKOUT for operation in (CREATE, UPDATE, GET, COMPLETE, CANCEL)},
}
"""What is said -> the models that each judge the whole of it."""


def faults(said: Sequence[tuple[str, bytes]]) -> list[str]:
    """What the models find wrong in bodies, each with what it is."""
    assert HERE.is_dir(), "./test unpacks the models of requirements-ucp-2026-01-11.lock"
    asked = [
        (what, model, json.dumps(json.loads(body).get(part)) if part else body.decode())
        for named, body in said
        for what, part in [
            (named, "") if named in MODELS else (f"{named} payment_data", "payment_data")
        ]
        for model in MODELS[what]
    ]
    done = subprocess.run(
        [sys.executable, __file__, str(HERE)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _judge(asked: list[tuple[str, str, str]]) -> list[str]:
    import importlib

    from pydantic import TypeAdapter, ValidationError

    found: list[str] = []
    adapters: dict[str, Any] = {}
    for what, model, body in asked:
        module, _, name = model.partition(":")
        if model not in adapters:
            adapters[model] = TypeAdapter(getattr(importlib.import_module(module), name))
        try:
            adapters[model].validate_json(body)
        except ValidationError as error:
            found += [f"{what} {name}: {x['loc']} {x['msg']}" for x in error.errors()]
    return found


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    print(json.dumps(_judge(json.load(sys.stdin))))
