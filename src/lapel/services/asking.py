"""The same question to several merchants at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from lapel.commerce.ports import PortError

T = TypeVar("T")


async def ask_all(questions: Iterable[Awaitable[T]]) -> tuple[list[T], list[PortError]]:
    """What was answered, and why the others did not, both in the order of the questions.

    Any other error than a port's is raised.
    """
    answers: list[T] = []
    failures: list[PortError] = []
    for answer in await asyncio.gather(*questions, return_exceptions=True):
        if isinstance(answer, PortError):
            failures.append(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            answers.append(answer)
    return answers, failures
