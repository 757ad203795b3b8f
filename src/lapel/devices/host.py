"""The seam upward: what the assistant implements, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from lapel.devices.events import DeviceEvent

if TYPE_CHECKING:
    from lapel.devices.link import Link


class DeviceHost(Protocol):
    """Hears of one link at a time in order; different links are told concurrently.

    `joined` comes first and `left` last. A link that was lost and resumed while a call was running
    is told as both, afterwards.
    """

    async def joined(self, link: Link) -> None:
        """A fresh session: present what is open."""
        ...

    async def resumed(self, link: Link) -> None:
        """The device is back; what it missed is already on its way."""
        ...

    async def lost(self, link: Link) -> None:
        """The socket is gone; the session waits for the device."""
        ...

    async def left(self, link: Link) -> None:
        """The session is gone for good: bye, revoked, replaced, or not resumed in time."""
        ...

    async def happened(self, link: Link, event: DeviceEvent) -> None:
        """The user did something. While this runs, later events of the link wait."""
        ...
