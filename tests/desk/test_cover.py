"""A call that shares cover needs no leave to sell short; the shares are not sold from under it unseen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.desk.conftest import ACCOUNT

from tws.desk import Flatten, SubmitOrder
from tws.model.contract import Contract, option
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder
from tws.model.instrument import Instrument
from tws.model.order import Role, Side
from tws.risk import Limits

SPY = Contract(con_id=756733, symbol="SPY")
CALL = replace(option("SPY", "20261218", 105, "C"), con_id=1001, multiplier="100", trading_class="SPY",
               local_symbol="SPY 261218C105")
FARTHER = replace(CALL, con_id=1002, strike=110.0, local_symbol="SPY 261218C110")
PUT = replace(CALL, con_id=1003, right="P")
MINI = replace(CALL, con_id=1004, multiplier="10")
ADJUSTED = replace(CALL, con_id=1005, trading_class="SPY1")
ELSEWHERE = replace(SPY, con_id=9, primary_exchange="LSE")


@pytest.fixture
def bench(new_bench):  # type: ignore[no-untyped-def]
    """A desk that may not sell short, as a live one by default."""
    made = new_bench(Limits(duplicate_window_s=None, max_messages_per_s=None, short_sales=False))
    made.begin()
    yield made
    made.check()


def order(bench, contract: Contract, side: Side, quantity: int, role: Role = Role.ENTRY, **more) -> str:  # type: ignore[no-untyped-def]
    """An order of one contract; which limit denied it, or the intent's id."""
    before = len(bench.denials())
    bench.quote(contract=contract)
    bench.tell(SubmitOrder(instrument=Instrument(contract=contract), side=side, quantity=Decimal(quantity),
                           role=role, **more))  # fmt: skip
    denied = bench.denials()[before:]
    return denied[0].limit if denied else bench.written()[-1].intent_id


def done(bench, *what, **more) -> None:  # type: ignore[no-untyped-def]
    """An order that fills whole."""
    asked = bench.order(order(bench, *what, **more))
    bench.fill(asked, int(asked.order.quantity), "100.00")


def shares(bench, quantity: int = 100):  # type: ignore[no-untyped-def]
    """Shares with their stop and target at the broker."""
    trade = bench.enter(quantity)
    bench.work(trade)
    bench.fill(trade.entry, quantity, "100.00")
    return trade


def test_a_call_is_sold_against_shares_whose_stop_works(bench) -> None:
    assert order(bench, CALL, Side.SELL, 1) == "short_sales", "no shares yet"
    shares(bench)
    done(bench, CALL, Side.SELL, 1)
    assert bench.net(CALL) == -1
    assert order(bench, CALL, Side.SELL, 1) == "short_sales", "a hundred shares cover one"
    assert bench.alarms() == []


def test_as_many_calls_as_the_shares_cover_by_their_multiplier(bench) -> None:
    shares(bench, 250)
    assert order(bench, CALL, Side.SELL, 3) == "short_sales"
    assert "no more than 2 of this call" in bench.denials()[-1].reason
    assert order(bench, CALL, Side.SELL, 2) != "short_sales"
    assert order(bench, MINI, Side.SELL, 6) == "short_sales", "fifty shares are left for those of ten"
    assert order(bench, MINI, Side.SELL, 5) != "short_sales"


def test_a_call_that_only_works_takes_the_shares_from_another_one(bench) -> None:
    shares(bench)
    order(bench, CALL, Side.SELL, 1)
    assert order(bench, FARTHER, Side.SELL, 1) == "short_sales"


@pytest.mark.parametrize("role", [Role.ENTRY, Role.CLOSE])
def test_shares_that_are_on_sale_cover_nothing(bench, role: Role) -> None:
    done(bench, SPY, Side.BUY, 100)
    assert order(bench, SPY, Side.SELL, 1, role) != "short_sales"
    assert order(bench, CALL, Side.SELL, 1) == "short_sales"


@pytest.mark.parametrize("what", [PUT, ADJUSTED, replace(CALL, multiplier=""), replace(CALL, symbol="QQQ"),
                                  replace(CALL, currency="EUR")])
def test_what_shares_do_not_cover(bench, what: Contract) -> None:
    shares(bench)
    assert order(bench, what, Side.SELL, 1) == "short_sales"


def test_two_stocks_of_one_symbol_cover_nothing(bench) -> None:
    shares(bench)
    done(bench, ELSEWHERE, Side.BUY, 100)
    assert order(bench, CALL, Side.SELL, 1) == "short_sales"


def execution(bench, contract: Contract, side: Side, quantity: int) -> Execution:  # type: ignore[no-untyped-def]
    """A human's own trade in TWS."""
    return Execution(exec_id=f"h{bench.now}.{contract.con_id}.1", order_id=0, perm_id=9, client_id=0,
                     account=ACCOUNT, contract=contract, side=side, quantity=Decimal(quantity),
                     price=Decimal(100),
                     time_ns=bench.now, cumulative=Decimal(quantity), average_price=Decimal(100),
                     order_ref="")  # fmt: skip


def working(contract: Contract, quantity: int, kind: str = "LMT") -> BrokerOrder:
    """A human's own sale that works in TWS."""
    return BrokerOrder(order_id=0, perm_id=77, client_id=0, account=ACCOUNT, contract=contract, side="SELL",
                       quantity=Decimal(quantity), order_type=kind, limit_price=Decimal(100), stop_price=None,
                       tif="DAY", order_ref="", parent_id=0, status="Submitted")  # fmt: skip


def test_calls_that_a_human_has_sold_in_the_account_count(bench) -> None:
    shares(bench)
    bench.tell(execution(bench, FARTHER, Side.SELL, 1))
    assert order(bench, CALL, Side.SELL, 1) == "short_sales"


def test_a_humans_stop_or_put_on_sale_takes_no_shares(bench) -> None:
    shares(bench)
    bench.tell(working(SPY, 100, "STP"))
    bench.tell(working(PUT, 1))
    assert order(bench, CALL, Side.SELL, 1) != "short_sales"


@pytest.mark.parametrize("what", [(SPY, 1), (FARTHER, 1)])
def test_a_humans_working_sale_takes_the_shares_of_a_call(bench, what: tuple[Contract, int]) -> None:
    shares(bench)
    bench.tell(working(*what))
    assert order(bench, CALL, Side.SELL, 1) == "short_sales"


def test_a_humans_sale_of_his_own_shares_takes_none_of_ours(bench) -> None:
    shares(bench)
    bench.tell(execution(bench, SPY, Side.BUY, 50))
    bench.tell(working(SPY, 50))
    assert order(bench, CALL, Side.SELL, 1) != "short_sales"


def test_the_shares_under_a_short_call_are_not_sold_by_an_entry(bench) -> None:
    done(bench, SPY, Side.BUY, 150)
    done(bench, CALL, Side.SELL, 1)
    assert order(bench, SPY, Side.SELL, 51) == "short_sales"
    denied = bench.denials()[-1]
    assert "naked" in denied.reason and (denied.figure, denied.bound) == ("99", "100")
    assert order(bench, SPY, Side.SELL, 50) != "short_sales"


def test_an_exit_of_the_shares_passes_and_the_naked_call_is_named(bench) -> None:
    trade = shares(bench)
    done(bench, CALL, Side.SELL, 1)
    bench.fill(trade.stop, 100, "98.00")
    (alarm,) = [each for each in bench.alarms() if "short calls" in each]
    assert "-1 SPY 261218C105" in alarm and "deliver 100; 0 are held" in alarm


def test_a_human_who_sells_the_shares_is_told_of_the_call(bench) -> None:
    shares(bench)
    done(bench, CALL, Side.SELL, 1)
    bench.tell(execution(bench, SPY, Side.SELL, 40))
    assert any("short calls" in each and "60 are held" in each for each in bench.alarms())


def test_a_flatten_of_both_names_no_naked_call(bench) -> None:
    done(bench, SPY, Side.BUY, 100)
    done(bench, CALL, Side.SELL, 1)
    bench.tell(Flatten(symbol="SPY", key="f", reason="the day ends"))
    bench.answer(positions=(bench.position(100), bench.position(-1, CALL)))
    bench.quote(), bench.quote(contract=CALL)
    closes = {each.contract.con_id: bench.order(each.intent_id) for each in bench.written()}
    bench.fill(closes[SPY.con_id], 100, "99.00")
    bench.fill(closes[CALL.con_id], 1, "1.00")
    assert not any("short calls" in each for each in bench.alarms())


def test_after_a_restart_the_journal_says_what_covers_what(bench) -> None:
    shares(bench)
    done(bench, CALL, Side.SELL, 1)
    bench.restart()
    bench.connect(next_id=50, positions=(bench.position(100), bench.position(-1, CALL)))
    assert order(bench, FARTHER, Side.SELL, 1) == "short_sales"
    assert "short sales" in bench.denials()[-1].reason
