"""What positions are worth, moved by each quote, fill and rate, equals a plain recount at each step.

The broker of these scenes behaves, so that almost every step moves a sum; `test_totals` holds the same
figures equal under a broker that does not.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.desk.test_totals import ACCOUNT, adjusted, recount

from tws.clock import NS_PER_S
from tws.desk.submit import situation
from tws.model.account import AccountValue
from tws.model.contract import Contract
from tws.model.market import Quote
from tws.model.order import Side
from tws.model.records import Booked
from tws.risk import Limits

SPY = Contract(con_id=756733, symbol="SPY")
OPTION = Contract(con_id=77, symbol="SPY", sec_type="OPT", multiplier="100")
SAP = Contract(con_id=14204, symbol="SAP", currency="EUR")
TWIN = Contract(con_id=99, symbol="SPY", currency="KRW")  # a symbol of two currencies
CONTRACTS = [SPY, OPTION, SAP, TWIN]
RATES = ["1.0845210", "0.00073", "1.00", "0", "NaN", "-1", "n/a", ""]
WIDE = {name: None for name in Limits.__struct_fields__ if name.startswith("max_")}

prices = st.sampled_from([None, 0.0, -1.0, float("nan"), float("inf"), 99.0, 100.0, 100.5, 0.00000001])
one = st.sampled_from(CONTRACTS)
which = st.integers(0, 20)
steps = st.one_of(
    st.tuples(st.just("enter"), one, st.sampled_from(["BUY", "SELL"]), st.sampled_from([1, 50, 100]),
              st.sampled_from([None, 99.5, 100.0])),
    st.tuples(st.just("fill"), which, st.sampled_from([1, 20, 50])),
    st.tuples(st.just("fill"), which, st.sampled_from([1, 20, 50])),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("quote"), one, prices, prices, prices),
    st.tuples(st.just("quote"), one, prices, st.sampled_from([0.0, float("inf")]), prices),
    st.tuples(st.just("rate"), st.sampled_from(["EUR", "KRW", "USD"]), st.sampled_from(RATES)),
    st.tuples(st.just("base"), st.sampled_from(["USD", "EUR"])),
    st.tuples(st.just("adjust"), st.sampled_from([-10, 10]), st.sampled_from([None, "2", "0.5"])),
    st.just(("restart",)),
    st.just(("look",)),
    st.just(("look",)),
)  # fmt: skip


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])  # fmt: skip
@given(script=st.lists(steps, min_size=10, max_size=40))
def test_what_was_folded_in_is_what_a_recount_finds(new_bench, script) -> None:
    bench = scene(new_bench)
    for step in script:
        play(bench, *step)
    look(bench)
    bench.check()


def test_the_scripts_above_do_move_something(new_bench) -> None:
    """One of them by hand: entries in three currencies leave, fill, and stand in the sums."""
    bench = scene(new_bench)
    for contract in CONTRACTS:
        play(bench, "enter", contract, "BUY", 50, None)
    for number in range(0, 12, 3):
        play(bench, "fill", number, 20)
    look(bench)
    booked = Counter(
        each.execution.contract.currency for each in bench.all_records if isinstance(each, Booked)
    )
    assert booked == {"USD": 2, "EUR": 1, "KRW": 1}
    worth = bench.desk.look(bench.now).reckoned.worth
    shares, option = Decimal("100.01"), Decimal("10001")
    euros, won = Decimal("108.46294521"), Decimal("0.07300730")  # 100.01 at their rates, to eight places
    assert worth._gross == 50 * (shares + option + euros + won)


@pytest.mark.parametrize("ask", [None, 0.0, float("inf"), float("nan"), -1.0])
def test_an_ask_that_is_none_leaves_the_value_to_the_last_trade(new_bench, ask: float | None) -> None:
    bench = scene(new_bench)
    play(bench, "enter", SPY, "BUY", 50, None)
    for last in (99.0, 101.0):
        play(bench, "quote", SPY, 98.5, ask, last)
        where = situation(bench.desk.look(bench.now), SAP, Side.BUY)
        assert where.other_gross_notional == 50 * Decimal(repr(last))
        look(bench)


def scene(new_bench):  # type: ignore[no-untyped-def]
    bench = new_bench(Limits(duplicate_window_s=None, stale_quote_s=3600, **WIDE))
    bench.begin()
    play(bench, "base", "USD")
    play(bench, "rate", "EUR", "1.0845210")
    play(bench, "rate", "KRW", "0.00073")
    return bench


def look(bench) -> None:  # type: ignore[no-untyped-def]
    for contract in CONTRACTS:
        recount(bench.desk, bench.now, contract)


def play(bench, kind: str, *args) -> None:  # type: ignore[no-untyped-def]
    bench.now += NS_PER_S // 10
    orders = list(bench.desk.state.book.orders.values())
    match kind, args:
        case "enter", (contract, side, quantity, limit):
            trade = bench.enter(quantity, side, contract=contract, limit=limit)
            if trade.entry is not None:
                bench.work(trade)
        case "fill", (number, quantity) if orders:
            order = orders[number % len(orders)]
            left = int(order.order.quantity - order.filled)
            if order.live and left:
                bench.fill(order, min(quantity, left), "100.00")
        case "cancel", (number,) if orders:
            order = orders[number % len(orders)]
            if order.live:
                bench.pair(order, "Cancelled")
        case "quote", (contract, bid, ask, last):
            bench.tell(Quote(con_id=contract.con_id, time_ns=bench.now, bid=bid, ask=ask, last=last))
        case "rate", (currency, rate):
            bench.tell(AccountValue(account=ACCOUNT, key="ExchangeRate", value=rate, currency=currency))
        case "base", (currency,):
            bench.tell(AccountValue(account=ACCOUNT, key="NetLiquidation", value="1", currency=currency))
        case "adjust", (quantity, ratio):
            change = {"quantity": Decimal(quantity), "price": Decimal(100)}
            bench.tell(adjusted(**(change if ratio is None else {"ratio": Decimal(ratio)})))
        case "restart", ():
            bench.restart()
            bench.connect(next_id=bench.desk.state.next_order_id)
        case "look", ():
            look(bench)
