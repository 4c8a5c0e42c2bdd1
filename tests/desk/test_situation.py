"""What the desk tells the gate: positions at their worst, exits as far as they reach, prices on the grid."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tws.desk import SubmitBracket, SubmitOrder
from tws.desk.submit import situation
from tws.desk.turn import Turn
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Role, Side, bracket
from tws.risk import Limits, Situation

SPY = Contract(con_id=756733, symbol="SPY")
AAPL = Contract(con_id=265598, symbol="AAPL")


def where(bench, contract: Contract = SPY, side: Side = Side.BUY) -> Situation:
    desk = bench.desk
    return situation(Turn(desk.state, desk.gate, desk.timing, desk.quotes, bench.now), contract, side)


def figures(bench, contract: Contract = SPY) -> tuple[int, int, int, int]:
    now = where(bench, contract, Side.SELL)
    return int(now.net), int(now.working_buys), int(now.working_sells), int(now.working_exits)


def test_what_works_counts_at_its_worst_and_children_only_as_their_parent_fills(bench) -> None:
    assert figures(bench) == (0, 0, 0, 0)
    trade = bench.enter()
    bench.work(trade)
    assert figures(bench) == (0, 100, 0, 0), "the children can take nothing yet"
    bench.fill(trade.entry, 40)
    assert figures(bench) == (40, 60, 0, 40), "stop and target end each other: forty once"
    bench.fill(trade.entry, 60)
    assert figures(bench) == (100, 0, 0, 100)
    assert figures(bench, AAPL) == (0, 0, 0, 0)


def test_a_short_entry_works_on_the_other_side(bench) -> None:
    bench.work(bench.enter(70, "SELL"))
    assert figures(bench) == (0, 0, 70, 0)


def test_exits_of_different_trades_add_up(bench) -> None:
    for _ in range(2):
        trade = bench.enter(50)
        bench.work(trade)
        bench.fill(trade.entry, 50)
    assert figures(bench) == (100, 0, 0, 100)


def test_an_order_of_unknown_outcome_still_counts(bench) -> None:
    bench.enter()
    bench.wait(6)
    now = where(bench)
    assert now.working_buys == 100
    assert now.unknown_orders == ("t-1", "t-2", "t-3")


def test_orders_on_a_side_are_counted(bench) -> None:
    bench.work(bench.enter())
    assert (where(bench).orders_on_side, where(bench, side=Side.SELL).orders_on_side) == (1, 2)


def test_the_other_contracts_count_in_money_at_the_market(bench) -> None:
    trade = bench.enter(10)
    bench.work(trade)
    bench.fill(trade.entry, 4, "100.01")
    assert where(bench, SPY).other_gross_notional == 0
    assert where(bench, AAPL).other_gross_notional == Decimal("1000.1"), "six still work, four are held"
    bench.quote(bid=199.99, ask=200.01)
    assert where(bench, AAPL).other_gross_notional == Decimal("2000.1")


def test_the_limits_see_it(new_bench) -> None:
    bench = new_bench(Limits(max_position=150))
    bench.begin()
    bench.work(bench.enter(100))
    assert bench.enter(51).entry is None
    assert bench.denials()[-1].limit == "max_position"
    assert bench.enter(50).entry is not None


def test_a_denied_bracket_burns_no_id_and_leaves_no_order(new_bench) -> None:
    bench = new_bench(Limits(max_order_quantity=10))
    bench.begin()
    assert bench.enter(11).entry is None
    state = bench.desk.state
    assert (state.next_order_id, state.serial, len(state.book.orders)) == (1, 0, 0)
    denial = bench.denials()[-1]
    assert (denial.limit, denial.figure, denial.bound, denial.symbol) == (
        "max_order_quantity",
        "11",
        "10",
        "SPY",
    )


def test_a_signal_acts_once_and_a_denied_one_may_come_again(new_bench) -> None:
    bench = new_bench(Limits(max_order_quantity=10))
    bench.begin()
    assert bench.enter(11, signal="s").entry is None
    assert bench.enter(10, signal="s").entry is not None
    assert bench.enter(10, signal="s").entry is None
    assert bench.denials()[-1].limit == "duplicate"


@pytest.mark.parametrize(
    ("side", "limit", "stop", "target", "snapped"),
    [
        ("BUY", "100.017", "98.011", "104.004", ("100.01", "98.02", "104.00")),
        ("SELL", "99.981", "102.019", "96.006", ("99.99", "102.01", "96.01")),
        ("BUY", "100.00", "98.00", "104.00", ("100.00", "98.00", "104.00")),
    ],
)
def test_prices_are_snapped_to_the_safe_side(
    bench, side: str, limit: str, stop: str, target: str, snapped
) -> None:
    bench.quote()
    wish = bracket(SPY, side, 100, limit=limit, stop=stop, target=target)
    bench.tell(SubmitBracket(bracket=wish, instrument=Instrument(contract=SPY)))
    entry, goal, guard = bench.written()
    prices = (entry.order.limit_price, guard.order.stop_price, goal.order.limit_price)
    assert prices == tuple(Decimal(each) for each in snapped)


@pytest.mark.parametrize(
    ("side", "stop", "target", "denied"),
    [
        ("BUY", "100.02", "104", True),
        ("BUY", "100.00", "104", False),
        ("BUY", "98", "100.01", True),
        ("SELL", "99.98", "96", True),
        ("SELL", "102", "99.99", True),
        ("SELL", "102", "99.98", False),
    ],
)
def test_an_exit_that_would_act_at_once_denies_the_bracket(
    bench, side: str, stop: str, target: str, denied
) -> None:
    bench.quote()
    wish = bracket(SPY, side, 100, stop=stop, target=target)
    bench.tell(SubmitBracket(bracket=wish, instrument=Instrument(contract=SPY)))
    assert bool(bench.written()) is not denied
    if denied:
        assert bench.denials()[-1].limit == "bracket_sides"


def test_a_bracket_that_snapping_would_turn_is_denied(bench) -> None:
    bench.quote()
    wish = bracket(SPY, "BUY", 1, limit="100.004", stop="100.001", target="100.006")
    bench.tell(SubmitBracket(bracket=wish, instrument=Instrument(contract=SPY)))
    assert bench.denials()[-1].limit == "bracket_sides"


def test_an_exit_leaves_no_trade_to_look_after(bench) -> None:
    bench.quote()
    instrument = Instrument(contract=SPY)
    bench.tell(SubmitOrder(instrument=instrument, side=Side.BUY, quantity=Decimal(5)))
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), 5)
    bench.tell(SubmitOrder(instrument=instrument, side=Side.SELL, quantity=Decimal(5), role=Role.CLOSE))
    (close,) = bench.written()
    bench.fill(bench.order(close.intent_id), 5)
    assert bench.net() == 0
    assert bench.desk.state.open_groups == {}
