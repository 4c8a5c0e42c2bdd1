"""A bracket's ordinary life, and that the journal rebuilds it."""

from __future__ import annotations

from decimal import Decimal

from tws.model.order import OrderType, Side
from tws.model.records import OrderState, Released


def test_a_bracket_is_three_intents_in_one_step(bench) -> None:
    trade = bench.enter()
    entry, target, stop = (place.order for place in trade.placed)
    assert [place.order_id for place in trade.placed] == [1, 2, 3]
    assert [order.transmit for order in (entry, target, stop)] == [False, False, True]
    assert [order.parent_id for order in (entry, target, stop)] == [0, 1, 1]
    assert (entry.side, entry.order_type) == (Side.BUY, OrderType.MARKET)
    assert (target.side, target.limit_price) == (Side.SELL, Decimal("104.00"))
    assert (stop.side, stop.stop_price) == (Side.SELL, Decimal("98.00"))
    assert [order.order_ref for order in (entry, target, stop)] == ["t-1", "t-2", "t-3"]
    assert trade.entry.state is OrderState.SENT
    bench.check()


def test_entry_fills_then_target_fills(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 100, "100.01")
    assert bench.net() == 100
    bench.pair(trade.stop, "PreSubmitted")
    bench.pair(trade.target, "Submitted")
    bench.fill(trade.target, 100, "104.00")
    bench.pair(trade.stop, "Cancelled", remaining=0)
    bench.reply(trade.stop, 202, "Order Canceled - reason:")
    assert bench.net() == 0
    assert trade.stop.state is OrderState.CANCELLED
    holding = next(iter(bench.desk.state.ours.holdings.values()))
    assert holding.realized_pnl == Decimal("399.00")
    assert bench.desk.state.ours.net_pnl(holding) == Decimal("397.00")
    assert [record.reason for record in bench.all_records if isinstance(record, Released)] == ["over"]
    bench.wait(30)
    assert bench.take(object) == [] or not bench.cancels()
    bench.check()
