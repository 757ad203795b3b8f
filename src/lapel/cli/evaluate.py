"""`lapel eval`: measure understanding on labelled data, your own or other people's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lapel.cli.console import Trouble

if TYPE_CHECKING:
    import msgspec

evaluate = typer.Typer(
    help="Measure understanding on labelled data. Prints JSON.", no_args_is_help=True
)
DataFile = Annotated[
    Path, typer.Option("--data", help="Labelled lines, .jsonl or .jsonl.gz.", exists=True)
]
Keep = Annotated[int, typer.Option("--misses", min=0, help="How many misses to print, to look at.")]
_EVERY = 500


@evaluate.callback()
def _family() -> None:
    """Measure understanding on labelled data. Prints JSON."""


@evaluate.command("menu")
def menu(
    menu: Annotated[
        Path,
        typer.Option("--menu", help="Folder with schema.json and its aliases.", exists=True),
    ],
    data: DataFile,
    misses: Keep = 0,
) -> None:
    """Spoken orders to trees: exact match without regard to order, item F1, and time."""
    from lapel.brain.forms import SchemaError
    from lapel.evals import DataError, measure_menu

    try:
        _print(measure_menu(menu, data, keep=misses, each=_progress("orders")))
    except (SchemaError, DataError) as error:
        raise Trouble(str(error), "bad_file") from error


@evaluate.command("intents")
def intents(data: DataFile, misses: Keep = 0) -> None:
    """Talk to intents: accuracy on what is known, and how much other talk is refused."""
    from lapel.brain.router import EncoderUnavailable
    from lapel.evals import DataError, measure_intents

    try:
        _print(measure_intents(data, keep=misses, each=_progress("utterances")))
    except DataError as error:
        raise Trouble(str(error), "bad_file") from error
    except EncoderUnavailable as error:
        raise Trouble(str(error), "encoder_unavailable") from error


def _progress(what: str) -> Callable[[int], None]:
    """Says now and then how far it is, beside the result."""

    def told(done: int) -> None:
        if done % _EVERY == 0:
            typer.echo(f"{done:,} {what} ...", err=True)

    return told


def _print(report: msgspec.Struct) -> None:
    import msgspec

    typer.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
