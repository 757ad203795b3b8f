"""`lapel contacts` and `lapel scan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, path_of, running, show_json
from lapel.cli.png import PngError, to_pgm
from lapel.cli.show import Row, rows_of, table

contacts = typer.Typer(help="The people whom you pay.", invoke_without_command=True)
MOST_BYTES = 16 << 20


@contacts.callback()
def list_contacts(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List them; `add` and `remove` change it."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    _list(data, as_json=as_json)


@contacts.command("list")
def list_again(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List whom you know."""
    _list(data or context.obj, as_json=as_json)


@contacts.command("add")
def add_contact(
    context: typer.Context,
    name: str,
    handle: Annotated[str, typer.Argument(help="As the bank knows them: @anna, or a number.")],
    alias: Annotated[list[str] | None, typer.Option("--alias", help="Another name.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save somebody; the bank is asked who that is."""
    body = {"name": name, "handle": handle, "aliases": alias or []}
    saved = cast("Row", running(data or context.obj).call("POST", "/api/contacts", body))
    if as_json:
        show_json(saved)
    else:
        typer.echo(f"Saved {saved['name']}: {saved['bank_name']} ({saved['handle']}).")


@contacts.command("remove")
def remove_contact(context: typer.Context, name: str, data: DataOption = None) -> None:
    """Forget somebody, by name or handle."""
    lapel = running(data or context.obj)
    found = [
        row
        for row in rows_of(lapel.get("/api/contacts"))
        if name.casefold() in (row["name"].casefold(), row["handle"].casefold(), row["id"])
    ]
    if len(found) != 1:
        raise Trouble(
            f"there is no contact {name!r}", "unknown", remedy="`lapel contacts` shows them"
        )
    lapel.call("DELETE", path_of("/api/contacts", found[0]["id"]))
    typer.echo("Removed.")


def scan(
    picture: Annotated[Path, typer.Argument(help="A PNG or a binary PGM with a QR code.")],
    amount: Annotated[
        int | None, typer.Option(help="In cents, where the code leaves it open.")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pay by a shop's QR code: the question comes to your devices."""
    try:
        raw = picture.read_bytes()[: MOST_BYTES + 1]
        pixels = raw if raw[:2] == b"P5" else to_pgm(raw)
    except OSError as error:
        raise Trouble(f"cannot read {str(picture)!r}: {error.strerror}", "bad_file", 2) from error
    except PngError as error:
        raise Trouble(f"cannot look at {str(picture)!r}: {error}", "bad_picture", 2) from error
    path = "/api/scan" if amount is None else f"/api/scan?amount={amount}"
    lapel = running(data)
    found = cast("Row", lapel.send(path, pixels, "image/x-portable-graymap"))
    if as_json:
        show_json(found)
        return
    from lapel.commerce import Money

    payee = found["payee"]
    if found["amount"] is None:
        typer.echo(f"{payee['name']} ({payee['handle']}). Say how much, or use --amount.")
        return
    cost = Money(found["amount"], found["currency"])
    typer.echo(f"{cost} to {payee['name']} ({payee['handle']}): confirm it on a screen.")


def _list(data: Path | None, *, as_json: bool) -> None:
    found = rows_of(running(data).get("/api/contacts"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo("You have no contacts yet. Try: lapel contacts add Anna @anna")
    else:
        rows = [(row["name"], row["handle"], row["bank_name"]) for row in found]
        table(rows, ("contact", "handle", "at the bank"))
