"""The whole road in a real browser: Lapel and the City as programs, words in, one paid order out, followed to the door."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.async_api import Page, expect

from .conftest import launch
from .town import MICROPHONE_RATE, Town, open_town, program, write_voice

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

ROOT = Path(__file__).parents[2]
WORDS = "Two iced lattes and a blueberry muffin to my office"
PATIENCE_MS = 60_000
WAY_MS = 120_000


def voices() -> ModuleType:
    path = ROOT / "tests/speech/voices.py"
    spec = importlib.util.spec_from_file_location("voices", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@asynccontextmanager
async def lab(playwright: Any, town: Town, *flags: str) -> AsyncIterator[Page]:
    browser = await launch(playwright, *flags)
    try:
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900}, permissions=["microphone"]
        )
        faults: list[str] = []
        context.on("weberror", lambda error: faults.append(str(error.error)))
        page = await context.new_page()
        await page.goto(town.link)
        await expect(page.locator("#summary")).to_contain_text("5 of 5 linked", timeout=PATIENCE_MS)
        await expect(page.locator("#summary")).to_contain_text(
            re.compile(r"[1-9]\d* merchant"), timeout=PATIENCE_MS
        )
        yield page
        assert faults == []
    finally:
        await browser.close()


async def hud(page: Page) -> str:
    return " / ".join(await page.locator(".hud-card .hud-row").all_inner_texts())


async def until(page: Page, found: Callable[[str], bool], within_s: float = 60.0) -> str:
    """The display's text once `found` is true of it."""
    async with asyncio.timeout(within_s):
        while not found(text := await hud(page)):  # noqa: ASYNC110  the browser tells it no other way
            await asyncio.sleep(0.1)
    return text


async def orders(page: Page, town: Town) -> list[dict[str, Any]]:
    return await (await page.request.get(f"{town.url}/api/orders")).json()


def verify(file: Path) -> None:
    done = subprocess.run(
        [program("lapel"), "receipt", "verify", str(file)],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def picture(page: Page, name: str) -> None:
    """Keeps a picture of the lab, where LAB_PICTURES names a folder for it."""
    if folder := os.environ.get("LAB_PICTURES"):
        await asyncio.sleep(0.5)
        await page.screenshot(path=Path(folder) / name)


async def test_spoken_into_the_glasses_pressed_on_the_ring_followed_on_the_phone(
    playwright: Any, tmp_path: Path
) -> None:
    pcm = await asyncio.to_thread(voices().say_pcm, WORDS, MICROPHONE_RATE)
    write_voice(tmp_path / "words.wav", pcm)
    microphone = f"--use-file-for-fake-audio-capture={tmp_path / 'words.wav'}%noloop"
    async with open_town(tmp_path) as town, lab(playwright, town, microphone) as page:
        await page.click(".talk")
        await expect(page.locator(".hud-heard")).to_contain_text(
            re.compile("blueberry muffin", re.IGNORECASE), timeout=PATIENCE_MS
        )
        shown = await until(page, lambda text: "Total" in text)
        await page.wait_for_selector(".tile.ring[data-waiting=true][data-haptic=pulse]")
        await picture(page, "lab.png")
        assert "2 x Iced latte" in shown
        assert "1 x Blueberry muffin" in shown
        total = re.search(r"Total\s+([\d.]+ EUR)", shown)
        assert total is not None
        await expect(page.locator(".caption")).to_contain_text(
            re.compile("iced latte", re.IGNORECASE), timeout=PATIENCE_MS
        )
        await expect(page.locator(".tile.earbuds")).to_have_attribute(
            "data-speaking", "true", timeout=PATIENCE_MS
        )

        await page.click(".ring-pad")
        await page.wait_for_selector(".tile.ring[data-waiting=false]", timeout=PATIENCE_MS)
        await expect(page.locator(".step.now")).to_have_text("Preparing", timeout=PATIENCE_MS)
        await expect(page.locator(".step.now")).to_have_text("On its way", timeout=WAY_MS)
        await page.wait_for_selector(".map .map-rider:not([hidden])", timeout=PATIENCE_MS)
        assert (await page.locator(".map-streets").get_attribute("d") or "").count("M") > 10
        await picture(page, "lab-on-its-way.png")
        await until(page, lambda text: "Delivered" in text, WAY_MS / 1000)

        async with page.expect_download() as download:
            await page.click(".card[data-kind=receipt] .receipt")
        receipt = tmp_path / "receipt.json"
        await (await download.value).save_as(receipt)
        verify(receipt)
        assert total.group(1).split()[0].replace(".", "") in receipt.read_text().replace(".", "")
        [order] = await orders(page, town)
        assert (order["state"], order["total"]) == ("delivered", total.group(1))
        assert [line["text"] for line in order["lines"]][:2] == [
            "2 x Iced latte",
            "1 x Blueberry muffin",
        ]


async def test_typed_on_the_phone_refused_by_a_hold_then_ordered_by_its_button(
    playwright: Any, tmp_path: Path
) -> None:
    async with open_town(tmp_path, "--text", speed=120.0) as town, lab(playwright, town) as page:
        await page.get_by_role("button", name=WORDS).click()
        await until(page, lambda text: "Total" in text and "2 x Iced latte" in text)
        await page.wait_for_selector(".tile.ring[data-waiting=true]")
        await page.click(".ring-pad", delay=800)
        await page.wait_for_selector(".tile.ring[data-waiting=false]", timeout=PATIENCE_MS)
        [refused] = await orders(page, town)
        assert refused["state"] == "refused"

        await page.fill(".composer-field", WORDS)
        await page.keyboard.press("Enter")
        order = page.get_by_role("button", name="Order", exact=True)
        await expect(order).to_be_visible(timeout=PATIENCE_MS)
        await asyncio.sleep(1)
        await order.click()
        await until(page, lambda text: "Delivered" in text, WAY_MS / 1000)
        states = sorted(each["state"] for each in await orders(page, town))
        assert states == ["delivered", "refused"]


async def test_a_ring_alone_in_another_tab_approves_too(playwright: Any, tmp_path: Path) -> None:
    async with open_town(tmp_path, "--text", speed=120.0) as town, lab(playwright, town) as page:
        alone = await page.context.new_page()
        await alone.goto(f"{town.url}/d/ring")
        await alone.wait_for_selector(".tile.ring[data-link=online]")
        await page.click(".tile.ring .switch")
        await page.get_by_role("button", name=WORDS).click()
        await until(page, lambda text: "Total" in text)
        await alone.wait_for_selector(".tile.ring[data-waiting=true][data-haptic=pulse]")
        assert await page.locator(".tile.ring[data-haptic]").count() == 0
        await page.wait_for_timeout(800)
        await alone.click(".ring-pad")
        await until(page, lambda text: "Delivered" in text, WAY_MS / 1000)
        [order] = await orders(page, town)
        events = json.dumps(order["events"])
        assert order["state"] == "delivered", events
        devices = await (await page.request.get(f"{town.url}/api/devices")).json()
        kept = [device for device in devices if device["remembered"]]
        assert [device["family"] for device in kept] == ["ring"]
