"""A City in a process of its own, and a platform that talks to it with a signer written from RFC 9421 alone."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import subprocess
import sys
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from serving import Serving

VERSION = "2026-04-08"
CAPABILITIES = {
    "dev.ucp.shopping.checkout": VERSION,
    "dev.ucp.shopping.fulfillment": VERSION,
    "dev.ucp.shopping.order": VERSION,
    "dev.ucp.shopping.catalog.search": VERSION,
    "dev.ucp.shopping.catalog.lookup": VERSION,
    "dev.lapel.food.modifiers": "2026-11-01",
}
OFFICE = {
    "street_address": "Eteläesplanadi 22",
    "postal_code": "00130",
    "address_locality": "Helsinki",
    "address_country": "FI",
}


class CityProcess:
    """`city up` on a folder; can be stopped, killed, and started again on the same ports."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.options = options
        self.process: subprocess.Popen | None = None
        self.urls: dict = {}
        self.controls = True

    def start(self) -> CityProcess:
        command = [sys.executable, "-m", "city", "up", "--data", str(self.data), "--port", "0"]
        if self.controls:
            command.append("--allow-test-controls")
        self.process = subprocess.Popen([*command, "--json", *self.options], stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        assert line, f"the City did not start: {self.process.wait()}"
        self.urls = json.loads(line)
        return self

    @property
    def base(self) -> str:
        return self.urls["city"]

    @property
    def bank(self) -> str:
        return self.urls["bank"]

    @property
    def coffee(self) -> str:
        return self.urls["merchants"][0]

    def wait(self) -> int:
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.wait()


class Wallet:
    """An account at the City's bank."""

    def __init__(self, http: httpx.AsyncClient, bank: str, account: dict) -> None:
        self.http = http
        self.bank = bank
        self.account = account["account"]
        self.headers = {"Authorization": f"Bearer {account['secret']}"}

    async def authorize(
        self, payee: str, amount: int, key: str | None = None, **more
    ) -> httpx.Response:
        body = {
            "account": self.account,
            "amount": amount,
            "currency": "EUR",
            "payee": payee,
            "handler_id": "city_bank",
            "reference": "h" * 64,
            **more,
        }
        return await self.post("/authorizations", body, key)

    async def post(
        self, path: str, body: dict | None = None, key: str | None = None
    ) -> httpx.Response:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid.uuid4())}
        return await self.http.post(f"{self.bank}{path}", json=body or {}, headers=headers)

    async def get(self, path: str) -> dict:
        return (await self.http.get(f"{self.bank}{path}", headers=self.headers)).json()

    async def money(self) -> dict:
        return await self.get(f"/accounts/{self.account}")


class Platform:
    """Serves a profile, takes webhooks, and signs what it sends."""

    def __init__(self, capabilities: dict[str, str] = CAPABILITIES, *, signs: bool = True) -> None:
        self.capabilities = capabilities
        self.signs = signs
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = "platform-1"
        self.webhooks: list[tuple[dict, bytes]] = []
        self.refuse = 0
        self.news = asyncio.Event()
        self.http = httpx.AsyncClient(trust_env=False, timeout=60)

    async def start(self) -> Platform:
        app = Starlette(
            routes=[
                Route("/profile", self._profile),
                Route("/hooks", self._hook, methods=["POST"]),
            ]
        )
        self.serving = await Serving.start(app, ws="none")
        self.url = self.serving.origin
        self.agent = f'profile="{self.url}/profile"'
        return self

    async def stop(self) -> None:
        await self.serving.stop()
        await self.http.aclose()

    async def _profile(self, _: Request) -> JSONResponse:
        capabilities = {
            name: [{"version": version, "spec": "https://ucp.dev/s", "schema": "https://ucp.dev/j"}]
            for name, version in self.capabilities.items()
        }
        if "dev.ucp.shopping.order" in capabilities:
            capabilities["dev.ucp.shopping.order"][0]["config"] = {
                "webhook_url": f"{self.url}/hooks"
            }
        profile: dict = {
            "ucp": {
                "version": VERSION,
                "services": {},
                "payment_handlers": {},
                "capabilities": capabilities,
            }
        }
        if self.signs:
            numbers = self.key.public_key().public_numbers()
            x, y = (_url64(n.to_bytes(32)) for n in (numbers.x, numbers.y))
            profile["signing_keys"] = [
                {"kid": self.kid, "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig"}
            ]
        return JSONResponse(profile, headers={"Cache-Control": "public, max-age=60"})

    async def _hook(self, request: Request) -> JSONResponse:
        body = await request.body()
        if self.refuse:
            self.refuse -= 1
            return JSONResponse({}, 503)
        self.webhooks.append((dict(request.headers), body))
        self.news.set()
        return JSONResponse({"ucp": {"version": VERSION, "status": "success"}})

    def orders(self) -> list[dict]:
        return [json.loads(body) for _, body in self.webhooks]

    async def until(self, done, timeout_s: float = 40.0) -> None:
        """Wait for something that webhooks will tell."""
        async with asyncio.timeout(timeout_s):
            while not done():
                self.news.clear()
                await self.news.wait()

    async def send(
        self,
        method: str,
        url: str,
        body: dict | None = None,
        key: str | None = None,
        headers: dict | None = None,
    ) -> httpx.Response:
        raw = b"" if body is None else json.dumps(body).encode()
        sent = {"UCP-Agent": self.agent, "Request-Id": str(uuid.uuid4())}
        if raw:
            sent["Content-Type"] = "application/json"
        if method in {"POST", "PUT"}:
            sent["Idempotency-Key"] = key or str(uuid.uuid4())
        if self.signs:
            sent |= self.sign(method, url, raw, sent)
        return await self.http.request(
            method, url, content=raw, headers={**sent, **(headers or {})}
        )

    def sign(self, method: str, url: str, raw: bytes, sent: dict[str, str]) -> dict[str, str]:
        parts = urlsplit(url)
        values = {"@method": method, "@authority": parts.netloc, "@path": parts.path}
        if parts.query:
            values["@query"] = f"?{parts.query}"
        values |= {k.lower(): v for k, v in sent.items() if k in {"UCP-Agent", "Idempotency-Key"}}
        made = {}
        if raw:
            made["Content-Digest"] = digest(raw)
            values |= {"content-digest": made["Content-Digest"], "content-type": "application/json"}
        names = " ".join(f'"{name}"' for name in values)
        made["Signature-Input"] = f'sig1=({names});keyid="{self.kid}"'
        lines = [f'"{name}": {value}' for name, value in values.items()]
        lines.append(f'"@signature-params": ({names});keyid="{self.kid}"')
        r, s = utils.decode_dss_signature(
            self.key.sign("\n".join(lines).encode(), ec.ECDSA(hashes.SHA256()))
        )
        raw_signature = base64.b64encode(r.to_bytes(32) + s.to_bytes(32)).decode()
        made["Signature"] = f"sig1=:{raw_signature}:"
        return made

    async def create(self, merchant: str, lines: list[dict], place: dict | None = OFFICE) -> dict:
        body: dict = {"line_items": lines}
        if place is not None:
            body["fulfillment"] = {"methods": [{"type": "shipping", "destinations": [place]}]}
        return (await self.send("POST", f"{merchant}/checkout-sessions", body)).json()

    async def wallet(self, bank: str) -> Wallet:
        opened = await self.http.post(f"{bank}/accounts", json={"owner": "Test"})
        assert opened.status_code == 201
        return Wallet(self.http, bank, opened.json())

    async def token(self, wallet: Wallet, checkout: dict) -> str:
        answer = await wallet.authorize(payee_of(checkout), total_of(checkout))
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    async def complete(self, merchant: str, checkout: dict, token: str, key: str | None = None):
        url = f"{merchant}/checkout-sessions/{checkout['id']}/complete"
        return await self.send("POST", url, payment(token), key)

    async def fault(self, city: CityProcess, fault: str, **more) -> None:
        answer = await self.http.post(f"{city.base}/city/faults", json={"fault": fault, **more})
        assert answer.status_code == 200, answer.text


def digest(raw: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(raw).digest()).decode()}:"


def payment(token: str) -> dict:
    instrument = {
        "id": "pi_1",
        "handler_id": "city_bank",
        "type": "bank_token",
        "selected": True,
        "credential": {"type": "bank_token", "token": token},
    }
    return {"payment": {"instruments": [instrument]}}


def total_of(checkout: dict) -> int:
    return next(t["amount"] for t in checkout["totals"] if t["type"] == "total")


def payee_of(checkout: dict) -> str:
    return checkout["ucp"]["payment_handlers"]["dev.lapel.city.bank"][0]["config"]["payee"]


def verify(values: dict[str, str], headers: dict[str, str], jwk: dict) -> None:
    """Check a signature of the City by hand; raises InvalidSignature."""
    found = re.fullmatch(r"sig1=(\(([^)]*)\).*)", headers["signature-input"])
    names = re.findall(r'"([^"]+)"', found[2])
    lines = [f'"{n}": {values[n] if n.startswith("@") else headers[n]}' for n in names]
    lines.append(f'"@signature-params": {found[1]}')
    raw = base64.b64decode(headers["signature"].removeprefix("sig1=:").removesuffix(":"))
    assert len(raw) == 64
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[c] + "=")) for c in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public.verify(der, "\n".join(lines).encode(), ec.ECDSA(hashes.SHA256()))


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Tools:
    """What tests use of this file."""

    CityProcess = CityProcess
    Platform = Platform
    CAPABILITIES = CAPABILITIES
    OFFICE = OFFICE
    digest = staticmethod(digest)
    payment = staticmethod(payment)
    total_of = staticmethod(total_of)
    payee_of = staticmethod(payee_of)
    verify = staticmethod(verify)


@pytest.fixture(scope="session")
def tools() -> type[Tools]:
    return Tools


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory):
    running = CityProcess(tmp_path_factory.mktemp("city"), "--speed", "600").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
async def platform():
    running = await Platform().start()
    yield running
    await running.stop()


@pytest.fixture
async def no_faults_left(city: CityProcess):
    """Forced faults of one test must not reach the next."""
    yield
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.delete(f"{city.base}/city/faults")
