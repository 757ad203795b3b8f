"""`lapel`, but it kills itself at a named point: `dying.py POINT up ...`. The product has no such hook.

A point is `CALL:before`, `CALL:after` around a call to the world outside, or `KIND:in`, `KIND:after` around the commit of an
order event: `in` is inside the transaction, so that the commit never happens.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from lapel.assistant.outbox import Outbox
from lapel.cli import main
from lapel.commerce.journal import Journal
from lapel.services import BankPayments, UcpMerchants
from lapel.services.personal import Reminders

CALLS = {
    "create_checkout": UcpMerchants,
    "get_checkout": UcpMerchants,
    "complete_checkout": UcpMerchants,
    "cancel_checkout": UcpMerchants,
    "authorize": BankPayments,
    "release": BankPayments,
    "add": Outbox,
    "brought_up": Reminders,
}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def around_call(name: str, when: str) -> None:
    owner: Any = CALLS[name]
    real: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def dying(self: object, *arguments: Any, **more: Any) -> Any:
        if name == "add" and not any(cue.kind == "order" for cue in arguments[0]):
            return await real(self, *arguments, **more)
        if when == "before":
            die()
        answer = await real(self, *arguments, **more)
        die()
        return answer

    setattr(owner, name, dying)


def around_commit(kind: str, when: str) -> None:
    real = Journal.commit

    async def dying(self: Journal, work: Callable[[Any], tuple[Any, list[Any]]]) -> Any:
        seen: list[str] = []

        def watched(connection: Any) -> tuple[Any, list[Any]]:
            result, events = work(connection)
            seen.extend(event.kind for event in events)
            if when == "in" and kind in seen:
                die()
            return result, events

        answer = await real(self, watched)
        if kind in seen:
            die()
        return answer

    Journal.commit = dying  # type: ignore[method-assign]


if __name__ == "__main__":
    name, when = sys.argv.pop(1).split(":")
    (around_call if name in CALLS else around_commit)(name, when)
    main()
