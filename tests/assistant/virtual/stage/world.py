"""The whole road in one process: a user and their devices, the real gateway, shops and a bank."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import pytest
import sqlalchemy as sa

import lapel.commerce.driving
from lapel.assistant import Assistant, Ground, House, SavedPlaces, Skill
from lapel.assistant.thinking import Nobody
from lapel.brain import AddressLabel, Brain
from lapel.brain.tools import Thinker
from lapel.commerce import Evidence, Order, OrderEvent, Orders, OrderState, Plans, Policy
from lapel.commerce.consent import Vault
from lapel.devices import DeviceProfile, Links, Pairing, StoredAccounts
from lapel.devices.client_events import CueShown, SpeechHeard, SpeechStarted
from lapel.settings import Conversation
from lapel.store import schema
from stage.engine import LoopEngine
from stage.loop import wall
from stage.record import Record
from stage.shops import HOME, MENUS, OFFICE, Street
from stage.voices import Voices
from stage.wearing import Worn, text_of

BRAIN = Brain(
    MENUS, (AddressLabel("office", ("work", "my office")), AddressLabel("home", ("my place",)))
)
DELIVERY = ((20.0, "preparing"), (30.0, "picked_up"), (35.0, "on_the_way"), (90.0, "delivered"))
"""What the shop reports, in seconds after the order was placed."""


class World:
    """`async with World() as world`; `crash` and `open` are the process's death and start."""

    def __init__(self) -> None:
        self.record = Record()
        self.street = Street()
        self.voices: Voices | None = Voices()
        self.policy = Policy()
        self.settings = Conversation()
        self.worn: list[Worn] = []
        self.brain_broken: list[Exception] = []
        self.brain_s = 0.0
        self.plans: Callable[[Orders], Plans | None] = lambda orders: None
        self.skills: Callable[[str], Sequence[Skill]] = lambda user_id: ()
        self.thinker: Thinker = Nobody()
        self.events: list[OrderEvent] = []
        self.on_event: Callable[[OrderEvent], None] = lambda event: None
        self._stack = AsyncExitStack()
        self._patch = pytest.MonkeyPatch()
        self._couriers: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._patch.setattr(lapel.commerce.driving, "_engine_class", lambda: LoopEngine)
        accounts = StoredAccounts(self.record, wall)
        self.user_id = (await accounts.create_user("Ada")).id
        self.token = await accounts.create_token(self.user_id)
        places = SavedPlaces(self.record, self.user_id)
        await places.save(OFFICE, aliases=("work",))
        await places.save(HOME)
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for device in self.worn:
            device.close_microphone()
        for task in self._couriers:
            task.cancel()
        await self.crash()
        self._patch.undo()
        self.street.db.close()
        self.record.close()

    # The gateway.

    async def open(self) -> None:
        """Start on the record as it stands."""
        self.orders = Orders(
            self.record,
            self.street,
            self.street,
            self.policy,
            Path("unused"),
            clock=wall,
            vault=Vault(bytes(32)),
        )
        self.orders.subscribe(self._happened)
        self.house = House(
            Ground(
                store=self.record,
                orders=self.orders,
                brain=self._brain,
                places=lambda user_id: SavedPlaces(self.record, user_id),
                track=self.street.track,
                engines=self.voices,
                settings=self.settings,
                clock=wall,
                skills=lambda user_id: self.skills(user_id),
                plans=self.plans(self.orders),
                thinker=self.thinker,
            )
        )
        self._stack.push_async_callback(self.house.close)
        await self.orders.start()
        self._stack.push_async_callback(self.orders.stop)
        accounts = StoredAccounts(self.record, wall)
        clock = asyncio.get_running_loop().time
        pairing = Pairing(self.record, accounts, wall_clock=wall, clock=clock)
        self.links = await self._stack.enter_async_context(
            Links(self.house, pairing, speech=self.voices is not None)
        )
        await self.house.take_up()

    def _happened(self, event: OrderEvent) -> None:
        self.events.append(event)
        self.on_event(event)

    async def crash(self) -> None:
        """The process dies; the devices lose their links."""
        await asyncio.gather(*(device.die() for device in self.worn))
        await self._stack.aclose()

    async def _brain(self, user_id: str) -> Brain:
        await asyncio.sleep(self.brain_s)
        if self.brain_broken:
            raise self.brain_broken.pop(0)
        return BRAIN

    @property
    def assistant(self) -> Assistant:
        return self.house.assistants[self.user_id]

    # The user.

    async def wear(self, *profiles: DeviceProfile) -> list[Worn]:
        """Put these on, and wait until Lapel has greeted them."""
        new = [Worn(profile, self.token) for profile in profiles]
        for device in new:
            self.worn.append(device)
            device.connect(self.links)
        await self.until(lambda: all(device.connected for device in new))
        await self.passes(0.6)  # a press right after is taken for an old one
        return new

    async def back(self, *devices: Worn) -> None:
        """They come into range again."""
        for device in devices or self.worn:
            if not device.connected:
                device.connect(self.links)
        await self.until(lambda: all(device.connected for device in devices or self.worn))

    async def say(self, text: str, *devices: Worn, quiet_s: float = 2.0) -> None:
        """Say it into microphones that are opened for it, then be silent for a while."""
        assert self.voices is not None
        frames = self.voices.words(text)
        for device in devices:
            device.open_microphone()
        await asyncio.gather(*(device.hear(list(frames)) for device in devices))
        await self.passes(quiet_s)
        for device in devices:
            device.close_microphone()

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, condition: Callable[[], object], within_s: float = 30.0) -> None:
        """Wait for it in virtual time; the story so far is the failure's text."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():  # it costs nothing in virtual time
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not within {within_s} s:\n{self.story()}") from None

    async def asked(self, count: int = 1) -> OrderEvent:
        """The `count`th question of a purchase, once every device has had a moment to show it."""
        await self.until(lambda: len(self.of_kind("approval_needed")) >= count)
        await self.passes(0.5)
        return self.of_kind("approval_needed")[count - 1]

    async def state(self, *wanted: OrderState, within_s: float = 30.0) -> Order:
        """The newest order, once it is in one of these states."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    found = await self.orders.list(self.user_id, 1)
                    if found and found[0].state in wanted:
                        return found[0]
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"not {wanted} in {within_s} s:\n{self.story()}") from None

    async def quiet(self, within_s: float = 90.0) -> None:
        """Until nobody speaks, thinks or listens, for a whole second."""
        since = asyncio.get_running_loop().time()
        async with asyncio.timeout(within_s):
            while asyncio.get_running_loop().time() - since < 1.0:
                if self.assistant.voice.state.value != "idle":
                    since = asyncio.get_running_loop().time()
                await asyncio.sleep(0.05)

    # The shop's courier.

    def deliver(self, order: Order, steps: Sequence[tuple[float, str]] = DELIVERY) -> None:
        """Let the shop report these steps, so long after now."""
        task = asyncio.create_task(self._deliver(order.checkout_id, steps))
        self._couriers.add(task)
        task.add_done_callback(self._couriers.discard)

    async def _deliver(self, checkout_id: str, steps: Sequence[tuple[float, str]]) -> None:
        begun = asyncio.get_running_loop().time()
        for after_s, kind in steps:
            await asyncio.sleep(begun + after_s - asyncio.get_running_loop().time())
            await self.orders.merchant_reports(self.street.report(checkout_id, kind))

    # What became of it.

    def of_kind(self, kind: str) -> list[OrderEvent]:
        return [event for event in self.events if event.kind == kind]

    def kinds(self) -> list[str]:
        """Everything that happened to orders, in order."""
        return [event.kind for event in self.events]

    def untold(self) -> list[str]:
        """Ids of the cues of the record that no device has acted on."""
        rows = self.record.look(
            sa.select(schema.cues.c.id).where(schema.cues.c.delivered_at.is_(None))
        )
        return [row.id for row in rows]

    def evidence(self) -> list[Evidence]:
        """Of every answer that counted."""
        rows = self.record.look(
            sa.select(schema.approvals.c.evidence).where(schema.approvals.c.evidence.is_not(None))
        )
        return [msgspec.json.decode(row.evidence, type=Evidence) for row in rows]

    def story(self) -> str:
        """All that happened, in order of time: for people who look for a fault."""
        told: list[tuple[float, str]] = [
            (event.at - wall() + asyncio.get_running_loop().time(), f"  order {event.kind}: {event.text}")
            for event in self.events
        ]  # fmt: skip
        for device in self.worn:
            name = device.session.profile.name
            for moment in device.past:
                match moment.event:
                    case CueShown(cue=cue, again=again):
                        card = text_of(cue.card) if cue.card else ""
                        line = f"{'AGAIN ' if again else ''}{cue.id} [{card}] {cue.haptic or ''}"
                    case SpeechStarted(text=text):
                        line = f"says {text!r}"
                    case SpeechHeard(state=state, played_s=played_s):
                        line = f"speech {state} after {played_s:.2f} s"
                    case _ if type(moment.event).__name__ == "SpeechFrame":
                        continue
                    case _:
                        line = repr(moment.event)
                told.append((moment.at, f"{name}: {line}"))
        told.sort(key=lambda entry: entry[0])
        return "\n".join(f"{at:8.3f}  {line}" for at, line in told)
