"""Types are made known to msgspec before threads use them.

msgspec 0.22 learns a type when it first decodes one, without a lock: two threads that do so at the
same moment crash the process. What is learnt stays with the class.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import is_dataclass

import msgspec


def warm(top: str) -> int:
    """Learn every struct and dataclass of the modules under `top`; gives how many there are.

    To be called while there is one thread. What cannot be decoded at all is left out.
    """
    learnt = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != top:
            continue
        for found in list(vars(module).values()):
            if isinstance(found, type) and found.__module__ == name and _is_data(found):
                with contextlib.suppress(TypeError, NameError):
                    msgspec.json.Decoder(found)
                    learnt += 1
    return learnt


def _is_data(found: type) -> bool:
    return issubclass(found, msgspec.Struct) or is_dataclass(found)
