"""The caller itself, against a real Lapel without speech: that it can fail, and that its network can."""

from __future__ import annotations

import asyncio

import pytest

from callers.caller import CLEAR, Unmet, call
from callers.relay import Relay
from callers.script import parse
from town import Town

pytestmark = pytest.mark.net

ORDER = {"type": "a cappuccino to my office"}
ASKED = {"expect": {"device": "glasses", "kind": "approval", "card_contains": "Cappuccino"}}


async def play(town: Town, *steps: dict[str, object], others: tuple[str, ...] = ()) -> list[float]:
    tree = {
        "name": "a call",
        "caller": {"device": "glasses", "others": list(others)},
        "steps": list(steps),
    }
    await asyncio.wait_for(call(CLEAR, town.device_url, town.token), 30)
    account = await call(parse(tree), town.device_url, town.token)
    return [met.after_s for met in account.met]


async def test_what_is_met_is_accounted_for(text_town: Town) -> None:
    (after_s,) = await play(text_town, ORDER, ASKED)
    assert 0.0 < after_s < 15.0


async def test_what_does_not_come_is_unmet_and_the_message_says_what_came(text_town: Town) -> None:
    never = {"expect": {"device": "glasses", "card_contains": "A whale", "within_s": 2}}
    with pytest.raises(Unmet, match=r"A whale.*did not come in 2.0 s.*Cappuccino"):
        await play(text_town, ORDER, never)


async def test_what_must_not_come_is_unmet_when_it_comes(text_town: Town) -> None:
    absent = {"expect": {"device": "glasses", "kind": "approval", "absent": True}}
    with pytest.raises(Unmet, match="came although it must not"):
        await play(text_town, ORDER, absent)


async def test_what_was_told_before_the_last_deed_does_not_count(text_town: Town) -> None:
    late = {"expect": {"device": "glasses", "kind": "approval", "within_s": 1}}
    with pytest.raises(Unmet):
        await play(text_town, ORDER, ASKED, {"long_press": "ring"}, late, others=("ring",))


async def test_a_device_off_the_network_is_told_when_it_is_back(text_town: Town) -> None:
    await play(
        text_town,
        {"drop_link": "glasses"},
        {"type": "a cappuccino to my office", "on": "phone"},
        {"expect": {"device": "phone", "kind": "approval"}},
        {"expect": {"device": "glasses", "kind": "approval", "absent": True, "within_s": 1}},
        {"reconnect": "glasses"},
        ASKED,
        others=("phone",),
    )


async def test_a_caller_without_a_voice_says_so(text_town: Town) -> None:
    with pytest.raises(Unmet, match="no voice"):
        await play(text_town, {"say": "two lattes"})


async def test_a_relay_passes_on_cuts_and_mends() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Relay(f"ws://127.0.0.1:{port}/device?a=1") as relay:
        assert relay.url.endswith("/device?a=1")
        there = int(relay.url.rpartition(":")[2].partition("/")[0])

        async def said(word: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", there)
            try:
                writer.write(word)
                return await reader.readline()
            except ConnectionError:
                return b""
            finally:
                writer.transport.abort()

        assert await said(b"one\n") == b"one\n"
        relay.cut()
        assert await said(b"two\n") == b""
        relay.mend()
        assert await said(b"three\n") == b"three\n"
