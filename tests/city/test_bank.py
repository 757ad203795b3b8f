from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.bank import ledger
from city.errors import BankRefusal
from city.store import Database

pytestmark = pytest.mark.unit

SHOPS = ("mer_a", "mer_b")


@pytest.fixture
def database():
    made = _open()
    yield made
    made.close()


def _open() -> Database:
    database = Database(":memory:")
    with database.transaction() as tx:
        ledger.open_account(tx, "mint", "mint", ledger.MINT, "m", 0.0)
        for shop in SHOPS:
            ledger.open_account(tx, shop, "merchant", shop, f"secret {shop}", 0.0)
        ledger.open_account(tx, "Ann", "customer", "ann", "secret ann", 0.0)
    return database


def _hold(amount: int, payee: str = "mer_a", expires_s: float = 900.0) -> ledger.Hold:
    return ledger.Hold("ann", payee, amount, "EUR", "city_bank", "ref", expires_s)


def test_a_hold_takes_nothing_but_cannot_be_spent_twice(database):
    with database.transaction() as tx:
        for _ in range(2):
            ledger.authorize(tx, _hold(20_000), 0.0)
        assert ledger.balance(tx, "ann") == ledger.OPENING_BALANCE
        assert ledger.held(tx, "ann", 0.0) == 40_000
        with pytest.raises(BankRefusal) as refusal:
            ledger.authorize(tx, _hold(10_001), 0.0)
        assert (refusal.value.code, refusal.value.status) == ("insufficient_funds", 402)
        assert ledger.held(tx, "ann", 901.0) == 0, "holds end by themselves"


def test_a_capture_happens_once(database):
    with database.transaction() as tx:
        made = ledger.authorize(tx, _hold(1234), 0.0)
        first = ledger.capture(tx, made.token, 1234, "mer_a", "chk_1", 1.0)
        again = ledger.capture(tx, made.token, 1234, "mer_a", "chk_1", 2.0)
        assert first == again
        assert ledger.balance(tx, "mer_a") == 1234
        with pytest.raises(BankRefusal) as refusal:
            ledger.capture(tx, made.token, 1234, "mer_a", "chk_2", 3.0)
        assert refusal.value.code == "already_captured"


@pytest.mark.parametrize(
    ("amount", "payee", "now_s", "code"),
    [
        (1235, "mer_a", 1.0, "amount_mismatch"),
        (1233, "mer_a", 1.0, "amount_mismatch"),
        (1234, "mer_b", 1.0, "unknown_token"),
        (1234, "mer_a", 900.0, "expired"),
    ],
)
def test_a_hold_is_bound_to_amount_payee_and_time(database, amount, payee, now_s, code):
    with database.transaction() as tx:
        made = ledger.authorize(tx, _hold(1234), 0.0)
        with pytest.raises(BankRefusal) as refusal:
            ledger.capture(tx, made.token, amount, payee, "chk", now_s)
        assert refusal.value.code == code
        assert ledger.balance(tx, payee) == 0


def test_void_and_refund_know_what_happened(database):
    with database.transaction() as tx:
        kept, paid = (ledger.authorize(tx, _hold(1000), 0.0) for _ in range(2))
        assert ledger.void(tx, kept.id, 1.0).state == "voided"
        assert ledger.void(tx, kept.id, 1.0).state == "voided"
        with pytest.raises(BankRefusal, match="voided"):
            ledger.capture(tx, kept.token, 1000, "mer_a", "chk", 2.0)
        with pytest.raises(BankRefusal) as early:
            ledger.refund(tx, paid.id, 2.0)
        assert early.value.code == "not_captured"
        ledger.capture(tx, paid.token, 1000, "mer_a", "chk", 2.0)
        with pytest.raises(BankRefusal) as late:
            ledger.void(tx, paid.id, 3.0)
        assert late.value.code == "already_captured"
        assert ledger.refund(tx, paid.id, 3.0).state == "refunded"
        assert ledger.refund(tx, paid.id, 3.0).state == "refunded"
        assert ledger.balance(tx, "ann") == ledger.OPENING_BALANCE


def test_a_hold_at_most_is_captured_below_and_the_rest_is_free(database):
    with database.transaction() as tx:
        made = ledger.authorize(tx, replace(_hold(20_000), at_most=True), 0.0)
        for wrong in (0, -1, 20_001):
            with pytest.raises(BankRefusal) as refusal:
                ledger.capture(tx, made.token, wrong, "mer_a", "chk", 1.0)
            assert refusal.value.code == "amount_mismatch"
        paid = ledger.capture(tx, made.token, 12_345, "mer_a", "chk", 1.0)
        assert (paid.state, paid.amount, paid.captured) == ("captured", 20_000, 12_345)
        assert ledger.capture(tx, made.token, 12_345, "mer_a", "chk", 1.0) == paid
        with pytest.raises(BankRefusal) as twice:
            ledger.capture(tx, made.token, 7_655, "mer_a", "chk", 1.0)
        assert twice.value.code == "already_captured"
        assert ledger.held(tx, "ann", 1.0) == 0
        assert ledger.balance(tx, "ann") == ledger.OPENING_BALANCE - 12_345
        assert ledger.refund(tx, made.id, 2.0).refunded == 12_345, "not the hold's amount"


def test_parts_go_back_and_never_more_than_was_captured(database):
    with database.transaction() as tx:
        made = ledger.authorize(tx, _hold(1000), 0.0)
        ledger.capture(tx, made.token, 1000, "mer_a", "chk", 1.0)
        first = ledger.refund(tx, made.id, 2.0, 300, "no muffin")
        assert (first.state, first.refunded) == ("captured", 300)
        for wrong in (701, 0, -5):
            with pytest.raises(BankRefusal) as refusal:
                ledger.refund(tx, made.id, 3.0, wrong)
            assert refusal.value.code == "refund_too_large"
        assert ledger.refund(tx, made.id, 3.0, 200).refunded == 500
        assert ledger.refund(tx, made.id, 4.0).state == "refunded", "all that is left"
        with pytest.raises(BankRefusal) as late:
            ledger.refund(tx, made.id, 5.0, 1)
        assert late.value.code == "already_refunded"
        assert ledger.balance(tx, "ann") == ledger.OPENING_BALANCE
        kinds = [
            (kind, amount, of) for _, _, amount, kind, _, _, of, _ in ledger.entries(tx, "ann")
        ]
        assert kinds[1:] == [
            ("payment", -1000, made.id),
            ("refund", 300, made.id),
            ("refund", 200, made.id),
            ("refund", 500, made.id),
        ]


def test_a_database_of_an_earlier_city_is_brought_up_to_date(tmp_path):
    path = tmp_path / "city.sqlite3"
    database = Database(path)
    with database.transaction() as tx:
        for id in (ledger.MINT, "mer_a", "ann"):
            ledger.open_account(tx, id, "merchant", id, f"secret {id}", 0.0)
        tx.execute("DROP TABLE authorizations")
        tx.execute(
            "CREATE TABLE authorizations (id TEXT PRIMARY KEY, account TEXT, payee TEXT, "
            "amount INTEGER, currency TEXT, handler_id TEXT, reference TEXT, token TEXT UNIQUE, "
            "state TEXT, expires_s REAL, capture_reference TEXT NOT NULL DEFAULT '') WITHOUT ROWID"
        )
        for state in ("authorized", "captured", "refunded"):
            tx.execute(
                "INSERT INTO authorizations VALUES (?, 'ann', 'mer_a', 500, 'EUR', 'h', 'r', ?, ?, 9, '')",
                (state, f"token {state}", state),
            )
    database.close()
    for _ in range(2):
        database = Database(path)
        with database.transaction() as tx:
            shown = [ledger.find(tx, id, 0.0) for id in ("authorized", "captured", "refunded")]
            assert [(x.captured, x.refunded, x.at_most) for x in shown] == [
                (0, 0, False),
                (500, 0, False),
                (500, 500, False),
            ]
        database.close()


def test_refusals_that_are_nobodys_money(database):
    with database.transaction() as tx:
        for hold, code in (
            (_hold(30_001), "limit_exceeded"),
            (_hold(10, payee="ann"), "own_account"),
            (_hold(10, payee="nobody"), "unknown_payee"),
        ):
            with pytest.raises(BankRefusal) as refusal:
                ledger.authorize(tx, hold, 0.0)
            assert refusal.value.code == code
        assert ledger.login(tx, "secret ann").id == "ann"
        assert ledger.login(tx, "secret") is None


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["authorize", "capture", "void", "refund", "part", "wait"]),
        st.integers(0, 7),
        st.integers(1, 31_000),
        st.sampled_from(SHOPS),
    ),
    max_size=40,
)


@settings(max_examples=80, deadline=None)
@given(ACTS)
def test_whatever_happens_money_is_neither_made_nor_lost(acts):
    database = _open()
    made: list[ledger.Authorization] = []
    now_s = 0.0
    for act, which, amount, payee in acts:
        one = made[which % len(made)] if made else None
        try:
            with database.transaction() as tx:
                if act == "authorize":
                    hold = replace(_hold(amount, payee, now_s + 300), at_most=which % 2 == 0)
                    made.append(ledger.authorize(tx, hold, now_s))
                elif act == "wait":
                    now_s += 100.0
                elif one is not None and act == "capture":
                    ledger.capture(
                        tx, one.token, min(amount, one.amount), one.payee, f"chk_{which}", now_s
                    )
                elif one is not None and act == "part":
                    ledger.refund(tx, one.id, now_s, amount // 8)
                elif one is not None:
                    getattr(ledger, act)(tx, one.id, now_s)
        except BankRefusal:
            pass
        _check_books(database, now_s)
    database.close()


def _check_books(database: Database, now_s: float) -> None:
    with database.transaction() as tx:
        assert tx.execute("SELECT COALESCE(SUM(amount), 0) FROM entries").fetchone()[0] == 0
        lopsided = tx.execute(
            "SELECT transfer FROM entries GROUP BY transfer HAVING SUM(amount) <> 0 OR COUNT(*) <> 2"
        ).fetchall()
        assert not lopsided
        balance = ledger.balance(tx, "ann")
        assert balance >= ledger.held(tx, "ann", now_s) >= 0
        captured = tx.execute(
            "SELECT COALESCE(SUM(captured - refunded), 0) FROM authorizations"
        ).fetchone()[0]
        assert balance == ledger.OPENING_BALANCE - captured
        assert sum(ledger.balance(tx, shop) for shop in SHOPS) == captured
