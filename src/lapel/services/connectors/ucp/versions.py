"""Which version of UCP is spoken with a merchant: the newest that both sides know."""

from __future__ import annotations

from typing import Annotated

import msgspec

VERSION, OLDER = "2026-04-08", "2026-01-11"
SPOKEN_VERSIONS = (VERSION, OLDER)
"""Of UCP, the newest first."""


class _Block(msgspec.Struct, frozen=True):
    version: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    supported_versions: dict[str, str] = {}


class Offer(msgspec.Struct, frozen=True):
    """What every version of a profile says of itself."""

    ucp: _Block

    @property
    def version(self) -> str:
        return self.ucp.version

    def leaf(self, version: str) -> str | None:
        """Where the profile of that version is; empty for this very document, None for nowhere."""
        return "" if version == self.version else self.ucp.supported_versions.get(version)


def chosen(offer: Offer) -> str | None:
    """The newest version of both sides; None without one."""
    return next((x for x in SPOKEN_VERSIONS if offer.leaf(x) is not None), None)
