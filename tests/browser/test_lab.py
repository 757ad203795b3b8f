"""The lab page: five devices with a link each, examples, one microphone, the panel, and narrow screens."""

from __future__ import annotations

import io
import time

import pytest
import segno
from playwright.async_api import Page, expect

from lapel.services import codes_in

from .scripted_gateway import TOKEN, ScriptedGateway

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FAMILIES = ("glasses", "ring", "earbuds", "pendant", "phone")
SCRIPT = '<img src=x onerror="window.broken = 1">'


async def open_lab(page: Page, gateway: ScriptedGateway) -> None:
    await page.goto("/")
    for family in FAMILIES:
        await gateway.link(family)
        await page.wait_for_selector(f".tile.{family}[data-link=online]")


async def test_every_device_has_its_own_link_and_is_not_remembered(
    gateway: ScriptedGateway, page: Page
) -> None:
    await open_lab(page, gateway)
    assert sorted(gateway.links) == sorted(FAMILIES)
    assert len(gateway.hellos) == 5
    for hello in gateway.hellos:
        assert hello["auth"] == {"token": TOKEN, "remember": False}
    assert len({link.session.id for link in gateway.links.values()}) == 5
    await expect(page.locator("#summary")).to_contain_text("5 of 5 linked")


async def test_a_reload_resumes_every_device(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    sessions = {family: link.session.id for family, link in gateway.links.items()}
    await page.reload()
    for family in FAMILIES:
        link = await gateway.link(family, 2)
        assert link.hello["resume"]["session"] == sessions[family]


async def test_an_example_is_sent_as_the_phones_words(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    await page.get_by_role("button", name="Make it three").click()
    await gateway.links["phone"].next("text", text="Make it three")
    await expect(page.locator(".bubble.mine")).to_have_text("Make it three")


async def test_a_page_has_one_open_microphone(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    await page.click(".talk")
    await gateway.links["glasses"].next("listen", state="start")
    await expect(page.locator("#summary")).to_contain_text("microphone open: Glasses")
    await page.click(".pendant-disc")
    await gateway.links["pendant"].next("listen", state="start")
    await gateway.links["glasses"].next("listen", state="stop")
    await expect(page.locator(".talk")).to_have_attribute("aria-pressed", "false")
    await expect(page.locator(".pendant-disc")).to_have_attribute("aria-pressed", "true")


async def test_the_m_key_talks_but_not_while_typing(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    glasses = gateway.links["glasses"]
    await page.fill(".composer-field", "")
    await page.keyboard.type("mm")
    assert not glasses.all("listen")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("m")
    await glasses.next("listen", state="start")
    await page.keyboard.press("m")
    await glasses.next("listen", state="stop")


async def test_signed_out_says_what_to_do(gateway: ScriptedGateway, page: Page) -> None:
    gateway.signed_in = False
    await page.goto("/")
    await expect(page.get_by_role("alert").first).to_contain_text(
        "Sign in with the link that Lapel printed."
    )
    assert gateway.hellos == []


async def test_orders_follow_the_cues(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    await expect(page.locator("#panel-orders")).to_contain_text("No orders yet")
    gateway.given["orders"] = [
        {
            "id": "o_1",
            "merchant_name": SCRIPT,
            "state": "awaiting_approval",
            "total": "16.10 EUR",
            "created_at": time.time(),
            "lines": [{"text": "2 x Iced latte", "value": "9.80 EUR"}],
            "events": [{"kind": "placed", "text": "Placed", "at": time.time()}],
            "receipt": True,
        }
    ]
    card = {"title": "Blue Door Coffee", "body": "On its way"}
    await gateway.links["phone"].cue(id="c_1", topic="order:o_1", kind="order", card=card)
    order = page.locator(".order")
    await expect(order.locator(".order-name")).to_have_text(SCRIPT)
    await expect(order.locator(".order-state")).to_have_text("waits for you")
    link = order.get_by_role("link", name="Receipt")
    async with page.expect_download() as download:
        await link.click()
    assert (await download.value).url.endswith("/api/orders/o_1/receipt")
    assert await page.evaluate("window.broken") is None


async def test_menus_are_searched(gateway: ScriptedGateway, page: Page) -> None:
    gateway.given["menus"] = [
        {
            "merchant_name": "Blue Door Coffee",
            "open_now": True,
            "items": [
                {"title": "Iced latte", "price": "4.90 EUR", "category": "Coffee"},
                {"title": SCRIPT, "price": "3.40 EUR", "category": "Bakery"},
            ],
        },
        {"merchant_name": "Night Pizza", "open_now": False, "items": []},
    ]
    await open_lab(page, gateway)
    await page.get_by_role("tab", name="Menus").click()
    await expect(page.locator(".menu")).to_have_count(2)
    await expect(page.locator(".menu-open")).to_have_text(["Open", "Closed"])
    await page.get_by_role("searchbox").fill("iced")
    await expect(page.locator(".menu dt")).to_have_text("Iced latte")
    assert await page.evaluate("window.broken") is None


async def test_a_device_is_revoked_only_when_asked_twice(
    gateway: ScriptedGateway, page: Page
) -> None:
    gateway.given["devices"] = [
        {
            "id": "d_1",
            "name": "Old phone",
            "family": "phone",
            "connected": False,
            "on_body": False,
            "last_seen_at": time.time(),
        }
    ]
    await open_lab(page, gateway)
    await page.get_by_role("tab", name="Devices").click()
    revoke = page.get_by_role("button", name="Revoke Old phone")
    await revoke.click()
    assert gateway.calls == []
    await revoke.click()
    await expect(page.locator("#panel-devices")).to_contain_text("No device is paired yet.")
    assert gateway.calls == [("revoke", "d_1")]


async def test_pairing_both_ways_from_the_panel(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    await page.get_by_role("tab", name="Devices").click()
    await page.get_by_role("button", name="Show a code").click()
    await expect(page.locator("#panel-devices .pair-code")).to_have_text("482913")
    field = page.get_by_label("Six digit code shown on the device")
    await field.fill("000000")
    await field.press("Enter")
    await expect(page.locator("#panel-devices .panel-trouble")).to_have_text(
        "No device shows this code."
    )
    await field.fill("135790")
    await field.press("Enter")
    await expect(page.locator("#panel-devices")).to_contain_text("Paired.")
    assert gateway.calls == [
        ("pair", None),
        ("enter", {"code": "000000"}),
        ("enter", {"code": "135790"}),
    ]


async def test_a_place_is_edited(gateway: ScriptedGateway, page: Page) -> None:
    office = {
        "label": "office",
        "street": "Aleksanterinkatu 15",
        "city": "Helsinki",
        "postal_code": "00100",
        "country": "FI",
        "latitude": 60.1689,
        "longitude": 24.9461,
        "instructions": "",
    }
    gateway.given["addresses"] = [office]
    await open_lab(page, gateway)
    await page.get_by_role("tab", name="Places").click()
    place = page.locator(".place[data-label=office]")
    await place.locator("summary").click()
    await place.get_by_label("For the courier").fill("Third floor")
    await place.get_by_label("Use it when I name no place").check()
    await place.get_by_role("button", name="Save").click()
    await expect(page.locator(".place.new")).to_be_visible()
    assert gateway.calls == [
        ("address office", {**office, "instructions": "Third floor", "default": True})
    ]


async def test_a_picture_of_a_code_is_sent_as_grey_pixels(
    gateway: ScriptedGateway, page: Page
) -> None:
    gateway.given["contacts"] = [{"name": "Anna", "handle": "@anna", "bank_name": "Anna Korhonen"}]
    await open_lab(page, gateway)
    await page.get_by_role("tab", name="Pay").click()
    await expect(page.locator("#panel-pay")).to_contain_text("@anna · Anna Korhonen")
    code, picture = "https://pay.example/c/abc.def.ghi", io.BytesIO()
    segno.make(code).save(picture, kind="png", scale=6)
    photo = {"name": "code.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    await page.get_by_label("Scan a shop's code").set_input_files(photo)
    await expect(page.locator("#panel-pay [role=status]")).to_have_text(
        "Blue Door (@blue-door): confirm it on a screen."
    )
    [(kind, body)] = gateway.calls
    assert kind == "image/x-portable-graymap"
    assert await codes_in(body) == [code]


async def test_tabs_move_by_arrow_keys(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    await page.get_by_role("tab", name="Orders").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("tab", name="Menus")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#panel-places")).to_be_visible()


@pytest.mark.parametrize(
    ("width", "height"), [(390, 844), (768, 1024), (1280, 720), (1440, 900), (1920, 1080)]
)
async def test_nothing_is_cut_off_at_any_width(
    gateway: ScriptedGateway, page: Page, width: int, height: int
) -> None:
    await page.set_viewport_size({"width": width, "height": height})
    await open_lab(page, gateway)
    card = {"title": "Blue Door Coffee", "lines": [{"text": "2 x Iced latte", "value": "9.80 EUR"}]}
    await gateway.links["glasses"].cue(id="c_1", topic="t", kind="order", card=card)
    await page.wait_for_selector(".hud-line")
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0
    boxes = {}
    for family in FAMILIES:
        box = await page.locator(f".tile.{family}").bounding_box()
        assert box is not None
        assert box["width"] >= 150
        assert box["height"] >= 180
        boxes[family] = box
    columns = {round(box["x"]) for box in boxes.values()}
    assert len(columns) == {390: 1, 768: 3}.get(width, 4)
    heads = await page.evaluate(
        """() => [...document.querySelectorAll(".tile")].every((tile) =>
            tile.querySelector(".tile-head").scrollWidth <= tile.querySelector(".tile-head").clientWidth)"""
    )
    assert heads
    fits = await page.evaluate(
        """() => [...document.querySelectorAll(".hud-row .hud-value")].every((value) =>
            value.getBoundingClientRect().right <= value.closest(".lens").getBoundingClientRect().right)"""
    )
    assert fits


async def test_every_control_has_a_name(gateway: ScriptedGateway, page: Page) -> None:
    await open_lab(page, gateway)
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll("button, a, input")].filter((each) =>
            each.checkVisibility() && !each.getAttribute("aria-label") && !each.textContent.trim() && !each.labels?.length
        ).map((each) => each.outerHTML)"""
    )
    assert nameless == []
