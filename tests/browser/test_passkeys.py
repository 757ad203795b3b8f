"""A passkey in a real browser: added in the console, asked for by the lab's phone, proved offline."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from lapel.commerce import verify
from town import Town, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield from opened(tmp_path_factory.mktemp("passkeys"), "--text", speed=600)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, town: Town) -> AsyncIterator[Page]:
    """A browser with a fingerprint reader, signed in at the name that passkeys are bound to."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    url = town.url.replace("127.0.0.1", "localhost")
    await page.goto(f"{url}/console?token={town.token}")
    yield page
    await context.close()
    assert faults == []


def lapel(town: Town, *words: str) -> str:
    command = [str(Path(sys.executable).with_name("lapel")), *words]
    data = ["--data", str(town.folder / "lapel")]
    done = subprocess.run([*command, *data], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


async def test_a_large_order_and_a_limit_take_the_passkey(town: Town, page: Page):
    await page.get_by_role("tab", name="Consent").click()
    await page.get_by_label("Name of the passkey").fill("My phone")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.locator("#panel-consent li", has_text="My phone")).to_be_visible()
    assert "My phone" in lapel(town, "passkeys", "list")

    await page.goto(page.url.partition("/console")[0])
    phone = page.locator(".tile.phone[data-link=online]")
    message = phone.get_by_label("Message")
    await message.fill("twelve margheritas to my office")
    await message.press("Enter")
    card = phone.locator(".card[data-topic^=approval]")
    await card.get_by_role("button", name="Order with passkey").click()
    town.wait_for_order("placed", "preparing", "delivered")
    [order] = town.api("/api/orders")
    receipt = verify(town.http.get(
        f"{town.url}/api/orders/{order['id']}/receipt",
        headers={"authorization": f"Bearer {town.token}"},
    ).content)  # fmt: skip
    assert receipt.consent.gesture == "passkey"
    assert receipt.consent.device_name == "My phone"
    assert receipt.consent.passkey.origin == page.url.rstrip("/")

    await message.fill("twelve margheritas to my office and a taxi home")
    await message.press("Enter")
    card = phone.locator(".card[data-topic^=plan]")
    await card.get_by_role("button", name="Order all with passkey").click()
    await expect(card).to_contain_text("All of your plan is bought.", timeout=20_000)
    for order in town.api("/api/orders")[:2]:
        path = f"{town.url}/api/orders/{order['id']}/receipt"
        file = town.http.get(path, headers={"authorization": f"Bearer {town.token}"}).content
        consent = verify(file).consent
        assert [part[0] for part in consent.plan.parts].count(order["id"]) == 1
        assert consent.passkey.origin == page.url.rstrip("/")

    said = lapel(town, "mandates", "add", "--shop", "forno nero", "--most", "15", "--budget", "50")
    assert "waits for you" in said
    card = phone.locator(".card[data-topic^=limit]")
    await expect(card).to_contain_text("Most for one purchase")
    await card.get_by_role("button", name="Allow with passkey").click()
    await expect(card).to_have_count(0)
    [limit] = town.api("/api/mandates")
    assert (limit["state"], limit["left"]) == ("live", "50.00 EUR")
    assert "Forno Nero" in lapel(town, "mandates", "list")
    shown = lapel(town, "mandates", "show", limit["id"])
    assert '"gesture": "passkey"' in shown
    lapel(town, "mandates", "revoke", limit["id"])
    assert town.api("/api/mandates") == []
    [passkey] = town.api("/api/passkeys")
    lapel(town, "passkeys", "remove", passkey["id"])
    assert "No passkeys" in lapel(town, "passkeys", "list")


async def test_the_api_refuses_in_words_what_is_not_right(town: Town):
    def refused(method: str, path: str, body: object = None) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {town.token}"}
        answer = town.http.request(method, town.url + path, json=body, headers=headers)
        return answer.status_code, answer.json()["error"]["code"]

    limit = {"most_minor": 1500, "budget_minor": 5000}
    signed = {"authenticatorData": "", "clientDataJSON": "", "signature": ""}
    for method, path, body, wanted in (
        ("POST", "/api/mandates", {**limit, "shops": ["Nowhere"]}, (400, "unknown_merchant")),
        ("POST", "/api/mandates", {**limit, "budget_minor": 5050}, (400, "bad_terms")),
        ("POST", "/api/mandates", {**limit, "most_minor": 1.5}, (400, "bad_request")),
        ("POST", "/api/mandates", {**limit, "approved": True}, (400, "bad_request")),
        ("POST", "/api/mandates", {**limit, "days": 10**12}, (400, "bad_terms")),
        ("GET", "/api/mandates/m_none", None, (404, "not_found")),
        ("DELETE", "/api/mandates/m_none", None, (404, "not_found")),
        ("POST", "/api/passkeys", {"name": "x", "credential": {}}, (400, "no_challenge")),
        ("DELETE", "/api/passkeys/none", None, (404, "not_found")),
        ("POST", "/api/passkeys/ask/limit/m_none", None, (404, "not_found")),
        ("POST", "/api/passkeys/agree/approval/a", {"id": "", "response": signed}, (404, "not_found")),
    ):  # fmt: skip
        assert (path, body, refused(method, path, body)) == (path, body, wanted)
    assert town.http.get(f"{town.url}/api/mandates").status_code == 401
    asked = town.api("/api/mandates", "POST", limit)
    told = refused("POST", f"/api/passkeys/agree/limit/{asked['id']}", {"id": "", "response": signed})  # fmt: skip
    assert told == (400, "bad_passkey")
    town.api(f"/api/mandates/{asked['id']}", "DELETE")
