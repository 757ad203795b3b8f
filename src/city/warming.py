"""Types are made known to msgspec before threads use them.

msgspec 0.22 learns a type when it first decodes one, without a lock: two threads that do so at the
same moment crash the process. What is learnt stays with the class.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import is_dataclass
from typing import cast

import msgspec


def warm(top: str) -> int:
    """Learn every struct and dataclass of the modules under `top`; gives how many there are.

    To be called while there is one thread. What cannot be decoded at all is left out.
    """
    learnt = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != top:
            continue
        for found in cast("list[object]", list(vars(module).values())):
            if getattr(found, "__module__", "") != name or not isinstance(found, type):
                continue
            kind = cast("type[object]", found)
            with contextlib.suppress(TypeError, NameError):
                if issubclass(kind, msgspec.Struct) or is_dataclass(kind):
                    msgspec.json.Decoder(kind)
                    learnt += 1
    return learnt
