"""`lapel services`: MCP servers that the assistant can be asked to use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, cast

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, folder, path_of, running, show_json
from lapel.cli.show import Row, rows_of, table, when
from lapel.settings import SERVICES_FILE

services = typer.Typer(help="MCP servers that you can ask.", invoke_without_command=True)

Name = Annotated[str, typer.Argument(help="What you call it.")]


@services.callback()
def overview(context: typer.Context, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the services; `add`, `check` and `remove` change or try them."""
    context.obj = data
    if context.invoked_subcommand is None:
        _list(data, as_json=as_json)


@services.command("list")
def list_services(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the services that you can ask, with their tools."""
    _list(data or context.obj, as_json=as_json)


def _list(data: Path | None, *, as_json: bool) -> None:
    found = rows_of(running(data).get("/api/services"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo("No services. Add one with: lapel services add URL")
    else:
        rows = [
            (
                row["name"],
                row["url"] or " ".join(row["command"]),
                ", ".join(tool["called"] for tool in row["tools"]),
                when(row["seen_at"]),
            )
            for row in found
        ]
        table(rows, ("service", "where", "tools", "last seen"))


@services.command("add", context_settings={"ignore_unknown_options": True})
def add_service(
    context: typer.Context,
    where: Annotated[list[str], typer.Argument(metavar="URL | -- COMMAND...")],
    name: Annotated[str, typer.Option(help="What you will call it.")] = "",
    token: Annotated[str, typer.Option(help="The key that it wants, if any.")] = "",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an MCP server by its URL, or after `--` by the command that starts it."""
    data = data or context.obj
    lapel = running(data)
    wanted = {"url": where[0], "name": name, "token": token}
    if len(where) > 1 or "://" not in where[0]:
        called = name or Path(where[-1]).stem.replace("_", " ").replace("-", " ").lower()
        _allow(folder(data) / SERVICES_FILE, called, where)
        wanted = {"name": called}
    row = cast("Row", lapel.call("POST", "/api/services", wanted))
    if as_json:
        show_json(row)
        return
    typer.echo(f"Added {row['name']}.")
    for tool in row["tools"]:
        asks = "" if tool["free"] else " (asks you first)"
        typer.echo(f"  ask {row['name']} {tool['called']}{asks}")


def _allow(file: Path, name: str, command: list[str]) -> None:
    """Write the command down where only who owns this Lapel can: that is the leave to run it."""
    try:
        text = file.read_text("utf-8") if file.exists() else "{}"
        known = cast("dict[str, list[str]]", json.loads(text))
        file.touch(0o600)
        file.write_text(json.dumps({**known, name: command}, indent=2), "utf-8")
    except (OSError, ValueError) as error:
        raise Trouble(f"cannot write {str(file)!r}: {error}", "bad_file") from error


@services.command("check")
def check_service(
    context: typer.Context, name: Name, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Ask a service for its tools again; 1 when it cannot be talked to."""
    path = path_of("/api/services", name, "check")
    row = cast("Row", running(data or context.obj).call("POST", path, {}))
    if as_json:
        show_json(row)
    elif row["trouble"]:
        typer.echo(row["trouble"])
    else:
        for tool in row["tools"]:
            needs = ", ".join(x["name"] for x in tool["arguments"] if x["required"])
            asks = "reads only" if tool["free"] else "asks you first"
            typer.echo(f"  {tool['called']:24} {asks:16} {needs}")
    if row["trouble"]:
        raise typer.Exit(1)


@services.command("remove")
def remove_service(context: typer.Context, name: Name, data: DataOption = None) -> None:
    """Forget a service; what was asked of it stays in the record."""
    path = path_of("/api/services", name)
    row = cast("Row", running(data or context.obj).call("DELETE", path))
    typer.echo(f"Removed {row['name']}.")
