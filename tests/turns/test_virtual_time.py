from __future__ import annotations

import asyncio

import pytest

from lapel.turns import (
    Event,
    Interpret,
    MicrophoneMode,
    MicrophoneOpened,
    Recognize,
    Tick,
    Transcribed,
    TurnMachine,
    VoiceJudged,
    WakeAt,
)
from virtual_time import NothingLeft, VirtualTimeLoop, run

pytestmark = pytest.mark.unit


def test_an_hour_passes_at_once_and_in_order() -> None:
    seen: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        seen.append((name, asyncio.get_running_loop().time()))

    async def scene() -> None:
        await asyncio.gather(sleeper("late", 3600.0), sleeper("early", 0.5), sleeper("next", 0.6))

    run(scene())
    assert [name for name, _ in seen] == ["early", "next", "late"]
    assert [at for _, at in seen] == pytest.approx([0.5, 0.6, 3600.0])


def test_timeouts_expire_in_virtual_time() -> None:
    async def scene() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 60.0)
        return asyncio.get_running_loop().time()

    assert run(scene()) == pytest.approx(60.0)


def test_a_deadlock_is_an_error_and_not_a_hang() -> None:
    async def scene() -> None:
        await asyncio.Event().wait()

    loop = VirtualTimeLoop()
    task = loop.create_task(scene())
    with pytest.raises(NothingLeft):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.close()


def test_what_a_socket_brings_comes_before_the_next_timer() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def scene() -> tuple[bytes, float]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"two lattes\n")
        line = await asyncio.wait_for(reader.readline(), 30.0)
        writer.close()
        await writer.wait_closed()
        server.close()
        return line, asyncio.get_running_loop().time()

    line, at = run(scene())
    assert line == b"TWO LATTES\n"
    assert at < 30.0


class Shell:
    """The one inbox and the one timer that a turn machine needs around it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.machine = TurnMachine()
        self.inbox: asyncio.Queue[Event] = asyncio.Queue(maxsize=256)
        self.timer: asyncio.TimerHandle | None = None

    async def heard(self) -> Interpret:
        while True:
            for command in self.machine.feed(await self.inbox.get(), self.loop.time()):
                match command:
                    case WakeAt(at):
                        if self.timer is not None:
                            self.timer.cancel()
                        self.timer = self.loop.call_at(at, self.inbox.put_nowait, Tick())
                    case Recognize(turn, request):
                        answer = Transcribed(turn, request, "two lattes", 0.9)
                        self.loop.call_later(0.1, self.inbox.put_nowait, answer)
                    case Interpret():
                        return command
                    case _:
                        pass


async def microphone(inbox: asyncio.Queue[Event]) -> None:
    inbox.put_nowait(MicrophoneOpened("glasses", MicrophoneMode.AUTO))
    for index in range(200):
        await asyncio.sleep(0.02)
        speech = 50 <= index < 100
        inbox.put_nowait(VoiceJudged("glasses", index * 0.02, 0.02, speech, 0.9, -20.0))


def test_a_shell_around_the_turn_machine() -> None:
    async def scene() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        shell = Shell(loop)
        async with asyncio.TaskGroup() as group:
            group.create_task(microphone(shell.inbox))
            heard = await shell.heard()
            return heard.text, loop.time()

    text, at = run(scene())
    assert text == "two lattes"
    assert at == pytest.approx(2.0 + 0.7, abs=0.03)
