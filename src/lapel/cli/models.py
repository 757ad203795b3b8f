"""`lapel models`: the language models that may be asked for what the rules do not understand."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, folder, show_json
from lapel.cli.show import table, when

if TYPE_CHECKING:
    from lapel.models import Listed, Listing

models = typer.Typer(
    help="Language models for what is not understood. Without one nothing leaves this machine.",
    invoke_without_command=True,
)
Name = Annotated[str, typer.Argument(help="What the list calls it.")]
_MB = 1_000_000


@models.callback()
def overview(context: typer.Context, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the models in the order in which they are asked; `add` and `remove` change it."""
    context.obj = data
    if context.invoked_subcommand is None:
        _list(data, as_json=as_json)


@models.command("list")
def list_models(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the models in the order in which they are asked."""
    _list(data or context.obj, as_json=as_json)


def _list(data: Path | None, *, as_json: bool) -> None:
    import msgspec

    from lapel.models import KNOWN, ModelError

    listing = _listing(data)
    try:
        found = listing.all()
    except ModelError as error:
        raise Trouble(str(error), error.code) from error
    if as_json:
        used = {name: msgspec.structs.asdict(use) for name, use in listing.used().items()}
        show_json([{**_row(model), "used": used.get(model.name)} for model in found])
    elif not found:
        typer.echo("No models: everything is understood by rules, on this machine.")
        typer.echo("Add one with: lapel models add URL --model NAME")
        for known in KNOWN:
            typer.echo(f"      or with: lapel models add {known.name}  ({known.size // _MB:,} MB)")
    else:
        rows = [
            (row["name"], row["where"], row["licence"], row["leaves"], _used(listing, row["name"]))
            for row in map(_row, found)
        ]
        table(rows, ("model", "where", "licence", "what you say", "asked, of use, last"))


@models.command("add")
def add_model(
    context: typer.Context,
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="URL | NAME [FILE...]",
            help="An OpenAI-compatible endpoint by its URL; or a model's name, and where its GGUF "
            "is: files, folders, wheels, `package:NAME` or a URL, joined in that order.",
        ),
    ],
    model: Annotated[str, typer.Option(help="How the endpoint calls the model.")] = "",
    name: Annotated[str, typer.Option(help="What the list calls an endpoint.")] = "",
    key_env: Annotated[str, typer.Option(help="Environment variable that holds the key.")] = "",
    key: Annotated[
        bool, typer.Option("--key", help="Ask for the key, or read it from the input.")
    ] = False,
    style: Annotated[
        Literal["tools", "json"],
        typer.Option(help="How calls are asked for; json for models without function calls."),
    ] = "tools",
    plain: Annotated[
        bool, typer.Option("--plain", help="Allow http:// to another machine.")
    ] = False,
    sha256: Annotated[str, typer.Option(help="The hash that the file must have.")] = "",
    first: Annotated[bool, typer.Option("--first", help="Ask it before all others.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a model: from then on it is asked for what nobody else understands."""
    from lapel.models import Endpoint, ModelError, checked_url

    listing = _listing(data or context.obj)
    try:
        if len(what) == 1 and "://" in what[0]:
            if not model:
                raise Trouble("an endpoint needs --model, its name for the model", "model_refused")
            added: Listed = Endpoint(
                name or _name_of(model), checked_url(what[0], plain=plain), model, key_env, style
            )
            listing.add(added, key=_key() if key else "", first=first)
        else:
            added = _import(listing, what[0], what[1:], sha256)
            listing.add(added, first=first)
    except ModelError as error:
        raise Trouble(str(error), error.code) from error
    if as_json:
        show_json(_row(added))
        return
    row = _row(added)
    typer.echo(f"Added {added.name}. Licence: {row['licence']}. What you say {row['leaves']}.")
    if not isinstance(added, Endpoint):
        typer.echo(f"SHA-256: {added.sha256}")


@models.command("verify")
def verify_models(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="One of them; without it, all.")] = "",
    data: DataOption = None,
) -> None:
    """Check files against their hashes, and have every model answer; 1 when one does not."""
    from lapel.models import ModelError

    listing = _listing(data or context.obj)
    try:
        wanted = (listing.named(name),) if name else listing.all()
        troubles = asyncio.run(_verify(listing, wanted))
    except ModelError as error:
        raise Trouble(str(error), error.code) from error
    if troubles:
        raise typer.Exit(1)


@models.command("first")
def first_model(context: typer.Context, name: Name, data: DataOption = None) -> None:
    """Have a model asked before all others."""
    from lapel.models import ModelError

    try:
        _listing(data or context.obj).first(name)
    except ModelError as error:
        raise Trouble(str(error), error.code) from error
    typer.echo(f"{name} is asked first.")


@models.command("remove")
def remove_model(context: typer.Context, name: Name, data: DataOption = None) -> None:
    """Forget a model, with its file and its key."""
    from lapel.models import ModelError

    try:
        _listing(data or context.obj).remove(name)
    except ModelError as error:
        raise Trouble(str(error), error.code) from error
    typer.echo(f"Removed {name}.")


def _listing(data: Path | None) -> Listing:
    from lapel.models import Listing

    return Listing(folder(data))


def _row(model: Listed) -> dict[str, str]:
    from lapel.models import Endpoint

    if isinstance(model, Endpoint):
        return {
            "name": model.name,
            "kind": "endpoint",
            "where": model.url,
            "licence": "its maker's",
            "leaves": "goes there, when nobody here understands it",
        }
    return {
        "name": model.name,
        "kind": "gguf",
        "where": f"{model.file}, {model.size // _MB:,} MB",
        "licence": model.licence,
        "leaves": "stays on this machine",
    }


def _used(listing: Listing, name: str) -> str:
    use = listing.used().get(name)
    if use is None:
        return "never"
    return f"{use.asked}, {use.helped}, {when(use.last_at)} in {use.last_s:.1f} s"


def _import(listing: Listing, name: str, sources: list[str], sha256: str) -> Listed:
    from lapel.models import Gguf, ModelRefused, import_weights, known

    listing.check_name(name)
    published = known(name)
    if published is None and not sources:
        raise ModelRefused(f"{name!r} is none that is known by name: say where its file is")
    if published is not None and not sources:
        sources = [published.url]
    if published is not None and sha256 not in ("", published.sha256):
        raise ModelRefused(f"{name!r} is pinned to {published.sha256}: add it under another name")
    pinned = sha256.lower() or (published.sha256 if published else "")
    total = published.size if published else 0
    file = listing.folder / f"{name}.gguf"
    got = import_weights(sources, file, pinned, _progress(name, total))
    licence = published.licence if published else "not stated"
    return Gguf(name, file.name, got.sha256, got.size, licence)


async def _verify(listing: Listing, models: tuple[Listed, ...]) -> int:
    """How many of them are not right."""
    from lapel.models import (
        Endpoint,
        Local,
        ModelAltered,
        ModelError,
        chat_of,
        hash_of,
        open_models,
    )

    troubles = 0
    async with open_models() as http:
        for model in models:
            local: Local | None = None
            try:
                if isinstance(model, Endpoint):
                    chat = chat_of(model, listing, http)
                else:
                    path = listing.folder / model.file
                    if hash_of(path, _progress(model.name, model.size)) != model.sha256:
                        raise ModelAltered("the file is not the one that was added")
                    local = Local(http, path)
                    chat = await local.chat()
                async with asyncio.timeout(60):
                    await chat.check()
                typer.echo(f"{model.name}: answers")
            except (ModelError, TimeoutError) as error:
                troubles += 1
                typer.echo(f"{model.name}: {error or 'no answer within a minute'}")
            finally:
                if local is not None:
                    await local.close()
    return troubles


def _progress(name: str, total: int) -> Callable[[int], None]:
    """Says every hundred megabytes how far it is, beside the result."""
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        if done - told >= 100 * _MB:
            told = done
            of = f" of {total // _MB:,}" if total else ""
            typer.echo(f"{name}: {done // _MB:,}{of} MB", err=True)

    return tell


def _key() -> str:
    """Never as an argument, which other users of the machine can see."""
    if sys.stdin.isatty():
        return str(typer.prompt("Key", hide_input=True)).strip()
    return sys.stdin.readline().strip()


def _name_of(model: str) -> str:
    return "".join(x if x.isalnum() or x in "._-" else "-" for x in model.lower())[:63].strip("-.")
