"""The page of all errors, made from the table of failures: `python -m lapel.failures.page`."""

from __future__ import annotations

from lapel.failures.model import Failure
from lapel.failures.table import SECTIONS

_HEAD = """\
# Errors

Every code that Lapel can give, in the words of whoever meets it: what happened, what it cost,
what can be done. `lapel explain CODE` prints the same. This page is made from `src/lapel/failures/`
by `python -m lapel.failures.page > docs/errors.md`, and `tests/test_errors.py` holds it to that.
What devices get is described in [device-protocol.md](device-protocol.md).
"""
_COLUMNS = "| code | what happened | what it cost | what you can do |\n|---|---|---|---|\n"


def page() -> str:
    """`docs/errors.md`, with a place to link to for each code."""
    parts = [_HEAD]
    for section in SECTIONS:
        rows = "".join(map(_row, section.rows))
        parts.append(f"## {section.title}\n\n{_COLUMNS}{rows}")
    return "\n".join(parts)


def _row(failure: Failure) -> str:
    codes = ", ".join(f'<a id="{code}"></a>`{code}`' for code in failure.codes)
    return f"| {codes} | {failure.happened} | {failure.cost} | {failure.remedy} |\n"


if __name__ == "__main__":
    print(page(), end="")
