"""Real people: labelled speech for the voice activity, spoken coffee orders for the recogniser."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TypedDict

import pytest
import soundfile

from lapel.speech import AudioFormat, Codec, SpeechEngines, VoiceFrame

pytestmark = [pytest.mark.data, pytest.mark.asyncio(loop_scope="session")]

DATA = Path(os.environ.get("LAPEL_DATA", Path(__file__).parents[3] / "shared" / "data"))
PCM = AudioFormat(Codec.PCM16, 16_000, 20)
STEP_S = 0.01


class Order(TypedDict):
    intent: str
    slots: dict[str, str]


def folder(name: str) -> Path:
    if not (DATA / name).is_dir():
        pytest.skip(f"needs the recordings in {DATA / name}; set LAPEL_DATA to their folder")
    return DATA / name


def pcm_of(path: Path) -> bytes:
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 16_000
    return samples.tobytes()


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


async def judge(engines: SpeechEngines, pcm: bytes) -> list[VoiceFrame]:
    voice: list[VoiceFrame] = []
    microphone = engines.open_microphone(PCM, voice.append)
    for at in range(0, len(pcm), 640 * 200):
        for frame in range(at, min(at + 640 * 200, len(pcm)), 640):
            microphone.feed(pcm[frame : frame + 640])
        await microphone.drain()
    microphone.close()
    return voice


async def test_speech_is_found_where_people_marked_it(engines: SpeechEngines) -> None:
    hits = false = missed = 0
    for path in sorted(folder("vad").glob("*.flac")):
        marked = json.loads(path.with_suffix(".json").read_text())
        voice = await judge(engines, pcm_of(path))
        for step in range(int(len(voice) * voice[0].duration_s / STEP_S)):
            now_s = (step + 0.5) * STEP_S
            truth = any(start <= now_s < end and speech for start, end, speech in marked)
            found = voice[int(now_s / voice[0].duration_s)].speech
            hits += truth and found
            false += found and not truth
            missed += truth and not found
    f1 = 2 * hits / (2 * hits + false + missed)
    print(f"frame F1 {f1:.3f}, false {false * STEP_S:.1f} s, missed {missed * STEP_S:.1f} s")
    assert f1 > 0.92


async def test_menu_words_help_with_real_orders(engines: SpeechEngines) -> None:
    place = folder("coffee_speech")
    orders: dict[str, Order] = json.loads((place / "labels.json").read_text())
    vocabulary = {plain(value) for order in orders.values() for value in order["slots"].values()}
    menu = sorted(word for word in vocabulary if not word.startswith(("a ", "some ", "lots ")))
    whole, hinted = 0, 0
    chosen = sorted(orders)[::8]
    for name in chosen:
        pcm = pcm_of(place / "clips" / f"{name}.flac")
        wanted = [plain(value) for value in orders[name]["slots"].values()]
        bare = plain((await engines.recognize(pcm)).text)
        helped = plain((await engines.recognize(pcm, hints=menu)).text)
        whole += all(value in bare for value in wanted)
        hinted += all(value in helped for value in wanted)
    print(f"orders with every slot in the text: {whole} bare, {hinted} hinted of {len(chosen)}")
    assert hinted >= 0.85 * len(chosen)
    assert hinted > whole
