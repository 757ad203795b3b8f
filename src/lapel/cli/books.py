"""`lapel ledger`: what was held, paid and given back, and whether the bank says the same."""

from __future__ import annotations

from typing import Annotated, Any, cast
from urllib.parse import urlencode

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, running, show_json
from lapel.cli.show import table, when

Row = dict[str, Any]

ledger = typer.Typer(help="Your money, entry by entry.", invoke_without_command=True)


@ledger.callback()
def show(
    context: typer.Context,
    order_id: Annotated[
        str | None, typer.Option("--order", help="Only the entries of one order.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Most entries, newest first (1 to 1000).")] = 20,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show balances and the newest entries; `check` compares them with the bank."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    query = urlencode({"limit": limit, **({"order": order_id} if order_id else {})})
    found = cast("Row", running(data).get(f"/api/ledger?{query}"))
    if as_json:
        show_json(found)
    elif not found["entries"]:
        typer.echo("No money moved yet.")
    else:
        table(
            [(row["account"], row["text"].rjust(14)) for row in found["balances"]],
            ("account", "       balance"),
        )
        typer.echo("")
        rows = [
            (when(entry["at"]), entry["order_id"], entry["step"], line["account"],
             line["text"].rjust(14))
            for entry in found["entries"]
            for line in entry["postings"]
        ]  # fmt: skip
        table(rows, ("when", "order", "step", "account", "        amount"))


@ledger.command()
def check(context: typer.Context, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Compare with the bank now and say what differs; ends with 1 when something does."""
    found = cast("Row", running(data or context.obj).get("/api/ledger/check"))
    if as_json:
        show_json(found)
    else:
        _say(found)
    if not found["sound"]:
        raise Trouble("ledger and bank differ, as named above", "unequal_books")


def _say(found: Row) -> None:
    for bank in found["banks"]:
        typer.echo(
            f"{bank['endpoint']}: {bank['balance']['text']}, {bank['held']['text']} of it held"
        )
    for row in found["differences"]:
        mark = "under way" if row["under_way"] else "DIFFERS"
        where = f" (order {row['order_id']})" if row["order_id"] else ""
        typer.echo(f"{mark}: {row['text']}{where}")
    if found["sound"]:
        typer.echo(f"{found['payments']} payments: the ledger and the bank agree.")
