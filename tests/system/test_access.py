"""Who may speak, see and change what: tokens, cookies, pairing, revocation, two users, floods. With real programs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from lapel.benchmark.people import settle
from lapel.devices import CueKind, Family
from lapel.devices.client import DeviceClient, LinkRefused
from lapel.devices.client_events import CodeToShow, CueShown, Failed, Joined, LinkClosed
from lapel.devices.wire import Auth
from lapel.together import Program
from town import Town
from wearer import PROFILES, Wearer, text_of

pytestmark = pytest.mark.net

LAPEL = str(Path(sys.executable).with_name("lapel"))
SHORT_CODES = "import lapel.devices.pairing_codes as codes; codes.CODE_S = 1.0; import lapel.cli; lapel.cli.main()"
ROUTES = [
    ("GET", "/api/session"), ("GET", "/api/orders"), ("GET", "/api/orders/o_x/receipt"), ("GET", "/api/receipts"), ("GET", "/api/devices"),
    ("POST", "/api/devices/pair"), ("POST", "/api/devices/enter"), ("DELETE", "/api/devices/d_x"),
    ("GET", "/api/addresses"), ("PUT", "/api/addresses/x"), ("DELETE", "/api/addresses/x"), ("GET", "/api/menus"),
    ("GET", "/api/merchants"), ("POST", "/api/merchants"), ("POST", "/api/merchants/check"), ("DELETE", "/api/merchants/x"),
    ("GET", "/api/turns"),
    ("GET", "/api/reminders"), ("POST", "/api/reminders"), ("DELETE", "/api/reminders/r_x"), ("GET", "/api/notes"),
    ("POST", "/api/notes"), ("DELETE", "/api/notes/n_x"),
]  # fmt: skip


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One Lapel with two users; `town.token` is the first one's, `stranger` the second one's."""
    town = Town(tmp_path_factory.mktemp("access"))
    try:
        addresses = f"{town.urls['city']}/city/addresses"
        people = asyncio.run(settle(town.folder / "lapel", addresses, 2))
        town.open_gateway("--text")
        town.wait_for_menus()
        (town.folder / "stranger").write_text(people[1].token, "utf-8")
        yield town
    finally:
        town.close()


@pytest.fixture(scope="module")
def stranger(town: Town) -> str:
    return (town.folder / "stranger").read_text("utf-8")


def lapel(town: Town, *words: str) -> str:
    """What the command prints; it must succeed."""
    command = [LAPEL, *words, "--data", str(town.folder / "lapel")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(town: Town, method: str, path: str, token: str = "", **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    headers.update(more.pop("headers", {}))
    return town.http.request(method, town.url + path, headers=headers, **more)


def device(town: Town, auth: Auth, family: Family = Family.PHONE, **more: Any) -> DeviceClient:
    return DeviceClient(town.device_url, PROFILES[family], auth, **more)


@asynccontextmanager
async def raw(url: str) -> AsyncIterator[ClientConnection]:
    protocol = [Subprotocol("lapel.device.1")]
    async with connect(url, subprotocols=protocol, proxy=None, close_timeout=1.0) as socket:
        yield socket


async def told(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of this type."""
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await socket.recv())
            if message["type"] == kind:
                return message


HELLO = {"type": "hello", "protocol": 1, "profile": {"family": "pendant", "displays": [{}]}}


# Signing in.


@pytest.mark.parametrize("token", ["wrong", "", "lt_" + "x" * 43, "ä\u2028", "x" * 20000])
async def test_a_wrong_token_opens_nothing(town: Town, token: str):
    for page in ("/", "/d/ring"):
        answer = town.http.get(town.url + page, params={"token": token})
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "lapel link" in answer.text
    bearer = {"authorization": b"Bearer " + (token.encode()[:4000] or b"-")}
    assert town.http.get(f"{town.url}/api/orders", headers=bearer).status_code == 401
    with pytest.raises(LinkRefused) as refused:
        async with device(town, Auth(token=token)):
            pass
    assert refused.value.code == "unauthorized"


def test_without_signing_in_the_api_says_nothing(town: Town):
    for method, path in ROUTES:
        answer = ask(town, method, path, json={})
        assert answer.status_code == 401, path
        said = answer.json()
        assert set(said) == {"error"}
        assert (said["error"]["code"], said["error"]["message"]) == (
            "unauthorized",
            "sign in first",
        )
    assert town.http.get(f"{town.url}/").status_code == 401


def test_a_cookie_changes_things_for_our_own_pages_only(town: Town):
    with httpx.Client(base_url=town.url, trust_env=False) as browser:
        answer = browser.get("/", params={"token": town.token})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert browser.get("/").status_code == 200
        assert browser.get("/api/orders").status_code == 200
        codes = [
            browser.post("/api/devices/pair", headers=headers).status_code
            for headers in (
                {},
                {"origin": "null"},
                {"origin": "http://evil.example"},
                {"origin": town.url + ".evil.example"},
                {"origin": town.url},
            )
        ]
        assert codes == [401, 401, 401, 401, 200]


# Pairing.


async def test_an_unpaired_device_can_say_nothing(town: Town):
    before = len(town.orders())
    async with raw(town.device_url) as socket:
        await socket.send(json.dumps({"type": "text", "id": "1", "text": "a latte to my office"}))
        assert (await told(socket, "error"))["code"] == "hello_expected"
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 4401
    async with raw(town.device_url) as socket:
        await socket.send(json.dumps({**HELLO, "auth": {"pair": True}}))
        assert re.fullmatch(r"\d{6}", (await told(socket, "pairing"))["code"])
        for message in (
            {"type": "text", "id": "1", "text": "a latte to my office"},
            {"type": "gesture", "id": "2", "input": "pad", "gesture": "press"},
            {"type": "listen", "state": "start"},
        ):
            await socket.send(json.dumps(message))
            assert (await told(socket, "error"))["code"] == "not_paired"
        await socket.send(json.dumps({"type": "ping", "id": "p"}))
        await told(socket, "pong")
    assert len(town.orders()) == before


async def test_paired_from_the_terminal_and_cut_off_in_the_middle(town: Town):
    code = re.findall(r"\d{6}", lapel(town, "devices", "pair"))[0]
    async with device(town, Auth(code=code)) as phone:
        phone.say("a cappuccino to my office")
        await phone.wait_for(CueShown, lambda shown: shown.cue.kind is CueKind.APPROVAL, 20)
        assert str(phone.device_id) in lapel(town, "devices")
        key = phone.key
        assert key is not None
        lapel(town, "devices", "revoke", str(phone.device_id))
        failed = await phone.wait_for(Failed)
        assert failed.code == "revoked"
        assert (await phone.wait_for(LinkClosed)).code == 4403
    assert str(phone.device_id) not in lapel(town, "devices")
    for auth in (Auth(key=key), Auth(code=code)):
        with pytest.raises(LinkRefused) as refused:
            async with device(town, auth):
                pass
        assert refused.value.code == ("revoked" if auth.key else "unauthorized")
    async with Wearer(town.device_url, town.token, Family.PHONE) as me:
        await me[Family.PHONE].asks()
        me.type("cancel that")
        await me[Family.PHONE].says("ancelled")


async def test_paired_by_the_code_that_a_device_shows(town: Town):
    async with device(town, Auth(pair=True), Family.GLASSES) as glasses:
        shown = await glasses.wait_for(CodeToShow)
        assert "Paired Glasses" in lapel(town, "devices", "enter", shown.code)
        await glasses.wait_for(Joined)
    key = glasses.key
    assert key is not None
    async with device(town, Auth(key=key), Family.GLASSES) as again:
        assert again.device_id == glasses.device_id
    assert ask(town, "DELETE", f"/api/devices/{again.device_id}", town.token).status_code == 204


async def test_pairing_both_ways_through_the_api(town: Town):
    code = town.api("/api/devices/pair", "POST")["code"]
    async with device(town, Auth(code=code)) as phone, device(town, Auth(pair=True)) as other:
        shown = await other.wait_for(CodeToShow)
        entered = await asyncio.to_thread(
            town.api, "/api/devices/enter", "POST", {"code": shown.code}
        )
        await other.wait_for(Joined)
        assert entered["device"]["id"] == other.device_id
        assert phone.user_id == other.user_id
    for paired in (phone, other):
        assert ask(town, "DELETE", f"/api/devices/{paired.device_id}", town.token).is_success


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Town]:
    """A Lapel of its own, without a City, whose codes live one second."""
    folder = tmp_path / "lapel"
    program = Program(
        [sys.executable, "-c", SHORT_CODES, "up", "--text", "--json", "--port", "0", "--data", str(folder)]
    )  # fmt: skip
    town = object.__new__(Town)
    town.folder, town.http = tmp_path, httpx.Client(trust_env=False)
    try:
        found = program.ready()
        town.url, town.token = found["url"], found["token"]
        yield town
    finally:
        program.stop()
        town.http.close()


async def test_codes_run_out_and_guesses_are_limited(alone: Town):
    late = alone.api("/api/devices/pair", "POST")["code"]
    async with raw(alone.device_url) as socket:
        await socket.send(json.dumps({**HELLO, "auth": {"pair": True}}))
        shown = (await told(socket, "pairing"))["code"]
        assert (await told(socket, "error"))["code"] == "unauthorized"  # after its second
    entered = ask(alone, "POST", "/api/devices/enter", alone.token, json={"code": shown})
    assert entered.json()["error"]["code"] == "unauthorized"

    codes: list[str] = []
    for _ in range(6):
        with pytest.raises(LinkRefused) as refused:
            async with device(alone, Auth(code=late)):
                pass
        codes.append(refused.value.code)
    assert codes == ["unauthorized"] * 5 + ["too_many_tries"]
    right = alone.api("/api/devices/pair", "POST")["code"]
    with pytest.raises(LinkRefused, match="wait a minute"):
        async with device(alone, Auth(code=right)):
            pass

    guesses = [
        ask(alone, "POST", "/api/devices/enter", alone.token, json={"code": f"{n:06}"}).json()
        for n in range(6)
    ]
    found = [guess["error"]["code"] for guess in guesses]
    assert found == ["unauthorized"] * 4 + ["too_many_tries"] * 2  # with the late one above


# Two users.


async def test_nobody_sees_or_decides_for_another_user(town: Town, stranger: str):
    async with (
        Wearer(town.device_url, town.token, Family.PHONE, Family.RING) as me,
        Wearer(town.device_url, stranger, Family.PHONE, Family.RING) as other,
    ):
        other.type("a croissant from Blue Door to my office")
        await other[Family.PHONE].asks()
        await asyncio.sleep(0.5)
        me.press()
        me.type("do you like muffins?")
        await me[Family.PHONE].cue(lambda cue: cue.kind is CueKind.REPLY)
        asked = ask(town, "GET", "/api/orders", stranger).json()[0]
        assert asked["state"] == "awaiting_approval"
        other.press()
        await other[Family.PHONE].placed()
        seen = [text_of(shown.cue) for worn in me.worn.values() for shown in worn.cues]
        assert not any("Blue Door" in text or "roissant" in text for text in seen)
    theirs = ask(town, "GET", "/api/orders", stranger).json()
    assert len(theirs) == 1
    assert theirs[0]["id"] not in [order["id"] for order in town.orders()]
    receipt = f"/api/orders/{theirs[0]['id']}/receipt"
    assert ask(town, "GET", receipt, stranger).status_code == 200
    assert ask(town, "GET", receipt, town.token).status_code == 404
    done = subprocess.run(
        [LAPEL, "orders", theirs[0]["id"], "--data", str(town.folder / "lapel")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no orders begin with" in done.stderr


async def test_devices_and_places_are_a_users_own(town: Town, stranger: str):
    code = ask(town, "POST", "/api/devices/pair", stranger).json()["code"]
    async with device(town, Auth(code=code)) as theirs:
        mine = [row["id"] for row in town.api("/api/devices")]
        assert theirs.device_id not in mine
        revoked = ask(town, "DELETE", f"/api/devices/{theirs.device_id}", town.token)
        assert revoked.status_code == 404
        assert theirs.connected
        place = {
            "street": "Kaisaniemi 1",
            "city": "Helsinki",
            "latitude": 60.17,
            "longitude": 24.94,
        }
        assert ask(town, "PUT", "/api/addresses/hideout", stranger, json=place).is_success
        assert "hideout" not in [row["label"] for row in town.api("/api/addresses")]
        assert ask(town, "DELETE", "/api/addresses/hideout", town.token).status_code == 404


# Floods.


async def flood(url: str, token: str, seen: list[str]) -> None:
    """A device gone mad: what it says is wrong in every way, and it comes back when it is cut."""
    nonsense: list[str | bytes] = [
        "{", "[]", "null", '{"type": 1}', '{"type": "no_such"}', '{"type": "text"}', "\x00" * 100,
        '{"type": "gesture", "id": "g", "input": "pad", "gesture": "press"}',
        b"\x01\x00", b"\xff" * 4000, b"", '{"type": "received", "cursor": 99999}', "x" * 70000,
    ]  # fmt: skip
    while True:
        with contextlib.suppress(ConnectionClosed):
            async with raw(url) as socket:
                auth = {"token": token, "remember": False}
                await socket.send(json.dumps({**HELLO, "auth": auth}))
                for _ in range(5):
                    for message in nonsense[: -1 if len(seen) % 2 else None]:
                        await socket.send(message)
                async for data in socket:
                    message = json.loads(data)
                    if message["type"] == "error":
                        seen.append(message["code"])
        seen.append(str(socket.close_code))


async def test_a_flood_on_one_link_disturbs_no_other(town: Town):
    seen: list[str] = []
    floods = [asyncio.create_task(flood(town.device_url, town.token, seen)) for _ in range(3)]
    try:
        async with Wearer(town.device_url, town.token, Family.PHONE, Family.RING) as me:
            me.type("an americano from Blue Door to my office")
            await me[Family.PHONE].asks()
            await asyncio.sleep(0.5)
            me.press()
            await me[Family.PHONE].placed(timeout_s=30)
            mine = [e for worn in me.worn.values() for e in worn.events]
            assert not any(isinstance(event, Failed) for event in mine)
    finally:
        for task in floods:
            task.cancel()
        ended = await asyncio.gather(*floods, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended
    assert {"bad_json", "bad_message", "unknown_type", "bad_audio", "4400"} <= set(seen), set(seen)
    assert town.http.get(f"{town.url}/health").json() == {"status": "ok"}
