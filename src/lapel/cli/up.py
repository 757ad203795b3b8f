"""`lapel up` starts the gateway; `lapel link` prints its link again."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from lapel.cli.console import DataOption, Trouble, folder, running


def up(
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 picks a free one.")
    ] = None,
    text: Annotated[bool, typer.Option("--text", help="Leave speech out.")] = False,
    merchant: Annotated[
        list[str] | None, typer.Option(help="A shop's address; repeat for more.")
    ] = None,
    bank: Annotated[
        list[str] | None, typer.Option(help="A bank that may open a demonstration account.")
    ] = None,
    demo_places: Annotated[
        str | None, typer.Option(help="URL of demonstration addresses, used while you have none.")
    ] = None,
    maps: Annotated[
        str | None, typer.Option(help="A map service's address: Amap's, or the City's.")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="postgresql://user@host/database instead of SQLite in the data folder."),
    ] = None,
    new_keys: Annotated[
        bool,
        typer.Option(help="The file consent.key is lost: retire the keys that it opened."),
    ] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
    allow_plain_remote: Annotated[
        bool, typer.Option(help="Listen beyond loopback without TLS: others can listen in.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line when ready.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Start Lapel, print a link with a sign-in token, run until Ctrl-C."""
    from lapel.settings import SettingsError, load

    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    here = folder(data)
    try:
        settings = load(config or here / "lapel.toml", required=config is not None)
    except SettingsError as error:
        raise Trouble(str(error), error.code, 2) from error
    from lapel import app  # half a second to load: not before the settings are known to be right

    replace = msgspec.structs.replace
    server = replace(
        settings.server,
        host=host or settings.server.host,
        port=settings.server.port if port is None else port,
        allow_plain_remote=allow_plain_remote or settings.server.allow_plain_remote,
    )
    speech = replace(settings.speech, enabled=settings.speech.enabled and not text)
    commerce = replace(
        settings.commerce,
        merchants=(*settings.commerce.merchants, *(merchant or ())),
        banks=(*settings.commerce.banks, *(bank or ())),
    )
    charts = replace(settings.maps, url=maps or settings.maps.url)
    record = replace(settings.store, url=store or settings.store.url)
    settings = replace(
        settings, server=server, store=record, speech=speech, commerce=commerce, maps=charts
    )
    try:
        asyncio.run(
            app.serve(
                here,
                settings,
                demo_places=demo_places,
                new_keys=new_keys,
                as_json=as_json,
                say=_progress,
            )
        )
    except app.StartError as error:
        raise Trouble(str(error), error.code) from error
    except KeyboardInterrupt:
        pass


def _progress(text: str) -> None:
    """One line for each matter: percentages overwrite each other, and stay out of a log file."""
    if not text.endswith("%"):
        typer.echo(text, err=True)
    elif sys.stderr.isatty():
        typer.echo(f"\r{text}", err=True, nl=text.endswith("100 %"))


def link(data: DataOption = None) -> None:
    """Print the link of the running Lapel, with its sign-in token."""
    found = running(data)
    typer.echo(f"{found.url}/?token={found.token}")
