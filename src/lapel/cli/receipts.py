"""`lapel receipt` and `lapel receipts`: save one or all, and verify them offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, path_of, running, show_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lapel.commerce import LimitUse
    from lapel.commerce.receipt import Amount

receipt = typer.Typer(help="Receipts: portable proof of what was bought and who approved it.")
receipts = typer.Typer(help="All receipts in one file.")
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Thumbprint of the key that must have signed it.")
]


@receipt.command()
def save(order_id: str, file: Path, data: DataOption = None) -> None:
    """Write the receipt of an order to FILE."""
    # As it came: the signature covers every byte.
    _write(file, running(data).content("GET", path_of("/api/orders", order_id, "receipt")))
    typer.echo(f"Saved {file}.")


@receipt.command()
def verify(
    file: Path,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt without any network: every amount, every letter, and who signed it."""
    from lapel.commerce import ReceiptError, is_statement, uses
    from lapel.commerce import verify as verify_file
    from lapel.commerce.keys import thumbprint

    content = _content(file)
    if is_statement(content):
        _verify_all(content, key, as_json=as_json)
        return
    try:
        found = verify_file(content, key=key or "")
    except ReceiptError as error:
        raise Trouble(f"NOT valid: {error}", error.code) from error
    if as_json:
        show_json(msgspec.to_builtins(found))
        return
    typer.echo(f"Valid, signed by key {found.key_id}")
    typer.echo(f"{found.merchant.name}, order {found.merchant.order_id}, {found.placed_at}")
    for line in found.lines:
        typer.echo(f"  {line.quantity} x {line.title:<40} {_money(line.total):>12}")
    for total in found.totals:
        typer.echo(f"  {total.label or total.kind:<44} {_money(total.amount):>12}")
    if found.payment.paid is not None:
        typer.echo(f"  {'Paid in the end':<44} {_money(found.payment.paid):>12}")
    consent = found.consent
    shown = ", ".join((*consent.shown_on, *consent.read_aloud_on))
    typer.echo(f"Approved by {consent.gesture} on {consent.device_name} at {consent.at}")
    typer.echo(f"after it was told on: {shown}")
    if found.mandates is None:
        typer.echo("It holds no mandate: it is from before Lapel had them.")
        return
    typer.echo(f"The user signed this very cart with key {thumbprint(found.mandates.jwk)}")
    if found.mandates.merchant_jwk:
        typer.echo(f"as {found.merchant.name} had signed it ({found.mandates.audience})")
    _say_limits(uses([found]))


@receipts.command()
def export(file: Path, data: DataOption = None) -> None:
    """Write all receipts to FILE, closed so that one taken out of it is missed."""
    content = running(data).content("GET", "/api/receipts")
    _write(file, content)
    count = content.count(b"\n") - 1
    typer.echo(f"Saved {count} receipt{'' if count == 1 else 's'} in {file}.")


@receipts.command("verify")
def verify_all(file: Path, key: KeyOption = None, as_json: JsonOption = False) -> None:
    """Check a file of receipts without any network: each one, and that none is missing."""
    _verify_all(_content(file), key, as_json=as_json)


def _verify_all(content: bytes, key: str | None, *, as_json: bool) -> None:
    from lapel.commerce import ReceiptError, uses, verify_statement

    try:
        found = verify_statement(content, key=key or "")
    except ReceiptError as error:
        raise Trouble(f"NOT valid: {error}", error.code) from error
    if as_json:
        limits = msgspec.to_builtins(uses(found.receipts))
        show_json({**msgspec.to_builtins(found), "limits": limits})
        return
    typer.echo(f"Valid and complete until {found.end.exported_at}, closed by {found.end.key_id}")
    for entry in found.receipts:
        typer.echo(f"  {entry.placed_at}  {entry.merchant.name:<32} {_money(entry.total):>12}")
    typer.echo(f"{found.end.count} in all.")
    _say_limits(uses(found.receipts))


def _say_limits(found: Iterable[LimitUse]) -> None:
    """Each limit that gave a yes, and what was bought by it in each of its periods."""
    for use in found:
        terms = use.terms
        at = ", ".join(shop.name for shop in terms.merchants) or "shops paid before"
        number = f" and {terms.purchases} purchases" if terms.purchases else ""
        typer.echo(f"Limit {use.limit_id} for {at}: {terms.budget}{number} in any {terms.period}")
        for period in use.periods:
            count = f"{period.purchases} purchase{'' if period.purchases == 1 else 's'}"
            over = "  MORE than the limit, unless some of it came back" if period.over else ""
            typer.echo(f"  {terms.period} to {period.ends}  {period.spent!s:>12}, {count}{over}")


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Trouble(f"cannot write {str(file)!r}: {error.strerror}", "bad_file", 2) from error


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Trouble(f"cannot read {str(file)!r}: {error.strerror}", "bad_file", 2) from error


def _money(amount: Amount) -> str:
    from lapel.commerce import Money

    return str(Money(amount.minor, amount.currency))
