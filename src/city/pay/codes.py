"""The codes that shops show: a URL that holds a payment request signed by the shop.

Nothing is kept of a code until it is paid, which it can be once.
"""

from __future__ import annotations

import secrets

import msgspec

from city.ucp.signatures import jws_sign, jws_verify
from city.world import World

LIFE_S = 900.0
LONGEST = 1024
"""Characters; longer ones cannot be scanned from a screen anyway."""


class Code(msgspec.Struct, frozen=True, omit_defaults=True):
    """`amount` is None where the payer says how much. `expires_s` counts from 1970."""

    id: str
    shop: str
    expires_s: float
    amount: int | None = None
    note: str = ""


class CodeError(Exception):
    """`code_invalid`: no shop of the City has signed this."""

    code = "code_invalid"


def prefix(world: World, slug: str) -> str:
    return f"{world.urls[slug]}/c/"


def make(world: World, slug: str, shop: str, amount: int | None, note: str) -> str:
    """A new code of a shop, as the text of a QR code."""
    expires_s = world.real_s() + LIFE_S
    code = Code(secrets.token_urlsafe(9), shop, expires_s, amount, note)
    jws = jws_sign({"alg": "ES256", "kid": shop}, msgspec.json.encode(code), world.keys[shop])
    return prefix(world, slug) + jws


def read(world: World, slug: str, text: str) -> Code:
    """The code, if a shop of the City has signed it; else CodeError."""
    if len(text) > LONGEST or not text.startswith(prefix(world, slug)):
        raise CodeError("this is no code of ours")
    jws = text.removeprefix(prefix(world, slug))
    for shop in world.shops:
        try:
            code = msgspec.json.decode(jws_verify(jws, world.keys[shop].jwk()), type=Code)
        except (ValueError, msgspec.MsgspecError):
            continue
        if code.shop == shop:
            return code
    raise CodeError("no shop has signed this code")
