"""`lapel keys`: what a user signs consent with."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from lapel.cli.console import DataOption, JsonOption, running, show_json
from lapel.cli.show import table, when

Row = dict[str, Any]

keys = typer.Typer(help="The keys that you sign your consent with.", invoke_without_command=True)


@keys.callback()
def list_keys(context: typer.Context, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List your keys; --json gives them as public JWK. `rotate` makes a new one."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    found = cast("list[Row]", running(data).get("/api/keys"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo("No key yet: it is made when you first agree to something.")
    else:
        rows = [
            (
                row["id"],
                when(row["created_at"]),
                "signs" if row["retired_at"] is None else f"until {when(row['retired_at'])}",
            )
            for row in found
        ]
        table(rows, ("key", "since", ""))


@keys.command()
def rotate(
    context: typer.Context,
    now: Annotated[
        bool, typer.Option("--now", help="At once: some shops may refuse it for a minute or more.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign with a new key in five minutes, once shops can know it; old signatures stay provable."""
    path = f"/api/keys/rotate{'?now' if now else ''}"
    made = cast("Row", running(data or context.obj).call("POST", path))
    if as_json:
        show_json(made)
    else:
        since = "now" if now else f"from {when(made['signs_from'])}, with the old one until then"
        typer.echo(f"You sign with {made['id']} {since}.")
