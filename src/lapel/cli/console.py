"""How commands reach the running Lapel: address and sign-in token stand in the data folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapel.settings import data_folder

if TYPE_CHECKING:
    import ssl

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Where your data lives.", envvar="LAPEL_HOME")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Trouble(Exception):
    """Something that the user can mend; printed as one line."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Running:
    """A Lapel that runs on this machine."""

    url: str
    token: str
    certificate: str = ""

    def trust(self) -> ssl.SSLContext | None:
        """Its own certificate and no other, whoever signed it and whatever name it carries."""
        if not self.certificate:
            return None
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(self.certificate)
        except OSError as error:
            raise Trouble(
                f"cannot read the certificate {self.certificate!r} of the running Lapel: {error}"
            ) from error
        return context

    def reached(self) -> Running:
        """Itself, if it answers: a device would wait for it to come back."""
        self.get("/health")
        return self

    def get(self, path: str) -> object:
        return self.call("GET", path)

    def call(self, method: str, path: str, body: object | None = None) -> object:
        """The answer of the API, or Trouble with its own words."""
        content = self.content(method, path, body)
        return json.loads(content) if content else None

    def content(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        raw: bytes | None = None,
        kind: str = "",
    ) -> bytes:
        """The bytes of the answer, as they came. `raw` of a media type is sent instead of JSON."""
        import httpx

        try:
            answer = httpx.request(
                method,
                self.url + path,
                json=body,
                content=raw,
                headers={
                    "authorization": f"Bearer {self.token}",
                    **({"content-type": kind} if kind else {}),
                },
                timeout=30,
                trust_env=False,
                verify=self.trust() or True,
            )
        except httpx.HTTPError as error:
            raise Trouble(
                f"Lapel at {self.url} does not answer ({error}); is it running?"
            ) from error
        if answer.status_code >= 400:
            raise Trouble(_words(answer.text, answer.status_code))
        return answer.content

    def send(self, path: str, raw: bytes, kind: str) -> object:
        """POST bytes of a media type; the answer of the API, or Trouble with its own words."""
        return json.loads(self.content("POST", path, raw=raw, kind=kind))

    @property
    def device_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/device"


def _words(text: str, status: int) -> str:
    try:
        return str(json.loads(text)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"Lapel answered {status}: {text[:200]!r}"


def folder(data: Path | None) -> Path:
    return data if data is not None else data_folder()


def running(data: Path | None) -> Running:
    """The Lapel that uses this data folder."""
    here = folder(data)
    try:
        found = json.loads((here / "running.json").read_text("utf-8"))
        token = (here / "token").read_text("utf-8").strip()
    except FileNotFoundError as error:
        raise Trouble(
            f"no Lapel is running with the data in {str(here)!r}; start one with `lapel up`"
        ) from error
    return Running(found["url"], token, found.get("certificate", ""))


def show_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
