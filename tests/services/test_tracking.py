import pytest

from lapel.commerce.ports import Nonsense, PortError, Refused
from lapel.services.tracking import track
from services.hostile import Hostile
from services.shopper import World
from serving import serving

pytestmark = pytest.mark.net


async def test_where_the_courier_is(world: World):
    merchant = await world.meet()
    found = await world.food.track(merchant.id, f"{world.hostile.origin}/track/1")
    assert found is not None
    assert (found.status, found.courier, found.eta_minutes) == ("in_transit", (60.17, 24.94), 4)
    assert found.destination == (60.18, 24.95)
    assert found.route == ((60.17, 24.94), (60.18, 24.95))
    assert found.streets == (((60.1, 24.9), (60.2, 24.9)),)


@pytest.mark.parametrize(
    ("path", "error"),
    [("redirect", Nonsense), ("huge", Nonsense), ("odd", Nonsense), ("missing", Refused)],
)
async def test_what_cannot_be_had(world: World, path: str, error: type[PortError]):
    merchant = await world.meet()
    url = f"{world.hostile.origin}/track/{path}"
    with pytest.raises(error):
        await track(world.http, merchant, url)
    assert await world.food.track(merchant.id, url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/track/1",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "",
    ],
)
async def test_a_url_that_leads_elsewhere_is_not_called(world: World, url: str):
    merchant = await world.meet()
    with pytest.raises(Nonsense) as refused:
        await track(world.http, merchant, url)
    assert refused.value.code == "unsafe_url"


async def test_another_origin_must_be_in_the_profile(world: World):
    couriers = Hostile()
    async with serving(couriers.app()) as origin:
        merchant = await world.meet()
        with pytest.raises(Nonsense):
            await track(world.http, merchant, f"{origin}/track/1")

        def name_couriers(profile: dict) -> None:
            order = profile["ucp"]["capabilities"]["dev.ucp.shopping.order"][0]
            order["config"] = {"tracking_origins": [origin]}

        world.hostile.bend_profile = name_couriers
        merchant = await world.meet()
        assert (await track(world.http, merchant, f"{origin}/track/1")).status == "in_transit"
