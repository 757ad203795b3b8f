"""What a caller does and must be told, read from YAML. The format:

    name: A coffee, confirmed on the ring
    caller:
      device: glasses              # the device that is spoken into; a family of `wearer.PROFILES`
      others: [ring, earbuds]      # worn from the beginning, by the same user
    steps:
      - say: two iced lattes       # spoken, in real time; `on: phone` for another microphone
      - say: make it three
        interrupt_after_s: 0.8     # begins so long after Lapel has begun to speak
      - type: two iced lattes      # `on: phone` for another device than the caller's
      - press: ring                # or long_press
      - wait_s: 0.6
      - drop_link: glasses         # the network is gone for this device ...
      - reconnect: glasses         # ... and back
      - put_on: phone              # one more device of the user joins
      - take_off: ring             # it leaves
      - expect:
          device: glasses
          kind: approval           # reply, approval, order, receipt, notice
          card_contains: [Blue Door, 2 x Iced latte]
          card_lacks: muffin
          speech_contains: two iced lattes     # spoken by this device, where it has a voice
          haptic: pulse
          playback: stopped        # started, finished or stopped: what its speaker did
          within_s: 10             # 15 unless told
          absent: true             # must not be told within that time

An expectation is about what the device was told since the caller last did something (waiting, and expecting, is not
doing); several may be met by the same cue and in any order. One cue must meet all words of one expectation. What
the device only shows again, without sound or haptic, does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from lapel.devices import CueKind, Family, Gesture, Pattern

WITHIN_S = 15.0


class BadScript(Exception):
    """A script cannot be read; the text names the file, the step and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    device: Family
    interrupt_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Type:
    text: str
    device: Family


@dataclass(frozen=True, slots=True)
class Press:
    device: Family
    gesture: Gesture


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float


@dataclass(frozen=True, slots=True)
class Network:
    """The device's network is there (`up`) or gone."""

    device: Family
    up: bool


@dataclass(frozen=True, slots=True)
class Wear:
    """The device joins or leaves."""

    device: Family
    on: bool


@dataclass(frozen=True, slots=True)
class Expect:
    device: Family
    kind: CueKind | None = None
    card_contains: tuple[str, ...] = ()
    card_lacks: tuple[str, ...] = ()
    speech_contains: tuple[str, ...] = ()
    haptic: Pattern | None = None
    playback: str | None = None
    within_s: float = WITHIN_S
    absent: bool = False


Step = Say | Type | Press | Wait | Network | Wear | Expect


@dataclass(frozen=True, slots=True)
class Script:
    name: str
    device: Family
    others: tuple[Family, ...]
    steps: tuple[Step, ...]

    @property
    def spoken(self) -> tuple[str, ...]:
        """Everything that is said in it, so that it can be made into sound before."""
        return tuple(step.text for step in self.steps if isinstance(step, Say))


def read(path: Path) -> Script:
    """The script in this file; raises BadScript."""
    try:
        return parse(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (BadScript, yaml.YAMLError) as error:
        raise BadScript(f"{path.name}: {error}") from error


def parse(tree: object) -> Script:
    """The script in this YAML tree; raises BadScript."""
    top = _Fields(tree, "the script")
    caller = _Fields(top.take("caller"), "caller")
    device = caller.family("device")
    others = tuple(_family(name, "others") for name in _list(caller.take("others", []), "others"))
    caller.done()
    steps = _list(top.take("steps"), "steps")
    script = Script(
        name=top.text("name"),
        device=device,
        others=others,
        steps=tuple(_step(entry, index, device) for index, entry in enumerate(steps, 1)),
    )
    top.done()
    return script


class _Fields:
    """A mapping from which each field is taken once; what is left over is a mistake."""

    def __init__(self, tree: object, place: str) -> None:
        if not isinstance(tree, dict):
            raise BadScript(f"{place} must be a mapping, not {tree!r}")
        self._left: dict[object, object] = dict(cast("dict[object, object]", tree))
        self._place = place

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, default: object = None) -> object:
        if name not in self._left and default is None:
            raise BadScript(f"{self._place} has no `{name}`")
        return self._left.pop(name, default)

    def text(self, name: str) -> str:
        value = self.take(name)
        if not isinstance(value, str) or not value:
            raise BadScript(f"`{name}` in {self._place} must be a text, not {value!r}")
        return value

    def number(self, name: str, default: float | None = None) -> float:
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise BadScript(f"`{name}` in {self._place} must be seconds, not {value!r}")
        return float(value)

    def family(self, name: str, default: Family | None = None) -> Family:
        return _family(self.take(name, default), self._place)

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.take(name, [])
        values = [value] if isinstance(value, str) else _list(value, name)
        return tuple(str(entry) for entry in values)

    def done(self) -> None:
        if self._left:
            raise BadScript(f"{self._place} has unknown fields: {sorted(map(str, self._left))}")


def _list(value: object, place: str) -> list[object]:
    if not isinstance(value, list):
        raise BadScript(f"`{place}` must be a list, not {value!r}")
    return cast("list[object]", value)


def _family(value: object, place: str) -> Family:
    try:
        return Family(cast(str, value))
    except ValueError:
        raise BadScript(
            f"{value!r} in {place} is no family of devices; use one of {[*map(str, Family)]}"
        ) from None


def _step(tree: object, index: int, device: Family) -> Step:
    step = _Fields(tree, f"step {index}")
    found = _do(step, device) or _change(step)
    if found is None and "expect" in step:
        found = _expect(_Fields(step.take("expect"), f"step {index}"))
    if found is None:
        raise BadScript(f"step {index} does nothing that is known: {tree!r}")
    step.done()
    return found


def _do(step: _Fields, device: Family) -> Step | None:
    if "say" in step:
        after_s = step.number("interrupt_after_s") if "interrupt_after_s" in step else None
        return Say(step.text("say"), step.family("on", device), after_s)
    if "type" in step:
        return Type(step.text("type"), step.family("on", device))
    if "press" in step:
        return Press(step.family("press"), Gesture.PRESS)
    if "long_press" in step:
        return Press(step.family("long_press"), Gesture.LONG_PRESS)
    return None


def _change(step: _Fields) -> Step | None:
    if "wait_s" in step:
        return Wait(step.number("wait_s"))
    for name, up in (("drop_link", False), ("reconnect", True)):
        if name in step:
            return Network(step.family(name), up)
    for name, on in (("put_on", True), ("take_off", False)):
        if name in step:
            return Wear(step.family(name), on)
    return None


def _expect(fields: _Fields) -> Expect:
    absent = fields.take("absent", default=False)
    try:
        found = Expect(
            device=fields.family("device"),
            kind=CueKind(fields.text("kind")) if "kind" in fields else None,
            card_contains=fields.texts("card_contains"),
            card_lacks=fields.texts("card_lacks"),
            speech_contains=fields.texts("speech_contains"),
            haptic=Pattern(fields.text("haptic")) if "haptic" in fields else None,
            playback=fields.text("playback") if "playback" in fields else None,
            within_s=fields.number("within_s", WITHIN_S),
            absent=absent is True,
        )
    except ValueError as error:
        raise BadScript(str(error)) from error
    fields.done()
    if found.playback not in (None, "started", "finished", "stopped"):
        raise BadScript(f"{found.playback!r} is nothing that a speaker does")
    if found == Expect(found.device, within_s=found.within_s, absent=found.absent):
        raise BadScript("an expectation without content is met by nothing")
    return found
