"""Devices: profiles, pairing, links. The gateway's side of the device protocol and a client."""

from lapel.devices.accounts import Accounts, StoredAccounts, User
from lapel.devices.cues import Card, Cue, CueKind
from lapel.devices.errors import CueTooLarge, DeviceError
from lapel.devices.events import (
    AudioArrived,
    BatteryReported,
    DeviceEvent,
    GestureMade,
    ListenStarted,
    ListenStopped,
    PlaybackReported,
    TextTyped,
    WearChanged,
)
from lapel.devices.host import DeviceHost
from lapel.devices.link import Link, Played
from lapel.devices.pairing import Device, IssuedCode, Pairing, Peer
from lapel.devices.profile import DeviceProfile, Family, Gesture, Pattern
from lapel.devices.registry import Links

__all__ = [
    "Accounts",
    "AudioArrived",
    "BatteryReported",
    "Card",
    "Cue",
    "CueKind",
    "CueTooLarge",
    "Device",
    "DeviceError",
    "DeviceEvent",
    "DeviceHost",
    "DeviceProfile",
    "Family",
    "Gesture",
    "GestureMade",
    "IssuedCode",
    "Link",
    "Links",
    "ListenStarted",
    "ListenStopped",
    "Pairing",
    "Pattern",
    "Peer",
    "PlaybackReported",
    "Played",
    "StoredAccounts",
    "TextTyped",
    "User",
    "WearChanged",
]
