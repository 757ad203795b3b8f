"""The user's list of language models, in the order in which they are asked.

It stands in `models/list.json` of the data folder, which only its owner can read. Without one, no
model is asked and nothing leaves the machine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from lapel.models.errors import ModelRefused, ModelUnknown

LIST = "list.json"
USED = "used.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="endpoint"):
    """A server that speaks the OpenAI API; `url` is what stands before `/chat/completions`.

    `style` is how a call is asked for: `tools` by the API's own function calls, `json` by a schema
    for the text, for servers and models that have no calls. `key_env` is the variable that holds
    the key; without one it is the file beside the list, if there is one.
    """

    name: str
    url: str
    model: str
    key_env: str = ""
    style: Literal["tools", "json"] = "tools"
    answers: bool = True
    """Whether a question that no tool covers may be answered in the model's own words."""


class Gguf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="gguf"):
    """A file for llama.cpp, in the folder of models, pinned by its hash."""

    name: str
    file: str
    sha256: str
    size: int
    licence: str = "not stated"
    answers: bool = False

    @property
    def url(self) -> str:
        """None: it runs on this machine."""
        return ""


Listed = Endpoint | Gguf


class Use(msgspec.Struct, frozen=True):
    """How often a model was asked, and how long it took last. Nothing of what was said.

    `helped` counts calls, questions and answers that came of it; `last_at` is seconds since 1970.
    """

    asked: int = 0
    helped: int = 0
    failed: int = 0
    last_at: float = 0.0
    last_s: float = 0.0


class Listing:
    """The list, and the files and keys beside it."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the data folder."""
        self.folder = folder / "models"
        self._read_at = 0
        self._known: tuple[Listed, ...] = ()

    def all(self) -> tuple[Listed, ...]:
        """The models in their order; read again when the file has changed."""
        try:
            changed = (self.folder / LIST).stat().st_mtime_ns
        except OSError:
            self._read_at, self._known = 0, ()
            return ()
        if changed != self._read_at:
            self._known = self._read()
            self._read_at = changed
        return self._known

    def named(self, name: str) -> Listed:
        """Raises ModelUnknown."""
        for model in self.all():
            if model.name == name:
                return model
        raise ModelUnknown(f"there is no model {name!r}")

    def add(self, model: Listed, *, key: str = "", first: bool = False) -> None:
        """Raises ModelRefused for a name that is taken or not fit for a file."""
        self.check_name(model.name)
        if key:
            with _for_owner(self.folder / f"{model.name}.key") as handle:
                os.write(handle, key.encode())
        self._write((model, *self.all()) if first else (*self.all(), model))

    def check_name(self, name: str) -> None:
        """Raises ModelRefused where a model cannot be called that."""
        if not _NAME.fullmatch(name):
            raise ModelRefused(
                f"{name!r} is no name for a model: small letters, digits, dots and dashes"
            )
        if any(known.name == name for known in self.all()):
            raise ModelRefused(f"there is a model {name!r} already")

    def remove(self, name: str) -> None:
        """With its file and its key."""
        model = self.named(name)
        self._write([known for known in self.all() if known.name != name])
        for path in (self.folder / f"{name}.key", *self.files(model)):
            path.unlink(missing_ok=True)

    def first(self, name: str) -> None:
        """Have this one asked before all others."""
        model = self.named(name)
        self._write([model, *(known for known in self.all() if known.name != name)])

    def files(self, model: Listed) -> tuple[Path, ...]:
        """Where its weights are; none for an endpoint."""
        return (self.folder / model.file,) if isinstance(model, Gguf) else ()

    def key_of(self, model: Endpoint, environment: Mapping[str, str] = os.environ) -> str:
        """Its key, empty where it has none. Raises ModelRefused where others can read the file."""
        if model.key_env:
            return environment.get(model.key_env, "")
        path = self.folder / f"{model.name}.key"
        try:
            if path.stat().st_mode & 0o077:
                raise ModelRefused(f"{str(path)!r} can be read by others: chmod 600 it")
            return path.read_text("utf-8").strip()
        except FileNotFoundError:
            return ""

    def used(self) -> dict[str, Use]:
        """How the models were used, by their names; empty where that cannot be read."""
        try:
            return msgspec.json.decode((self.folder / USED).read_bytes(), type=dict[str, Use])
        except (OSError, msgspec.DecodeError):
            return {}

    def keep_used(self, used: Mapping[str, Use]) -> None:
        """Write down how the models were used."""
        new = self.folder / f"{USED}.new"
        with _for_owner(new) as handle:
            os.write(handle, msgspec.json.encode(used))
        new.replace(self.folder / USED)

    def _read(self) -> tuple[Listed, ...]:
        try:
            content = (self.folder / LIST).read_bytes()
            return msgspec.json.decode(content, type=tuple[Listed, ...])
        except (OSError, msgspec.DecodeError) as error:
            raise ModelRefused(f"{str(self.folder / LIST)!r} cannot be read: {error}") from error

    def _write(self, models: Sequence[Listed]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.folder / f"{LIST}.new"
        with _for_owner(new) as handle:
            os.write(handle, msgspec.json.format(msgspec.json.encode(models), indent=2))
            os.fsync(handle)
        new.replace(self.folder / LIST)
        self._read_at = 0


def checked_url(url: str, *, plain: bool = False) -> str:
    """The address without a slash at its end. Raises ModelRefused for one that is not safe.

    Over `http` anybody on the way could read along; `plain` allows it, as on a network of one's
    own. On this machine it is fine.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelRefused(f"{url!r} is no address: it begins with https:// or http://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ModelRefused("an address holds no key, question mark or #: name the key by itself")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not plain:
        raise ModelRefused(f"what you say would go to {parts.hostname!r} unencrypted")
    return url.rstrip("/").removesuffix("/chat/completions")


@contextmanager
def _for_owner(path: Path) -> Generator[int]:
    """A new file that nobody else can read, open for writing."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)
