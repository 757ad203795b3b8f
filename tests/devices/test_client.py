"""The reference client against the gateway, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from lapel.devices import (
    Card,
    Cue,
    CueKind,
    DeviceProfile,
    Family,
    Gesture,
    ListenStarted,
    ListenStopped,
    TextTyped,
)
from lapel.devices.client import Backoff, DeviceClient, LinkRefused
from lapel.devices.client_events import (
    CardCleared,
    CodeToShow,
    CueShown,
    Failed,
    Joined,
    LinkClosed,
    LinkLost,
    SpeechFrame,
    SpeechHeard,
    SpeechStarted,
    StateShown,
    TranscriptShown,
)
from lapel.devices.events import AudioArrived, GestureMade, PlaybackReported
from lapel.devices.profile import Display, Input, Microphone, Speaker
from lapel.devices.wire import Auth

pytestmark = pytest.mark.net

PROFILE = DeviceProfile(
    Family.GLASSES,
    name="Glasses",
    microphones=(Microphone(),),
    speakers=(Speaker(),),
    displays=(Display(),),
    inputs=(Input("pad", gestures=(Gesture.PRESS,)),),
)
QUICK = Backoff(0.01, 0.05)


def client(gateway: Any, **options: Any) -> DeviceClient:
    auth = Auth(token=gateway.token, remember=False)
    return DeviceClient(gateway.url, PROFILE, options.pop("auth", auth), backoff=QUICK, **options)


async def speech(count: int) -> AsyncIterator[bytes]:
    for index in range(count):
        yield struct.pack(">H", index) * 480


async def test_a_conversation(gateway: Any, host: Any) -> None:
    def answer(link: Any, event: Any) -> None:
        if isinstance(event, TextTyped):
            link.show_state("thinking")
            link.show_transcript(event.text, final=True, turn="t1")
            link.tell(Cue("c1", "cart", CueKind.APPROVAL, card=Card("Blue Door", total="9.80 EUR")))
        elif isinstance(event, GestureMade):
            link.clear("cart")

    host.react = answer
    async with client(gateway) as device:
        device.say("two lattes")
        assert (await device.wait_for(StateShown)).state == "thinking"
        assert (await device.wait_for(TranscriptShown)).text == "two lattes"
        assert (await device.wait_for(CueShown)).cue.id == "c1"
        assert device.cards["cart"].total == "9.80 EUR"
        device.gesture("pad", Gesture.PRESS, "approve", "cart")
        await device.wait_for(CardCleared)
        assert device.cards == {}
        device.gesture("pad", Gesture.SWIPE_BACK)
        assert (await device.wait_for(Failed)).code == "bad_message"
    await host.until(lambda: host.names[-1] == "left")
    assert [type(event) async for event in device.events()][-1] is LinkClosed


async def test_a_cue_is_acknowledged_without_being_asked(gateway: Any, host: Any) -> None:
    async with client(gateway) as device:
        link = await host.link()
        acked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        link.on_acked = acked.set_result
        link.tell(Cue("c1", "t", CueKind.NOTICE, card=Card("x")))
        async with asyncio.timeout(20):
            assert await acked == "c1"
        await device.wait_for(CueShown)


async def test_it_comes_back_by_itself_and_audio_goes_on_at_the_frame(
    gateway: Any, host: Any
) -> None:
    async with client(gateway, speaker_speed=8.0) as device:
        link = await host.link()
        playing = asyncio.create_task(link.play("c1", "words", speech(60)))
        frames: list[int] = []
        cuts = 0
        async for event in device.events():
            match event:
                case SpeechFrame(_, sequence, payload):
                    assert struct.unpack(">H", payload[:2])[0] == sequence
                    frames.append(sequence)
                    if cuts < 3 and sequence == 10 + 15 * cuts:
                        cuts += 1
                        await device.cut()
                case SpeechHeard():
                    break
                case _:
                    pass
        assert frames == list(range(60))
        assert (await playing).state == "finished"
        assert device.joins == 4
        await host.until(lambda: any(isinstance(e, PlaybackReported) for e in host.events))
    assert host.names.count("joined") == 1


async def test_what_is_said_without_a_link_arrives_once_there_is_one(
    gateway: Any, host: Any
) -> None:
    async with client(gateway) as device:
        await host.link()
        device.say("first")
        await device.cut()
        device.say("second")
        await device.wait_for(LinkLost)
        device.say("third")
        joined = await device.wait_for(Joined)
        assert joined.resumed
        await host.until(lambda: len(host.events) == 3)
        assert [event.text for event in host.events] == ["first", "second", "third"]


async def test_cues_survive_cuts_at_random_moments(gateway: Any, host: Any) -> None:
    async with client(gateway) as device:
        link = await host.link()

        async def cutting() -> None:
            while True:
                await asyncio.sleep(0.03)
                await device.cut()

        saboteur = asyncio.create_task(cutting())
        for number in range(200):
            link.tell(Cue(f"c{number}", f"t{number}", CueKind.NOTICE, card=Card("x")))
            await asyncio.sleep(0.005)
        saboteur.cancel()
        await asyncio.gather(saboteur, return_exceptions=True)
        shown: list[str] = []
        while len(shown) < 200:
            event = await device.wait_for(CueShown)
            assert not event.again
            shown.append(event.cue.id)
        assert shown == [f"c{number}" for number in range(200)]
        assert device.joins > 3


async def test_who_leaves_acknowledges_what_was_shown_a_moment_ago(gateway: Any, host: Any) -> None:
    acted: list[str] = []
    device = client(gateway)
    async with device:
        link = await host.link()
        link.on_acked = acted.append
        link.tell(Cue("c1", "order", CueKind.ORDER, card=Card("Delivered")))
        await device.wait_for(CueShown)
    await host.until(lambda: "left" in host.names)
    assert acted == ["c1"]


async def test_pairing_by_token_keeps_the_key_and_the_next_client_uses_it(gateway: Any) -> None:
    keys: list[tuple[str, str]] = []
    auth = Auth(token=gateway.token)
    async with client(gateway, auth=auth, on_key=lambda *pair: keys.append(pair)) as device:
        device_id = device.device_id
        await device.cut()
        await device.wait_for(Joined, lambda event: event.resumed)
    assert [entry[0] for entry in keys] == [device_id]
    async with client(gateway, auth=Auth(key=keys[0][1])) as device:
        assert device.device_id == device_id
    assert len(await gateway.pairing.devices(gateway.user_id)) == 1


async def test_pairing_by_a_code_that_it_shows(gateway: Any) -> None:
    async with client(gateway, auth=Auth(pair=True)) as device:
        code = (await device.wait_for(CodeToShow)).code
        await gateway.pairing.enter_code(gateway.user_id, code)
        joined = await device.wait_for(Joined)
        assert joined.user == gateway.user_id
        assert device.key is not None


async def test_a_refusal_is_an_error_of_the_caller(gateway: Any) -> None:
    with pytest.raises(LinkRefused) as caught:
        async with client(gateway, auth=Auth(key="dk_wrong")):
            pass
    assert caught.value.code == "unauthorized"


async def test_a_revoked_device_stays_away(gateway: Any) -> None:
    key = await gateway.key()
    async with client(gateway, auth=Auth(key=key)) as device:
        await gateway.pairing.revoke(device.device_id)
        with pytest.raises(LinkRefused) as caught:
            await device.wait_for(CueShown)
        assert caught.value.code == "revoked"


async def test_a_device_that_was_taken_over_stays_away(gateway: Any) -> None:
    key = await gateway.key()
    auth = Auth(key=key)
    async with client(gateway, auth=auth) as first, client(gateway, auth=auth) as second:
        with pytest.raises(LinkRefused):
            await first.wait_for(CueShown)
        assert second.connected
        assert second.joins == 1


async def test_the_microphone_is_cut_into_frames(gateway: Any, host: Any) -> None:
    async with client(gateway) as device:
        await device.stream_audio(b"\1\0" * 1000, mode="manual", speed=50.0)
        await host.until(lambda: any(isinstance(e, ListenStopped) for e in host.events))
        assert host.events[0] == ListenStarted(1, "manual")
        arrived = [event for event in host.events if isinstance(event, AudioArrived)]
        assert [len(event.payload) for event in arrived] == [640] * 4
        assert b"".join(event.payload for event in arrived)[:2000] == b"\1\0" * 1000
        await device.stream_audio([b"\2\0" * 320], speed=50.0)
        await host.until(lambda: ListenStarted(2, "auto") in host.events)


async def test_without_speech_there_is_nothing_to_stream(text_gateway: Any) -> None:
    async with client(text_gateway) as device:
        with pytest.raises(LinkRefused):
            await device.stream_audio(b"\0" * 640)


async def test_a_barge_in_is_reported_with_what_was_heard(gateway: Any, host: Any) -> None:
    async with client(gateway) as device:
        link = await host.link()
        playing = asyncio.create_task(link.play("c1", "words", speech(500)))
        await device.wait_for(SpeechStarted)
        await device.wait_for(SpeechFrame, lambda event: event.sequence == 20)
        link.stop_playing()
        played = await playing
        assert played.state == "stopped"
        heard = await device.wait_for(SpeechHeard)
        assert heard.state == "stopped"
        assert played.played_s == pytest.approx(heard.played_s)
        assert played.played_s < 5.0


async def test_many_devices_share_a_gateway(gateway: Any, host: Any) -> None:
    async with contextlib.AsyncExitStack() as stack:
        devices = [await stack.enter_async_context(client(gateway)) for _ in range(20)]
        assert len(gateway.links.of_user(gateway.user_id)) == 20
        for index, device in enumerate(devices):
            device.say(f"words of {index}")
        await host.until(lambda: len(host.events) == 20)
        said = {link.device_id: event.text for _, link, event in host.calls if event is not None}
        assert said == {
            device.device_id: f"words of {index}" for index, device in enumerate(devices)
        }
