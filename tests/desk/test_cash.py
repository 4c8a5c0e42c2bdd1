"""The account's cash beside its fills: shown and alarmed when it differs, never a reason to stop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.desk.test_books import ACCOUNT, by_hand, standing

from tws.desk import AdjustCash, AskCash, CashStated
from tws.desk.standing import DiscrepancyKind
from tws.model.account import AccountValue
from tws.model.contract import Contract
from tws.model.execution import Commission
from tws.positions import PositionBook
from tws.positions.cash import cash_moved


def state_cash(bench: Any, value: str, currency: str = "USD", account: str = ACCOUNT) -> None:
    row = AccountValue(account=account, key="CashBalance", value=value, currency=currency)
    bench.tell(CashStated(rows=(row,)))


def test_cash_is_asked_for_after_a_resume_and_every_quarter_of_an_hour(bench: Any) -> None:
    assert len(bench.take(AskCash)) == 1
    bench.wait(890)
    assert bench.take(AskCash) == []
    bench.wait(20)
    assert len(bench.take(AskCash)) == 1
    bench.drop()
    bench.connect()
    assert len(bench.take(AskCash)) == 1


def test_cash_that_moves_as_the_fills_do_is_no_difference(bench: Any) -> None:
    state_cash(bench, "100000.00")
    fill = by_hand(bench, "BUY", 100, price=Decimal("101.00"))
    bench.tell(fill, Commission(exec_id=fill.exec_id, amount=Decimal("1.25"), currency="USD"))
    state_cash(bench, "89898.75")
    bench.wait(30)
    state_cash(bench, "89898.75")
    assert bench.desk.state.cash[f"{ACCOUNT}/USD"].difference == 0
    assert standing(bench) == ()
    bench.check()


def test_a_sum_that_no_fill_explains_is_shown_when_two_readings_say_it(bench: Any) -> None:
    state_cash(bench, "100000.00")
    state_cash(bench, "100250.00")
    assert standing(bench) == (), "a fill may be under way"
    bench.take(AskCash)
    bench.wait(11)
    assert len(bench.take(AskCash)) == 1, "it is asked again soon"
    state_cash(bench, "100250.00")
    (row,) = standing(bench)
    assert (row.kind, row.ours, row.theirs, row.blocks) == (
        DiscrepancyKind.CASH, "100000.00 USD", "100250.00 USD", False)  # fmt: skip
    assert any("a dividend" in text for text in bench.alarms())
    assert bench.enter().entry is not None
    bench.tell(AdjustCash(account=ACCOUNT, currency="USD", amount=Decimal("250.00"), operator="ann",
                          reason="dividend of SPY"))  # fmt: skip
    assert standing(bench) == ()
    state_cash(bench, "100250.00")
    assert standing(bench) == ()
    bench.check()


def test_a_difference_that_goes_on_moving_is_not_yet_one(bench: Any) -> None:
    state_cash(bench, "100000.00")
    for number in range(5):
        state_cash(bench, f"{100_100 + number}.00")
        bench.wait(11)
    assert standing(bench) == ()


@pytest.mark.parametrize("value", ["NaN", "a lot", "Infinity"])
def test_cash_that_is_no_amount_is_refused(bench: Any, value: str) -> None:
    state_cash(bench, value)
    assert bench.desk.state.cash == {}
    assert any("is no amount" in text for text in bench.alarms())


def test_the_sum_of_all_currencies_and_other_logins_are_left_out(bench: Any) -> None:
    state_cash(bench, "100000.00", currency="BASE")
    state_cash(bench, "100000.00", account="U99")
    assert bench.desk.state.cash == {}


@pytest.mark.parametrize(
    "wrong", [{"operator": ""}, {"reason": ""}, {"amount": Decimal("NaN")}, {"currency": "CHF"}]
)
def test_a_sum_without_name_reason_or_sense_is_not_recorded(bench: Any, wrong: Any) -> None:
    state_cash(bench, "100000.00")
    before = bench.desk.state.cash[f"{ACCOUNT}/USD"].base
    fields: dict[str, Any] = {"account": ACCOUNT, "currency": "USD", "amount": Decimal(5), "operator": "ann",
                              "reason": "interest"}  # fmt: skip
    bench.tell(AdjustCash(**fields | wrong))
    assert bench.desk.state.cash[f"{ACCOUNT}/USD"].base == before
    assert "were not recorded" in bench.alarms()[-1]


def test_what_each_type_does_to_cash() -> None:
    book = PositionBook()
    future = Contract(con_id=9, symbol="ES", sec_type="FUT", multiplier="50")
    pair = Contract(con_id=7, symbol="EUR", sec_type="CASH", currency="USD")
    bench = type("Counter", (), {"fills": 0, "now": 1})()
    for contract, side, quantity, price in (
        (future, "BUY", 2, "5000"), (future, "SELL", 1, "5010"), (pair, "BUY", 1000, "1.10"),
    ):  # fmt: skip
        book.book(by_hand(bench, side, quantity, contract=contract, price=Decimal(price)))
    assert cash_moved(book, ACCOUNT) == {"USD": 500 - 1100, "EUR": 1000}
