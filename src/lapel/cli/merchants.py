"""The shops that Lapel knows: which, what they can do, one more, one less."""

from __future__ import annotations

from typing import Annotated, cast

import typer

from lapel.cli.console import DataOption, JsonOption, Running, Trouble, path_of, running, show_json
from lapel.cli.show import Row, rows_of, table, when

merchants = typer.Typer(help="The shops that Lapel can order from.", invoke_without_command=True)

Which = Annotated[str, typer.Argument(metavar="URL|NAME", help="A URL, or a known shop's name.")]
_SHORT = ("dev.ucp.shopping.", "dev.ucp.", "dev.lapel.")


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
    if (secret or feed) and not key:
        raise Trouble(
            "--secret and --feed go with --key, for a shop that speaks ACP; the product list of a "
            "shop of UCP 2026-01-11 is named in commerce.feeds of lapel.toml",
            "bad_request",
            2,
        )
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


_KINDS = {
    "rides": "take rides with it",
    "travel": "book there",
    "tables": "book tables there",
    "money": "send money by it",
}


def _show(found: Row) -> None:
    """What a check has found: the verdict, what stands in the way, then the details."""
    can = _KINDS.get(found["kind"], "buy here")
    name = found["name"] or found["url"]
    typer.echo(f"{name}: Lapel can{'' if found['can_buy'] else 'not'} {can}.")
    for why in found["lacks"]:
        _line("lacks", why)
    if not found["lacks"] and found["answers"]:
        _line("answers", f"{found['answers']}; {_signed(found)}")
    if not found["offers_version"]:
        _lines("mind", found["warns"])
        return
    _line("speaks", _speaks(found))
    _line("endpoint", found["endpoint"] or "none")
    spoken = [_short(x["name"]) for x in found["capabilities"] if x["spoken"]]
    _lines("offers", spoken or ["nothing that Lapel speaks"])
    strange = [
        f"{_short(x['name'])} {x['version']}" for x in found["capabilities"] if not x["spoken"]
    ]
    _lines("also", [f"{', '.join(strange)} (not spoken by Lapel)"] if strange else [])
    for handler in found["payment_handlers"]:
        usable = "" if handler["usable"] else " (Lapel cannot pay by it)"
        _line("paid by", f"{handler['name']} {handler['id']}{usable}")
    for key in found["signing_keys"]:
        fault = f" ({key['fault']})" if key["fault"] else ""
        _line("signs with", f"{key['kid']} {key['algorithm']}{fault}")
    if found["lacks"]:
        _line("signatures", _signed(found))
    for why in found["warns"]:
        _line("mind", why)


def _speaks(found: Row) -> str:
    offered, version = found["offers_version"], found["version"]
    if not version:
        return f"{offered}, which Lapel does not"
    protocol = offered if offered.startswith("ACP") else f"UCP {version}"
    newer = "" if offered in (version, protocol) else f" (and {offered})"
    return f"{protocol} over {found['transport'].upper() or 'REST'}{newer}"


def _signed(found: Row) -> str:
    newest = found["offers_version"] == "2026-04-08"
    usual = found["signatures"] == "none" and not newest
    return _SIGNATURES[found["signatures"]] + (", as is usual there" if usual else "")


def _line(label: str, text: str) -> None:
    typer.echo(f"  {label:11} {text}")


def _lines(label: str, parts: list[str]) -> None:
    """As few lines as fit a terminal of 100 columns."""
    line = ""
    for part in parts:
        joined = f"{line}, {part}" if line else part
        if len(joined) > 84 and line:
            _line(label, f"{line},")
            label, joined = "", part
        line = joined
    if line:
        _line(label, line)


_SIGNATURES = {
    "right": "its answers are signed, and rightly",
    "none": "its answers are not signed",
    "wrong": "its answers are signed wrongly",
    "unknown": "it gave no answer to look at",
}
