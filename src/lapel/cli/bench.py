"""`lapel bench`: measure this machine."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from lapel.cli.console import JsonOption, Trouble


def bench(
    idle: Annotated[int, typer.Option(min=1, max=1000, help="Devices that do nothing.")] = 200,
    speaking: Annotated[
        int, typer.Option(min=1, max=50, help="People who order at the same moment.")
    ] = 20,
    as_json: JsonOption = False,
) -> None:
    """Measure memory, the wait for the first audio, and orders, against a City of its own."""
    from lapel.benchmark import Crowd, run
    from lapel.benchmark import as_json as json_of
    from lapel.benchmark import as_text as text_of
    from lapel.speech import SpeechUnavailable

    try:
        report = asyncio.run(run(Crowd(idle, speaking), lambda text: typer.echo(text, err=True)))
    except SpeechUnavailable as error:
        raise Trouble(f"the benchmark needs speech: {error}", error.code) from error
    typer.echo(json_of(report) if as_json else text_of(report))
    if report.together.lost or report.together.wrong:
        raise Trouble("orders were lost, or counted wrong", "bench_failed")
