"""Cues that survive restarts, are told once, and are replaced by newer ones of their topic."""

from pathlib import Path

import pytest

from lapel.assistant.memory import Memory
from lapel.assistant.outbox import KEPT, Outbox
from lapel.devices import Card, Cue, CueKind
from lapel.store import Store, schema

pytestmark = pytest.mark.net


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def store(tmp_path: Path):
    store = await Store.open(tmp_path / "lapel.db")
    await store.write(
        lambda c: c.execute(schema.users.insert().values(id="u", name="U", created_at=0.0))
    )
    yield store
    await store.close()


def cue(name: str, topic: str = "order:1", **more: object) -> Cue:
    return Cue(name, topic, CueKind.ORDER, card=Card(name), **more)  # pyright: ignore


async def names(outbox: Outbox) -> list[str]:
    return [entry.cue.id for entry in await outbox.waiting()]


async def test_told_once(store: Store):
    outbox = Outbox(store, "u", Clock())
    await outbox.add([cue("a", "x"), cue("b", "y")])
    assert await names(outbox) == ["a", "b"]
    await outbox.delivered("a", "ring")
    assert await names(Outbox(store, "u", Clock())) == ["b"]
    await outbox.add([cue("a", "x")])
    assert await names(outbox) == ["b"]


async def test_the_newest_of_a_topic_is_enough(store: Store):
    outbox = Outbox(store, "u", Clock())
    await outbox.add([cue("preparing"), cue("delivered"), cue("other", "order:2")])
    assert await names(outbox) == ["delivered", "other"]


async def test_an_expired_question_is_not_asked(store: Store):
    clock = Clock()
    outbox = Outbox(store, "u", clock)
    await outbox.add([cue("ask", expires_s=60.0)])
    clock.now += 20
    assert (await outbox.waiting())[0].cue.expires_s == 40.0
    clock.now += 41
    assert await names(outbox) == []


async def test_withdrawn_is_gone(store: Store):
    outbox = Outbox(store, "u", Clock())
    await outbox.add([cue("ask", "approval:1"), cue("step")])
    await outbox.withdraw("approval:1")
    assert await names(outbox) == ["step"]


async def test_cues_and_the_place_in_the_events_move_together(store: Store):
    outbox, memory = Outbox(store, "u", Clock()), Memory(store, "u", Clock())
    await memory.load()
    await outbox.add([cue("a")], told_event=7)
    assert (await memory.load()).told_event == 7


async def test_old_delivered_cues_are_forgotten_and_waiting_ones_never(store: Store):
    outbox = Outbox(store, "u", Clock())
    await outbox.add([cue("first", "t0")])
    for index in range(KEPT + 20):
        await outbox.add([cue(f"c{index}", f"t{index + 1}")])
        await outbox.delivered(f"c{index}", "ring")
    assert await names(outbox) == ["first"]
    assert (
        await store.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM cues").scalar())
        == KEPT + 1
    )
