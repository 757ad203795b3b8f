"""Settings: one frozen tree. Defaults stand here; a TOML file and `LAPEL_...` variables change it.

`LAPEL_SERVER__PORT=8700` sets `server.port`. A key that does not exist is an error, in the file and
in the environment, so that a typing mistake never passes for a setting.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, cast

import msgspec
import platformdirs

from lapel.failures import Code

PREFIX = "LAPEL_"
OUTSIDE = frozenset({"LAPEL_DATA", "LAPEL_HOME"})
"""Variables with the prefix that are no settings of the gateway."""


class SettingsError(Exception):
    """A setting is unknown or has the wrong type; the text names it and the place it stands in."""

    code: Code = "bad_settings"


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8600
    tls_certificate: str = ""
    tls_key: str = ""
    allow_plain_remote: bool = False
    """Listen beyond loopback without TLS: anyone on the network can then listen in."""
    public_url: str = ""
    """How merchants reach Lapel for webhooks; empty means the address that it listens on."""
    worker_url: str = ""
    """How devices reach this very process, where several share a record; empty means the address
    that it listens on."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything that must last is kept."""

    url: str = ""
    """`postgresql://user@host/database`, shared by several workers; empty is SQLite in the data
    folder."""
    lease_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 5.0
    """A worker on PostgreSQL that is silent for this long is dead: others take its orders over."""


class Speech(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    enabled: bool = True
    model_dir: str = ""
    """A CTranslate2 Whisper folder that replaces the packaged weights."""
    language: str = "en"
    workers: int = 2


class Commerce(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    merchants: tuple[str, ...] = ()
    """Origins that speak UCP; each is found by its /.well-known/ucp."""
    feeds: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """Merchant's URL -> that of its product list, where its version of UCP has no catalogue."""
    banks: tuple[str, ...] = ()
    """Payment endpoints that may open a demonstration account."""
    max_order_minor: dict[str, int] = msgspec.field(default_factory=lambda: {"EUR": 20000})
    max_journey_minor: dict[str, int] = msgspec.field(default_factory=lambda: {"EUR": 200000})
    """Of a flight, a train or a room. A user may set other figures: `lapel limit`."""
    screen_over_minor: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """Above this a purchase is confirmed on a screen; half of `max_order_minor` if not given."""
    approval_s: float = 60.0
    undo_s: Annotated[float, msgspec.Meta(ge=5, le=300)] = 15.0
    """So long a purchase within a standing limit can be undone before it is ordered."""
    refund_late_s: Annotated[float, msgspec.Meta(ge=3600, le=7776000)] = 604800.0
    """A refund that a shop announced and the bank has not made by then is told as missing."""


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What protects the keys that users sign with."""

    key: str = ""
    """The key that encrypts them: 32 bytes as base64url. Empty: a file in the data folder."""


class Conversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the user waits for, in seconds."""

    settle_s: float = 0.4
    """A gesture this soon after an approval appeared was meant for something else."""
    quote_patience_s: float = 2.5
    """After this long without a price the user hears that the shop is being asked."""
    map_every_s: float = 2.0
    frame_kept_s: float = 1800.0
    """A cart untouched for this long is forgotten."""


class Personal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What reminders go by."""

    time_zone: str = ""
    """Such as Europe/Helsinki; empty means the zone of this machine."""


class Maps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A map service that speaks Amap's web service: Amap itself, or the City."""

    url: str = ""
    """Its origin, such as https://restapi.amap.com; empty means no maps."""
    key: str = "lapel"
    datum: Literal["auto", "wgs84", "gcj02"] = "auto"
    """In which coordinates it takes and gives points; `auto`: GCJ-02 for amap.com, else WGS 84."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    server: Server = Server()
    store: Record = Record()
    speech: Speech = Speech()
    commerce: Commerce = Commerce()
    consent: Consent = Consent()
    personal: Personal = Personal()
    maps: Maps = Maps()
    conversation: Conversation = Conversation()


SERVICES_FILE = "services.json"
"""In the data folder: the programs that may be started as services, by name."""


def data_folder() -> Path:
    """Where a user's data lives unless `--data` says otherwise."""
    return Path(platformdirs.user_data_dir("lapel", appauthor=False))


def load(
    file: Path | None, environment: Mapping[str, str] = os.environ, *, required: bool = False
) -> Settings:
    """Defaults, then `file` if it exists (a `required` one must), then the environment."""
    tree: dict[str, object] = {}
    if file is not None and (required or file.exists()):
        tree = _read(file)
        _convert(tree, str(file))
    for name, value in environment.items():
        if name.startswith(PREFIX) and name not in OUTSIDE:
            _place(tree, name, value)
    return _convert(tree, f"the settings and {PREFIX}... variables")


def _read(file: Path) -> dict[str, object]:
    try:
        return dict(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise SettingsError(f"cannot read the settings {str(file)!r}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{str(file)!r} is not TOML: {error}") from error


def _convert(tree: dict[str, object], place: str) -> Settings:
    try:
        return msgspec.convert(tree, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(f"in {place}: {error}") from error


def _place(tree: dict[str, object], name: str, value: str) -> None:
    *path, last = name[len(PREFIX) :].lower().split("__")
    here = tree
    for part in path:
        below = here.setdefault(part, {})
        if not isinstance(below, dict):
            raise SettingsError(f"{name!r}: {part!r} is a value, not a group")
        here = cast("dict[str, object]", below)
    if isinstance(here.get(last), dict):
        raise SettingsError(f"{name!r}: {last!r} is a group, not a value")
    here[last] = value.split(",") if _is_list(path, last) else value


def _is_list(path: list[str], last: str) -> bool:
    return path == ["commerce"] and last in {"merchants", "banks"}
