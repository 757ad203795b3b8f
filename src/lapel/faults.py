"""How an unexpected error is written into a log: never with its text, which can quote the user."""

from __future__ import annotations

import traceback

_DEEPEST = 4
"""Frames that are named, the innermost last."""


def fault(error: BaseException) -> str:
    """The kind of an error and the way to it: `KeyError at actor.py:310 > news.py:88`.

    An error's text can hold what was said, an address or a name; so can the values in its frames.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
    way = " > ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    cause = error.__cause__
    behind = f", caused by {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__}{f' at {way}' if way else ''}{behind}"
