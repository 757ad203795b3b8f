"""Commands that look: orders, devices, addresses."""

from __future__ import annotations

import time
from typing import Annotated, Any, cast

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, path_of, running, show_json

Row = dict[str, Any]

devices = typer.Typer(help="The devices that are yours.", invoke_without_command=True)
addresses = typer.Typer(help="The places that you have a name for.", invoke_without_command=True)


def rows_of(value: object) -> list[Row]:
    return cast("list[Row]", value)


def table(rows: list[tuple[str, ...]], header: tuple[str, ...]) -> None:
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def orders(
    order_id: Annotated[str | None, typer.Argument(help="Show one order.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List your orders, or show one with everything that happened to it."""
    found = rows_of(running(data).get("/api/orders"))
    if order_id is not None:
        found = [row for row in found if row["id"].startswith(order_id)]
        if len(found) != 1:
            raise Trouble(
                f"{len(found) or 'no'} orders begin with {order_id!r}",
                "unknown",
                remedy="`lapel orders` lists them",
            )
    if as_json:
        show_json(found if order_id is None else found[0])
    elif not found:
        typer.echo("No orders yet. Try: lapel ask 'two iced lattes to my office'")
    elif order_id is None:
        rows = [
            (
                row["id"],
                when(row["created_at"]),
                row["state"],
                row["total"] or "",
                row["merchant_name"],
            )
            for row in found
        ]
        table(rows, ("order", "when", "state", "total", "from"))
    else:
        _show_order(found[0])


def _show_order(row: Row) -> None:
    typer.echo(f"{row['merchant_name']}, {row['state']}, order {row['id']}")
    for line in row["lines"]:
        typer.echo(f"  {line['text']:<40} {line.get('value', ''):>12}")
    typer.echo(f"  {'total':<40} {row['total'] or '':>12}")
    for event in row["events"]:
        typer.echo(f"{when(event['at'])}  {event['kind']:<18} {event['text']}")


@devices.callback()
def list_devices(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List your devices; `pair`, `enter` and `revoke` change them."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    found = rows_of(running(data).get("/api/devices"))
    if as_json:
        show_json(found)
        return
    rows = [
        (
            row["id"],
            row["name"],
            row["family"],
            ("worn" if row["on_body"] else "not worn") if row["connected"] else "away",
            when(row["last_seen_at"]),
        )
        for row in found
    ]
    table(rows, ("device", "name", "family", "now", "last seen"))


@devices.command()
def pair(context: typer.Context, data: DataOption = None) -> None:
    """Show a code to enter on a new device."""
    answer = cast("Row", running(data or context.obj).call("POST", "/api/devices/pair"))
    typer.echo(f"Enter {answer['code']} on the device, within {int(answer['expires_s'])} seconds.")


@devices.command()
def enter(context: typer.Context, code: str, data: DataOption = None) -> None:
    """Enter the code that a new device shows."""
    answer = cast(
        "Row", running(data or context.obj).call("POST", "/api/devices/enter", {"code": code})
    )
    typer.echo(f"Paired {answer['device']['name'] or answer['device']['family']}.")


@devices.command()
def revoke(context: typer.Context, device_id: str, data: DataOption = None) -> None:
    """Take a device's key away, at once."""
    running(data or context.obj).call("DELETE", path_of("/api/devices", device_id))
    typer.echo("Revoked.")


@addresses.callback()
def list_addresses(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the places; `set` adds or changes one."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    found = rows_of(running(data).get("/api/addresses"))
    if as_json:
        show_json(found)
        return
    rows = [
        (
            row["label"],
            f"{row['street']}, {row['postal_code']} {row['city']}",
            "default" if row["default"] else "",
        )
        for row in found
    ]
    table(rows, ("label", "place", ""))


@addresses.command("set")
def set_address(
    context: typer.Context,
    label: str,
    street: str,
    city: str,
    latitude: Annotated[float, typer.Option()],
    longitude: Annotated[float, typer.Option()],
    postal_code: str = "",
    country: str = "FI",
    instructions: str = "",
    default: bool = False,
    data: DataOption = None,
) -> None:
    """Save a place under a name that you say: `lapel addresses set office "Street 1" City ...`."""
    body = {
        "street": street,
        "city": city,
        "postal_code": postal_code,
        "country": country,
        "latitude": latitude,
        "longitude": longitude,
        "instructions": instructions,
        "default": default,
    }
    running(data or context.obj).call("PUT", path_of("/api/addresses", label), body)
    typer.echo(f"Saved {label}.")
