"""Real recordings of people ordering coffee: recogniser, brain, cart, compared with the labels.

    .venv/bin/python bench/coffee_speech.py [--snr DB] [--hints] [--transcripts FILE] [--failures]

A recording is accepted only if exactly one drink is in the cart and every labelled slot is right,
with nothing beside them. `--transcripts` keeps what the recogniser heard, or reads it when there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

from lapel.brain import Brain, CartLine, Frame, Menu, MenuItem, Source, Understanding, Utterance
from lapel.brain.menu import OptionGroup, OptionValue
from lapel.commerce.money import Money

HERE = Path(__file__).parent
RATE = 16_000
AMOUNTS = {
    "a bit": "little",
    "a little bit": "little",
    "some": "some",
    "a lot": "lot",
    "lots": "lot",
}
SLOTS = {
    "size": "size",
    "numberOfShots": "shots",
    "roast": "roast",
    "milkAmount": "milk",
    "sugarAmount": "sugar",
}


def data_folder() -> Path | None:
    """Where the recordings are, or None where this machine has none."""
    root = os.environ.get("LAPEL_DATA")
    folder = (Path(root) if root else HERE.parent.parent / "shared" / "data") / "coffee_speech"
    return folder if (folder / "labels.json").is_file() else None


def coffee_menu() -> Menu:
    data = tomllib.loads((HERE / "data" / "coffee_menu.toml").read_text(encoding="utf-8"))
    groups = {
        key: OptionGroup(
            key,
            group["title"],
            tuple(
                OptionValue(v["id"], v["title"], tuple(v.get("aliases", ())))
                for v in group["values"]
            ),
        )
        for key, group in data["groups"].items()
    }
    chosen = tuple(groups[key] for key in data["items"]["groups"])
    items = tuple(
        MenuItem(title.lower(), title, Money(400, data["currency"]), groups=chosen)
        for title in data["items"]["titles"]
    )
    return Menu(data["merchant_id"], data["merchant_name"], items)


def expected(slots: dict[str, str], menu: Menu) -> dict[str, str]:
    """A recording's labels in the words of the catalogue."""
    wanted = {"drink": slots["coffeeDrink"]} if "coffeeDrink" in slots else {}
    for slot, group in SLOTS.items():
        label = slots.get(slot, "").strip()
        if not label:
            continue
        if group in {"milk", "sugar"}:
            amount, _, kind = label.rpartition(" of ")
            if label.startswith("some "):
                amount, kind = "some", label.removeprefix("some ")
            if amount:
                wanted[f"{group}_amount"] = AMOUNTS[amount]
            label = kind
        wanted[group] = value_id(menu, group, label)
    return wanted


def value_id(menu: Menu, group_id: str, label: str) -> str:
    ounces = {"eight": "8", "twelve": "12", "sixteen": "16", "twenty": "20"}
    words = [ounces.get(word, word) for word in label.split()]
    group = next(g for g in menu.items[0].groups if g.id == group_id)
    return next(v.id for v in group.values if v.title.lower() == " ".join(words))


def got(line: CartLine) -> dict[str, str]:
    return {"drink": line.item_id, **{group: ids[0] for group, ids in line.options}}


def judge(understood: Understanding, wanted: dict[str, str]) -> tuple[bool, str]:
    """Accepted, or the cause of the failure."""
    lines = understood.frame.lines
    if not understood.is_order or not lines:
        asked = understood.question.slot.value if understood.question else "nothing"
        return False, f"no order (asked {asked})"
    if len(lines) != 1 or lines[0].quantity != 1:
        return False, "several drinks"
    cart = got(lines[0])
    if lines[0].note:
        return False, "a note nobody said"
    if cart == wanted:
        return True, ""
    wrong = sorted(k for k in {*cart, *wanted} if cart.get(k) != wanted.get(k))
    return False, f"{wrong[0]} {'wrong' if wrong[0] in cart and wrong[0] in wanted else 'missed'}"


def pcm_of(path: Path, noise: Any, snr_db: float | None) -> bytes:
    import numpy as np
    import soundfile

    sound, rate = soundfile.read(path, dtype="float32")
    if rate != RATE:
        raise SystemExit(f"{path.name} has rate {rate}, not {RATE}")
    if snr_db is not None:
        part = np.resize(noise, sound.shape)
        power = float(np.mean(sound**2)) / (float(np.mean(part**2)) * 10 ** (snr_db / 10))
        sound = sound + part * power**0.5
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


async def recognise(
    folder: Path, labels: dict[str, Any], hints: tuple[str, ...], snr_db: float | None
) -> dict[str, str]:
    import soundfile

    from lapel.speech import SpeechEngines, SpeechSettings

    noise, _ = soundfile.read(folder / "kitchen_noise.flac", dtype="float32")
    engines = await SpeechEngines.load(SpeechSettings())
    heard: dict[str, str] = {}
    try:
        for name in labels:
            pcm = pcm_of(folder / "clips" / f"{name}.flac", noise, snr_db)
            transcript = await engines.recognize(pcm, hints=hints)
            heard[name] = transcript.text
    finally:
        await engines.close()
    return heard


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--snr", type=float, default=None, help="mix kitchen noise in, at so many dB"
    )
    parser.add_argument("--hints", action="store_true", help="bias the recogniser with the menu")
    parser.add_argument("--transcripts", type=Path, default=None)
    parser.add_argument("--failures", action="store_true", help="print every failure")
    options = parser.parse_args()
    folder = data_folder()
    if folder is None:
        print("skipped: no coffee_speech folder (set LAPEL_DATA to the folder that holds it)")
        return 0
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    menu = coffee_menu()
    brain = Brain([menu])
    hints = brain.hints(Frame(menu.merchant_id)) if options.hints else ()
    if options.transcripts and options.transcripts.is_file():
        heard = json.loads(options.transcripts.read_text(encoding="utf-8"))
    else:
        heard = asyncio.run(recognise(folder, labels, hints, options.snr))
        if options.transcripts:
            options.transcripts.write_text(json.dumps(heard, indent=0), encoding="utf-8")
    report(brain, menu, labels, heard, failures=options.failures)
    return 0


def report(
    brain: Brain, menu: Menu, labels: dict[str, Any], heard: dict[str, str], *, failures: bool
) -> None:
    causes: Counter[str] = Counter()
    times: list[float] = []
    accepted = 0
    for name, label in labels.items():
        started = time.thread_time()
        understood = brain.understand(Utterance(heard[name], Source.VOICE), Frame(menu.merchant_id))
        times.append((time.thread_time() - started) * 1000)
        wanted = expected(label["slots"], menu)
        ok, cause = judge(understood, wanted)
        accepted += ok
        if not ok:
            causes[cause] += 1
            if failures:
                carts = [got(line) for line in understood.frame.lines]
                print(f"{cause}: {heard[name]!r}\n   wanted {wanted}\n   got    {carts}")
    times.sort()
    print(f"accepted {accepted} of {len(labels)} ({accepted / len(labels):.1%})")
    for cause, count in causes.most_common():
        print(f"  {count:3d}  {cause}")
    p50, p95 = times[len(times) // 2], times[int(len(times) * 0.95)]
    print(f"brain, CPU: p50 {p50:.2f} ms, p95 {p95:.2f} ms")


if __name__ == "__main__":
    sys.exit(main())
