"""Fills of orders outside any trade: whose shares they closed, and what becomes of an excess."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tws.desk import Adjust, Flatten, Place, SubmitOrder
from tws.desk.handback import _divided
from tws.desk.state import Group
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Role, Side
from tws.model.records import OrderState

SPY = Instrument(contract=Contract(con_id=756733, symbol="SPY"))


def hold(bench: Any, quantity: int) -> Any:
    trade = bench.enter(quantity)
    bench.work(trade)
    bench.fill(trade.entry, quantity)
    bench.tell(bench.position(bench.net()))
    return trade


def group(bench: Any, trade: Any) -> Any:
    return bench.desk.state.groups[trade.entry.group_id]


def flattened(bench: Any, trade: Any) -> Any:
    """The closing order of a flatten that is cancelled, tried again, and over."""
    bench.tell(Flatten(symbol="SPY", reason="test"))
    for order in (trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.answer(positions=(bench.position(100),))
    (first,) = bench.written()
    first = bench.order(first.intent_id)
    bench.pair(first, "Cancelled", remaining=0)
    bench.answer(positions=(bench.position(100),))
    (second,) = bench.written()
    bench.fill(bench.order(second.intent_id), 100)
    bench.answer()
    assert bench.desk.state.flattens == {}
    return first


def test_a_close_that_fills_after_its_flatten_was_over_is_given_back(bench: Any) -> None:
    """Found by seed 2303: a dialog held a closing order; proven absent, it was let go long after."""
    trade = hold(bench, 100)
    late = flattened(bench, trade)
    assert bench.take(Place) == [] and bench.net() == 0
    bench.fill(late, 30)
    bench.tell(bench.position(-30))
    bench.wait(3)
    (back,) = bench.written()
    assert (back.order.side, back.order.quantity) == (Side.BUY, 30)
    bench.fill(bench.order(back.intent_id), 30)
    bench.tell(bench.position(0))
    bench.wait(3)
    assert bench.net() == 0 and bench.desk.state.open_groups == {} and bench.take(Place) == []
    bench.check()


def test_a_late_close_takes_from_the_trades_that_are_open_newest_first_and_stops_shrink(bench: Any) -> None:
    late = flattened(bench, hold(bench, 100))
    older, newer = hold(bench, 50), hold(bench, 10)
    bench.fill(late, 20)
    bench.tell(bench.position(40))
    bench.wait(6)
    assert [bench.desk.state.held(group(bench, each)) for each in (older, newer)] == [40, 0]
    assert older.stop.cancel_wanted, "it hangs on the entry: ended, then placed anew for 40"
    bench.check()


def test_shares_that_no_trade_holds_are_closed_before_those_of_trades(bench: Any) -> None:
    trade = flattened(bench, hold(bench, 100))
    assert trade.state is OrderState.CANCELLED
    bench.tell(Adjust(account=bench.desk.state.account, instrument=SPY, quantity=Decimal(6),
                      price=Decimal(100), operator="ann", reason="a gift", ours=True))
    bench.tell(bench.position(6))
    bench.quote()
    bench.tell(SubmitOrder(instrument=SPY, side=Side.SELL, quantity=Decimal(6), role=Role.CLOSE))
    (close,) = bench.written()
    bench.fill(bench.order(close.intent_id), 6)
    bench.tell(bench.position(0))
    bench.wait(5)
    assert bench.net() == 0 and bench.desk.state.open_groups == {} and bench.take(Place) == []
    bench.check()


# -- any numbers

_shares = st.integers(-50, 50)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Side)), _shares), min_size=1, max_size=6), _shares)
def test_what_is_left_is_divided_without_rest_and_nobody_holds_more(
    trades: list[tuple[Side, int]], closed: int
) -> None:
    """`closed`: what the flatten closed, never beyond what its trades held together."""
    groups = [
        Group(group_id=f"t-{number}", contract=SPY.contract, tick=Decimal("0.01"), lot=Decimal(1), side=side,
              quantity=Decimal(50))
        for number, (side, _) in enumerate(trades)
    ]  # fmt: skip
    before = [Decimal(held * side.sign) for side, held in trades]
    net = sum(before, Decimal(0))
    left = net - min(abs(closed), abs(net)) * (1 if net > 0 else -1)
    after = _divided(groups, before, left)
    assert sum(after, Decimal(0)) == left
    for old, new in zip(before, after, strict=True):
        assert old * new >= 0 and abs(new) <= abs(old)
