"""kill -9 of the City, its merchants and its bank, within and after every change that they commit while an order of each kind is carried out."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from books import check_books
from lapel.devices import CueKind, Family, Gesture
from lapel.together import Program
from town import Town, environment, free_ports, in_the_morning
from wearer import Wearer, text_of

pytestmark = pytest.mark.crash

HERE = Path(__file__).parent
WORN = (Family.GLASSES, Family.RING, Family.PHONE)
ENDS = {"delivered", "refunded", "failed", "refused", "canceled", "lapsed"}
AGAIN_S = 8.0
"""So long the user waits for an answer before they say it again."""
PATIENCE_S = 60.0
QUIET_S = 15.0
PORTS = 40


@dataclass(frozen=True)
class Step:
    """What the user says, each with words that are heard then; whatever is asked on the way they approve.

    They begin again when nothing is heard, unless an order has come of it. Without words they wait. `anew`: what
    Lapel does not try again by itself, and says so.
    """

    says: tuple[tuple[str, str], ...]
    anew: bool = False


@dataclass(frozen=True)
class Story:
    """`speed`: city seconds in a second. `commits`: at least so many changes of the City were cut in two."""

    steps: tuple[Step, ...]
    speed: int = 1200
    commits: int = 8
    faults: tuple[tuple[str, str], ...] = ()
    """Each with the merchant that it strikes."""


def step(*says: tuple[str, str], anew: bool = False) -> Step:
    return Step(says, anew)


STORIES = {
    "food": Story((step(("an espresso from Blue Door to my office", "was delivered")),)),
    "food that is sold out": Story(
        (step(("a croissant from Blue Door to my office", "Nothing was charged")),),
        commits=4,
        faults=(("sold_out", "blue-door"),),
    ),
    "groceries": Story(
        (
            step(("add orange juice and two kilos of apples to my shopping list", "Added")),
            step(("order my shopping list", "was delivered")),
        ),
        faults=(("shelf_empty", "tori"),),
    ),
    "goods sent back": Story(
        (
            step(("find me a phone charger", "is the cheapest"), ("the one that comes today", "was delivered")),
            step(("i want to return the charger", "Shall I?"), ("yes", "expects"), anew=True),
            step(("", "The shop gives you")),
        ),
        speed=6000,
    ),
    "a ride with a tip": Story(
        (
            step(("get me an economy ride home", "You have arrived")),
            step(("tip two euros", "Your driver has the tip")),
        ),
        speed=600,
    ),
    "a ride changed and canceled": Story(
        (
            step(("get me an economy ride to the station", "comes for you")),
            step(("change the destination to home", "Your driver goes to"), anew=True),
            step(("cancel my ride", "ancelling your ride"), ("yes", "Your ride is cancelled"), anew=True),
        ),
        speed=2,
    ),
    "a journey changed and canceled": Story(
        (
            step(
                ("flights to Berlin on Friday", "Helsinki to Berlin"),
                ("the cheapest flexible one", "Under which name?"),
                ("Anna Virtanen", "Your flight is booked"),
            ),
            step(
                ("change it to Saturday", "Saturday"),
                ("yes", "Your booking is for flight"),
                anew=True,
            ),
            step(("cancel my flight", "back for your flight"), ("yes", "You got"), anew=True),
        ),
    ),
    "a table canceled": Story(
        (
            step(
                ("dinner for two the day after tomorrow near the station", "At what time?"),
                ("half past seven", "Table for 2"),
                ("the cheapest one", "Under which name?"),
                ("Anna Virtanen", "Your table is booked"),
            ),
            step(("cancel my table", "costs nothing"), ("yes", "You got"), anew=True),
        ),
        commits=5,
    ),
    "money sent": Story(
        (step(("send Anna twenty euros for lunch", "are on the way to Anna")),), commits=4
    ),
    "money asked for": Story(
        (
            step(
                ("split 30 euros with Anna for the tickets", "You 15.00"),
                ("yes", "I ask Anna Korhonen for 15 euros"),
                anew=True,
            ),
            step(("", "Anna Korhonen paid you 15 euros")),
        ),
        commits=2,
    ),
}  # fmt: skip


class MortalTown(Town):
    """Its City dies wherever it can while it is `armed`."""

    def _start_city(self) -> Program:
        folder = self.folder / "city"
        program = Program(
            [
                sys.executable, str(HERE / "mortal_city.py"), "up", "--json", "--data", str(folder),
                "--port", str(self._port), "--allow-test-controls",
            ],
            environment=environment(),
        )  # fmt: skip
        self.programs.append(program)
        return program

    def arm(self, going_on: str) -> None:
        """Let the City die from now on, until there is nothing more to name."""
        file = self.folder / "city" / "armed"
        if not going_on:
            file.unlink(missing_ok=True)
            return
        (new := file.with_suffix(".new")).write_text(going_on)
        new.rename(file)

    def pace(self, speed: int) -> None:
        """Now, and in the lives to come."""
        (self.folder / "city" / "speed").write_text(str(speed))
        self.when_up(lambda: self.speed(speed))

    def when_up(self, act: Callable[[], None]) -> None:
        until = time.monotonic() + 20
        while True:
            try:
                return act()
            except httpx.TransportError:
                assert time.monotonic() < until
                time.sleep(0.05)

    def deaths(self) -> list[str]:
        file = self.folder / "city" / "deaths"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("mortal-city")
    town = MortalTown(folder, port=free_ports(PORTS))
    try:
        quick = [sys.executable, str(HERE / "quick_lapel.py")]
        town.open_gateway("--text", *in_the_morning(folder), wrapper=quick)
        town.wait_for_menus()
        while "Lokki Rides" not in [each["name"] for each in town.api("/api/merchants")]:
            time.sleep(0.1)
        lapel = str(Path(sys.executable).with_name("lapel"))
        known = [lapel, "contacts", "add", "Anna", "@anna", "--data", str(folder / "lapel")]
        subprocess.run(known, check=True, capture_output=True)
        yield town
    finally:
        town.close()


class User:
    """Says what a story wants, and approves whatever is asked, on the phone."""

    def __init__(self, town: MortalTown, me: Wearer) -> None:
        self.town = town
        self.me = me
        self._answered: set[str] = set()

    async def does(self, step: Step) -> None:
        if step.says[0][0]:
            self.me.forget()
        known = len(self.town.orders())
        until = time.monotonic() + PATIENCE_S
        while not await self._attempt(step, known):
            assert time.monotonic() < until, f"{step} was not heard of: {self.heard()}"

    async def _attempt(self, step: Step, known: int) -> bool:
        final = step.says[-1][1]
        for words, hears in step.says:
            if words and len(self.town.orders()) == known:
                self.me.type(words)
            if not await self._hears(hears if hears == final else (hears, final), known):
                return False
        return True

    async def _hears(self, words: str | tuple[str, str], known: int) -> bool:
        wanted = (words,) if isinstance(words, str) else words
        until, in_vain = time.monotonic() + AGAIN_S, self._in_vain()
        while time.monotonic() < until or len(self.town.orders()) > known:
            if any(word in text for text in self.heard() for word in wanted):
                return True
            if self._in_vain() > in_vain:
                return False
            await self._answers()
            await asyncio.sleep(0.05)
        return False

    def _in_vain(self) -> int:
        return sum("does not answer" in text for text in self.heard())

    async def _answers(self) -> None:
        phone = self.me[Family.PHONE]
        for cue in [shown.cue for shown in phone.cues]:
            actions = {action.action for action in cue.card.actions} if cue.card else set()
            given = "approve" if cue.kind is CueKind.APPROVAL else "take"
            if cue.id in self._answered or not (cue.kind is CueKind.APPROVAL or given in actions):
                continue
            await asyncio.sleep(0.6)  # longer than a gesture must come after the question
            phone.client.gesture("screen", Gesture.PRESS, given, cue.topic)
            self._answered.add(cue.id)

    def heard(self) -> list[str]:
        return [text_of(shown.cue) for worn in self.me.worn.values() for shown in worn.cues]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STORIES)
async def test_killed_within_and_after_every_change_of_the_city(town: MortalTown, name: str):
    story = STORIES[name]
    known, before = len(town.orders()), len(town.deaths())
    town.pace(story.speed)
    for fault, merchant in story.faults:
        town.when_up(lambda fault=fault, merchant=merchant: town.fault(fault, merchant=merchant))
    try:
        async with Wearer(town.device_url, town.token, *WORN) as me:
            user = User(town, me)
            for n, step in enumerate(story.steps):
                town.arm(f"{'once' if step.anew else 'always'} {name} {n}")
                await user.does(step)
            await at_rest(town, known, before)
    finally:
        town.arm("")
    deaths = Counter(town.deaths()[before:])
    print(f"\n{name}: {deaths.total()} deaths")
    for death, times in sorted(deaths.items()):
        print(f"  {times:3} x {death}")
    assert deaths.total() >= 2 * story.commits
    told = town.record("SELECT order_id, kind, text FROM order_events")
    assert len(told) == len(set(told)), [each for each, n in Counter(told).items() if n > 1]


def which(deaths: Iterable[str], when: str) -> set[str]:
    return {death.removeprefix(f"{when} ") for death in deaths if death.startswith(f"{when} ")}


async def at_rest(town: MortalTown, known: int, before: int) -> None:
    """Until nothing is under way, and until then the books may differ."""
    until = time.monotonic() + PATIENCE_S
    seen, quiet = (0, 0), time.monotonic()
    while True:
        found = town.orders()
        open_orders = [x for x in found[: len(found) - known] if x["state"] not in ENDS]
        wrong = [] if open_orders else check_books(town.folder)
        deaths = town.deaths()[before:]
        # What dies within a change is done again, also after the order's end.
        if not open_orders and not wrong:
            if which(deaths, "within") == which(deaths, "after"):
                return
            # A change may also have been made needless by another: then nobody dies any more.
            if (len(deaths), len(found)) != seen:
                seen, quiet = (len(deaths), len(found)), time.monotonic()
            if time.monotonic() - quiet > QUIET_S:
                return
        assert time.monotonic() < until, (open_orders, wrong)
        await asyncio.sleep(0.1)
