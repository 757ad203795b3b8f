"""The ledger in the JSON API. Amounts are texts for people, with `minor` units for programs."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lapel.commerce import Money, PortError
from lapel.commerce.books import Books, Checked, Difference
from lapel.commerce.ledger import Entry, Posting
from lapel.web.gate import refused

MOST = 1000
"""Entries in one answer."""
Answer = dict[str, Any]


class LedgerApi:
    """`/api/ledger` and `/api/ledger/check`, for a user who is signed in."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def show(self, request: Request, user_id: str) -> Response:
        """Balances and the newest entries; `order` narrows, `limit` is 1 to 1000."""
        wanted = request.query_params.get("limit", "100")
        if not wanted.isascii() or not wanted.isdigit() or not 1 <= int(wanted[:9]) <= MOST:
            return refused(f"`limit` is a number from 1 to {MOST}", "bad_request", 400)
        order_id = request.query_params.get("order")
        balances = await self._books.balances(user_id)
        entries = await self._books.entries(user_id, order_id=order_id, limit=int(wanted))
        return JSONResponse(
            {
                "balances": [_posting(balance) for balance in balances],
                "entries": [_entry(entry) for entry in entries],
            }
        )

    async def check(self, _: Request, user_id: str) -> Response:
        """The ledger beside the bank's statement, as it is now."""
        try:
            found = await self._books.check(user_id)
        except PortError as error:
            words = f"{error.text} Nothing was compared; try again."
            return refused(words, error.code, 502)
        return JSONResponse(_checked(found))


def _posting(posting: Posting) -> Answer:
    return {"account": posting.account, **_money(posting.amount)}


def _entry(entry: Entry) -> Answer:
    return {
        "n": entry.n,
        "key": entry.key,
        "order_id": entry.order_id,
        "step": entry.step.value,
        "authorization_id": entry.authorization_id,
        "at": entry.at,
        "postings": [_posting(posting) for posting in entry.postings],
    }


def _checked(checked: Checked) -> Answer:
    return {
        "sound": checked.is_sound,
        "payments": checked.payments,
        "banks": [
            {
                "endpoint": statement.endpoint,
                "balance": _money(statement.balance),
                "held": _money(statement.held),
                "entries": len(statement.entries),
            }
            for statement in checked.statements
        ],
        "differences": [_difference(difference) for difference in checked.differences],
    }


def _difference(difference: Difference) -> Answer:
    return {
        "code": difference.code,
        "text": difference.text,
        "under_way": difference.under_way,
        "order_id": difference.order_id,
        "authorization_id": difference.authorization_id,
        "ledger": _money(difference.ledger) if difference.ledger else None,
        "bank": _money(difference.bank) if difference.bank else None,
    }


def _money(amount: Money) -> Answer:
    return {"minor": amount.minor, "currency": amount.currency, "text": str(amount)}
