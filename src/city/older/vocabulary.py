"""The names of UCP 2026-01-11 that the City uses."""

from __future__ import annotations

from city.ucp.vocabulary import CHECKOUT, DISCOUNT, FULFILLMENT, ORDER, Offered

VERSION = "2026-01-11"
FEED = "dev.lapel.feed"
"""Where the product list is, for a version that has no catalogue: `config.url`."""
FEED_VERSION = "2026-11-01"


def _of_ucp(name: str, *extends: str) -> Offered:
    page = name.rpartition(".")[2]
    spec = f"https://ucp.dev/{VERSION}/specification/{page}"
    return Offered(name, VERSION, spec, f"https://ucp.dev/schemas/shopping/{page}.json", extends)


OFFERED = (
    _of_ucp(CHECKOUT),
    _of_ucp(FULFILLMENT, CHECKOUT),
    _of_ucp(DISCOUNT, CHECKOUT),
    _of_ucp(ORDER),
)
