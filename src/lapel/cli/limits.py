"""`lapel mandates`: what may be bought without asking."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, cast

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, path_of, running, show_json
from lapel.cli.show import Row, rows_of, table, when

mandates = typer.Typer(
    help="Standing limits: what may be bought without asking.", no_args_is_help=True
)


@mandates.command("list")
def list_mandates(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the limits that stand and those that wait for your answer."""
    found = rows_of(running(data).get("/api/mandates"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo(
            "No limits: you are asked before anything is bought. Try: lapel mandates add --help"
        )
    else:
        rows = [
            (
                row["id"],
                _shops(row),
                row["most"],
                f"{row['budget']} a {row['period']}",
                _state(row),
                when(row["valid_until"]),
            )
            for row in found
        ]
        table(rows, ("limit", "shops", "a purchase", "budget", "", "until"))


@mandates.command()
def add(
    most: Annotated[str, typer.Option("--most", help="For one purchase, as in 15 or 12.50.")],
    budget: Annotated[str, typer.Option("--budget", help="In any period; a whole amount.")],
    shop: Annotated[
        list[str] | None,
        typer.Option("--shop", help="A known shop; several times for several. None: any."),
    ] = None,
    goods: Annotated[
        list[str] | None,
        typer.Option("--goods", help="Only this, of what you had from the one shop; repeatable."),
    ] = None,
    period: Annotated[str, typer.Option("--period", help="day, week or month.")] = "week",
    purchases: Annotated[int, typer.Option(help="Most purchases in a period; 0: any.")] = 0,
    days: Annotated[int, typer.Option(help="How long it stands.")] = 90,
    currency: Annotated[str, typer.Option(help="Three letters.")] = "EUR",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask to be allowed something; it stands once you tap Allow on a screen that shows it."""
    body = {
        "most_minor": _minor(most, currency),
        "budget_minor": _minor(budget, currency),
        "period": period,
        "shops": shop or [],
        "goods": goods or [],
        "currency": currency,
        "purchases": purchases,
        "days": days,
    }
    found = cast("Row", running(data).call("POST", "/api/mandates", body))
    if as_json:
        show_json(found)
    else:
        typer.echo(f"{found['id']} waits for you: look at a screen, and tap Allow there.")


@mandates.command()
def show(limit: str, data: DataOption = None) -> None:
    """Show a limit whole, with the open mandates that you signed, as JSON."""
    show_json(running(data).get(path_of("/api/mandates", limit)))


@mandates.command()
def revoke(limit: str, data: DataOption = None) -> None:
    """End a limit now; what waits in its undo window is asked about."""
    running(data).call("DELETE", path_of("/api/mandates", limit))
    typer.echo("Revoked: you are asked from now on.")


def limit(
    amount: Annotated[
        str | None, typer.Argument(help="The new limit, as in 500 or 499.90; without it: show.")
    ] = None,
    kind: Annotated[str, typer.Option("--for", help="orders or travel.")] = "orders",
    currency: Annotated[str, typer.Option(help="Three letters.")] = "EUR",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set the most that one purchase may cost. You are asked before each one anyway."""
    lapel = running(data)
    if amount is None:
        found = rows_of(lapel.get("/api/limits"))
    else:
        body = {"minor": _minor(amount, currency), "currency": currency}
        found = rows_of(lapel.call("PUT", path_of("/api/limits", kind), body))
    if as_json:
        show_json(found)
    else:
        rows = [(row["kind"], row["text"], "yours" if row["own"] else "usual") for row in found]
        table(rows, ("for", "most", ""))


def _shops(row: Row) -> str:
    shops = ", ".join(shop["name"] for shop in row["shops"]) or "any paid before"
    goods = ", ".join(dict.fromkeys(item["title"] for item in row["goods"]))
    return f"{shops}: only {goods}" if goods else shops


def _state(row: Row) -> str:
    if row["state"] == "asked":
        return "waits for you on a screen"
    return f"{row['left']} left" if row["stands"] else "ended"


def _minor(text: str, currency: str) -> int:
    from lapel.commerce import minor_digits

    try:
        amount = Decimal(text).scaleb(minor_digits(currency))
        minor = int(amount)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise Trouble(f"{text!r} is no amount; write 15 or 12.50", "bad_request", 2) from error
    if minor != amount:
        raise Trouble(f"{text!r} is finer than {currency} has", "bad_request", 2)
    return minor
