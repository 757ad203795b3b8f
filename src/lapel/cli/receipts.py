"""`lapel receipt`: save one, and verify one offline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lapel.cli.console import DataOption, JsonOption, Trouble, running, show_json

receipt = typer.Typer(help="Receipts: portable proof of what was bought and who approved it.")


@receipt.command()
def save(order_id: str, file: Path, data: DataOption = None) -> None:
    """Write the receipt of an order to FILE."""
    found = running(data).get(f"/api/orders/{order_id}/receipt")
    file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf-8")
    typer.echo(f"Saved {file}.")


@receipt.command()
def verify(
    file: Path,
    key: Annotated[
        str | None, typer.Option(help="Thumbprint of the key that must have signed it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a receipt without any network: every amount, every letter, and who signed it."""
    from lapel.commerce import ReceiptError, verify_receipt

    try:
        content = file.read_bytes()
    except OSError as error:
        raise Trouble(f"cannot read {str(file)!r}: {error.strerror}", 2) from error
    try:
        found = verify_receipt(content, key=key)
    except ReceiptError as error:
        raise Trouble(f"NOT valid ({error.code}): {error}") from error
    if as_json:
        show_json(found.as_json())
    else:
        typer.echo(found.summary())
