"""How commands reach the running Lapel: address and sign-in token stand in the data folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from lapel.failures import FAILURES, Code, code_of
from lapel.settings import data_folder

if TYPE_CHECKING:
    import ssl

DataOption = Annotated[
    Path | None, typer.Option("--data", help="Where your data lives.", envvar="LAPEL_HOME")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Trouble(Exception):
    """Something that the user can mend; `code` says what it cost and what can be done.

    `remedy` replaces what the code says where more is known.
    """

    def __init__(self, text: str, code: Code, status: int = 1, *, remedy: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code: Code = code
        self.remedy = remedy

    def whole(self) -> str:
        """The three parts, and where more stands."""
        known = FAILURES[self.code]
        return (
            f"lapel: {self}\n"
            f"  It cost: {_sentence(known.cost)}\n"
            f"  You can: {_sentence(self.remedy or known.remedy)}\n"
            f"  More:    lapel explain {self.code}"
        )


def _sentence(text: str) -> str:
    return f"{text[0].lower()}{text[1:].rstrip('.')}."


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
                f"cannot read the certificate {self.certificate!r} of the running Lapel: {error}",
                "bad_file",
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
        return self._read(self.content(method, path, body))

    def _read(self, content: bytes) -> object:
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise Trouble(f"what answers at {self.url} is no Lapel", "not_running") from error

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
                f"Lapel at {self.url} does not answer ({error})", "not_running"
            ) from error
        if answer.status_code >= 400:
            raise _told(answer.text, answer.status_code)
        return answer.content

    def send(self, path: str, raw: bytes, kind: str) -> object:
        """POST bytes of a media type; the answer of the API, or Trouble with its own words."""
        return self._read(self.content("POST", path, raw=raw, kind=kind))

    @property
    def device_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/device"


def _told(text: str, status: int) -> Trouble:
    """What the running Lapel refused, with its own words and code."""
    try:
        error = json.loads(text)["error"]
        words, code = str(error["message"]), code_of(str(error["code"]))
    except (ValueError, KeyError, TypeError):
        words, code = "", None
    if code is None and status == 404:
        return Trouble(words or "there is no such thing", "not_found")
    return Trouble(words or f"Lapel answered {status}: {text[:200]!r}", code or "fault")


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
            f"no Lapel is running with the data in {str(here)!r}", "not_running"
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not what Lapel wrote"
        raise Trouble(f"cannot read who runs with {str(here)!r}: {why}", "bad_file") from error
    match found:
        case {"url": str(url)}:
            return Running(url, token, str(found.get("certificate", "")))
        case _:
            raise Trouble(f"{str(here / 'running.json')!r} names no running Lapel", "bad_file")


def path_of(root: str, *parts: str) -> str:
    """A path of the API with the user's own words in it, whatever characters they have."""
    return "/".join((root, *(quote(part, safe="") for part in parts)))


def show_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
