"""The scripted gateway played by hand: one order from words to the door, to look at the lab without a Lapel behind it.

python tests/browser/demonstration.py [PORT]
"""

from __future__ import annotations

import asyncio
import math
import struct
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from scripted_gateway import Link, Message, ScriptedGateway

CENTRE = (60.1675, 24.9405)
STEPS = ["Placed", "Preparing", "Picked up", "On its way", "Delivered"]
CART = [
    {"text": "2 x Iced latte", "value": "9.80 EUR"},
    {"text": "1 x Blueberry muffin", "value": "3.40 EUR"},
    {"text": "Delivery", "value": "2.90 EUR"},
]
ROUTE = [
    (-0.0022, -0.006),
    (-0.0022, -0.0025),
    (0.0006, -0.0012),
    (0.0006, 0.0028),
    (0.0022, 0.0056),
]


def place(point: tuple[float, float]) -> list[float]:
    return [CENTRE[0] + point[0], CENTRE[1] + point[1]]


def streets() -> list[list[list[float]]]:
    across = [
        [
            place((row * 0.0014 + math.sin(step + row) * 0.00012, step * 0.002 - 0.012))
            for step in range(13)
        ]
        for row in range(-4, 5)
    ]
    along = [
        [
            place((step * 0.0014 - 0.007, column * 0.002 + math.cos(step * 1.3) * 0.0002))
            for step in range(11)
        ]
        for column in range(-6, 7)
    ]
    return across + along


def courier(part: float) -> list[float]:
    at = part * (len(ROUTE) - 1)
    leg = min(int(at), len(ROUTE) - 2)
    start, end = ROUTE[leg], ROUTE[leg + 1]
    return place(
        (start[0] + (end[0] - start[0]) * (at - leg), start[1] + (end[1] - start[1]) * (at - leg))
    )


def tone(seconds: float, rate: int = 24000) -> bytes:
    """A hum that rises and falls like a sentence."""
    samples = []
    for index in range(int(seconds * rate)):
        at = index / rate
        pitch = 150 + 40 * math.sin(at * 5)
        loud = 0.25 * abs(math.sin(at * 9)) * min(1.0, (seconds - at) * 5)
        wave = math.sin(2 * math.pi * pitch * at) + 0.5 * math.sin(6 * math.pi * pitch * at)
        samples.append(int(12000 * loud * wave))
    return struct.pack(f"<{len(samples)}h", *samples)


class Demonstration:
    def __init__(self, gateway: ScriptedGateway) -> None:
        self.gateway = gateway
        self.counter = 0
        self.tasks: set[asyncio.Task[None]] = set()
        gateway.script = self.script
        gateway.given["menus"] = MENUS
        gateway.given["addresses"] = ADDRESSES
        gateway.given["devices"] = DEVICES

    async def script(self, link: Link, message: Message) -> None:
        match message:
            case {"type": "text", "text": text}:
                self.start(self.ask(text))
            case {"type": "gesture", "action": "approve"} | {"type": "gesture", "gesture": "press"}:
                self.start(self.order())
            case {"type": "gesture"}:
                self.start(self.refuse())
            case _:
                pass

    def start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def everyone(self, **cue: Any) -> None:
        self.counter += 1
        cue["id"] = f"c_{self.counter}"
        for link in list(self.gateway.links.values()):
            if link.closed:
                continue
            profile = link.hello["profile"]
            part = dict(cue)
            for name, needs in (
                ("card", "displays"),
                ("speech", "speakers"),
                ("haptic", "haptics"),
            ):
                if not profile[needs]:
                    part.pop(name, None)
            if part.keys() & {"card", "speech", "haptic"}:
                await link.cue(**part)
            if "speech" in part and link.hello["audio"]["down"]:
                await self.speak(link, cue["id"], part["speech"])

    async def speak(self, link: Link, cue: str, text: str) -> None:
        sound = tone(len(text) * 0.06)
        n = await link.reliable(
            {
                "type": "speech_start",
                "cue": cue,
                "codec": "pcm16",
                "rate": 24000,
                "frame_ms": 20,
                "text": text,
            }
        )
        frames = [sound[at : at + 960] for at in range(0, len(sound), 960)]
        for sequence, frame in enumerate(frames):
            await link.sound(n, sequence, frame)
        await link.reliable({"type": "speech_end", "cue": cue, "frames": len(frames)})

    async def states(self, state: str) -> None:
        for link in list(self.gateway.links.values()):
            if not link.closed:
                await link.send({"type": "state", "state": state})

    async def ask(self, text: str) -> None:
        glasses = self.gateway.links.get("glasses")
        if glasses and not glasses.closed:
            await glasses.send({"type": "transcript", "text": text, "final": True, "turn": "t_1"})
        await self.states("thinking")
        await asyncio.sleep(0.4)
        await self.states("speaking")
        await self.everyone(
            topic="approval:a_1",
            kind="approval",
            speech="Two iced lattes and a blueberry muffin from Blue Door Coffee, 16 euros 10. Shall I order?",
            card={
                "title": "Blue Door Coffee",
                "lines": CART,
                "total": "16.10 EUR",
                "footer": "Press to order, hold to refuse",
                "actions": [
                    {"action": "approve", "label": "Order"},
                    {"action": "refuse", "label": "Refuse"},
                ],
            },
            haptic="pulse",
            expires_s=60.0,
        )
        await asyncio.sleep(2)
        await self.states("idle")

    async def clear(self) -> None:
        for link in list(self.gateway.links.values()):
            if not link.closed:
                await link.clear("approval:a_1")

    async def refuse(self) -> None:
        await self.clear()
        await self.everyone(
            topic="reply",
            kind="reply",
            card={"title": "Not ordered", "body": "Nothing was ordered."},
            speech="Nothing was ordered.",
        )

    async def order(self) -> None:
        await self.clear()
        for at in range(len(STEPS)):
            await self.progress(at, 0.0 if at < 3 else 1.0 if at == 4 else 0.1)
            if at == 3:
                for part in range(2, 10):
                    await asyncio.sleep(1)
                    await self.progress(at, part / 10)
            await asyncio.sleep(1.2)
        await self.everyone(
            topic="receipt:o_1",
            kind="receipt",
            card={
                "title": "Receipt, Blue Door Coffee",
                "lines": CART,
                "total": "16.10 EUR",
                "footer": "Paid once, with the card that ends in 4242",
            },
            haptic="double",
            speech="Your order is at the door.",
        )

    async def progress(self, at: int, part: float) -> None:
        self.gateway.given["orders"] = [
            {
                "id": "o_1",
                "merchant_name": "Blue Door Coffee",
                "state": "delivered" if at == 4 else "placed",
                "total": "16.10 EUR",
                "created_at": time.time() - 130,
                "lines": CART,
                "receipt": at == 4,
                "events": [
                    {"kind": step, "text": step, "at": time.time() - 100 + 20 * index}
                    for index, step in enumerate(STEPS[: at + 1])
                ],
            }
        ]
        await self.everyone(
            topic="order:o_1",
            kind="order",
            card={
                "title": "Blue Door Coffee",
                "body": "About 12 minutes",
                "progress": {"steps": STEPS, "at": at},
                "map": {
                    "route": [place(point) for point in ROUTE],
                    "courier": courier(part),
                    "destination": place(ROUTE[-1]),
                    "streets": streets(),
                },
            },
            **({"haptic": "pulse"} if part in (0.0, 0.1) else {}),
        )


MENUS = [
    {
        "merchant_name": "Blue Door Coffee",
        "open_now": True,
        "items": [
            {"title": "Iced latte", "price": "4.90 EUR", "category": "Coffee"},
            {"title": "Flat white", "price": "4.40 EUR", "category": "Coffee"},
            {"title": "Oat cappuccino", "price": "4.80 EUR", "category": "Coffee"},
            {"title": "Blueberry muffin", "price": "3.40 EUR", "category": "Bakery"},
            {"title": "Cinnamon bun", "price": "3.90 EUR", "category": "Bakery"},
        ],
    },
    {
        "merchant_name": "Harbour Noodles",
        "open_now": True,
        "items": [{"title": "Miso ramen", "price": "13.50 EUR", "category": "Bowls"}],
    },
    {
        "merchant_name": "Night Pizza",
        "open_now": False,
        "items": [{"title": "Margherita", "price": "11.00 EUR", "category": "Pizza"}],
    },
]
ADDRESSES = [
    {
        "label": "office",
        "street": "Aleksanterinkatu 15",
        "city": "Helsinki",
        "postal_code": "00100",
        "country": "FI",
        "latitude": 60.1689,
        "longitude": 24.9461,
        "instructions": "Third floor",
    },
    {
        "label": "home",
        "street": "Fredrikinkatu 41",
        "city": "Helsinki",
        "postal_code": "00120",
        "country": "FI",
        "latitude": 60.1652,
        "longitude": 24.9365,
        "instructions": "",
    },
]
DEVICES = [
    {
        "id": "d_1",
        "name": "Robin's ring",
        "family": "ring",
        "connected": True,
        "on_body": True,
        "last_seen_at": time.time(),
    },
    {
        "id": "d_2",
        "name": "Old phone",
        "family": "phone",
        "connected": False,
        "on_body": False,
        "last_seen_at": time.time() - 90000,
    },
]


async def main(port: int) -> None:
    gateway = ScriptedGateway()
    Demonstration(gateway)
    await gateway.start(port)
    print(f"{gateway.url}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8900))
