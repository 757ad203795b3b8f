"""Real models: what is said goes through Opus, voice activity and the recogniser."""

from __future__ import annotations

import asyncio
import random
import re
import socket
from array import array
from collections.abc import Callable, Iterable

import pytest

from lapel.speech import (
    AudioFormat,
    BadAudio,
    Codec,
    LanguageUnknown,
    SpeechBusy,
    SpeechClosed,
    SpeechEngines,
    SpeechSettings,
    VoiceFrame,
)
from lapel.speech.engines import RECOGNITIONS_PER_OWNER

from .voices import say_pcm

pytestmark = [pytest.mark.audio, pytest.mark.asyncio(loop_scope="session")]

OPUS = AudioFormat(Codec.OPUS, 16_000, 20)
PCM = AudioFormat(Codec.PCM16, 16_000, 20)
FORMATS = [
    AudioFormat(Codec.OPUS, rate, frame_ms)
    for rate in (16_000, 24_000, 48_000)
    for frame_ms in (10, 20, 60)
] + [AudioFormat(Codec.PCM16, rate, 20) for rate in (16_000, 24_000)]

ORDERS = {
    "Two iced lattes and a blueberry muffin to my office.": "lattes blueberry muffin office",
    "A large cappuccino with oat milk, please.": "large milk",
    "Book a taxi to the airport for tomorrow morning.": "taxi airport tomorrow morning",
    "Cancel my order.": "cancel order",
    "Where is the courier now?": "where courier now",
}


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def cut(pcm: bytes, size: int = 640) -> list[bytes]:
    return [pcm[at : at + size].ljust(size, b"\0") for at in range(0, len(pcm), size)]


def noise(seconds: float, level: int) -> bytes:
    chance = random.Random(7)
    return array(
        "h", (round(chance.gauss(0, level)) for _ in range(int(16_000 * seconds)))
    ).tobytes()


def spans(frames: Iterable[VoiceFrame]) -> float:
    return sum(frame.duration_s for frame in frames if frame.speech)


async def spoken_frames(
    engines: SpeechEngines, text: str, audio_format: AudioFormat
) -> list[bytes]:
    return [frame async for frame in engines.speak(text, audio_format)]


@pytest.mark.parametrize(("order", "expected"), ORDERS.items())
async def test_an_order_is_spoken_heard_and_read(
    engines: SpeechEngines, order: str, expected: str
) -> None:
    voice: list[VoiceFrame] = []
    microphone = engines.open_microphone(OPUS, voice.append)
    for frame in await spoken_frames(engines, order, OPUS):
        microphone.feed(frame)
    await microphone.drain()
    heard = [frame for frame in voice if frame.speech]
    assert heard
    start_s, end_s = heard[0].start_s, heard[-1].start_s + heard[-1].duration_s
    assert 0 <= start_s < end_s <= microphone.position_s
    transcript = await engines.recognize(microphone.audio(max(0.0, start_s - 0.2), end_s + 0.2))
    assert words(expected) <= words(transcript.text)
    assert transcript.confidence > 0.5
    assert transcript.compute_s > 0
    microphone.close()


async def test_windows_are_reported_in_order_without_holes(engines: SpeechEngines) -> None:
    voice: list[VoiceFrame] = []
    microphone = engines.open_microphone(PCM, voice.append)
    for frame in cut(say_pcm("Good morning.") + noise(1, 20)):
        microphone.feed(frame)
    await microphone.drain()
    assert [frame.start_s for frame in voice] == pytest.approx(
        [at * voice[0].duration_s for at in range(len(voice))]
    )
    assert microphone.position_s - len(voice) * voice[0].duration_s < voice[0].duration_s
    microphone.close()


@pytest.mark.parametrize("sound", [bytes(96_000), noise(3, 10), noise(3, 300), noise(3, 3000)])
async def test_silence_and_noise_are_no_speech(engines: SpeechEngines, sound: bytes) -> None:
    voice: list[VoiceFrame] = []
    microphone = engines.open_microphone(PCM, voice.append)
    for frame in cut(sound):
        microphone.feed(frame)
    await microphone.drain()
    assert spans(voice) < 0.2
    transcript = await engines.recognize(sound, hints=("americano", "iced mocha", "soy milk"))
    assert transcript.text == ""
    assert (await engines.recognize(sound)).text == ""
    microphone.close()


async def test_twenty_streams_are_not_mixed_up(engines: SpeechEngines) -> None:
    speech = cut(say_pcm("I would like a large pizza with extra cheese and a bottle of water."))
    silence = cut(noise(len(speech) * 0.02, 5))
    alone: list[VoiceFrame] = []
    microphone = engines.open_microphone(PCM, alone.append)
    for frame in speech:
        microphone.feed(frame)
    await microphone.drain()
    microphone.close()

    voices: list[list[VoiceFrame]] = [[] for _ in range(20)]
    streams = [engines.open_microphone(PCM, voice.append) for voice in voices]
    for number, frame in enumerate(speech):
        for index, stream in enumerate(streams):
            stream.feed(frame if index % 2 else silence[number])
        if number % 8 == 7:
            await asyncio.sleep(0)
    await asyncio.gather(*(stream.drain() for stream in streams))
    for index, (stream, voice) in enumerate(zip(streams, voices, strict=True)):
        assert stream.dropped == 0
        assert [frame.start_s for frame in voice] == [frame.start_s for frame in alone]
        if index % 2:
            assert [frame.speech for frame in voice] == [frame.speech for frame in alone]
            assert [frame.probability for frame in voice] == pytest.approx(
                [frame.probability for frame in alone], abs=0.01
            )
            assert stream.audio(0) == b"".join(speech)
        else:
            assert not any(frame.speech for frame in voice)
        stream.close()


async def test_twenty_utterances_at_once_come_back_to_their_owners(engines: SpeechEngines) -> None:
    orders = list(ORDERS.items()) * 4
    heard = await asyncio.gather(*(engines.recognize(say_pcm(order)) for order, _ in orders))
    for (_, expected), transcript in zip(orders, heard, strict=True):
        assert words(expected) <= words(transcript.text)


async def test_one_owner_cannot_fill_the_queue(engines: SpeechEngines) -> None:
    pcm = say_pcm("Cancel my order.")
    asked = [
        asyncio.ensure_future(engines.recognize(pcm, owner="greedy"))
        for _ in range(RECOGNITIONS_PER_OWNER + 4)
    ]
    other = await engines.recognize(pcm, owner="patient")
    assert "cancel" in words(other.text)
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert any(isinstance(outcome, SpeechBusy) for outcome in outcomes)


async def test_hints_name_the_dish(engines: SpeechEngines) -> None:
    pcm = say_pcm("A pad kra pao and a tom kha gai, please.")
    hints = ("pad kra pao", "tom kha gai", "som tam", "mango sticky rice")
    hinted = await engines.recognize(pcm, hints=hints)
    assert {"pad", "pao", "tom", "kha"} <= words(hinted.text)


async def test_hints_do_not_replace_what_was_said(engines: SpeechEngines) -> None:
    hints = ("americano", "iced mocha", "soy milk", "light roast")
    transcript = await engines.recognize(say_pcm("Where is the courier now?"), hints=hints)
    assert {"where", "courier", "now"} <= words(transcript.text)
    assert not words(" ".join(hints)) & words(transcript.text)


async def test_a_long_dictation_is_read_in_pieces(engines: SpeechEngines) -> None:
    dishes = [
        "soup",
        "salad",
        "pasta",
        "pizza",
        "steak",
        "salmon",
        "chicken",
        "cheese",
        "bread",
        "cake",
        "coffee",
        "water",
    ]
    said = [f"Please bring us some more {dish} for the table by the window." for dish in dishes]
    pcm = b"".join(say_pcm(sentence) + bytes(16_000) for sentence in said)
    assert len(pcm) > 32_000 * 30
    transcript = await engines.recognize(pcm)
    assert len(words(" ".join(dishes)) & words(transcript.text)) >= 10
    with pytest.raises(BadAudio):
        await engines.recognize(bytes(32_000 * 121))


@pytest.mark.parametrize("audio_format", FORMATS, ids=lambda f: f"{f.codec}-{f.rate}-{f.frame_ms}")
async def test_every_format_speaks_and_is_understood(
    engines: SpeechEngines, audio_format: AudioFormat
) -> None:
    frames = await spoken_frames(engines, "A blueberry muffin, please.", audio_format)
    if audio_format.codec is Codec.PCM16:
        assert {len(frame) for frame in frames} == {2 * audio_format.frame_samples}
    microphone = engines.open_microphone(audio_format, lambda frame: None)
    for frame in frames:
        microphone.feed(frame)
    await microphone.drain()
    assert microphone.position_s == pytest.approx(
        len(frames) * audio_format.frame_ms / 1000, abs=0.005
    )
    assert microphone.damaged == 0
    transcript = await engines.recognize(microphone.audio(0))
    assert {"blueberry", "muffin"} <= words(transcript.text)
    microphone.close()


async def test_prices_are_read_out(engines: SpeechEngines) -> None:
    frames = await spoken_frames(engines, "The total is 16.40 EUR, at 14:05.", PCM)
    transcript = await engines.recognize(b"".join(frames))
    heard = transcript.text.casefold().replace("€", "euro ")
    assert re.search(r"sixteen|16", heard)
    assert re.search(r"forty|40", heard)
    assert "euro" in heard


async def test_lost_and_damaged_frames_keep_the_time(engines: SpeechEngines) -> None:
    frames = await spoken_frames(
        engines, "Two iced lattes and a blueberry muffin to my office.", OPUS
    )
    microphone = engines.open_microphone(OPUS, lambda frame: None)
    for number, frame in enumerate(frames):
        if number % 25 == 10:
            microphone.lost(1)
        elif number % 25 == 20:
            microphone.feed(b"\xff" * 30)
        else:
            microphone.feed(frame)
    microphone.lost(50)
    await microphone.drain()
    assert microphone.position_s == pytest.approx((len(frames) + 50) * 0.02)
    assert microphone.damaged == len(range(20, len(frames), 25))
    transcript = await engines.recognize(microphone.audio(0))
    assert {"lattes", "muffin", "office"} <= words(transcript.text)
    microphone.close()


async def test_an_overfull_inbox_drops_the_oldest_and_keeps_the_time(
    engines: SpeechEngines,
) -> None:
    pcm = say_pcm("Hello again.").ljust(640 * 400, b"\0")
    microphone = engines.open_microphone(PCM, lambda frame: None)
    for frame in cut(pcm):  # without giving the loop a turn
        microphone.feed(frame)
    await microphone.drain()
    assert microphone.dropped > 100
    assert microphone.position_s == pytest.approx(8.0)
    assert microphone.audio(7.0) == pcm[-32_000:]
    microphone.close()


async def test_the_last_thirty_seconds_are_kept(engines: SpeechEngines) -> None:
    microphone = engines.open_microphone(PCM, lambda frame: None)
    for number in range(1600):
        microphone.feed(array("h", [number] * 320).tobytes())
        if number % 100 == 99:
            await microphone.drain()
    assert microphone.position_s == pytest.approx(32.0)
    assert len(microphone.audio(0)) == 30 * 32_000
    assert set(array("h", microphone.audio(10.0, 10.02))) == {500}
    assert microphone.audio(40.0) == microphone.audio(31.0, 30.0) == b""
    microphone.close()


async def test_a_failing_listener_disturbs_nobody(engines: SpeechEngines) -> None:
    def fail(frame: VoiceFrame) -> None:
        raise RuntimeError("listener")

    loop = asyncio.get_running_loop()
    seen: list[object] = []
    loop.set_exception_handler(lambda _, context: seen.append(context.get("exception")))
    try:
        voice: list[VoiceFrame] = []
        good, bad = engines.open_microphone(PCM, voice.append), engines.open_microphone(PCM, fail)
        for frame in cut(noise(0.5, 100)):
            bad.feed(frame)
            good.feed(frame)
        await asyncio.wait_for(asyncio.gather(good.drain(), bad.drain()), 10)
    finally:
        loop.set_exception_handler(None)
    assert len(voice) == 15
    assert seen
    assert all(isinstance(error, RuntimeError) for error in seen)
    good.close()
    bad.close()


async def test_a_closed_stream_reports_nothing_more(engines: SpeechEngines) -> None:
    voice: list[VoiceFrame] = []
    microphone = engines.open_microphone(PCM, voice.append)
    for frame in cut(noise(1, 100)):
        microphone.feed(frame)
    draining = asyncio.ensure_future(microphone.drain())
    await asyncio.sleep(0)
    microphone.close()
    microphone.close()
    microphone.feed(bytes(640))
    microphone.lost(3)
    await asyncio.wait_for(draining, 10)
    count = len(voice)
    other = engines.open_microphone(PCM, lambda frame: None)
    other.feed(bytes(640))
    await other.drain()
    assert len(voice) == count
    other.close()


async def test_closing_the_reply_stops_the_work(
    engines: SpeechEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    voice = engines._voice
    say: Callable[[str], object] = voice.say

    def counted(clause: str) -> object:
        said.append(clause)
        return say(clause)

    monkeypatch.setattr(voice, "say", counted)
    text = " ".join(f"This is sentence number {number} of a long reply." for number in range(40))
    reply = engines.speak(text, OPUS)
    first = await anext(reply)
    assert first
    await reply.aclose()
    done = len(said)
    assert done <= 3
    await spoken_frames(engines, "Okay.", OPUS)
    assert said[done:] == ["Okay."]


async def test_text_the_voice_cannot_read_gives_no_frames(engines: SpeechEngines) -> None:
    assert await spoken_frames(engines, "你好", OPUS) == []
    assert await spoken_frames(engines, "", OPUS) == []


async def test_speaking_opens_no_socket(
    engines: SpeechEngines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("speech opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert await spoken_frames(engines, "An unheard sentence about Szechuan eggplant.", OPUS)


async def test_a_local_folder_replaces_the_packaged_weights(
    engines: SpeechEngines, request: pytest.FixtureRequest
) -> None:
    cache = request.config.cache
    assert cache is not None
    [folder] = cache.mkdir("lapel-speech").iterdir()
    other = await SpeechEngines.load(SpeechSettings(model_dir=folder, language="de"))
    assert (await other.recognize(say_pcm("Hello"))).audio_s > 0
    await other.close()
    with pytest.raises(SpeechClosed):
        await other.recognize(bytes(32_000))
    with pytest.raises(SpeechClosed):
        other.open_microphone(PCM, lambda frame: None)
    with pytest.raises(LanguageUnknown, match="'klingon'"):
        await SpeechEngines.load(SpeechSettings(model_dir=folder, language="klingon"))


@pytest.mark.parametrize(
    "audio_format",
    [
        AudioFormat(Codec.OPUS, 44_100, 20),
        AudioFormat(Codec.PCM16, 48_000, 20),
        AudioFormat(Codec.OPUS, 16_000, 25),
    ],
)
async def test_unknown_formats_are_refused(
    engines: SpeechEngines, audio_format: AudioFormat
) -> None:
    with pytest.raises(BadAudio):
        engines.open_microphone(audio_format, lambda frame: None)
    with pytest.raises(BadAudio):
        engines.speak("Hello", audio_format)
