"""The skill of maps: ways, distances, the nearest of a kind, and guidance along a way."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Protocol

from lapel.assistant.grammar import Grammar
from lapel.assistant.guide.tools import TOOLS
from lapel.assistant.politeness import whole
from lapel.assistant.skills import Heard, Outcome
from lapel.brain.tools import Tool
from lapel.commerce import Address, PortError
from lapel.devices import Card, CardLine, Cue, CueKind, MapView, Pattern, PositionReported
from lapel.services.maps import MapError, Maps, Mode, Place, Point, Turn, Way
from lapel.services.navigation import Navigation, Progress

TOPIC = "navigation"
FRESH_S = 900.0
"""A position that is older says nothing any more."""
SOON_M = 30.0
"""A turn is announced when it is this near."""
STEP_M = 20.0
"""A card is renewed after this many metres."""
_ARROWS = {
    Turn.STRAIGHT: "↑", Turn.LEFT: "←", Turn.RIGHT: "→", Turn.SLIGHT_LEFT: "↖",
    Turn.SLIGHT_RIGHT: "↗", Turn.BACK: "↓", Turn.ARRIVE: "●",
}  # fmt: skip
_SAID = {
    Turn.STRAIGHT: "go straight on", Turn.LEFT: "turn left", Turn.RIGHT: "turn right",
    Turn.SLIGHT_LEFT: "bear left", Turn.SLIGHT_RIGHT: "bear right", Turn.BACK: "turn back",
    Turn.ARRIVE: "you are there",
}  # fmt: skip
_HOW = {Mode.WALK: "on foot", Mode.RIDE: "by bike", Mode.DRIVE: "by car"}
_HINTS = ("navigate", "nearest", "on foot", "how far")


class Places(Protocol):
    """The user's own addresses, the default one marked."""

    async def find(self, label: str) -> Address | None: ...

    async def all(self) -> list[tuple[Address, tuple[str, ...], bool]]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What an utterance asks of the map."""

    name: str
    place: str = ""
    mode: Mode = Mode.WALK


@dataclass(slots=True)
class _Guided:
    """A way that is being followed."""

    target: Place
    mode: Mode
    navigation: Navigation
    announced: int = -1
    shown: tuple[int, float] = (-1, 0.0)
    strayed: int = 0


@lru_cache
def _grammar() -> tuple[Grammar, dict[str, list[str]]]:
    data = tomllib.loads(files(__package__ or "").joinpath("en.toml").read_text("utf-8"))
    return Grammar(data["rules"], data["words"]["not_in_label"]), data["words"]


def asked(text: str) -> Asked | None:
    """What the whole of `text` asks of the map, or None."""
    grammar, around = _grammar()
    found = whole(grammar.read(text), "command", around["after"])
    if found is None:
        return None
    words = found.text("place").split()
    while words and words[0].lower() in around["strip"]:
        words.pop(0)
    place = "home" if found.part("home") else " ".join(words)
    mode = found.part("mode")
    if found.key not in ("stop", "next") and not place:
        return None
    return Asked(found.key, place, Mode.WALK if mode is None else Mode(mode.key))


async def _always() -> bool:
    return True


class GuideSkill:
    """One user's. Implements `Skill` and `Follower`."""

    def __init__(
        self,
        user_id: str,
        maps: Maps,
        places: Places,
        clock: Callable[[], float] = time.time,
        ready: Callable[[], Awaitable[bool]] = _always,
    ) -> None:
        """`ready` says whether there is a map now; without one the words are left to others."""
        self._ready = ready
        self._user_id = user_id
        self._maps = maps
        self._places = places
        self._clock = clock
        self._here: tuple[Point, float] | None = None
        self._guided: _Guided | None = None
        self._before: tuple[int, _Guided | None] = (-1, None)
        self._serial = 0

    async def hear(self, heard: Heard) -> Outcome | None:
        wanted = asked(heard.words.text)
        if wanted is None or not await self._ready():
            return None
        self._before = (heard.turn, self._guided)
        try:
            return await self._do(wanted)
        except MapError:
            return Outcome(
                "The map service turned me down. It cost nothing.", failed="maps_refused"
            )
        except PortError:
            return Outcome("The map does not answer. It cost nothing.", failed="unreachable")

    async def undo(self, turn: int) -> None:
        number, before = self._before
        if number == turn:
            self._guided = before
            self._before = (-1, None)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        return None

    def tools(self) -> Sequence[Tool]:
        return TOOLS

    def hints(self) -> Sequence[str]:
        return _HINTS

    # What is asked for. --------------------------------------------------------------------------

    async def _do(self, wanted: Asked) -> Outcome | None:
        if wanted.name == "stop":
            if self._guided is None:
                return Outcome("I am not guiding you.")
            self._guided = None
            return Outcome("Navigation is over.", closes=(TOPIC,))
        if wanted.name == "next":
            return self._next()
        here = await self._point()
        if here is None:
            return Outcome("I do not know where you are.")
        if wanted.name == "nearest":
            return await self._nearest(here, wanted)
        target = await self._target(here, wanted.place)
        if target is None:
            return Outcome(f"I do not know where {wanted.place} is.")
        way = await self._maps.route(here, target.point, wanted.mode)
        if way is None:
            return Outcome(f"I found no way to {target.name}.")
        return self._answer(wanted, target, way)

    def _answer(self, wanted: Asked, target: Place, way: Way) -> Outcome:
        span = f"{metres(way.distance_m)}, {_minutes(way.duration_s)} {_HOW[wanted.mode]}"
        said = f"{target.name} is {span}."
        if wanted.name == "far":
            return Outcome(said)
        if wanted.name == "navigate" and not way.drawn:
            said = f"{said} I can tell you the way, but this map does not let me guide you."
        elif wanted.name == "navigate":
            self._guided = _Guided(target, wanted.mode, Navigation(way))
        first = way.steps[0]
        begin = f"Start along {first.road}." if first.road else "Start along the path."
        return Outcome(f"{said} {begin}", _overview(target, way, span))

    async def _nearest(self, here: Point, wanted: Asked) -> Outcome:
        found = await self._maps.near(here, wanted.place)
        if not found:
            return Outcome(f"I found no {wanted.place} near here.")
        lines = tuple(CardLine(p.name, metres(p.distance_m or 0)) for p in found[:6])
        best = found[0]
        away = metres(best.distance_m or 0)
        return Outcome(f"{best.name}, {best.address}, {away} away.", Card(best.name, lines))

    def _next(self) -> Outcome | None:
        guided = self._guided
        if guided is None or self._here is None:
            return None
        progress = guided.navigation.at(self._here[0])
        return Outcome(f"In {metres(progress.to_turn_m)}, {_turning(guided, progress)}.")

    async def _target(self, here: Point, name: str) -> Place | None:
        own = await self._places.find(name.lower())
        if own is not None:
            label = name if name == "home" else f"the {name}"
            return Place(label.capitalize(), own.street, (own.latitude, own.longitude))
        near = await self._maps.near(here, name, 50_000)
        return near[0] if near else await self._maps.geocode(name)

    async def _point(self) -> Point | None:
        """Where the user is: what a device said lately, else their usual address."""
        if self._here is not None and self._clock() - self._here[1] < FRESH_S:
            return self._here[0]
        saved = await self._places.all()
        usual = next((place for place, _, default in saved if default), None)
        return None if usual is None else (usual.latitude, usual.longitude)

    async def lead(self, target: Place) -> Outcome | None:
        """Guide to a place that somebody else knows, on foot; None without a map."""
        here = await self._point() if await self._ready() else None
        if here is None:
            return None
        way = await self._maps.route(here, target.point, Mode.WALK)
        if way is None:
            return Outcome(f"I found no way to {target.name}.")
        return self._answer(Asked("navigate", target.name), target, way)

    async def point(self, name: str) -> Point | None:
        """Where a place of that name is; None without a map, or where it knows none."""
        try:
            here = await self._point() if await self._ready() else None
            found = None if here is None else await self._target(here, name)
        except PortError:
            return None
        return None if found is None else found.point

    async def walk_m(self, start: Point, end: Point) -> int | None:
        """Metres to walk; None without a map, or a way."""
        try:
            ready = await self._ready()
            way = await self._maps.route(start, end, Mode.WALK) if ready else None
        except PortError:
            return None
        return None if way is None else round(way.distance_m)

    # Guidance. -----------------------------------------------------------------------------------

    async def moved(self, report: PositionReported) -> Sequence[Cue]:
        """The user is there now; what to show and say of it."""
        here = (report.lat, report.lon)
        self._here = (here, self._clock())
        guided = self._guided
        if guided is None:
            return ()
        progress = guided.navigation.at(here, report.accuracy_m)
        if progress.off:
            return await self._strayed(guided, here)
        guided.strayed = 0
        if progress.arrived:
            self._guided = None
            return [self._cue("●", guided.target.name, "You are there.", Pattern.DOUBLE)]
        return self._onward(guided, progress)

    def _onward(self, guided: _Guided, progress: Progress) -> Sequence[Cue]:
        step = guided.navigation.steps[progress.step]
        soon = progress.to_turn_m <= SOON_M and guided.announced < progress.step
        shown_step, shown_m = guided.shown
        if not soon and shown_step == progress.step and shown_m - progress.to_turn_m < STEP_M:
            return ()
        guided.shown = (progress.step, progress.to_turn_m)
        speech, pulse = "", None
        if soon:
            guided.announced = progress.step
            turning = _turning(guided, progress)
            speech, pulse = f"{turning[0].upper()}{turning[1:]}.", Pattern.PULSE
        body = _after(guided, progress.step) or step.road
        title = f"{_ARROWS[step.turn]} {metres(progress.to_turn_m)}"
        return [self._cue(title, body, speech, pulse)]

    async def _strayed(self, guided: _Guided, here: Point) -> Sequence[Cue]:
        """One report may be wrong; at the second the way is sought anew from there."""
        guided.strayed += 1
        if guided.strayed < 2:
            return ()
        guided.strayed = 0
        try:
            way = await self._maps.route(here, guided.target.point, guided.mode)
        except PortError:
            return ()
        if way is None or self._guided is not guided:
            return ()
        self._guided = _Guided(guided.target, guided.mode, Navigation(way))
        road = way.steps[0].road or "the path"
        return [self._cue(f"{_ARROWS[Turn.STRAIGHT]} {road}", "New way", f"New way, along {road}.")]

    def _cue(self, title: str, body: str, speech: str = "", pulse: Pattern | None = None) -> Cue:
        self._serial += 1
        return Cue(
            id=f"{TOPIC}:{self._user_id}:{round(self._clock() * 1000)}:{self._serial}",
            topic=TOPIC,
            kind=CueKind.NOTICE,
            speech=speech,
            card=Card(title, body=body),
            haptic=pulse,
        )


def metres(distance: float) -> str:
    """`40 m`, `850 m`, `1.2 km`."""
    if distance >= 1000:
        return f"{distance / 1000:.1f} km"
    return f"{round(distance / 10) * 10 if distance >= 20 else round(distance)} m"


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _after(guided: _Guided, step: int) -> str:
    steps = guided.navigation.steps
    return steps[step + 1].road if step + 1 < len(steps) else guided.target.name


def _turning(guided: _Guided, progress: Progress) -> str:
    step = guided.navigation.steps[progress.step]
    road = _after(guided, progress.step)
    said = _SAID[step.turn]
    return said if step.turn is Turn.ARRIVE or not road else f"{said} into {road}"


def _overview(target: Place, way: Way, span: str) -> Card:
    lines = tuple(
        CardLine(f"{_ARROWS[step.turn]} {step.road or 'path'}", metres(step.distance_m))
        for step in way.steps[:8]
    )
    view = MapView(route=way.points, destination=target.point)
    return Card(f"To {target.name}", lines, body=span, map=view)
