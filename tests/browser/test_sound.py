"""Sound both ways in a real browser: microphone frames of the agreed kind, and honest playback reports."""

from __future__ import annotations

import asyncio
import math
import struct

import pytest
from playwright.async_api import Page, expect

from .conftest import Alone
from .scripted_gateway import Link, ScriptedGateway

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

FRAME = 480  # samples of 20 ms at 24 kHz


def hum(frames: int) -> list[bytes]:
    samples = [int(3000 * math.sin(index / 9)) for index in range(FRAME * frames)]
    sound = struct.pack(f"<{len(samples)}h", *samples)
    return [sound[at : at + 2 * FRAME] for at in range(0, len(sound), 2 * FRAME)]


async def speech_start(link: Link, cue: str = "c_1", codec: str = "pcm16") -> int:
    return await link.reliable(
        {
            "type": "speech_start",
            "cue": cue,
            "codec": codec,
            "rate": 24000,
            "frame_ms": 20,
            "text": "Two iced lattes.",
        }
    )


async def begin(link: Link, frames: list[bytes]) -> int:
    """A long sentence that has begun to be heard; its number."""
    n = await speech_start(link)
    for sequence, frame in enumerate(frames):
        await link.sound(n, sequence, frame)
    await link.next("playback", state="started")
    return n


async def speak(link: Link, cue: str, frames: list[bytes], codec: str = "pcm16") -> None:
    await link.cue(id=cue, topic=cue, kind="reply", speech="Two iced lattes.")
    n = await speech_start(link, cue, codec)
    for sequence, frame in enumerate(frames):
        await link.sound(n, sequence, frame)
    await link.reliable({"type": "speech_end", "cue": cue, "frames": len(frames)})


async def unlock(page: Page) -> None:
    await page.mouse.click(2, 2)


@pytest.mark.parametrize(("query", "codec"), [("", "opus"), ("?up=pcm16", "pcm16")])
async def test_the_microphone_sends_the_agreed_frames(
    alone: Alone, page: Page, query: str, codec: str
) -> None:
    link = await alone("pendant", query)
    up = link.hello["audio"]["up"]
    assert up == {"codec": codec, "rate": 16000, "frame_ms": 20}
    await page.click(".pendant-disc")
    start = await link.next("listen", state="start")
    assert (start["mode"], start["stream"]) == ("auto", 1)
    await link.until(lambda: len(link.frames) >= 60)
    await expect(page.locator(".pendant-disc")).to_have_attribute("aria-pressed", "true")
    await page.click(".pendant-disc")
    await link.next("listen", state="stop")
    assert [frame.sequence for frame in link.frames] == list(range(len(link.frames)))
    assert {frame.stream for frame in link.frames} == {1}
    assert [frame.last for frame in link.frames].index(True) == len(link.frames) - 1
    if codec == "pcm16":
        sound = b"".join(frame.payload for frame in link.frames)
        assert max(abs(sample) for (sample,) in struct.iter_unpack("<h", sound)) > 100
    else:
        assert len({frame.payload for frame in link.frames}) > 1


async def test_opus_that_lapel_does_not_take_becomes_pcm(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    gateway.accept_codec = False
    link = await alone("glasses")
    assert link.hello["audio"]["up"]["codec"] == "opus"
    await page.click(".talk")
    await link.until(lambda: len(link.frames) >= 5)
    assert {len(frame.payload) for frame in link.frames if not frame.last} == {640}
    await page.click(".talk")
    await link.next("listen", state="stop")


async def test_an_open_microphone_comes_back_as_a_new_stream_after_a_lost_link(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("pendant")
    await page.click(".pendant-disc")
    await link.until(lambda: len(link.frames) >= 5)
    await link.cut()
    again = await gateway.link("pendant", 2)
    await again.next("listen", state="start", stream=2)
    await again.until(lambda: len(again.frames) >= 5)
    assert (again.frames[0].stream, again.frames[0].sequence) == (2, 0)
    await page.click(".pendant-disc")
    await again.next("listen", state="stop")


async def test_without_speech_the_microphone_stays_closed_and_says_so(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    gateway.speech = False
    link = await alone("pendant")
    await page.click(".pendant-disc")
    await expect(page.locator(".notice")).to_have_text(
        "Lapel runs without speech here: type instead."
    )
    assert not link.all("listen")


async def test_taking_a_device_off_closes_its_microphone(alone: Alone, page: Page) -> None:
    link = await alone("pendant")
    await page.click(".pendant-disc")
    await link.next("listen", state="start")
    await page.click(".switch")
    await link.next("listen", state="stop")
    await expect(page.locator(".pendant-disc")).to_have_attribute("aria-pressed", "false")


async def test_speech_is_played_and_acknowledged(alone: Alone, page: Page) -> None:
    link = await alone("earbuds")
    await unlock(page)
    await speak(link, "c_1", hum(25))
    await link.next("playback", cue="c_1", state="started")
    await page.wait_for_selector(".tile.earbuds[data-speaking=true]")
    finished = await link.next("playback", cue="c_1", state="finished")
    assert finished["played_ms"] == 500
    await page.wait_for_selector(".tile.earbuds[data-speaking=false]")
    assert [each["state"] for each in link.all("playback")] == ["started", "finished"]


async def test_two_speeches_are_played_one_after_the_other(alone: Alone, page: Page) -> None:
    link = await alone("earbuds")
    await unlock(page)
    await speak(link, "c_1", hum(10))
    await speak(link, "c_2", hum(10))
    await link.next("playback", cue="c_2", state="finished")
    assert [(each["cue"], each["state"]) for each in link.all("playback")] == [
        ("c_1", "started"),
        ("c_1", "finished"),
        ("c_2", "started"),
        ("c_2", "finished"),
    ]


async def test_a_missing_frame_is_heard_as_silence(alone: Alone, page: Page) -> None:
    link = await alone("earbuds")
    await unlock(page)
    n = await speech_start(link)
    for sequence, frame in enumerate(hum(20)):
        if sequence != 7:
            await link.sound(n, sequence, frame)
    await link.reliable({"type": "speech_end", "cue": "c_1", "frames": 20})
    finished = await link.next("playback", state="finished")
    assert finished["played_ms"] == 400


async def test_barge_in_stops_at_once_and_says_how_much_was_heard(alone: Alone, page: Page) -> None:
    link = await alone("earbuds")
    await unlock(page)
    n = await begin(link, hum(500))
    await asyncio.sleep(0.4)
    await link.send({"type": "speech_stop", "cue": "c_1", "after_ms": 0})
    stopped = await link.next("playback", state="stopped")
    assert 0 < stopped["played_ms"] < 10_000
    for sequence, frame in enumerate(hum(10), 500):
        await link.sound(n, sequence, frame)
    await page.wait_for_selector(".tile.earbuds[data-speaking=false]")
    assert [each["state"] for each in link.all("playback")] == ["started", "stopped"]


async def test_sound_that_the_browser_locks_is_reported_as_not_heard(
    gateway: ScriptedGateway, page: Page
) -> None:
    # Looking at the page by a selector counts as a gesture to the browser: nothing is looked at before the report.
    await page.goto("/d/earbuds")
    link = await gateway.link("earbuds")
    await speak(link, "c_1", hum(25))
    stopped = await link.next("playback", cue="c_1")
    assert (stopped["state"], stopped["played_ms"]) == ("stopped", 0)
    await expect(page.locator(".notice")).to_contain_text("Sound is off until you click")
    await expect(page.locator(".caption")).to_have_text("Two iced lattes.")
    await unlock(page)
    await speak(link, "c_2", hum(5))
    await link.next("playback", cue="c_2", state="finished")


async def test_a_link_lost_in_speech_asks_for_the_next_frame(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("earbuds")
    await unlock(page)
    frames = hum(50)
    n = await speech_start(link)
    for sequence in range(20):
        await link.sound(n, sequence, frames[sequence])
    await link.next("playback", state="started")
    await link.next("received", cursor=n)
    await link.cut()
    again = await gateway.link("earbuds", 2)
    assert again.hello["resume"]["audio_cursor"] == {"cue": "c_1", "next": 20}
    for sequence in range(15, 50):
        await again.sound(n, sequence, frames[sequence])
    await again.reliable({"type": "speech_end", "cue": "c_1", "frames": 50})
    finished = await again.next("playback", state="finished")
    assert finished["played_ms"] == 1000


async def test_a_reload_in_speech_reports_that_it_stopped(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("earbuds")
    await unlock(page)
    n = await begin(link, hum(500))
    await link.next("received", cursor=n)
    await page.reload()
    again = await gateway.link("earbuds", 2)
    stopped = await again.next("playback", cue="c_1")
    assert stopped["state"] == "stopped"
    assert stopped["played_ms"] < 10_000


async def test_a_known_cue_of_a_fresh_session_is_shown_without_sound(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("earbuds")
    await unlock(page)
    await speak(link, "c_1", hum(5))
    await link.next("playback", state="finished")
    gateway.accept_resume = False
    await link.cut()
    again = await gateway.link("earbuds", 2)
    await speak(again, "c_1", hum(5))
    report = await again.next("playback", cue="c_1")
    assert (report["state"], report["played_ms"]) == ("stopped", 0)


async def test_opus_is_decoded_and_played(alone: Alone, page: Page) -> None:
    link = await alone("earbuds", "?down=opus")
    assert link.hello["audio"]["down"] == {"codec": "opus", "rate": 24000, "frame_ms": 20}
    await unlock(page)
    packets = await page.evaluate(
        """async () => {
            const packets = [];
            const encoder = new AudioEncoder({
                output: (chunk) => {
                    const bytes = new Uint8Array(chunk.byteLength);
                    chunk.copyTo(bytes);
                    packets.push([...bytes]);
                },
                error: (problem) => { throw problem; },
            });
            encoder.configure({ codec: "opus", sampleRate: 24000, numberOfChannels: 1, bitrate: 24000,
                                opus: { frameDuration: 20000 } });
            for (let frame = 0; frame < 25; frame += 1) {
                const data = Float32Array.from({ length: 480 }, (_, at) => 0.2 * Math.sin((frame * 480 + at) / 9));
                const audio = new AudioData({ format: "f32", sampleRate: 24000, numberOfFrames: 480,
                                              numberOfChannels: 1, timestamp: frame * 20000, data });
                encoder.encode(audio);
                audio.close();
            }
            await encoder.flush();
            return packets;
        }"""
    )
    frames = [bytes(packet) for packet in packets[:25]]
    await speak(link, "c_1", frames, "opus")
    await link.next("playback", state="started")
    finished = await link.next("playback", state="finished")
    assert abs(finished["played_ms"] - 500) <= 20
