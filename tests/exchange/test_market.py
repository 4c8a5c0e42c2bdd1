"""The market: displayed size, price and time priority, triggers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.exchange import TriggerMethod


def test_all_orders_share_the_displayed_size_until_the_next_quote(floor: Any) -> None:
    floor.place(1, "BUY", 40)
    assert "11 BOT #2 20@100.01" in floor.place(2, "BUY", 40), "60 were shown, 40 are gone"
    assert not any(line.startswith("11") for line in floor.place(3, "BUY", 40, con_id=floor.SPY))
    assert floor.quote(10000, 300, 10001, 30)[0] == "11 BOT #2 20@100.01"
    assert floor.position() == 90


def test_the_displayed_size_of_another_instrument_is_its_own(floor: Any) -> None:
    floor.place(1, "BUY", 60)
    assert "11 BOT #2 60@100.01" in floor.place(2, "BUY", 60, con_id=floor.IBM)


def test_orders_fill_by_price_then_by_time_and_market_orders_first(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    floor.place(2, "BUY", 10, "LMT", limit="99.50")
    floor.place(3, "BUY", 10, "LMT", limit=99)
    floor.quote(9800, 10, 20000, 0)
    floor.place(4, "BUY", 10)
    told = floor.quote(9800, 10, 9900, 35)
    assert [line for line in told if line.startswith("11")] == [
        "11 BOT #4 10@99.00", "11 BOT #2 10@99.00", "11 BOT #1 10@99.00", "11 BOT #3 5@99.00",
    ]  # fmt: skip


def test_a_change_of_price_or_a_larger_size_loses_its_place_a_smaller_one_keeps_it(floor: Any) -> None:
    for order_id in (1, 2, 3):
        floor.place(order_id, "BUY", 10, "LMT", limit=99)
    floor.place(1, "BUY", 20, "LMT", limit=99)
    floor.place(2, "BUY", 5, "LMT", limit=99)
    told = floor.quote(9800, 10, 9900, 500)
    assert [line[:10] for line in told if line.startswith("11")] == ["11 BOT #2 ", "11 BOT #3 ", "11 BOT #1 "]


@pytest.mark.parametrize(("side", "limit", "price"), [("BUY", 105, "100.01"), ("SELL", 95, "100.00")])
def test_a_marketable_limit_fills_at_the_quote(floor: Any, side: str, limit: int, price: str) -> None:
    assert floor.place(1, side, 10, "LMT", limit=limit)[2].endswith("@" + price)


def test_a_resting_limit_fills_at_the_quote_that_crosses_it(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert floor.quote(9880, 10, 9901, 50) == []
    assert floor.quote(9880, 10, 9890, 50)[0] == "11 BOT #1 10@98.90"
    assert floor.exchange.executions()[0].executed.liquidity == 1


def test_a_trade_through_a_limit_fills_nothing(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert floor.trade(9800) == []


def test_an_empty_side_fills_nothing(floor: Any) -> None:
    floor.quote(0, 0, 0, 0)
    assert floor.place(1, "BUY", 10)[-1] == "3 Submitted #1 0/10"
    assert floor.place(2, "SELL", 10)[-1] == "3 Submitted #2 0/10"
    assert floor.quote(10000, 0, 10001, 10)[0] == "11 BOT #1 10@100.01"


@pytest.mark.parametrize(("side", "stop", "last"), [("SELL", 99, 9900), ("BUY", 101, 10100)])
def test_a_stop_triggers_on_the_last_trade_not_on_the_quote(
    floor: Any, side: str, stop: int, last: int
) -> None:
    floor.place(1, side, 10, "STP", stop=stop)
    assert floor.quote(last, 10, last, 10) == []
    assert floor.trade(last - 1 if side == "BUY" else last + 1) == []
    assert any(line.startswith("11") for line in floor.trade(last))


@pytest.mark.parametrize(("side", "stop"), [("SELL", 99), ("BUY", 101)])
def test_the_bid_ask_method_triggers_a_buy_on_the_bid_and_a_sell_on_the_ask(
    floor: Any, side: str, stop: int
) -> None:
    floor.place(1, side, 10, "STP", stop=stop, trigger_method=int(TriggerMethod.BID_ASK))
    assert floor.trade(stop * 100) == []
    below, above = stop * 100 - 1, stop * 100 + 1
    assert floor.quote(below, 10, above, 10) == [], "the far side alone does not trigger"
    reached = (
        floor.quote(stop * 100, 10, stop * 100 + 2, 10)
        if side == "BUY"
        else floor.quote(below, 10, stop * 100, 10)
    )
    assert any(line.startswith("11") for line in reached)


@pytest.mark.parametrize("by_trade", [True, False])
def test_last_or_bid_ask_triggers_on_either_and_once(floor: Any, by_trade: bool) -> None:
    floor.place(1, "BUY", 100, "STP", stop=101, trigger_method=int(TriggerMethod.LAST_OR_BID_ASK))
    if by_trade:
        floor.quote(10000, 10, 10002, 10)
        floor.trade(10100)
    else:
        floor.quote(10100, 10, 10102, 10)
    assert floor.position() == 10
    floor.trade(10000)
    floor.trade(10105)
    floor.quote(10100, 10, 10102, 90)
    assert floor.position() == 100


def test_a_stop_limit_waits_at_its_limit_after_the_trigger(floor: Any) -> None:
    floor.place(1, "SELL", 10, "STP LMT", stop=99, limit="98.90")
    floor.quote(9880, 10, 9900, 10)
    assert floor.trade(9900) == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"]
    assert floor.quote(9890, 10, 9900, 10)[0] == "11 SLD #1 10@98.90"


def test_a_stop_already_passed_triggers_at_once(floor: Any) -> None:
    assert "11 SLD #1 10@100.00" in floor.place(1, "SELL", 10, "STP", stop="100.50")


def test_time_never_runs_back(floor: Any) -> None:
    floor.exchange.quote(floor.SPY, 10000, 10, 10001, 60, 1_000)
    floor.exchange.place(floor.ticket(1, "BUY", 10), 5)
    assert floor.exchange.executions()[0].executed.time_ns == 1_000


def test_the_bid_triggers_no_buy_stop_above_it(floor: Any) -> None:
    for order_id, stop in ((1, 101), (2, "101.02")):
        floor.place(order_id, "BUY", 10, "STP", stop=stop, trigger_method=int(TriggerMethod.BID_ASK))
    floor.quote(10100, 10, 10102, 500)
    assert floor.open_ids() == [2]


def test_a_stop_by_quote_is_not_passed_when_only_the_far_side_is_there(floor: Any) -> None:
    method = int(TriggerMethod.BID_ASK)
    told = floor.place(1, "BUY", 10, "STP", stop="100.01", trigger_method=method)
    assert told[-1] == "3 PreSubmitted #1 0/10"
    told = floor.place(2, "SELL", 10, "STP", stop="100.00", trigger_method=method)
    assert told[-1] == "3 PreSubmitted #2 0/10"
    assert "11 BOT #3 10@100.01" in floor.place(3, "BUY", 10, "STP", stop="100.00", trigger_method=method)


@pytest.mark.parametrize("price", ["50", "50.001", "0"])
def test_a_price_that_the_type_does_not_need_is_not_read(floor: Any, price: str) -> None:
    assert "11 BOT #1 10@100.01" in floor.place(1, "BUY", 10, "MKT", limit=price, stop=price)


def test_an_empty_side_triggers_nothing_and_marks_nothing(floor: Any) -> None:
    for order_id, side, stop in ((1, "BUY", 101), (2, "SELL", 99)):
        floor.place(order_id, side, 10, "STP", stop=stop, trigger_method=int(TriggerMethod.BID_ASK))
    assert floor.quote(10200, 0, 0, 0) == []
    floor.place(3, "BUY", 10, con_id=floor.IBM)
    floor.quote(0, 0, 0, 0, con_id=floor.IBM)
    assert str(floor.exchange.positions()[0].market_price) == "100.00", "the last trade stands alone"


def test_a_last_price_far_outside_the_quote_triggers_nothing_by_habit(Floor_: Any) -> None:
    floor = Floor_(last_leeway=Decimal("0.005"))
    floor.place(1, "SELL", 10, "STP", stop="99.60")
    floor.place(2, "SELL", 10, "TRAIL", stop="0.40")
    assert floor.trade(9949) == [], "half a percent of it below the bid is 99.50"
    told = floor.trade(9951)
    assert "5 Submitted #1 0/10" in told and "5 Submitted #2 0/10" in told, "a stop, and one that trails"
