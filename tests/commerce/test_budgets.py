"""What receipts alone say of a limit: the sum of each of its periods against the budget."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from test_open_mandates import KEY as USER
from test_open_mandates import signed
from test_receipt import KEY, SIGNER, TAP, order
from typer.testing import CliRunner

from lapel.cli import app
from lapel.commerce import (
    LimitTerms,
    Money,
    Party,
    statement,
    uses,
    verify,
    verify_statement,
)
from lapel.commerce.consent import closed
from lapel.commerce.consent.open_mandates import OpenMandates, verify_open
from lapel.commerce.receipt import receipt_of

pytestmark = pytest.mark.unit

AT = 1764000000.0
DAY = 86400
WEEK = LimitTerms("EUR", 1500, 1000, "week", int(AT) + 90 * DAY, (Party("blue", "Blue Door"),))
PRICE = 490


def bought(
    n: int, days: float, by: OpenMandates | None, previous: str | None, paid: int = 0
) -> str:
    """The receipt of a latte, `days` after the limit was set, within it or by a press."""
    made, checkout = order(order_id=f"o_{n}")
    at = AT + days * DAY
    evidence = replace(TAP, at=at)
    if by is not None:
        evidence = replace(evidence, gesture=closed.WITHIN_LIMIT, shown_on=())
    given = replace(made.approval, decided_at=at, evidence=evidence)
    yes = closed.close(
        USER,
        checkout,
        given,
        valid_s=600,
        within=verify_open(by, USER.public).hash if by else "",
        standing=by,
    )
    made = replace(made, approval=given)
    took = Money(paid, "EUR") if paid else None
    return SIGNER.sign(receipt_of(made, checkout, at, SIGNER.key_id, previous, yes, took))


def chained(*purchases: tuple[float, OpenMandates | None], paid: int = 0) -> list[str]:
    made: list[str] = []
    for n, (days, by) in enumerate(purchases):
        made.append(bought(n, days, by, made[-1] if made else None, paid))
    return made


def sums(files: list[str]) -> list[list[tuple[int, int, bool]]]:
    found = uses(verify(x) for x in files)
    return [[(x.spent.minor, x.purchases, x.over) for x in use.periods] for use in found]


def test_a_period_rolls_and_ends_with_each_purchase():
    one = signed(WEEK)
    found = sums(chained((0, one), (6, one), (6.9, one), (7, one), (30, one)))
    # The first is a whole week old at the fourth, and no longer of its week.
    assert found == [
        [
            (PRICE, 1, False),
            (2 * PRICE, 2, False),
            (3 * PRICE, 3, True),
            (3 * PRICE, 3, True),
            (PRICE, 1, False),
        ]
    ]


def test_each_limit_has_its_own_sum_and_what_was_pressed_for_is_in_none():
    one = signed(WEEK)
    other = signed(msgspec.structs.replace(WEEK, budget_minor=2000, merchants=()), limit_id="m_2")
    found = uses(verify(x) for x in chained((0, None), (1, one), (2, other), (3, None), (4, one)))
    assert [(use.limit_id, use.terms.budget_minor) for use in found] == [
        ("m_1", 1000),
        ("m_2", 2000),
    ]
    assert [[x.order_id for x in use.periods] for use in found] == [["o_1", "o_4"], ["o_2"]]
    assert [use.periods[-1].spent for use in found] == [
        Money(2 * PRICE, "EUR"),
        Money(PRICE, "EUR"),
    ]
    assert not any(period.over for use in found for period in use.periods)


def test_too_many_purchases_are_too_much_and_what_was_paid_is_what_counts():
    twice = signed(msgspec.structs.replace(WEEK, purchases=2))
    files = chained((0, twice), (1, twice), (2, twice), paid=100)
    assert sums(files) == [[(100, 1, False), (200, 2, False), (300, 3, True)]]


def test_verify_prints_the_sums(tmp_path):
    one = signed(WEEK)
    made = chained((0, one), (1, one), (2, one), (3, None))
    whole = statement.make(KEY, "u_1", made, AT + 9 * DAY)
    assert len(verify_statement(whole.encode()).receipts) == 4
    file = tmp_path / "all.jsonl"
    file.write_bytes(whole.encode())
    said = CliRunner().invoke(app, ["receipts", "verify", str(file)]).output.splitlines()
    head = said.index("Limit m_1 for Blue Door: 10.00 EUR in any week")
    assert [line.split("Z")[1].strip() for line in said[head + 1 :]] == [
        "4.90 EUR, 1 purchase",
        "9.80 EUR, 2 purchases",
        "14.70 EUR, 3 purchases  MORE than the limit, unless some of it came back",
    ]
    file.write_bytes(made[0].encode())
    said = CliRunner().invoke(app, ["receipt", "verify", str(file)]).output
    assert "Limit m_1 for Blue Door" in said
