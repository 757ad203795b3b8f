import json

import httpx
import msgspec
import pytest

from lapel.commerce.ports import Nonsense, PortError, Refused, Unreachable
from lapel.services import MerchantRegistry, SigningKeys
from lapel.services.connectors.ucp import signatures
from lapel.services.connectors.ucp.profile import WELL_KNOWN, discover, profile_url_of, read_profile
from services.shopper import World

pytestmark = pytest.mark.net

V = "2026-04-08"
CHECKOUT = "dev.ucp.shopping.checkout"
FULFILLMENT = "dev.ucp.shopping.fulfillment"


def document(**change) -> dict:
    ucp = {
        "version": V,
        "services": {
            "dev.ucp.shopping": [
                {"version": V, "transport": "mcp", "endpoint": "https://shop.example/mcp"},
                {"version": V, "transport": "rest", "endpoint": "https://shop.example/ucp/"},
            ]
        },
        "capabilities": {
            CHECKOUT: [{"version": V}],
            FULFILLMENT: [{"version": V, "extends": CHECKOUT}],
        },
        "payment_handlers": {},
    }
    return {
        "ucp": ucp | change,
        "signing_keys": [{"kid": "k", "kty": "RSA", "n": "x", "e": "AQAB"}],
    }


async def fetched(pages: dict[str, object], url: str = "shop.example"):
    def answer(request: httpx.Request) -> httpx.Response:
        page = pages[str(request.url)]
        if isinstance(page, httpx.Response):
            return page
        content = page if isinstance(page, bytes) else json.dumps(page).encode()
        return httpx.Response(200, stream=httpx.ByteStream(content))

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        return await discover(http, url)


HOME = "https://shop.example/.well-known/ucp"


async def test_a_merchant_by_its_host_name_alone():
    profile = await fetched({HOME: document()})
    assert profile.endpoint == "https://shop.example/ucp"
    assert profile.capabilities == {CHECKOUT, FULFILLMENT}
    assert profile.name == "shop.example"


async def test_an_older_version_of_a_newer_merchant():
    leaf = "https://shop.example/.well-known/ucp/2026-04-08"
    newest = document(version="2027-01-01", supported_versions={V: leaf})
    profile = await fetched({HOME: newest, leaf: document()})
    assert profile.url == HOME
    assert read_profile(HOME, profile.text) == profile


@pytest.mark.parametrize(
    ("page", "error", "code"),
    [
        (document(version="2026-01-23"), Refused, "version_unsupported"),
        (
            document(version="2027-01-01", supported_versions={V: "https://evil.example/p"}),
            Nonsense,
            "nonsense",
        ),
        (document(version="latest"), Nonsense, "nonsense"),
        (document(capabilities={}), Refused, "capabilities_incompatible"),
        (
            document(capabilities={CHECKOUT: [{"version": "2026-01-23"}]}),
            Refused,
            "capabilities_incompatible",
        ),
        (
            document(capabilities={CHECKOUT: [{"version": V, "spec": "https://evil.example/"}]}),
            Refused,
            "capabilities_incompatible",
        ),
        (document(services={}), Refused, "capabilities_incompatible"),
        (
            document(
                services={
                    "dev.ucp.shopping": [
                        {"version": V, "transport": "rest", "endpoint": "http://127.0.0.1:8600"}
                    ]
                }
            ),
            Nonsense,
            "unsafe_url",
        ),
        ([], Nonsense, "nonsense"),
        ({"ucp": {}}, Nonsense, "nonsense"),
        (httpx.Response(404, stream=httpx.ByteStream(b"")), Refused, "no_profile"),
        (httpx.Response(503, stream=httpx.ByteStream(b"")), Unreachable, "unreachable"),
        (httpx.Response(302, headers={"location": "https://x.example"}), Nonsense, "redirected"),
        (b"\xff{}", Nonsense, "nonsense"),
    ],
)
async def test_profiles_that_do_not_serve(page: object, error: type[PortError], code: str):
    with pytest.raises(error) as refused:
        await fetched({HOME: page})
    assert refused.value.code == code


async def test_an_extension_without_its_parent_is_not_active():
    text = json.dumps(
        document(
            capabilities={
                CHECKOUT: [{"version": V}],
                FULFILLMENT: [{"version": V, "extends": "dev.ucp.shopping.order"}],
            }
        )
    )
    assert read_profile(HOME, text).capabilities == {CHECKOUT}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("shop.example", HOME),
        (" https://shop.example/ ", HOME),
        (HOME, HOME),
        ("http://127.0.0.1:8701", "http://127.0.0.1:8701/.well-known/ucp"),
        ("https://shop.example/branch?x#y", "https://shop.example/branch/.well-known/ucp"),
    ],
)
def test_where_a_profile_is(url: str, found: str):
    assert profile_url_of(url) == found


async def test_merchants_survive_a_restart(world: World):
    merchant = await world.meet()
    again = MerchantRegistry(world.store, world.http, world.clock)
    assert await again.get(merchant.id) == merchant
    assert await again.all() == (merchant,)
    assert await again.by_profile(world.hostile.origin + WELL_KNOWN) == merchant
    assert (await world.food.add_merchant(world.hostile.origin + "/")).id == merchant.id
    with pytest.raises(Refused) as refused:
        await again.get("nobody")
    assert refused.value.code == "unknown_merchant"


async def test_a_merchant_that_cannot_be_asked_keeps_its_profile(world: World):
    merchant = await world.meet()
    world.clock.now += 601
    world.hostile.mischief = "redirect_profile"
    assert (await world.registry.get(merchant.id)).profile == merchant.profile


async def test_lapel_s_own_profile(world: World):
    made = await world.profile.document()
    ucp = made["ucp"]
    assert isinstance(ucp, dict)
    assert ucp["version"] == V
    [order] = ucp["capabilities"]["dev.ucp.shopping.order"]
    assert order["config"] == {"webhook_url": "http://127.0.0.1:8600/webhooks/ucp"}
    assert all("spec" in x and "schema" in x for [x] in ucp["capabilities"].values())
    key = await world.keys.current()
    assert made["signing_keys"] == [msgspec.to_builtins(key.jwk())]
    assert "PRIVATE" not in json.dumps(made)


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_for_a_week(world: World):
    old = await world.keys.current()
    assert (await SigningKeys(world.store, world.clock).current()).kid == old.kid
    world.clock.now += 10
    new = await world.keys.rotate()
    assert [x.kid for x in await world.keys.published()] == [new.kid, old.kid]
    assert (await world.keys.current()).kid == old.kid
    world.clock.now += 301
    assert (await world.keys.current()).kid == new.kid
    assert (await SigningKeys(world.store, world.clock).current()).kid == new.kid
    headers = signatures.sign(signatures.Request("GET", "https://x.example/", {}), old, 1)
    request = signatures.Request("GET", "https://x.example/", headers)
    signatures.verify(request, await world.keys.published())
    world.clock.now += 7 * 24 * 3600 + 1
    assert [x.kid for x in await world.keys.published()] == [new.kid]
