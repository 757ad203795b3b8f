from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from callers.script import BadScript, Expect, Network, Press, Say, Type, Wait, Wear, parse, read
from lapel.devices import CueKind, Family, Gesture, Pattern

pytestmark = pytest.mark.unit

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.yaml"))


def script(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "a call", "caller": {"device": "glasses"}, "steps": list(steps), **more}


def test_every_step_is_read() -> None:
    found = parse(
        script(
            {"say": "two lattes"},
            {"say": "three", "on": "phone", "interrupt_after_s": 1},
            {"type": "two lattes", "on": "phone"},
            {"press": "ring"},
            {"long_press": "ring"},
            {"wait_s": 0.5},
            {"drop_link": "glasses"},
            {"reconnect": "glasses"},
            {"put_on": "phone"},
            {"take_off": "phone"},
            {"expect": {"device": "ring", "kind": "approval", "haptic": "pulse", "within_s": 3}},
            {"expect": {"device": "glasses", "card_contains": "a", "card_lacks": ["b", "c"]}},
            {"expect": {"device": "earbuds", "speech_contains": "a", "absent": True}},
            {"expect": {"device": "earbuds", "playback": "stopped"}},
        )
    )
    assert found.steps == (
        Say("two lattes", Family.GLASSES),
        Say("three", Family.PHONE, 1.0),
        Type("two lattes", Family.PHONE),
        Press(Family.RING, Gesture.PRESS),
        Press(Family.RING, Gesture.LONG_PRESS),
        Wait(0.5),
        Network(Family.GLASSES, up=False),
        Network(Family.GLASSES, up=True),
        Wear(Family.PHONE, on=True),
        Wear(Family.PHONE, on=False),
        Expect(Family.RING, CueKind.APPROVAL, haptic=Pattern.PULSE, within_s=3.0),
        Expect(Family.GLASSES, card_contains=("a",), card_lacks=("b", "c")),
        Expect(Family.EARBUDS, speech_contains=("a",), absent=True),
        Expect(Family.EARBUDS, playback="stopped"),
    )
    assert found.spoken == ("two lattes", "three")


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ("a text", "must be a mapping"),
        ({"name": "a", "steps": []}, "no `caller`"),
        (script(colour="red"), "unknown fields"),
        (script({"sing": "la"}), "does nothing"),
        (script({"say": ""}), "must be a text"),
        (script({"say": "a", "loud": True}), "unknown fields"),
        (script({"press": "hat"}), "no family"),
        (script({"wait_s": -1}), "must be seconds"),
        (script({"wait_s": True}), "must be seconds"),
        (script({"expect": {"kind": "order"}}), "no `device`"),
        (script({"expect": {"device": "ring"}}), "without content"),
        (script({"expect": {"device": "ring", "kind": "joke"}}), "joke"),
        (script({"expect": {"device": "ring", "haptic": "tickle"}}), "tickle"),
        (script({"expect": {"device": "ring", "playback": "rewound"}}), "rewound"),
        (script({"expect": {"device": "ring", "kind": "order", "soon": 1}}), "unknown fields"),
        (script() | {"steps": "none"}, "must be a list"),
    ],
)
def test_a_mistake_is_named(tree: object, text: str) -> None:
    with pytest.raises(BadScript, match=text):
        parse(tree)


def test_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("name: [", encoding="utf-8")
    with pytest.raises(BadScript, match=r"broken\.yaml"):
        read(path)


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.stem for path in SCRIPTS])
def test_every_script_of_ours_can_be_read_and_expects_something(path: Path) -> None:
    found = read(path)
    assert any(isinstance(step, Expect) for step in found.steps)
    worn = {found.device, *found.others}
    worn |= {step.device for step in found.steps if isinstance(step, Wear)}
    assert all(step.device in worn for step in found.steps if isinstance(step, Expect))
