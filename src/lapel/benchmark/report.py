"""What the benchmark found, as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from lapel.benchmark.floor import Limits
from lapel.benchmark.wearer import Outcome

BUDGET_DEVICE = 50_000


@dataclass(frozen=True, slots=True)
class Waits:
    """`wrong` orders have another cart than was said; `lost` ones never came to an end."""

    orders: int
    lost: int
    wrong: int
    first_audio_s: tuple[float, ...]
    order_s: tuple[float, ...]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Waits:
        return cls(
            orders=len(outcomes),
            lost=sum(bool(outcome.trouble) for outcome in outcomes),
            wrong=sum(not outcome.trouble and not _right(outcome) for outcome in outcomes),
            first_audio_s=tuple(sorted(o.first_audio_s for o in outcomes if o.first_audio_s)),
            order_s=tuple(sorted(o.order_s for o in outcomes if o.order_s)),
        )


@dataclass(frozen=True, slots=True)
class Report:
    machine: str
    idle: int
    bytes_a_device: int
    resident_bytes: int
    alone: Waits
    together: Waits
    stages: list[dict[str, float]]
    limits: Limits


def _right(outcome: Outcome) -> bool:
    return all(f"{count} x {title}" in outcome.cart for title, count in outcome.person.wanted)


def part(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the sorted `values` lie; 0 for none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def as_json(report: Report) -> str:
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def as_text(report: Report) -> str:
    """A Markdown table, ready for bench/README.md."""
    limit = report.limits.first_audio_s
    rows: list[tuple[str, str, str, str]] = [
        (
            f"memory of an idle device ({report.idle} linked)",
            f"{report.bytes_a_device / 1000:.0f} kB",
            f"{BUDGET_DEVICE / 1000:.0f} kB (budget)",
            f"{report.bytes_a_device / BUDGET_DEVICE:.2f}",
        )
    ]
    for name, waits in (
        ("one user", report.alone),
        (f"{report.together.orders} at once", report.together),
    ):
        for label, share in (("p50", 0.5), ("p95", 0.95)):
            value = part(waits.first_audio_s, share)
            rows.append(
                (
                    f"end of speech to first audio, {name}, {label}",
                    f"{value * 1000:.0f} ms",
                    f"{limit * 1000:.0f} ms (silence and models alone)",
                    f"{value / limit:.2f}",
                )
            )
        value = part(waits.order_s, 0.5)
        rows.append((f"press to placed, {name}, p50", f"{value * 1000:.0f} ms", "", ""))
    lines = [
        f"Machine: {report.machine}",
        "",
        "| what | measured | beside | ratio |",
        "|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += ["", _stage_line(report.stages), "", _count_line(report)]
    return "\n".join(lines)


def _stage_line(stages: list[dict[str, float]]) -> str:
    if not stages:
        return "No turn came to speak."
    medians: dict[str, Any] = {
        name: part(sorted(stage[name] for stage in stages), 0.5) * 1000 for name in stages[0]
    }
    parts = ", ".join(f"{name.removesuffix('_s')} {value:.0f}" for name, value in medians.items())
    return f"Stages of one user's wait, medians in ms: {parts}."


def _count_line(report: Report) -> str:
    both = (report.alone, report.together)
    orders = sum(waits.orders for waits in both)
    lost = sum(waits.lost for waits in both)
    wrong = sum(waits.wrong for waits in both)
    return (
        f"{orders} spoken orders: {lost} lost, {wrong} with another cart than was said. "
        f"Lapel held {report.resident_bytes / 1e6:.0f} MB in the end."
    )
