"""Makes the pictures of the lab for the README: a real order in a real City, typed on the phone.

    python scripts/screenshot_lab.py [--out docs/images] [--text]

Needs Chromium and the `dev` packages. Writes lab.png (the question) and lab-on-its-way.png (the
courier).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from town import Town, opened  # noqa: E402  found by the line above

WORDS = "Two iced lattes and a blueberry muffin to my office"
PATIENCE_MS = 90_000
SETTLE_MS = 900
FLAGS = ["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream"]


async def order(page: Page, town: Town, out: Path) -> None:
    """Walk one order as far as the courier, and take both pictures."""
    await page.goto(town.link)
    await expect(page.locator("#summary")).to_contain_text("5 of 5 linked", timeout=PATIENCE_MS)
    await expect(page.locator("#summary")).not_to_contain_text(" 0 merchants", timeout=PATIENCE_MS)
    await page.get_by_role("button", name=WORDS).click()
    await expect(page.locator(".hud-total")).to_be_visible(timeout=PATIENCE_MS)
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(SETTLE_MS)
    await page.screenshot(path=out / "lab.png")
    await page.click(".ring-pad")
    await page.wait_for_selector(".map .map-rider:not([hidden])", timeout=PATIENCE_MS)
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(3 * SETTLE_MS)
    await page.screenshot(path=out / "lab-on-its-way.png")


async def main() -> None:
    """Start a fresh City and Lapel, take the pictures, stop both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--text", action="store_true", help="leave speech out")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on this machine: install the package `chromium`")
    options.out.mkdir(parents=True, exist_ok=True)
    flags = ["--text"] if options.text else []
    with (
        tempfile.TemporaryDirectory() as folder,
        contextmanager(opened)(Path(folder), *flags, speed=30) as town,
    ):
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await order(page, town, options.out)
            await browser.close()
    print(f"wrote {options.out / 'lab.png'} and {options.out / 'lab-on-its-way.png'}")


if __name__ == "__main__":
    asyncio.run(main())
