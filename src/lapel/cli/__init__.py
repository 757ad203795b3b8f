"""The `lapel` command."""

from __future__ import annotations

import sys
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from lapel import __version__
from lapel.cli import (
    ask,
    bench,
    books,
    consent,
    evaluate,
    limits,
    merchants,
    models,
    passkeys,
    pay,
    personal,
    receipts,
    services,
    show,
    up,
)
from lapel.cli.console import Trouble
from lapel.failures import FAILURES, code_of
from lapel.faults import fault

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
app.command("limit")(limits.limit)
app.add_typer(limits.mandates, name="mandates")
app.add_typer(personal.reminders, name="reminders")
app.add_typer(personal.notes, name="notes")
app.add_typer(pay.contacts, name="contacts")
app.command("scan")(pay.scan)
app.add_typer(services.services, name="services")
app.add_typer(models.models, name="models")
app.add_typer(receipts.receipts, name="receipts")
app.add_typer(books.ledger, name="ledger")
app.command("bench")(bench.bench)
app.add_typer(evaluate.evaluate, name="eval")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


@app.command("explain")
def explain(code: Annotated[str, typer.Argument(help="As a message names it.")]) -> None:
    """Say of an error code what happened, what it cost and what can be done."""
    known = code_of(code)
    if known is None:
        raise Trouble(f"there is no code {code!r}", "unknown", 2, remedy="docs/errors.md lists all")
    found = FAILURES[known]
    typer.echo(f"{code}: {found.happened}.")
    typer.echo(f"  It cost: {found.cost}.")
    typer.echo(f"  You can: {found.remedy}.")


def main() -> None:
    """Entry point: what fails is told in its three parts, never with a traceback."""
    try:
        status = app(standalone_mode=False, prog_name="lapel")
    except Trouble as trouble:
        _end(trouble)
    except typer.Abort:
        _end(Trouble("stopped", "canceled", 130))
    except TyperException as error:
        _usage(error)
    except OSError as error:
        _end(Trouble(f"{error.filename or 'a file'}: {error.strerror or error}", "bad_file"))
    except Exception as error:  # the boundary of the program: a trace may quote the user's words
        _end(Trouble(fault(error), "fault"))
    else:
        sys.exit(status if isinstance(status, int) else 0)


def _usage(error: TyperException) -> NoReturn:
    """A command that was called wrongly, or not named at all: then the help is what was asked."""
    context = getattr(error, "ctx", None)
    where = "lapel" if context is None else str(context.command_path)
    text = error.format_message()
    if text.startswith("Usage:") or not text:
        typer.echo(text, err=True)
        sys.exit(2)
    remedy = f"`{where} --help` shows what it takes"
    _end(Trouble(text.rstrip("."), "unknown_option", 2, remedy=remedy))


def _end(trouble: Trouble) -> NoReturn:
    typer.echo(trouble.whole(), err=True)
    sys.exit(trouble.status)


__all__ = ["app", "main"]
