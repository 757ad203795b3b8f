"""`lapel passkeys`: what confirms a large purchase. They are added in a browser."""

from __future__ import annotations

import typer

from lapel.cli.console import DataOption, JsonOption, path_of, running, show_json
from lapel.cli.show import rows_of, table, when

passkeys = typer.Typer(
    help="Your passkeys, which confirm what a press is not enough for.", no_args_is_help=True
)


@passkeys.command("list")
def list_passkeys(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List your passkeys."""
    found = rows_of(running(data).get("/api/passkeys"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo("No passkeys. Add one in the console, under Consent.")
    else:
        rows = [
            (
                row["id"],
                row["name"],
                row["rp_id"],
                when(row["created_at"]),
                when(row["used_at"]) if row["used_at"] else "never",
            )
            for row in found
        ]
        table(rows, ("passkey", "name", "at", "since", "used"))


@passkeys.command()
def remove(passkey: str, data: DataOption = None) -> None:
    """Forget a passkey, for one that is lost; what it has signed stays provable."""
    running(data).call("DELETE", path_of("/api/passkeys", passkey))
    typer.echo("Removed.")
