"""The `lapel` command."""

from __future__ import annotations

import sys

import typer

from lapel import __version__
from lapel.cli import (
    ask,
    bench,
    books,
    consent,
    limits,
    merchants,
    passkeys,
    pay,
    personal,
    receipts,
    services,
    show,
    up,
)
from lapel.cli.console import Trouble

app = typer.Typer(
    help="The open gateway for AI wearables: one assistant, every wearable, real services.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("link")(up.link)
app.command("ask")(ask.ask)
app.command("press")(ask.press)
app.command("position")(ask.position)
app.command("orders")(show.orders)
app.add_typer(show.devices, name="devices")
app.add_typer(merchants.merchants, name="merchants")
app.add_typer(show.addresses, name="addresses")
app.add_typer(receipts.receipt, name="receipt")
app.add_typer(consent.keys, name="keys")
app.add_typer(passkeys.passkeys, name="passkeys")
app.add_typer(limits.mandates, name="mandates")
app.add_typer(personal.reminders, name="reminders")
app.add_typer(personal.notes, name="notes")
app.add_typer(pay.contacts, name="contacts")
app.command("scan")(pay.scan)
app.add_typer(services.services, name="services")
app.add_typer(receipts.receipts, name="receipts")
app.add_typer(books.ledger, name="ledger")
app.command("bench")(bench.bench)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Entry point: errors meant for the user end with one line, not with a traceback."""
    try:
        app()
    except Trouble as trouble:
        typer.echo(f"lapel: {trouble}", err=True)
        sys.exit(trouble.status)


__all__ = ["app", "main"]
