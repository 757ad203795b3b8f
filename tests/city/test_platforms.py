"""A platform's profile is kept, and read again for a user's key that is not in it."""

from __future__ import annotations

import httpx
import pytest

from city.ucp.platforms import Platform, Platforms
from city.ucp.vocabulary import VERSION

pytestmark = pytest.mark.unit

URL = "https://platform.example/.well-known/ucp"


def jwk(kid: str) -> dict:
    return {"kid": kid, "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "alg": "ES256"}


class Served:
    """A profile whose keys grow, and how often it was read."""

    def __init__(self) -> None:
        self.kids = ["platform"]
        self.reads = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.reads += 1
        metadata = {"version": VERSION, "capabilities": {}}
        keys = [jwk(kid) for kid in self.kids]
        return httpx.Response(200, json={"ucp": metadata, "signing_keys": keys})


@pytest.fixture
async def served():
    served = Served()
    async with httpx.AsyncClient(transport=httpx.MockTransport(served)) as client:
        yield served, Platforms(client)


async def test_users_who_come_one_right_after_the_other_are_all_found(served):
    profile, platforms = served
    platform = Platform(URL, {}, "", signed=True)
    for kid in ("anna", "ben", "cleo"):
        profile.kids.append(kid)
        platform = await platforms.with_key(platform, kid, now_s=100.0)
        assert [key.kid for key in platform.keys] == profile.kids
    assert profile.reads == 3


async def test_a_known_key_and_an_unsigned_request_make_nothing_be_read(served):
    profile, platforms = served
    platform = await platforms.with_key(Platform(URL, {}, "", signed=True), "platform", 1.0)
    assert await platforms.with_key(platform, "platform", 2.0) is platform
    nobody = Platform(URL, {}, "", signed=False)
    assert await platforms.with_key(nobody, "anna", 3.0) is nobody
    assert profile.reads == 1
