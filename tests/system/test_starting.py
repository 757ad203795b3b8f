"""What cannot start says so in one line; what runs is served safely; commands end with a clear word."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lapel.devices import CueKind, Family
from lapel.devices.client import DeviceClient, LinkRefused
from lapel.devices.client_events import CueShown
from lapel.devices.wire import Auth
from lapel.together import Program
from town import Town
from wearer import PROFILES

pytestmark = pytest.mark.net

ROOT = Path(__file__).parents[2]
LAPEL, CITY = (str(Path(sys.executable).with_name(name)) for name in ("lapel", "city"))


def done(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, in a folder and an environment that say nothing about Lapel."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LAPEL_")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **environment}
    )  # fmt: skip


def refused(*command: str, **environment: str) -> str:
    """What a command which must fail ends with: a line, and Lapel's what it cost and what can be done."""
    ended = done(*command, **environment)
    assert ended.returncode in (1, 2), ended
    assert ended.stdout == ""
    lines = ended.stderr.strip().splitlines()
    parts = ["  It cost", "  You can", "  More"] if command[0] == LAPEL else []
    assert [line.partition(":")[0] for line in lines[1:]] == parts, ended.stderr
    return "\n".join(lines)


# Starts that are refused.


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("port = [", "is not TOML"),
        ("[server]\nprot = 1\n", "unknown field `prot`"),
        ("[sever]\nport = 1\n", "unknown field `sever`"),
        ('[server]\nport = "many"\n', "Expected `int`"),
        ("[server]\nport = 70000\n", "<= 65535"),
        ('[server]\ntls_certificate = "none.pem"\n', "tls_certificate 'none.pem'"),
        ('[server]\ntls_key = "none.pem"\n', "tls_key 'none.pem'"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, settings: str | bytes, says: str):
    file = tmp_path / "lapel.toml"
    file.write_bytes(settings if isinstance(settings, bytes) else settings.encode())
    up = (LAPEL, "up", "--text", "--data", str(tmp_path))
    assert says in refused(*up)  # in the data folder
    moved = file.rename(tmp_path / "mine.toml")
    assert says in refused(*up, "--config", str(moved))


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["--config", "no-such.toml"], {}, "cannot read the settings"),
        (["--host", "0.0.0.0"], {}, "not loopback"),
        (["--host", "::"], {}, "not loopback"),
        (["--host", "no-such-host.invalid", "--allow-plain-remote"], {}, "cannot listen on"),
        ([], {"LAPEL_SERVER__PROT": "1"}, "unknown field `prot`"),
        ([], {"LAPEL_COLOUR": "blue"}, "unknown field `colour`"),
        ([], {"LAPEL_SERVER__PORT": "x"}, "Expected `int`"),
        ([], {"LAPEL_SERVER__HOST": "0.0.0.0"}, "not loopback"),
    ],
)
def test_arguments_that_cannot_be_meant(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], says: str
):
    line = refused(LAPEL, "up", "--text", "--data", str(tmp_path), *arguments, **environment)
    assert line.startswith("lapel: ")
    assert says in line


def test_a_folder_that_is_none_and_a_record_that_is_none(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("not a record of anything, but long enough to look like one")
    for name in (LAPEL, CITY):
        line = refused(name, "up", "--port", "0", "--data", str(file))
        assert ("cannot use the data folder" if name == LAPEL else "give another --data") in line
    for name, record in ((LAPEL, "lapel.db"), (CITY, "city.sqlite3")):
        folder = tmp_path / record.partition(".")[0]
        folder.mkdir()
        file.rename(folder / record)
        assert "not a database" in refused(name, "up", "--port", "0", "--data", str(folder))
        file = folder / record


def test_a_port_that_is_taken(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for name in (LAPEL, CITY):
            line = refused(name, "up", "--port", port, "--data", str(tmp_path / Path(name).name))
            assert port in line
            assert "--port" in line
    assert "another --port" in refused(CITY, "up", "--port", "65533", "--data", str(tmp_path / "c"))


def test_demonstration_places_that_do_not_answer_do_not_keep_it_from_starting(tmp_path: Path):
    program = Program(
        [LAPEL, "up", "--text", "--json", "--port", "0", "--data", str(tmp_path),
         "--demo-places", "http://127.0.0.1:1/"], quiet=True,
    )  # fmt: skip
    try:
        assert program.ready()["url"].startswith("http://127.0.0.1:")
    finally:
        assert program.stop() == 0


def test_a_lost_consent_key_stops_the_start_until_the_keys_are_given_up(tmp_path: Path):
    command = [LAPEL, "up", "--text", "--json", "--port", "0", "--data", str(tmp_path)]

    def keys_of_a_start(*more: str) -> list[dict]:
        program = Program([*command, *more], quiet=True)
        try:
            found = program.ready()
            headers = {"authorization": f"Bearer {found['token']}"}
            answer = httpx.get(f"{found['url']}/api/keys", headers=headers, trust_env=False)
        finally:
            assert program.stop() == 0
        return answer.json()

    (first,) = keys_of_a_start()
    (tmp_path / "consent.key").unlink()
    assert "--new-keys" in refused(*command)
    new, lost = keys_of_a_start("--new-keys")
    assert (lost["id"], new["retired_at"]) == (first["id"], None)
    assert lost["retired_at"] is not None
    assert [key["id"] for key in keys_of_a_start("--new-keys")] == [new["id"], lost["id"]]


# One that runs.


def test_a_second_one_on_the_same_folder(text_town: Town):
    for name, command in ((LAPEL, "lapel"), (CITY, "city")):
        folder = text_town.folder / command
        line = refused(name, "up", "--port", "0", "--data", str(folder))
        assert f"another {command.title()} runs on" in line
    assert text_town.http.get(f"{text_town.url}/health").is_success


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "not an absolute http or https URL"),
        ("nonsense", "cannot be reached"),
        ("ftp://shop.example", "not an absolute http or https URL"),
        ("http://shop.example", "plain http is accepted on loopback only"),
        ("http://127.0.0.1:1", "cannot be reached"),
        ("http://127.0.0.1:99999", "out of range"),
        ("http://me:secret@127.0.0.1:8000", "user name"),
        ("{city}", "publishes no UCP profile"),
        ("{lapel}", "has no REST or MCP endpoint"),
    ],
)
def test_what_is_no_merchant(text_town: Town, url: str, says: str):
    before = text_town.record("SELECT COUNT(*) FROM merchants")
    url = url.format(city=text_town.urls["city"], lapel=text_town.url)
    data = ("--data", str(text_town.folder / "lapel"))
    assert says in refused(LAPEL, "merchants", *data, "add", "--", url)
    assert text_town.record("SELECT COUNT(*) FROM merchants") == before


def test_what_does_not_exist(text_town: Town, tmp_path: Path):
    data = ("--data", str(text_town.folder / "lapel"))
    assert "no orders begin with 'o_none'" in refused(LAPEL, "orders", "o_none", *data)
    file = tmp_path / "receipt.json"
    assert "no such receipt" in refused(LAPEL, "receipt", "save", "o_none", str(file), *data)
    assert not file.exists()
    assert "cannot read" in refused(LAPEL, "receipt", "verify", str(file))
    assert "no such device" in refused(LAPEL, "devices", *data, "revoke", "d_none")
    assert "wrong, used or expired" in refused(LAPEL, "devices", *data, "enter", "000000")
    assert "nothing to say" in refused(LAPEL, "ask", " ", *data)
    assert "too_large" in refused(LAPEL, "ask", "x" * 70000, *data)


def test_nothing_runs(tmp_path: Path):
    data = ("--data", str(tmp_path))
    commands = (["ask", "a latte"], ["press"], ["orders"], ["devices"], ["merchants"], ["link"])
    for command in commands:
        assert "no Lapel is running" in refused(LAPEL, *command, *data)
    program = Program([LAPEL, "up", "--text", "--json", "--port", "0", *data])
    program.ready()
    os.kill(program.pid, signal.SIGKILL)
    program.wait()
    assert (tmp_path / "running.json").exists()
    for command in commands[:-1]:
        assert "does not answer" in refused(LAPEL, *command, *data)


def test_pages_run_and_load_only_what_is_ours(text_town: Town):
    token = {"authorization": f"Bearer {text_town.token}"}
    for path in ("/", "/d/ring", "/static/page.js", "/api/orders", "/nope", "/?token=wrong"):
        for headers in (token, {}):
            found = text_town.http.get(text_town.url + path, headers=headers).headers
            policy = dict(
                part.strip().partition(" ")[::2]
                for part in found["content-security-policy"].split(";")
            )
            assert policy["default-src"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == "'self'"
            assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert found["x-content-type-options"] == "nosniff"
            assert found["referrer-policy"] == "no-referrer"
            assert "token" not in found.get("location", "")
    session = text_town.http.get(f"{text_town.url}/api/session", headers=token)
    assert session.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404), ("GET", "/api/nope", 404), ("GET", "/d/toaster", 404), ("GET", "/static/", 404),
        ("GET", "/static/%2e%2e/gate.py", 404), ("GET", "/static/..%2fgate.py", 404), ("GET", "/%ff%00", 404),
        ("GET", "/device", 404), ("POST", "/", 405), ("GET", "/api/devices/pair", 405), ("PATCH", "/api/orders", 405),
        ("DELETE", "/.well-known/ucp", 405), ("GET", "/webhooks/ucp", 405), ("PUT", "/static/page.js", 405),
    ],
)  # fmt: skip
def test_what_is_not_there_and_what_it_is_not_for(
    text_town: Town, method: str, path: str, status: int
):
    headers = {"authorization": f"Bearer {text_town.token}"}
    answer = text_town.http.request(method, text_town.url + path, headers=headers)
    assert answer.status_code == status
    assert len(answer.text) < 200
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad_json"), (b"\xff", 400, "bad_json"), (b"", 400, "bad_json"), (b"[]", 400, "bad_request"),
        (b'{"url": 1}', 400, "bad_request"), (b'{"url": "x", "y": ' + b"[" * 50000, 400, "bad_json"), (b"x" * 70000, 413, "too_large"),
    ],
)  # fmt: skip
def test_bodies_that_make_no_sense(text_town: Town, body: bytes, status: int, code: str):
    headers = {"authorization": f"Bearer {text_town.token}"}
    answer = text_town.http.post(f"{text_town.url}/api/merchants", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("command", ["./run", LAPEL, CITY])
def test_help(command: str):
    ended = subprocess.run(
        [command, "--help"], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert "--" in ended.stdout


# Beyond loopback.


def signed_by_itself(file: Path) -> Path:
    """A certificate for 127.0.0.1; its key lies beside it as `.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lapel.test")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(pem, private, serialization.NoEncryption())
    file.with_suffix(".key").write_bytes(secret)
    return file


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return signed_by_itself(tmp_path / "lapel.pem")


@pytest.fixture
def secure(tmp_path: Path, certificate: Path) -> Iterator[dict[str, str]]:
    """A Lapel on every address of this machine, with a certificate; what it said when it was ready."""
    folder = tmp_path / "data"
    folder.mkdir()
    key = certificate.with_suffix(".key")
    (folder / "lapel.toml").write_text(
        f'[server]\nhost = "0.0.0.0"\ntls_certificate = "{certificate}"\ntls_key = "{key}"\n', "utf-8"
    )  # fmt: skip
    program = Program([LAPEL, "up", "--text", "--json", "--port", "0", "--data", str(folder)])
    try:
        yield {**program.ready(), "data": str(folder)}
    finally:
        program.stop()


async def test_pages_and_links_with_a_certificate(secure: dict[str, str], certificate: Path):
    page = secure["url"]
    assert page.startswith("https://127.0.0.1:")
    believed = ssl.create_default_context(cafile=str(certificate))
    async with httpx.AsyncClient(verify=believed, trust_env=False) as browser:
        answer = await browser.get(page, params={"token": secure["token"]})
        assert answer.status_code == 303
        assert "secure" in answer.headers["set-cookie"].lower()
        assert (await browser.get(f"{page}/d/ring")).is_success
    async with httpx.AsyncClient(trust_env=False) as doubting:
        with pytest.raises(httpx.ConnectError):
            await doubting.get(page)
    auth = Auth(token=secure["token"], remember=False)
    url = page.replace("https", "wss") + "/device"
    async with DeviceClient(url, PROFILES[Family.PHONE], auth, tls=believed) as phone:
        phone.say("a latte to my office")
        shown = await phone.wait_for(CueShown)
        assert shown.cue.kind is CueKind.REPLY


def test_commands_believe_the_certificate_of_their_own_lapel(
    secure: dict[str, str], certificate: Path
):
    data = ("--data", secure["data"])
    told = done(LAPEL, "ask", "a latte to my office", *data)
    assert told.returncode == 0, told.stderr
    assert "know no shops" in told.stdout
    assert done(LAPEL, "devices", *data).returncode == 0
    # Whoever listens there with another certificate does not get the token.
    file = Path(secure["data"]) / "running.json"
    found = json.loads(file.read_text("utf-8"))
    assert found["certificate"] == str(certificate)
    other = signed_by_itself(certificate.with_name("other.pem"))
    file.write_text(json.dumps({**found, "certificate": str(other)}), "utf-8")
    for command in (["ask", "a latte"], ["orders"], ["press"]):
        assert "does not answer" in refused(LAPEL, *command, *data)


async def test_a_token_is_for_loopback_only(tmp_path: Path):
    """Said on purpose, it listens in the open; but a device from outside needs a code."""
    program = Program(
        [LAPEL, "up", "--text", "--json", "--port", "0", "--host", "0.0.0.0", "--allow-plain-remote",
         "--data", str(tmp_path)],
    )  # fmt: skip
    try:
        found = program.ready()
        port = found["url"].rpartition(":")[2]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
            outward.connect(("192.0.2.1", 9))  # sends nothing: asks which address would be used
            outside = outward.getsockname()[0]
        auth = Auth(token=found["token"], remember=False)
        async with DeviceClient(f"ws://127.0.0.1:{port}/device", PROFILES[Family.PHONE], auth):
            pass
        with pytest.raises(LinkRefused, match="loopback"):
            async with DeviceClient(f"ws://{outside}:{port}/device", PROFILES[Family.PHONE], auth):
                await asyncio.sleep(0)
    finally:
        program.stop()
