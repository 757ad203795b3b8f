"""Draws how well Lapel understands, beside published results.

    .venv/bin/python bench/understanding_figure.py

Reads bench/data/understanding.toml and writes docs/images/understanding.svg: bars from 0 to 100 %.
"""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE / "data" / "understanding.toml"
TARGET = HERE.parent / "docs" / "images" / "understanding.svg"

WIDTH, LEFT, SCALE, ROW, GAP = 760, 250, 4.4, 24, 22
OURS, THEIRS, TEXT = "#2563eb", "#c3cad5", "#1f2937"


def drawn() -> str:
    """The figure as SVG."""
    sets: list[dict[str, Any]] = tomllib.loads(SOURCE.read_text("utf-8"))["set"]
    parts: list[str] = []
    y = GAP
    for each in sets:
        parts.append(_text(8, y + 12, each["title"], weight="bold"))
        y += ROW
        for name, share in each["results"]:
            parts.append(_text(LEFT - 8, y + 12, name, anchor="end"))
            fill = OURS if name.startswith("Lapel") else THEIRS
            parts.append(
                f'<rect x="{LEFT}" y="{y}" width="{share * SCALE:.1f}" height="16" rx="2"'
                f' fill="{fill}"/>'
            )
            parts.append(_text(LEFT + share * SCALE + 6, y + 12, f"{share:.1f} %"))
            y += ROW
        y += GAP
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img"'
        ' aria-label="How well Lapel understands, beside published results"'
        ' font-family="system-ui, sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{TEXT}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(text)}</text>"
    )


if __name__ == "__main__":
    TARGET.write_text(drawn(), "utf-8")
