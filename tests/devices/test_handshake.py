from __future__ import annotations

import json
from typing import Any

import pytest

from lapel.devices.commands import Close, Disconnected, Send, Tick
from lapel.devices.errors import BadJson, TooLarge, Unauthorized
from lapel.devices.handshake import (
    Admitted,
    Authenticate,
    CodeShown,
    Enter,
    Handshake,
    HandshakeCommand,
    Refused,
)
from lapel.devices.profile import DeviceProfile, Family
from lapel.devices.wire import Auth, Bye, Hello, Ping, Text

pytestmark = pytest.mark.unit

PROFILE = DeviceProfile(Family.RING)
HELLO = Hello(1, Auth(key="dk"), PROFILE)


def told(commands: list[HandshakeCommand]) -> list[Any]:
    return [
        json.loads(command.data) if isinstance(command, Send) else command for command in commands
    ]


def test_a_key_is_checked_and_the_link_enters() -> None:
    handshake = Handshake(0.0)
    assert handshake.wake_at() == 10.0
    assert handshake.feed(HELLO, 1.0) == [Authenticate(HELLO)]
    assert handshake.wake_at() is None
    admitted = Admitted("d", "u")
    assert handshake.feed(admitted, 1.1) == [Enter(HELLO, admitted)]


def test_a_new_key_is_told_before_the_link_enters() -> None:
    handshake = Handshake(0.0)
    handshake.feed(HELLO, 1.0)
    paired, enter = told(handshake.feed(Admitted("d", "u", "dk_new"), 1.1))
    assert paired == {"type": "paired", "device": "d", "key": "dk_new"}
    assert isinstance(enter, Enter)


def test_a_refusal_is_told_and_closes() -> None:
    handshake = Handshake(0.0)
    handshake.feed(HELLO, 1.0)
    error, close = told(handshake.feed(Refused(Unauthorized("no")), 1.1))
    assert (error["code"], close) == ("unauthorized", Close(4401))
    assert handshake.feed(HELLO, 1.2) == []


def test_silence_and_anything_but_hello_close() -> None:
    handshake = Handshake(0.0)
    assert handshake.feed(Tick(), 9.9) == []
    assert told(handshake.feed(Tick(), 10.0))[1] == Close(4401)
    assert told(Handshake(0.0).feed(Ping("1"), 0.1))[1] == Close(4401)


def test_what_cannot_be_read_is_told_until_it_is_too_much() -> None:
    handshake = Handshake(0.0)
    for _ in range(19):
        assert len(handshake.feed(BadJson("?"), 1.0)) == 1
    assert handshake.feed(BadJson("?"), 1.0)[1] == Close(4400)
    assert Handshake(0.0).feed(TooLarge("!"), 1.0)[1] == Close(4413)


def test_a_code_is_shown_until_it_is_entered_or_expires() -> None:
    handshake = Handshake(0.0)
    handshake.feed(Hello(1, Auth(pair=True), PROFILE), 1.0)
    (pairing,) = told(handshake.feed(CodeShown("482913", 300.0), 1.0))
    assert pairing == {"type": "pairing", "code": "482913", "expires_s": 300.0}
    assert told(handshake.feed(Text("1", "x"), 2.0))[0]["code"] == "not_paired"
    assert told(handshake.feed(Ping("1"), 2.0)) == [{"type": "pong", "id": "1"}]
    assert handshake.feed(Tick(), 300.0) == []
    error, close = told(handshake.feed(Tick(), 301.0))
    assert (error["code"], close) == ("unauthorized", Close(4401))


def test_a_device_may_leave_while_pairing() -> None:
    for leaving in (Bye(), Disconnected()):
        handshake = Handshake(0.0)
        handshake.feed(Hello(1, Auth(pair=True), PROFILE), 1.0)
        handshake.feed(CodeShown("1", 300.0), 1.0)
        handshake.feed(leaving, 2.0)
        assert handshake.feed(Admitted("d", "u", "k"), 3.0) == []
