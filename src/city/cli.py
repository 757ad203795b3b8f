"""The `city` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import platformdirs
import typer

from city import server
from city.errors import CityError
from city.faults import Level
from city.pay import people
from city.rides import company
from city.server import Addresses, Options, Transport
from city.shops import acp_shops, city_shops, city_stores, older_shops
from city.store import Database, only_process
from city.tables import houses
from city.travel import offers as travel

app = typer.Typer(
    help="A small city behind public protocols: merchants, couriers, a bank.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Data = Annotated[Path | None, typer.Option(help="Folder of the database.")]


@app.command()
def up(
    data: Data = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="First of the ports; 0 picks free ones.")] = 8700,
    speed: Annotated[
        float, typer.Option(min=1, help="City seconds a second while an order is under way.")
    ] = 60.0,
    start: Annotated[str, typer.Option(help="City time of day at the very first start.")] = "12:00",
    seed: Annotated[int, typer.Option(help="What all chance comes from.")] = 7,
    faults: Annotated[Level, typer.Option(help="How much goes wrong.")] = Level.NONE,
    transport: Annotated[
        Transport, typer.Option(help="How merchants of UCP are spoken to.")
    ] = Transport.OWN,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON when ready.")] = False,
    allow_remote: Annotated[bool, typer.Option(help="Permit a host beyond loopback.")] = False,
    allow_test_controls: Annotated[
        bool, typer.Option(help="Permit forced faults and kill points.")
    ] = False,
) -> None:
    """Run the City until Ctrl-C."""
    options = Options(
        data=_folder(data),
        host=host,
        port=port,
        speed=speed,
        start=start,
        seed=seed,
        faults=faults,
        transport=transport,
        allow_remote=allow_remote,
        allow_test_controls=allow_test_controls,
    )
    try:
        server.run(options, lambda addresses: _announce(addresses, as_json=json))
    except CityError as error:
        _fail(error)


@app.command()
def merchants(data: Data = None) -> None:
    """List the merchants and where they listened last."""
    try:
        database = Database(_existing(data))
    except CityError as error:
        _fail(error)
    urls = server.merchant_urls(database)
    database.close()
    for slug, shop in {**city_shops(), **city_stores(), **acp_shops(), **older_shops()}.items():
        typer.echo(f"{slug:16} {shop.name:30} {shop.street_address:22} {urls.get(slug, '')}")
    for slug, name in [*_others(), *_restaurants()]:
        typer.echo(f"{slug:16} {name:30} {'':22} {urls.get(slug, '')}")


@app.command()
def reset(data: Data = None) -> None:
    """Delete the City's database; a running City must be stopped first."""
    folder = _folder(data)
    try:
        with only_process(folder):
            for name in ("city.sqlite3", "city.sqlite3-wal", "city.sqlite3-shm"):
                (folder / name).unlink(missing_ok=True)
    except CityError as error:
        _fail(error)
    typer.echo(f"The City in {folder} is empty.")


def _announce(addresses: Addresses, *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(addresses).decode())
        return
    typer.echo(f"The City is up: {addresses.city}/")
    stores = [shop.name for shop in (*city_stores().values(), *acp_shops().values())]
    names = [shop.name for shop in city_shops().values()]
    names += [*(name for _, name in _others()), *stores]
    names += [name for _, name in _restaurants()]
    names += [shop.name for shop in older_shops().values()]
    urls = (*addresses.merchants, *addresses.rides, *addresses.travel, *addresses.pay)
    urls += (*addresses.stores, *addresses.acp, *addresses.tables, *addresses.older)
    for name, url in zip(names, urls, strict=True):
        typer.echo(f"  {name:30} {url}")


def _others() -> list[tuple[str, str]]:
    """Companies that are no shops, in the order of their ports: slug and name."""
    going = [(x.slug, x.name) for x in travel.COMPANIES]
    return [(company.SLUG, company.NAME), *going, (people.SLUG, people.NAME)]


def _restaurants() -> list[tuple[str, str]]:
    return [(x.slug, x.name) for x in houses.COMPANIES]


def _folder(data: Path | None) -> Path:
    return data or Path(platformdirs.user_data_dir("lapel-city"))


def _existing(data: Path | None) -> Path | str:
    path = _folder(data) / "city.sqlite3"
    return path if path.exists() else ":memory:"


def _fail(error: CityError) -> NoReturn:
    typer.echo(f"city: {error.text} [{error.code}]", err=True)
    raise typer.Exit(1)


def main() -> None:
    """The console entry point."""
    app()
