import asyncio
import json

import pytest

from lapel.commerce.ports import MerchantOrder
from lapel.services import Merchant, WebhookError, WebhookInbox
from lapel.services.connectors.ucp.keys import PrivateKey
from services.hostile import Hostile, Json
from services.shopper import World
from serving import serving

pytestmark = pytest.mark.net

URL = "https://lapel.example/webhooks/ucp"


class Seen:
    """What reaches commerce."""

    def __init__(self) -> None:
        self.orders: list[MerchantOrder] = []
        self.failure: Exception | None = None

    async def __call__(self, order: MerchantOrder) -> None:
        if self.failure is not None:
            raise self.failure
        self.orders.append(order)


@pytest.fixture
def inbox(world: World) -> WebhookInbox:
    return WebhookInbox(world.store, world.registry, url=URL, clock=world.clock)


@pytest.fixture
async def merchant(world: World) -> Merchant:
    return await world.meet()


@pytest.fixture
async def order(world: World, merchant: Merchant) -> Json:
    quoted = await world.merchants.create_checkout(world.draft(merchant), "k")
    event = {"id": "e1", "type": "preparing", "occurred_at": "2026-11-24T10:00:00Z"}
    return world.hostile.order("ord_1", world.hostile.checkouts[quoted.id], event)


def event(world: World, order: Json, **more) -> tuple[dict[str, str], bytes]:
    created = more.pop("created", int(world.clock()))
    return world.hostile.webhook(more.pop("url", URL), order, created=created, **more)


async def refusal(inbox: WebhookInbox, headers: dict[str, str], body: bytes) -> WebhookError:
    seen = Seen()
    with pytest.raises(WebhookError) as refused:
        await inbox.receive(headers, body, seen)
    assert seen.orders == []
    return refused.value


async def test_a_signed_event_reaches_commerce(
    world: World, inbox: WebhookInbox, merchant: Merchant, order: Json
):
    seen = Seen()
    found = await inbox.receive(*event(world, order), seen)
    assert seen.orders == [found]
    assert (found.merchant_id, found.id, found.checkout_id) == (merchant.id, "ord_1", "chk_1")
    assert [x.kind for x in found.events] == ["preparing"]


async def test_header_names_have_no_case(world: World, inbox: WebhookInbox, order: Json):
    headers, body = event(world, order)
    assert await inbox.receive({x.lower(): y for x, y in headers.items()}, body, Seen())


async def test_ucp_s_example_which_covers_no_agent_is_enough(
    world: World, inbox: WebhookInbox, order: Json
):
    from lapel.services.connectors.ucp import signatures

    body = json.dumps(order).encode()
    bare = {"Content-Type": "application/json"}
    signed = signatures.sign(
        signatures.Request("POST", URL, bare, body), world.hostile.key, int(world.clock())
    )
    agent = {"UCP-Agent": f'profile="{world.hostile.origin}/.well-known/ucp"'}
    headers = {**bare, **signed, **agent}
    await inbox.receive(headers, body, Seen())
    # Its Webhook-Id is not signed: a new one does not make a new event of it.
    again = await refusal(inbox, {**headers, "Webhook-Id": "other"}, body)
    assert again.code == "replayed"


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"Signature": ""}, "signature_missing", 401),
        ({"Signature-Input": ""}, "signature_missing", 401),
        ({"Signature": "sig1=:AAAA:"}, "signature_invalid", 401),
        ({"Content-Digest": "sha-256=:AAAA:"}, "digest_mismatch", 400),
        ({"Webhook-Id": "other", "Content-Type": "text/plain"}, "signature_invalid", 401),
        ({"UCP-Agent": ""}, "unknown_merchant", 403),
        ({"UCP-Agent": 'profile="https://evil.example/.well-known/ucp"'}, "unknown_merchant", 403),
        ({"UCP-Agent": "profile=((("}, "unknown_merchant", 403),
    ],
)
async def test_what_is_not_believed(
    world: World, inbox: WebhookInbox, order: Json, change: dict, code: str, status: int
):
    headers, body = event(world, order)
    error = await refusal(inbox, headers | change, body)
    assert (error.code, error.status) == (code, status)


async def test_a_changed_body(world: World, inbox: WebhookInbox, order: Json):
    headers, body = event(world, order)
    error = await refusal(inbox, headers, body.replace(b"preparing", b"delivered"))
    assert error.code == "digest_mismatch"


async def test_an_event_for_somebody_else_s_url(world: World, inbox: WebhookInbox, order: Json):
    headers, body = event(world, order, url="https://other.example/webhooks/ucp")
    assert (await refusal(inbox, headers, body)).code == "signature_invalid"


async def test_a_key_that_is_not_the_merchant_s(world: World, inbox: WebhookInbox, order: Json):
    headers, body = event(world, order, key=PrivateKey.make())
    assert (await refusal(inbox, headers, body)).code == "key_not_found"


async def test_one_merchant_cannot_speak_for_another(
    world: World, inbox: WebhookInbox, order: Json
):
    other = Hostile()
    async with serving(other.app()) as origin:
        other.origin = origin
        thief = await world.food.add_merchant(origin)
        headers, body = event(world, order, key=other.key)
        assert (await refusal(inbox, headers, body)).code == "key_not_found"
        signed, body = other.webhook(URL, order, created=int(world.clock()))
        found = await inbox.receive(signed, body, Seen())
        assert found.merchant_id == thief.id


@pytest.mark.parametrize("age", [-301, 301, 10_000])
async def test_a_stale_signature(world: World, inbox: WebhookInbox, order: Json, age: int):
    headers, body = event(world, order, created=int(world.clock()) - age)
    error = await refusal(inbox, headers, body)
    assert (error.code, error.status) == ("stale", 401)


async def test_a_repeated_event_is_told_and_answered_with_200(
    world: World, inbox: WebhookInbox, order: Json
):
    headers, body = event(world, order, event="evt-1")
    await inbox.receive(headers, body, Seen())
    error = await refusal(inbox, headers, body)
    assert (error.code, error.status) == ("replayed", 200)
    signed_again = event(world, order, event="evt-1", created=int(world.clock()) + 1)
    assert (await refusal(inbox, *signed_again)).code == "replayed"
    await inbox.receive(*event(world, order, event="evt-2"), Seen())


async def test_what_commerce_could_not_keep_comes_again(
    world: World, inbox: WebhookInbox, order: Json
):
    headers, body = event(world, order)
    seen = Seen()
    seen.failure = OSError("disk")
    with pytest.raises(OSError, match="disk"):
        await inbox.receive(headers, body, seen)
    seen.failure = None
    await inbox.receive(headers, body, seen)
    assert len(seen.orders) == 1


async def test_the_same_event_at_the_same_time_is_noted_once(
    world: World, inbox: WebhookInbox, order: Json
):
    headers, body = event(world, order)
    all_three = asyncio.Barrier(3)

    async def handle(_: MerchantOrder) -> None:
        await all_three.wait()

    await asyncio.gather(*(inbox.receive(headers, body, handle) for _ in range(3)))
    assert (await refusal(inbox, headers, body)).code == "replayed"


async def test_a_new_key_is_looked_up_but_not_for_every_message(
    world: World, inbox: WebhookInbox, order: Json
):
    world.hostile.key = PrivateKey.make()
    world.hostile.published.append(world.hostile.key)
    world.clock.now += 61
    before = world.hostile.profile_fetches
    await inbox.receive(*event(world, order), Seen())
    assert world.hostile.profile_fetches == before + 1
    for _ in range(3):
        await refusal(inbox, *event(world, order, key=PrivateKey.make()))
    assert world.hostile.profile_fetches == before + 1


@pytest.mark.parametrize(
    "change",
    [
        {"totals": []},
        {"currency": "x"},
        {"id": ""},
        {"id": "o" * 200},
        {"fulfillment": {"events": [{"id": "e"}]}},
        {"line_items": 7},
    ],
)
async def test_a_signed_order_that_is_none(
    world: World, inbox: WebhookInbox, order: Json, change: Json
):
    error = await refusal(inbox, *event(world, order | change))
    assert (error.code, error.status) == ("malformed", 400)


async def test_a_body_without_end(world: World, inbox: WebhookInbox, order: Json):
    headers, body = event(world, order)
    assert (await refusal(inbox, headers, body + b" " * (2 << 20))).status == 413
