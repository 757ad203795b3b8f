"""`lapel eval`: measure understanding on labelled data, your own or other people's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lapel.cli.console import JsonOption, Trouble, folder

if TYPE_CHECKING:
    import msgspec

evaluate = typer.Typer(help="Measure understanding on labelled data.", no_args_is_help=True)
DataFile = Annotated[
    Path, typer.Option("--data", help="Labelled lines, .jsonl or .jsonl.gz.", exists=True)
]
Keep = Annotated[int, typer.Option("--misses", min=0, help="How many misses to print, to look at.")]
_EVERY = 500


@evaluate.callback()
def _family() -> None:
    """Measure understanding on labelled data."""


@evaluate.command("menu")
def menu(
    menu: Annotated[
        Path,
        typer.Option("--menu", help="Folder with schema.json and its aliases.", exists=True),
    ],
    data: DataFile,
    misses: Keep = 0,
    as_json: JsonOption = False,
    language: Annotated[
        str, typer.Option("--language", help="In which the orders were said: en or zh.")
    ] = "en",
) -> None:
    """Spoken orders to trees: exact match without regard to order, item F1, and time."""
    from lapel.brain.forms import SchemaError
    from lapel.evals import DataError, measure_menu

    try:
        report = measure_menu(menu, data, language=language, keep=misses, each=_progress("orders"))
        _print(report, as_json)
    except (SchemaError, DataError) as error:
        raise Trouble(str(error), "bad_file") from error


@evaluate.command("intents")
def intents(data: DataFile, misses: Keep = 0, as_json: JsonOption = False) -> None:
    """Talk to intents: accuracy on what is known, and how much other talk is refused."""
    from lapel.brain.router import EncoderUnavailable
    from lapel.evals import DataError, measure_intents

    try:
        _print(measure_intents(data, keep=misses, each=_progress("utterances")), as_json)
    except DataError as error:
        raise Trouble(str(error), "bad_file") from error
    except EncoderUnavailable as error:
        raise Trouble(str(error), "encoder_unavailable") from error


@evaluate.command("taskmaster")
def taskmaster(
    data: DataFile,
    menu: Annotated[
        Path | None,
        typer.Option(
            "--menu",
            help="Dialogues to learn the menu from; else train.jsonl.gz beside the data.",
        ),
    ] = None,
    misses: Keep = 0,
    as_json: JsonOption = False,
) -> None:
    """Dialogues at a counter to calls of its API: calls a turn, final carts, false orders."""
    from lapel.evals import DataError, measure_taskmaster

    learned = menu or data.with_name("train.jsonl.gz")
    try:
        _print(measure_taskmaster(data, learned, keep=misses, each=_progress("dialogues")), as_json)
    except DataError as error:
        raise Trouble(str(error), "bad_file") from error


@evaluate.command("tools")
def tools(
    llm: Annotated[str, typer.Option("--llm", help="URL of an OpenAI-compatible endpoint.")] = "",
    model: Annotated[
        str, typer.Option("--model", help="A model of your list; with --llm, the endpoint's own.")
    ] = "",
    key_env: Annotated[str, typer.Option(help="Variable that holds the endpoint's key.")] = "",
    style: Annotated[Literal["tools", "json"], typer.Option(help="How calls are asked for.")] = (
        "tools"
    ),
    file: Annotated[
        Path | None, typer.Option("--gguf", help="A model file, run here.", exists=True)
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Prompts of your own, .jsonl.", exists=True)
    ] = None,
    home: Annotated[
        Path | None, typer.Option("--home", help="Where your data lives.", envvar="LAPEL_HOME")
    ] = None,
    misses: Keep = 0,
    as_json: JsonOption = False,
) -> None:
    """Prompts to tools by a language model: tool, arguments, silence, dialogues, time."""
    import asyncio

    from lapel.evals import OURS, DataError, ToolsReport, measure_tools
    from lapel.models import (
        Chat,
        Gguf,
        Listing,
        Local,
        ModelError,
        chat_of,
        checked_url,
        open_models,
    )

    async def measured() -> ToolsReport:
        async with open_models() as http:
            local: Local | None = None
            if llm:
                key = os.environ.get(key_env, "")
                proposer = Chat(http, checked_url(llm, plain=True), model, key, style)
            elif file is not None:
                proposer = local = Local(http, file)
            else:
                listing = Listing(folder(home))
                listed = listing.named(model)
                if isinstance(listed, Gguf):
                    proposer = local = Local(http, listing.folder / listed.file)
                else:
                    proposer = chat_of(listed, listing, http)
            try:
                each = _progress("prompts", 10)
                return await measure_tools(proposer, data or OURS, keep=misses, each=each)
            finally:
                if local is not None:
                    await local.close()

    try:
        _print(asyncio.run(measured()), as_json)
    except DataError as error:
        raise Trouble(str(error), "bad_file") from error
    except ModelError as error:
        raise Trouble(str(error), error.code) from error


@evaluate.command("delivery")
def delivery(
    data: DataFile,
    llm: Annotated[
        str, typer.Option("--llm", help="URL of a model's chat completions, up to and with /v1.")
    ] = "",
    model: Annotated[str, typer.Option("--model", help="The model's name there.")] = "default",
    misses: Keep = 0,
    as_json: JsonOption = False,
) -> None:
    """Delivery tasks to orders: the share that ends with exactly the right ones."""
    from lapel.evals import DataError, EndpointError, measure_delivery

    try:
        report = measure_delivery(data, llm=llm, model=model, keep=misses, each=_progress("tasks"))
    except DataError as error:
        raise Trouble(str(error), "bad_file") from error
    except EndpointError as error:
        raise Trouble(str(error), "unreachable") from error
    _print(report, as_json)


@evaluate.command("injection")
def injection(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Cases of your own, .jsonl; without it Lapel's.", exists=True),
    ] = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Only each so-many-th case.")] = 1,
    plain: Annotated[
        bool, typer.Option("--plain", help="No pictures and no sound: their texts as they are.")
    ] = False,
    no_gate: Annotated[
        bool, typer.Option("--no-gate", help="What it comes to where no source is asked for.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Orders smuggled into what is read, against an agent that obeys all of them."""
    from lapel.evals import DataError, measure_injection
    from lapel.evals.injection.agent import Gate

    gate = Gate.OFF if no_gate else Gate.ON
    told = _progress("cases")
    try:
        report = measure_injection(data, gate=gate, every=every, plain=plain, each=told)
        _print(report, as_json)
    except DataError as error:
        raise Trouble(str(error), "bad_file") from error


def _progress(what: str, every: int = _EVERY) -> Callable[[int], None]:
    """Says now and then how far it is, beside the result."""

    def told(done: int) -> None:
        if done % every == 0:
            typer.echo(f"{done:,} {what} ...", err=True)

    return told


def _print(report: msgspec.Struct, as_json: bool) -> None:
    """All of it as JSON, or a line a figure, shares in per cent, and then the misses."""
    import msgspec

    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report), indent=2).decode())
        return
    for name, value in msgspec.structs.asdict(report).items():
        if name == "misses":
            for miss in value:
                typer.echo(f"- {' | '.join(map(str, msgspec.structs.astuple(miss)))}")
        else:
            typer.echo(f"{name.replace('_', ' '):28} {_figure(name, value)}")


def _figure(name: str, value: float | str | Mapping[str, int]) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {count:,}" for key, count in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.2f}" if name.endswith(("_ms", "_s", "threshold")) else f"{value:.1%}"
