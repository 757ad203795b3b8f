"""All failures, by section and by code."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lapel.failures import itself, orders, outside
from lapel.failures.codes import Code
from lapel.failures.model import Failure, Section

SECTIONS: tuple[Section, ...] = (*orders.SECTIONS, *outside.SECTIONS, *itself.SECTIONS)


def _by_code() -> Mapping[Code, Failure]:
    found: dict[Code, Failure] = {}
    for section in SECTIONS:
        for row in section.rows:
            for code in row.codes:
                if code in found:
                    raise ValueError(f"{code!r} is explained twice")
                found[code] = row
    return MappingProxyType(found)


FAILURES: Mapping[Code, Failure] = _by_code()


_NAMED: Mapping[str, Code] = {code: code for code in FAILURES}


def code_of(text: str) -> Code | None:
    """The code that came as text; None for one that is not Lapel's."""
    return _NAMED.get(text)
