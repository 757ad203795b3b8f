"""UCP 2026-01-11 with a real merchant that speaks nothing newer; its own models judge every body."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from lapel.commerce.checkout import Checkout, CheckoutStatus, DraftLine, OrderDraft
from lapel.commerce.ports import Refused
from lapel.services import Merchant
from lapel.store import Store
from services import older_models
from services.older_models import CANCEL, COMPLETE, CREATE, GET, MODELS, UPDATE, faults
from services.test_city import Shopper, _shopping, office
from services.test_conformance import Heard
from town import Town

pytestmark = pytest.mark.net

OLD = "2026-01-11"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("older"), speed=3000)
    yield running
    running.close()


@pytest.fixture
async def shopper(store: Store, http: httpx.AsyncClient, city: Town) -> AsyncIterator[Shopper]:
    async with _shopping(store, http, city, kind="older") as running:
        yield running


def draft(shopper: Shopper, *items: str, codes: tuple[str, ...] = ()) -> OrderDraft:
    assert shopper.menu is not None
    titles = {item.id: item.title for item in shopper.menu.items}
    lines = tuple(DraftLine(id, titles[id], 1) for id in items or ("sextant", "sea_chart"))
    return OrderDraft(shopper.menu.merchant_id, lines, office(shopper.city), codes=codes)


async def quote(shopper: Shopper, asked: OrderDraft) -> Checkout:
    quoted = await shopper.world.merchants.create_checkout(asked, shopper.key("quote"))
    await shopper.world.remember(asked, quoted.id)
    return quoted


async def test_a_whole_order_by_its_url_alone_in_the_shapes_of_that_version(
    shopper: Shopper, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    heard = Heard()
    heard.listen(monkeypatch)
    world, merchants = shopper.world, shopper.world.merchants
    assert shopper.merchant is not None
    assert shopper.merchant.profile.version == OLD
    first = await quote(shopper, draft(shopper, "oilskin"))
    changed = draft(shopper, "oilskin", "sea_chart", codes=("SUMMER10",))
    less = await merchants.update_checkout(first.id, changed, shopper.key("update"))
    whole = await quote(shopper, draft(shopper, "oilskin", "sea_chart"))
    assert whole.total.minor - less.total.minor == (11900 + 1990) // 10
    gone = await merchants.cancel_checkout(first.merchant_id, first.id, shopper.key("cancel"))
    assert gone.status is CheckoutStatus.CANCELED
    quoted = await quote(shopper, draft(shopper))
    again = await merchants.get_checkout(quoted.merchant_id, quoted.id)
    assert again.hash() == quoted.hash()
    shopper.city.fault("credit", merchant="anchor")
    done = await shopper.place(quoted)
    assert (done.status, done.total) == (CheckoutStatus.COMPLETED, quoted.total)
    delivered = await shopper.until("delivered")
    assert (delivered.id, delivered.total) == (done.order_id, quoted.total)
    assert any(event.tracking_url for event in delivered.events)
    await shopper.until_told(lambda order: bool(order.refunds))
    assert shopper.refused == []
    with pytest.raises(Refused):
        await merchants.get_order(quoted.merchant_id, done.order_id)
    heard.said.append(("platform's profile", json.dumps(await world.profile.older()).encode()))
    business = (await http.get(f"{shopper.city.urls['older'][0]}/.well-known/ucp")).content
    heard.said.append(("business's profile", business))
    judged = [(what, body) for what, body in heard.said if what != f"{CANCEL} asks"]
    assert faults(judged) == []
    assert {what for what, _ in judged} == {what.removesuffix(" payment_data") for what in MODELS}
    assert sum(what == "webhook" for what, _ in judged) >= 3
    said = dict(judged)
    assert set(json.loads(said[f"{COMPLETE} asks"])) == {"payment_data"}
    assert "currency" not in json.loads(said["webhook"])


def test_those_models_judge():
    wrong = json.dumps({"ucp": 7, "line_items": 7, "payment_data": 7, "id": 7}).encode()
    for what in MODELS:
        assert faults([(what, wrong)]), what
    assert {CREATE, UPDATE, GET, COMPLETE, CANCEL} == {
        what.removesuffix(" answers") for what in MODELS if what.endswith(" answers")
    }
    assert older_models.HERE.is_dir()


@pytest.mark.parametrize(
    ("fault", "code"), [("price_raise", "price_changed"), ("overcharge", "payment_declined")]
)
async def test_a_completion_that_is_refused_costs_nothing(shopper: Shopper, fault: str, code: str):
    quoted = await quote(shopper, draft(shopper))
    shopper.city.fault(fault, operation="complete")
    with pytest.raises(Refused) as refused:
        await shopper.place(quoted)
    assert refused.value.code == code


async def test_what_cannot_be_sold_is_said_with_its_reason(shopper: Shopper):
    shopper.city.fault("closed", operation="create")
    with pytest.raises(Refused) as refused:
        await quote(shopper, draft(shopper))
    assert refused.value.code == "shop_closed"
    assert shopper.menu is not None
    nothing = OrderDraft(
        shopper.menu.merchant_id, (DraftLine("no_such", "Unicorn", 1),), office(shopper.city)
    )
    with pytest.raises(Refused) as refused:
        await quote(shopper, nothing)
    assert refused.value.code == "unknown_item"


async def test_a_merchant_that_cancels_gives_all_back(shopper: Shopper):
    shopper.city.fault("merchant_cancels", merchant="anchor")
    quoted = await quote(shopper, draft(shopper))
    done = await shopper.place(quoted)
    told = await shopper.until_told(lambda order: order.canceled)
    assert told.id == done.order_id
    assert sum(amount.minor for amount in told.refunds) == quoted.total.minor


async def test_a_key_that_the_merchant_has_changed_is_looked_up_once(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
):
    quoted = await quote(shopper, draft(shopper))
    registry, looked = shopper.world.registry, list[str]()
    assert shopper.merchant is not None
    known = shopper.merchant
    honest = registry.refresh
    strange = replace(known, profile=replace(known.profile, keys=()))

    async def before() -> tuple[Merchant, ...]:
        return (strange,)

    async def refresh(merchant_id: str) -> Merchant:
        looked.append(merchant_id)
        return await honest(merchant_id)

    monkeypatch.setattr(registry, "all", before)
    monkeypatch.setattr(registry, "refresh", refresh)
    done = await shopper.place(quoted)
    told = await shopper.until_told(lambda order: order.checkout_id == quoted.id)
    assert (told.id, shopper.refused) == (done.order_id, [])
    assert set(looked) == {known.id}


async def test_a_shop_that_wants_to_see_the_buyer(shopper: Shopper):
    quoted = await quote(shopper, draft(shopper, "distress_flares"))
    assert quoted.status is CheckoutStatus.REQUIRES_ESCALATION
    assert quoted.continue_url.startswith(shopper.city.urls["older"][0])
