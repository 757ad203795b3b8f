"""Every row of the protocol's table of errors, on a real socket."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest
from websockets.asyncio.client import connect

from lapel.devices import Card, Cue, CueKind, handshake, registry
from lapel.devices.events import AudioArrived, TextTyped

pytestmark = pytest.mark.net

GLASSES = {"family": "glasses", "name": "Glasses"}
PCM_FRAME = b"\1\0" * 320


def audio(stream: int, sequence: int, payload: bytes = PCM_FRAME, flags: int = 0) -> bytes:
    return struct.pack(">BBHI", 1, flags, stream, sequence) + payload


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("{", "bad_json"),
        ("[1]", "bad_json"),
        ("null", "bad_json"),
        ('"text"', "bad_json"),
        ('{"x": ' + "[" * 30000 + "]" * 30000 + "}", "bad_json"),
        ("{}", "bad_message"),
        ('{"type": 3}', "bad_message"),
        ('{"type": "text", "id": "1"}', "bad_message"),
        ('{"type": "text", "id": 1, "text": "x"}', "bad_message"),
        ('{"type": "battery", "level": 101}', "bad_message"),
        ('{"type": "position", "lat": 91, "lon": 0}', "bad_message"),
        ('{"type": "position", "lat": 0, "lon": "here"}', "bad_message"),
        ('{"type": "received", "cursor": 7}', "bad_message"),
        ('{"type": "gesture", "id": "g", "input": "nose", "gesture": "press"}', "bad_message"),
        ('{"type": "levitate"}', "unknown_type"),
    ],
)
async def test_what_cannot_be_read_is_told_and_the_link_stays(
    gateway: Any, data: str, code: str
) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        await device.send(data)
        assert await device.error() == code
        await device.ping()


async def test_an_error_names_the_message(gateway: Any) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        await device.send({"type": "text", "id": "t-1"})
        assert (await device.expect("error"))["ref"] == "t-1"


async def test_twenty_bad_messages_in_a_minute_close_the_link(gateway: Any) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        for _ in range(20):
            await device.send("?")
        assert await device.closed() == 4400


async def test_bad_messages_before_hello_are_counted_too(gateway: Any) -> None:
    async with gateway.device() as device:
        for _ in range(20):
            await device.send("?")
        assert await device.closed() == 4400


@pytest.mark.parametrize("big", ['"' + "x" * 65535 + '"', b"\1" * 8193])
async def test_a_message_over_the_limit_closes_the_link(gateway: Any, big: str | bytes) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        await device.send(big)
        assert await device.error() == "too_large"
        assert await device.closed() == 4413


async def test_a_message_far_over_the_limit_is_cut_off_by_the_server(gateway: Any) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        await device.send('"' + "x" * 2**20 + '"')
        assert await device.closed() == 1009


@pytest.mark.parametrize(
    "first", [{"type": "text", "id": "1", "text": "hi"}, audio(1, 0), {"type": "ping"}]
)
async def test_the_first_message_must_be_hello(gateway: Any, first: Any) -> None:
    async with gateway.device() as device:
        await device.send(first)
        assert await device.error() == "hello_expected"
        assert await device.closed() == 4401


async def test_a_device_that_says_nothing_is_closed(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "HELLO_S", 0.1)
    async with gateway.device() as device:
        assert await device.error() == "hello_expected"
        assert await device.closed() == 4401


@pytest.mark.parametrize(
    "hello",
    [
        {"type": "hello", "protocol": 2, "auth": {"pair": True}, "profile": {"family": "ring"}},
        {"type": "hello", "protocol": 7, "anything": "of a later version"},
    ],
)
async def test_another_version_is_refused(gateway: Any, hello: dict[str, Any]) -> None:
    async with gateway.device() as device:
        await device.send(hello)
        assert await device.error() == "bad_protocol"
        assert await device.closed() == 4406


@pytest.mark.parametrize(
    "auth", [{"key": "dk_wrong"}, {"token": "lt_wrong"}, {"code": "000000"}, {"code": "x"}]
)
async def test_a_wrong_key_token_or_code_is_refused(gateway: Any, auth: dict[str, Any]) -> None:
    async with gateway.device() as device:
        await device.send(
            {"type": "hello", "protocol": 1, "profile": {"family": "ring"}, "auth": auth}
        )
        assert await device.error() == "unauthorized"
        assert await device.closed() == 4401


@pytest.mark.parametrize("auth", [{}, {"key": "a", "token": "b"}, {"remember": False}])
async def test_auth_is_exactly_one_way(gateway: Any, auth: dict[str, Any]) -> None:
    async with gateway.device() as device:
        await device.send(
            {"type": "hello", "protocol": 1, "profile": {"family": "ring"}, "auth": auth}
        )
        assert await device.error() == "bad_message"


async def test_a_token_is_taken_on_loopback_only(gateway: Any) -> None:
    headers = {"X-Forwarded-For": "127.0.0.1"}
    async with connect(
        gateway.url, compression=None, proxy=None, additional_headers=headers
    ) as socket:
        await socket.send(
            '{"type": "hello", "protocol": 1, "profile": {"family": "ring"}, "auth": {"token": "'
            + gateway.token
            + '"}}'
        )
        assert '"unauthorized"' in str(await socket.recv())


async def test_a_revoked_key_is_refused_and_its_link_closed(gateway: Any, host: Any) -> None:
    key = await gateway.key()
    async with gateway.device() as device:
        welcome = await device.hello(auth={"key": key})
        link = await host.link()
        assert link.connected
        await gateway.pairing.revoke(welcome["device"])
        assert await device.error() == "revoked"
        assert await device.closed() == 4403
    await host.until(lambda: host.names[-1] == "left")
    async with gateway.device() as device:
        await device.send(
            {
                "type": "hello",
                "protocol": 1,
                "profile": {"family": "ring"},
                "auth": {"key": key},
                "resume": {"session": welcome["session"], "cursor": 0},
            }
        )
        assert await device.error() == "revoked"
        assert await device.closed() == 4403
    assert len(gateway.links) == 0


async def test_while_pairing_only_ping_and_bye_are_taken(gateway: Any) -> None:
    async with gateway.device() as device:
        await device.send(
            {
                "type": "hello",
                "protocol": 1,
                "profile": {"family": "ring"},
                "auth": {"pair": True},
            }
        )
        assert len((await device.expect("pairing"))["code"]) == 6
        await device.send({"type": "text", "id": "1", "text": "let me in"})
        assert await device.error() == "not_paired"
        await device.send(audio(1, 0))
        assert await device.error() == "not_paired"
        await device.ping()
        await device.send({"type": "bye"})
        assert await device.closed() == 1000
    assert gateway.pairing.waiting() == []


async def test_five_wrong_codes_a_minute_are_enough(gateway: Any) -> None:
    hello = {"type": "hello", "protocol": 1, "profile": {"family": "ring"}}
    for _ in range(5):
        async with gateway.device() as device:
            await device.send({**hello, "auth": {"code": "wrong"}})
            assert await device.error() == "unauthorized"
    right = gateway.pairing.issue_code(gateway.user_id).code
    async with gateway.device() as device:
        await device.send({**hello, "auth": {"code": right}})
        assert await device.error() == "too_many_tries"
        assert await device.closed() == 4429


async def test_audio_needs_an_open_stream_order_and_the_agreed_format(
    gateway: Any, host: Any
) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        await device.send(audio(1, 0))
        assert await device.error() == "audio_not_open"
        await asyncio.sleep(1.0)  # such errors are told once a second
        await device.send({"type": "listen", "state": "start"})
        await device.send(audio(1, 0))
        await device.send(audio(1, 3))
        await device.send(audio(1, 2))
        assert await device.error() == "audio_order"
        await asyncio.sleep(1.0)
        await device.send(audio(1, 4, b"\1" * 639))
        assert await device.error() == "bad_audio"
        await device.send(audio(1, 2))
        await device.send(audio(1, 2_000_000))
        await device.ping()
        arrived = [event for event in host.events if isinstance(event, AudioArrived)]
        assert [event.missing for event in arrived] == [0, 2, 10]


async def test_without_speech_the_microphone_is_unavailable(text_gateway: Any) -> None:
    async with text_gateway.device() as device:
        welcome = await device.hello(auth=text_gateway.auth)
        assert welcome["audio"] == {"up": None, "down": None}
        await device.send({"type": "listen", "state": "start"})
        assert await device.error() == "unavailable"


async def test_a_full_inbox_drops_and_says_so(gateway: Any, host: Any) -> None:
    host.gate = asyncio.Event()
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        for number in range(300):
            await device.send({"type": "text", "id": f"t{number}", "text": "x"})
        busy = await device.expect("error")
        assert busy["code"] == "busy"
        host.gate.set()
        await host.until(lambda: len(host.events) >= 256)
        # What was refused may be said again, and is then heard.
        await device.send({"type": "text", "id": busy["ref"], "text": "again"})
        await host.until(lambda: TextTyped(busy["ref"], "again") in host.events)


async def test_playback_of_an_unknown_cue_is_told(gateway: Any) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        await device.send({"type": "playback", "cue": "c_never", "state": "finished"})
        error = await device.expect("error")
        assert (error["code"], error["ref"]) == ("unknown_cue", "c_never")


async def test_a_device_that_never_acknowledges_is_closed_for_good(gateway: Any, host: Any) -> None:
    async with gateway.device() as device:
        await device.hello(auth=gateway.auth)
        link = await host.link()
        told = [
            link.tell(Cue(f"c{n}", f"topic-{n}", CueKind.NOTICE, card=Card("x")))
            for n in range(257)
        ]
        assert told == [True] * 256 + [False]
        assert await device.error() == "too_slow"
        assert await device.closed() == 4408
    await host.until(lambda: host.names[-1] == "left")


async def test_another_subprotocol_is_refused(gateway: Any) -> None:
    async with connect(
        gateway.url, subprotocols=["lapel.device.9"], compression=None, proxy=None
    ) as socket:
        await socket.wait_closed()
        assert socket.close_code == 4406


async def test_a_crowd_in_its_handshake_is_told_to_come_back(
    gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "OPENING", 1)
    async with gateway.device() as waiting, gateway.device() as late:
        assert await late.closed() == 1013
        await waiting.hello(auth=gateway.auth)
        async with gateway.device() as next_one:
            await next_one.hello(auth=gateway.auth)


async def test_a_gateway_that_stops_lets_nobody_in(gateway: Any) -> None:
    async with gateway.device() as early:
        await early.send("?")
        assert await early.error() == "bad_json"
        gateway.links._closing = True  # as from the first moment of leaving `Links`
        await early.send({"type": "hello", "protocol": 1, "profile": GLASSES, "auth": gateway.auth})
        assert await early.error() == "going_away"
        assert await early.closed() == 1001
        async with gateway.device() as late:
            assert await late.closed() == 1001
    assert len(gateway.links) == 0
