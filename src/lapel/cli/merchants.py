"""The shops that Lapel knows: which, what they can do, one more, one less."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from lapel.cli.console import DataOption, JsonOption, Running, Trouble, path_of, running, show_json
from lapel.cli.show import Row, rows_of, table, when

merchants = typer.Typer(help="The shops that Lapel can order from.", invoke_without_command=True)

Which = Annotated[str, typer.Argument(metavar="URL|NAME", help="A URL, or a known shop's name.")]
_SHORT = ("dev.ucp.shopping.", "dev.ucp.")


@merchants.callback()
def list_menus(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Show which shops are open; `list`, `check`, `add`, `remove` are about shops themselves."""
    context.obj = data
    if context.invoked_subcommand is not None:
        return
    found = rows_of(running(data).get("/api/menus"))
    if as_json:
        show_json(found)
        return
    rows = [
        (row["merchant_name"], "open" if row["open_now"] else "closed", str(len(row["items"])))
        for row in found
    ]
    table(rows, ("shop", "now", "dishes"))


@merchants.command("list")
def list_merchants(
    context: typer.Context, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the shops that Lapel knows, with what it can do there."""
    found = rows_of(running(data or context.obj).get("/api/merchants"))
    if as_json:
        show_json(found)
        return
    rows = [
        (
            row["name"],
            row["url"],
            f"{row['protocol'].upper()} {row['version']}",
            ", ".join(_short(name) for name in row["capabilities"]),
            when(row["seen_at"]),
            row["trouble"] or "",
        )
        for row in found
    ]
    table(rows, ("shop", "url", "speaks", "can", "last seen", ""))


@merchants.command("check")
def check_merchant(
    context: typer.Context, which: Which, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Ask a shop what it offers, and what it lacks for Lapel to buy there; 1 when Lapel cannot."""
    lapel = running(data or context.obj)
    known = _known(lapel, which)
    url = known["url"] if known else _url(which)
    found = cast("Row", lapel.call("POST", "/api/merchants/check", {"url": url}))
    if as_json:
        show_json(found)
    else:
        _show(found)
    if not found["can_buy"]:
        raise typer.Exit(1)


@merchants.command("add")
def add_merchant(
    context: typer.Context,
    url: str,
    key: Annotated[str, typer.Option(help="The key that a shop gave you, if it speaks ACP.")] = "",
    secret: Annotated[str, typer.Option(help="The secret that signs its order events.")] = "",
    feed: Annotated[str, typer.Option(help="Where its product feed is.")] = "",
    name: Annotated[str, typer.Option(help="What you call it.")] = "",
    currency: Annotated[str, typer.Option(help="What it sells in.")] = "EUR",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a shop that speaks UCP or ACP, by its URL."""
    given = {"key": key, "secret": secret, "feed": feed, "name": name, "currency": currency}
    wanted = {"url": url, **(given if key else {})}
    answer = cast("Row", running(data or context.obj).call("POST", "/api/merchants", wanted))
    if as_json:
        show_json(answer)
    else:
        typer.echo(f"Added {answer['name']}.")


@merchants.command("remove")
def remove_merchant(
    context: typer.Context, which: Which, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Forget a shop, unless an order there is under way; old orders and receipts stay."""
    lapel = running(data or context.obj)
    known = _known(lapel, which)
    if known is None:
        raise Trouble(
            f"there is no shop {which!r}",
            "unknown_merchant",
            remedy="`lapel merchants list` shows them",
        )
    gone = cast("Row", lapel.call("DELETE", path_of("/api/merchants", known["id"])))
    if as_json:
        show_json(gone)
        return
    typer.echo(f"Removed {gone['name']}.")
    if gone["configured"]:
        typer.echo("It stands in commerce.merchants of lapel.toml, and is back at the next start.")


def _known(lapel: Running, which: str) -> Row | None:
    """The known shop of that id, URL or name; Trouble when several have the name."""
    found = rows_of(lapel.get("/api/merchants"))
    exact = [row for row in found if which.rstrip("/") in (row["id"], row["url"].rstrip("/"))]
    named = exact or [row for row in found if row["name"].casefold() == which.casefold()]
    if len(named) > 1:
        urls = ", ".join(row["url"] for row in named)
        raise Trouble(
            f"{len(named)} shops are called {which!r}",
            "unknown_merchant",
            remedy=f"give a URL: {urls}",
        )
    return named[0] if named else None


def _url(which: str) -> str:
    if " " in which or ("." not in which and ":" not in which):
        raise Trouble(f"there is no shop {which!r}", "unknown_merchant", remedy="give its URL")
    return which


def _short(name: str) -> str:
    for start in _SHORT:
        if name.startswith(start):
            return name.removeprefix(start)
    return name


def _show(found: Row) -> None:
    typer.echo(
        f"{found['name'] or found['url']}: Lapel can{'' if found['can_buy'] else 'not'} buy here."
    )
    for why in found["lacks"]:
        typer.echo(f"  lacks       {why}")
    for why in found["warns"]:
        typer.echo(f"  mind        {why}")
    if not found["offers_version"]:
        return
    typer.echo(f"  version     {found['version'] or 'none'} of {found['offers_version']}")
    typer.echo(f"  endpoint    {found['endpoint'] or 'none'}")
    for entry in found["capabilities"]:
        spoken = "" if entry["spoken"] else " (not spoken by Lapel)"
        typer.echo(f"  offers      {entry['name']} {entry['version']}{spoken}")
    for key in found["signing_keys"]:
        fault = f" ({key['fault']})" if key["fault"] else ""
        typer.echo(f"  key         {key['kid']} {key['algorithm']}{fault}")
    typer.echo(f"  signatures  {_SIGNATURES[found['signatures']]}")
    for handler in found["payment_handlers"]:
        usable = "" if handler["usable"] else " (Lapel cannot pay by it)"
        typer.echo(f"  paid by     {handler['name']} {handler['id']}{usable}")
    if found["products"] is not None:
        typer.echo(f"  sells       {found['products']} things")


_SIGNATURES = {
    "right": "its answers are signed, and rightly",
    "none": "its answers are not signed",
    "wrong": "its answers are signed wrongly",
    "unknown": "it gave no answer to look at",
}
