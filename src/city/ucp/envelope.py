"""What every answer of a merchant has around it: UCP metadata, bytes, signature."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from city.replay import Answer
from city.ucp.quote import Json, Note
from city.ucp.signatures import SigningKey, sign_response
from city.ucp.vocabulary import HANDLER, HANDLER_ID, VERSION, Shared, relevant
from city.world import World, payee


def metadata(shared: Shared, root: str, *, error: bool = False) -> Json:
    """The `ucp` member of an answer about one root capability."""
    return {
        "version": VERSION,
        "status": "error" if error else "success",
        "capabilities": relevant(shared, root),
    }


def payment_handlers(world: World, slug: str, account: str = "", *, later: bool = False) -> Json:
    """How to pay: into the merchant's account, or another one that it names.

    `later`: the goods are weighed after the order, and what they cost is captured then.
    """
    config: Json = {"endpoint": world.bank_url, "payee": account or payee(slug)}
    if later:
        config["capture"] = "at_most"
    return {
        HANDLER: [
            {
                "id": HANDLER_ID,
                "version": VERSION,
                "spec": "https://lapel.dev/specs/city-bank",
                "schema": "https://lapel.dev/schemas/city_bank.json",
                "available_instruments": [{"type": "bank_token"}],
                "config": config,
            }
        ]
    }


def failure(world: World, slug: str, shared: Shared, root: str, notes: Sequence[Note]) -> Json:
    """There is no resource to answer with."""
    return {
        "ucp": metadata(shared, root, error=True),
        "messages": [note.json() for note in notes],
        "continue_url": f"{world.urls[slug]}/",
    }


def not_found(world: World, slug: str, shared: Shared, root: str, what: str) -> Json:
    text = f"{what} not found."
    note = Note("error", "not_found", text, severity="unrecoverable")
    return failure(world, slug, shared, root, [note])


def answer(key: SigningKey, body: Json, real_s: float, status: int = 200) -> Answer:
    """Encoded and signed, ready to be kept and sent."""
    raw = msgspec.json.encode(body)
    return Answer(status, raw, sign_response(status, raw, key, int(real_s)))
