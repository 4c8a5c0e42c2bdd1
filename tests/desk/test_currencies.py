"""Limits in money are in the account's base currency, at the rates that the broker states, never a guess."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.desk.conftest import ACCOUNT

from tws.clock import NS_PER_S
from tws.desk import Flatten, Place, SubmitOrder, TimerTick
from tws.desk.rates import Rates
from tws.desk.submit import situation
from tws.model.account import AccountValue
from tws.model.contract import Contract
from tws.model.execution import Commission
from tws.model.instrument import Instrument
from tws.model.order import Role, Side
from tws.model.records import Alarmed, LimitLatched
from tws.risk import Limits

SPY = Contract(con_id=756733, symbol="SPY")
SAP = Contract(con_id=14204, symbol="SAP", currency="EUR")
ADR = Contract(con_id=14205, symbol="SAP", currency="USD")
OFF = {"duplicate_window_s": None, "max_daily_loss": None, "max_drawdown": None}
MONEY = ("max_order_notional", "max_position_notional", "max_symbol_notional", "max_net_notional",
         "max_gross_notional")  # fmt: skip
NO_MONEY = dict.fromkeys(MONEY)


def stated(bench, **rates: str) -> None:  # type: ignore[no-untyped-def]
    """The broker states an account in dollars, and what other currencies are worth in them."""
    bench.tell(AccountValue(account=ACCOUNT, key="NetLiquidation", value="100000", currency="USD"))
    for currency, rate in {"USD": "1.00", **rates}.items():
        bench.tell(AccountValue(account=ACCOUNT, key="ExchangeRate", value=rate, currency=currency))


def scene(new_bench, **limits):  # type: ignore[no-untyped-def]
    bench = new_bench(Limits(**{**OFF, **limits}))
    bench.begin()
    return bench


def buy(bench, contract: Contract, quantity: int) -> str:  # type: ignore[no-untyped-def]
    """A plain entry at the market; which limit denied it, with its figure, or nothing."""
    before = len(bench.denials())
    bench.quote(contract=contract)
    instrument = Instrument(contract=contract)
    bench.tell(SubmitOrder(instrument=instrument, side=Side.BUY, quantity=Decimal(quantity)))
    bench.written()
    return "".join(f"{each.limit}: {each.figure}" for each in bench.denials()[before:])


def hold(bench, contract: Contract, quantity: int) -> None:  # type: ignore[no-untyped-def]
    trade = bench.enter(quantity, contract=contract)
    bench.work(trade)
    bench.fill(trade.entry, quantity, "100.00")


@pytest.mark.parametrize("name", MONEY)
def test_each_limit_in_money_is_in_the_base_currency(new_bench, name: str) -> None:
    bench = scene(new_bench, **{**NO_MONEY, name: 10_900})
    stated(bench, EUR="1.10")
    assert buy(bench, SAP, 100) == f"{name}: 11001.1000", "100 at 100.01 euros are 11,001.10 dollars"
    assert buy(bench, SAP, 99) == "", "10,891.09 dollars"


def test_what_is_held_in_two_currencies_adds_up_in_one(new_bench) -> None:
    bench = scene(new_bench)
    stated(bench, EUR="1.10")
    hold(bench, SPY, 10)
    hold(bench, SAP, 10)
    where = situation(bench.desk.look(bench.now), ADR, Side.BUY)
    assert where.other_gross_notional == Decimal("1000.10") + Decimal("1100.11")
    assert where.other_symbol_notional == Decimal("1100.11"), "SAP in euros beside its share in dollars"
    assert (where.base, where.rate, where.unrated) == ("USD", 1, ())


@pytest.mark.parametrize("name", MONEY)
def test_a_rate_that_is_not_stated_denies_and_is_named(new_bench, name: str) -> None:
    bench = scene(new_bench, **{**NO_MONEY, name: 10**9})
    stated(bench)
    assert buy(bench, SAP, 1) == f"{name}: no exchange rate of EUR"
    assert "no rate of it to the account's USD" in bench.denials()[-1].reason
    assert buy(bench, SPY, 1) == ""


@pytest.mark.parametrize("rate", ["0", "-1.1", "NaN", "Infinity", "", "n/a"])
def test_a_rate_of_nonsense_is_none_and_takes_the_old_one_away(new_bench, rate: str) -> None:
    bench = scene(new_bench)
    stated(bench, EUR="1.10")
    assert buy(bench, SAP, 1) == ""
    stated(bench, EUR=rate)
    assert buy(bench, SAP, 1) == "max_order_notional: no exchange rate of EUR"


def test_a_holding_that_can_not_be_valued_denies_what_would_add_to_it(new_bench) -> None:
    bench = scene(new_bench)
    stated(bench, EUR="1.10")
    hold(bench, SAP, 10)
    stated(bench, EUR="0")
    assert buy(bench, SPY, 1) == "max_net_notional: no exchange rate of EUR"
    bench.limits = Limits(**{**OFF, **NO_MONEY, "max_symbol_notional": 10**9})
    bench.restart()
    bench.connect(next_id=20)
    stated(bench)
    assert buy(bench, SPY, 1) == "", "another symbol: its own limit does not need the rate"
    assert buy(bench, ADR, 1) == "max_symbol_notional: no exchange rate of EUR"
    bench.tell(AccountValue(account=ACCOUNT, key="BuyingPower", value="1000000", currency="USD"))
    assert buy(bench, SPY, 1) == "buying_power: no exchange rate of EUR"


def test_an_exit_passes_whatever_is_known_of_rates(new_bench) -> None:
    bench = scene(new_bench)
    stated(bench, EUR="1.10")
    bench.quote(contract=SAP)
    assert buy(bench, SAP, 10) == ""
    bench.fill(list(bench.desk.state.book.orders.values())[-1], 10)
    stated(bench, EUR="0")
    bench.tell(
        SubmitOrder(
            instrument=Instrument(contract=SAP), side=Side.SELL, quantity=Decimal(4), role=Role.CLOSE
        )
    )
    assert [each.order.quantity for each in bench.written()] == [4]
    bench.fill(list(bench.desk.state.book.orders.values())[-1], 4)
    bench.tell(Flatten(reason="enough"))
    bench.answer(positions=(bench.position(6, SAP),))
    assert [each.order.quantity for each in bench.take(Place)] == [6]
    assert bench.denials() == []


# -- losses


def read(bench, mid: float, times: int = 3) -> None:  # type: ignore[no-untyped-def]
    for _ in range(times):
        bench.now += NS_PER_S
        for contract in (SPY, SAP):
            bench.quote(mid - 0.01, mid + 0.01, contract)
        bench.tell(TimerTick())


def latched(bench) -> list[str]:  # type: ignore[no-untyped-def]
    return [record.limit for record in bench.all_records if isinstance(record, LimitLatched)]


@pytest.mark.parametrize(("bound", "expected"), [(1052, []), (1051, ["max_daily_loss"])])
def test_the_days_loss_is_in_the_base_currency(new_bench, bound: int, expected: list[str]) -> None:
    """Five a share on a hundred of each: 500 dollars and 550; a dollar of fee in each trade, the other one's
    in dollars too.
    """
    bench = scene(new_bench, max_daily_loss=bound)
    stated(bench, EUR="1.10")
    hold(bench, SPY, 100)
    hold(bench, SAP, 100)
    read(bench, 100)
    read(bench, 95)
    assert latched(bench) == expected
    bench.check()


def test_a_fee_in_another_currency_is_part_of_the_loss(new_bench) -> None:
    bench = scene(new_bench, max_daily_loss=100)
    stated(bench, EUR="1.10")
    trade = bench.enter(1)
    bench.work(trade)
    execution = bench.execution(trade.entry, 1, "100.00")
    bench.tell(execution, Commission(exec_id=execution.exec_id, amount=Decimal(100), currency="EUR"))
    read(bench, 100)
    assert latched(bench) == ["max_daily_loss"], "110 dollars"


def test_a_loss_that_can_not_be_reckoned_lets_no_entry_out_and_is_said(new_bench) -> None:
    bench = scene(new_bench, **NO_MONEY, max_daily_loss=500)
    stated(bench, EUR="1.10")
    hold(bench, SAP, 1)
    read(bench, 100)
    assert buy(bench, SPY, 1) == ""
    stated(bench, EUR="?")
    read(bench, 100, 1)
    assert buy(bench, SPY, 1) == "max_daily_loss: no exchange rate of EUR"
    read(bench, 100, 61)
    said = [each.text for each in bench.all_records if isinstance(each, Alarmed) and "losses" in each.subject]
    assert len(said) == 1 and "no exchange rate of EUR" in said[0]
    stated(bench, EUR="1.10")
    read(bench, 100, 1)
    assert buy(bench, ADR, 1) == ""


def test_a_drawdown_alone_wants_the_rate_of_what_is_bought(new_bench) -> None:
    bench = scene(new_bench, **NO_MONEY, max_drawdown=500)
    stated(bench)
    assert buy(bench, SAP, 1) == "max_drawdown: no exchange rate of EUR"


# -- before the broker has stated anything


def test_a_paper_account_may_be_judged_in_one_currency_before_its_base_is_stated(new_bench) -> None:
    bench = scene(new_bench)
    hold(bench, SAP, 1)
    assert buy(bench, SAP, 1) == ""
    assert buy(bench, SPY, 1) == "max_net_notional: no exchange rate of EUR", "two can't be added"
    stated(bench, EUR="1.10")
    assert buy(bench, SPY, 1) == ""


def test_a_live_account_is_not_judged_before_its_rates_are_stated(new_bench) -> None:
    bench = new_bench(Limits(**OFF, allow=("SPY",), session_hours=False))
    bench.desk.gate.unlocked_until = lambda account: bench.now + NS_PER_S
    bench.begin(port=7496, account="U7654321")
    assert buy(bench, SPY, 1) == "max_order_notional: no exchange rate of USD"
    assert "no rate of it to the account's base currency" in bench.denials()[-1].reason


# -- the broker's words


def test_rates_are_read_as_tws_states_them() -> None:
    rates = Rates()
    for key, value, currency in (
        ("ExchangeRate", "1.00", "BASE"),
        ("ExchangeRate", "1.00", "EUR"),
        ("ExchangeRate", "0.8303924", "USD"),
        ("$LEDGER-ExchangeRate", "1.1534400", "GBP"),
        ("NetLiquidation", "2397.93", "EUR"),
        ("CashBalance", "17", "JPY"),
    ):
        rates.hear(AccountValue(account="DU1", key=key, value=value, currency=currency))
    rates.hear(AccountValue(account="DU1", key="ExchangeRate", value="9", currency="USD", model="M"))
    rates.hear(AccountValue(account="DU2", key="ExchangeRate", value="7.786325", currency="USD"))
    money = rates.of("DU1")
    assert money.base == "EUR"
    found = [money.rate(each) for each in ("EUR", "USD", "GBP", "JPY", "BASE", "")]
    assert found == [1, Decimal("0.8303924"), Decimal("1.1534400"), None, None, None]
    assert rates.of("DU2").rate("USD") == Decimal("7.786325")
    assert rates.of("DU3").rate("USD") is None
