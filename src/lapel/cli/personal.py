"""`lapel reminders` and `lapel notes`."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from lapel.cli.console import DataOption, JsonOption, path_of, running, show_json
from lapel.cli.show import table, when

Row = dict[str, Any]

reminders = typer.Typer(help="Your reminders and timers.", invoke_without_command=True)
notes = typer.Typer(help="Your notes.", invoke_without_command=True)


@reminders.callback()
def list_reminders(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List what waits, the next first; `add` and `remove` change it."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    found = cast("list[Row]", running(data).get("/api/reminders"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo('Nothing waits. Try: lapel ask "remind me at six to call Anna"')
    else:
        rows = [(row["id"], row["kind"], row["when"], row["text"]) for row in found]
        table(rows, ("reminder", "kind", "when", "text"))


@reminders.command("add")
def add_reminder(
    context: typer.Context,
    text: str,
    at: Annotated[str, typer.Option("--at", help="As you would say it: 'tomorrow at 9'.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remind yourself of something at a time."""
    body = {"text": text, "when": at}
    found = cast("Row", running(data or context.obj).call("POST", "/api/reminders", body))
    if as_json:
        show_json(found)
    else:
        typer.echo(f"{found['when']}: {found['text']}")


@reminders.command("remove")
def remove_reminder(context: typer.Context, reminder: str, data: DataOption = None) -> None:
    """Cancel a reminder or a timer."""
    running(data or context.obj).call("DELETE", path_of("/api/reminders", reminder))
    typer.echo("Cancelled.")


@notes.callback()
def list_notes(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List your notes, the newest first; `add` and `remove` change them."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    found = cast("list[Row]", running(data).get("/api/notes"))
    if as_json:
        show_json(found)
    elif not found:
        typer.echo('No notes. Try: lapel notes add "the wifi code is 4711"')
    else:
        table(
            [(row["id"], when(row["created_at"]), row["text"]) for row in found],
            ("note", "when", "text"),
        )


@notes.command("add")
def add_note(
    context: typer.Context, text: str, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Write a note down."""
    found = cast("Row", running(data or context.obj).call("POST", "/api/notes", {"text": text}))
    if as_json:
        show_json(found)
    else:
        typer.echo("Noted.")


@notes.command("remove")
def remove_note(context: typer.Context, note: str, data: DataOption = None) -> None:
    """Delete a note."""
    running(data or context.obj).call("DELETE", path_of("/api/notes", note))
    typer.echo("Deleted.")
