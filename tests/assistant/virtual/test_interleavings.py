"""Whatever the user does, in whatever order: nothing is bought unseen, nothing twice, nothing forgotten."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage.loop import DAY, Loop
from stage.wearing import EARBUDS, GLASSES, PHONE, RING, Worn
from stage.world import World

from lapel.commerce import OrderEvent
from lapel.devices.client_events import CueShown, SpeechHeard
from lapel.store import schema

pytestmark = pytest.mark.unit

WORDS = (
    "two lattes to my office",
    "a muffin to my home",
    "and a tart",
    "make it three",
    "a ramen from red bowl to my office",
    "cancel that",
    "no",
    "yes please",
    "what cakes do they have",
    "where is my order",
    "say that again",
)
COURIER = ((1.0, "preparing"), (4.0, "on_the_way"), (9.0, "delivered"))
NAMES = ("glasses", "ring", "earbuds", "phone")

names = st.sampled_from(NAMES)
steps = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(WORDS)),
    st.tuples(st.just("type"), st.sampled_from(WORDS)),
    st.tuples(st.just("type"), st.sampled_from(WORDS[:5])),
    st.tuples(st.just("press"), st.just("")),
    st.tuples(st.just("press"), st.just("")),
    st.tuples(st.just("long_press"), st.just("")),
    st.tuples(st.just("tap"), st.sampled_from(("approve", "approve", "refuse"))),
    st.tuples(st.just("tap_old"), st.just("approve")),
    st.tuples(st.just("cough"), st.just("")),
    st.tuples(st.just("take_off"), names),
    st.tuples(st.just("put_on"), names),
    st.tuples(st.just("drop"), names),
    st.tuples(st.just("back"), names),
    st.tuples(st.just("leave"), names),
    st.tuples(st.just("price"), st.sampled_from(("450", "490", "600"))),
    st.tuples(st.just("slow"), st.sampled_from(("0.12", "1.0", "4.0"))),
    st.tuples(st.just("bank"), st.sampled_from(("", "", "no"))),
    st.tuples(st.just("lost"), st.sampled_from(("create", "authorize", "complete", "get"))),
    st.tuples(st.just("restart"), st.just("")),
)  # fmt: skip
waits = st.sampled_from((0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 1.0, 2.0, 5.0, 20.0))


@dataclass
class User:
    """Carries the steps out, and writes down what could be consent."""

    world: World
    worn: dict[str, Worn]
    consents: list[float] = field(default_factory=list)
    """When the user pressed the ring, or the order button of a card."""
    topics: list[str] = field(default_factory=list)
    speaking: set[asyncio.Task[None]] = field(default_factory=set)

    async def do(self, what: str, value: str) -> None:
        there = [t for t in self.worn["phone"].cards if t.startswith("approval")]
        self.topics += there
        match what:
            case "say":
                self._speak(self.world.voices.words(value))
            case "cough":
                self._speak(self.world.voices.noise(0.3))
            case "type":
                self.worn["phone"].type(value)
            case "press" | "long_press":
                self._press(long=what == "long_press")
            case "tap" | "tap_old":
                self._tap(value, there[-1:] if what == "tap" else self.topics[:1])
            case "take_off" | "put_on" | "drop" | "leave":
                action: Callable[[], None] = getattr(self.worn[value], what)
                action()
            case _:
                await self._disturb(what, value)

    async def _disturb(self, what: str, value: str) -> None:
        """What the user does not do: shops, the bank, the air, the machine that Lapel runs on."""
        world = self.world
        match what:
            case "price":
                world.street.set("price:latte", value)
            case "bank":
                world.street.set("refuse:authorize", value)
            case "lost":
                world.street.fail(value, "lost" if value != "get" else "down")
            case "slow":
                world.street.slow = {"create": float(value), "update": float(value)}
            case "back":
                self._connect(self.worn[value])
            case _:
                await world.crash()
                await world.passes(0.3)
                await world.open()
                for device in self.worn.values():
                    self._connect(device)

    def _connect(self, device: Worn) -> None:
        if not device.connected:
            device.connect(self.world.links)

    def _press(self, *, long: bool) -> None:
        if not long:
            self.consents.append(asyncio.get_running_loop().time())
        self.worn["ring"].press(long=long)

    def _tap(self, action: str, topics: list[str]) -> None:
        if topics and action == "approve":
            self.consents.append(asyncio.get_running_loop().time())
        for topic in topics:
            self.worn["phone"].tap(action, topic)

    def _speak(self, frames: list[bytes]) -> None:
        task = asyncio.create_task(self._into_the_glasses(frames))
        self.speaking.add(task)
        task.add_done_callback(self.speaking.discard)

    async def _into_the_glasses(self, frames: list[bytes]) -> None:
        glasses = self.worn["glasses"]
        glasses.open_microphone()
        await glasses.hear(frames)
        await asyncio.sleep(1.2)
        glasses.close_microphone()


class Invariants:
    """What must hold at each event, and when all is quiet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.unclear: list[str] = []
        """Approvals given by a bare press while another question was open."""
        self.placed: list[str] = []

    def happened(self, event: OrderEvent) -> None:
        if event.kind == "placed":
            self.placed.append(event.order_id)
        if event.kind != "approved":
            return
        look, approvals = self.world.record.look, schema.approvals.c
        others = look(
            sa.select(approvals.id).where(
                approvals.state == "pending", approvals.expires_at > event.at
            )
        )
        (given,) = look(
            sa.select(approvals.evidence).where(approvals.id == event.data["approval_id"])
        )
        if others and '"gesture":"press"' in given.evidence:
            self.unclear.append(event.order_id)

    def at_quiet(self, user: User) -> None:
        self._bought_knowingly(user)
        self._bought_once()
        self._told(user)
        self._idle(user)

    def _bought_knowingly(self, user: User) -> None:
        """Each yes has a gesture of its own, made after the price was shown or read out."""
        approvals = self.world.record.look(
            sa.select(schema.approvals).where(schema.approvals.c.evidence.is_not(None))
        )
        yes = [row for row in approvals if row.state in ("approved", "void")]
        free = sorted(user.consents)
        for row in sorted(yes, key=lambda row: row.decided_at):
            shown = min(self._shown_at(user, f"approval:{row.id}"), default=None)
            assert shown is not None, "bought although the price was never shown or read"
            made = [at for at in free if shown <= at <= row.decided_at - DAY]
            assert made, "bought without a gesture after the price was shown"
            free.remove(made[-1])

    def _shown_at(self, user: User, cue_id: str) -> list[float]:
        found: list[float] = []
        for device in user.worn.values():
            for moment in device.past:
                match moment.event:
                    case CueShown(cue=cue) if cue.id == cue_id and cue.card is not None:
                        found.append(moment.at)
                    case SpeechHeard(cue=cue, state="finished") if cue == cue_id:
                        found.append(moment.at)
                    case _:
                        pass
        return found

    def _bought_once(self) -> None:
        world = self.world
        assert self.unclear == [], "a press could have meant another order"
        orders = world.record.look(sa.select(schema.orders))
        approved = Counter(
            row.order_id
            for row in world.record.look(
                sa.select(schema.approvals).where(schema.approvals.c.state == "approved")
            )
        )
        placed = [row for row in orders if row.merchant_order_id]
        assert all(approved[row.id] == 1 for row in placed)
        assert len(world.street.placed()) == len(placed)
        assert world.street.money_kept() == sum(row.total_minor for row in placed)
        assert world.street.violations() == []

    def _told(self, user: User) -> None:
        """Every cue was told, unless a newer one of its topic took its place; on no device twice."""
        world = self.world
        rows = world.record.look(sa.select(schema.cues))
        assert [row.id for row in rows if row.delivered_at is None] == []
        for device in user.worn.values():
            times = Counter(cue.id for cue in device.told())
            assert [name for name, count in times.items() if count > 1] == []
        told = {cue.id for device in user.worn.values() for cue in device.told()}
        replaced = {row.id for row in rows if row.delivered_to in ("superseded", "withdrawn")}
        assert {row.id for row in rows} - replaced <= told
        (cursor,) = world.record.look(
            sa.select(schema.conversations.c.told_event).where(
                schema.conversations.c.user_id == world.user_id
            )
        )
        assert cursor.told_event == max((event.n for event in world.events), default=0)

    def _idle(self, user: User) -> None:
        assistant = self.world.assistant
        assert assistant.voice.state.value == "idle"
        assert assistant.voice.machine._book.turns == []
        assert not assistant.voice.machine._book.playing
        assert assistant._asked is None or assistant._asked.turn is None
        for device in user.worn.values():
            assert device.questions == []


async def live(script: list[tuple[tuple[str, str], float]]) -> None:
    async with World() as world:
        devices = await world.wear(GLASSES, RING, EARBUDS, PHONE)
        user = User(world, dict(zip(NAMES, devices, strict=True)))
        invariants = Invariants(world)
        world.on_event = invariants.happened
        for (what, value), wait_s in script:
            await user.do(what, value)
            await world.passes(wait_s)
            for order_id in invariants.placed:
                order = await world.orders.get(order_id)
                assert order is not None
                world.deliver(order, COURIER)
            invariants.placed.clear()
        await asyncio.gather(*user.speaking)
        for device in devices:
            device.put_on()
            if not device.connected:
                device.connect(world.links)
        await world.passes(70)
        for device in devices:
            if not device.connected:
                device.connect(world.links)
        await world.passes(20)
        await world.quiet()
        try:
            invariants.at_quiet(user)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{world.story()}") from error


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(st.lists(st.tuples(steps, waits), min_size=3, max_size=20))
def test_whatever_the_user_does(script: list[tuple[tuple[str, str], float]]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(live(script))
