"""Conditions of all six kinds: they hold an order back, or cancel it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.exchange import Condition, ConditionKind, Session

D = Decimal
IBM = 8314
MINUTE = 60_000_000_000
HELD = ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
BOUGHT = "11 BOT #1 10@100.01"


def price(level: str, con_id: int = IBM, **more: Any) -> Condition:
    return Condition(kind=ConditionKind.PRICE, con_id=con_id, price=D(level), **more)


def time(ns: int, **more: Any) -> Condition:
    return Condition(kind=ConditionKind.TIME, time_ns=ns, **more)


def conditioned(floor: Any, *conditions: Condition, **more: Any) -> list[str]:
    return floor.place(1, "BUY", 10, conditions=conditions, **more)  # type: ignore[no-any-return]


def test_a_price_of_another_instrument_lets_an_order_go(floor: Any) -> None:
    assert conditioned(floor, price("101.00")) == HELD
    assert floor.trade(10200) == [], "its own instrument's price is not asked"
    assert floor.trade(10099, floor.IBM) == []
    assert BOUGHT in floor.trade(10100, floor.IBM)


def test_a_condition_that_holds_already_lets_the_order_go_at_once(floor: Any) -> None:
    assert BOUGHT in conditioned(floor, price("100.00", is_more=False))


@pytest.mark.parametrize(("method", "two"), [(1, "quote"), (3, "trade")])
def test_a_doubled_price_condition_wants_two_in_a_row(floor: Any, method: int, two: str) -> None:
    def play(at: int) -> list[str]:
        if two == "trade":
            return floor.trade(at, floor.IBM)  # type: ignore[no-any-return]
        return floor.quote(at, 10, at + 1, 10, floor.IBM)  # type: ignore[no-any-return]

    conditioned(floor, price("101.00", trigger_method=method))
    assert play(10100) == play(10099) == play(10101) == []
    assert BOUGHT in play(10100)


def test_a_time_lets_an_order_go(floor: Any) -> None:
    assert conditioned(floor, time(MINUTE)) == HELD
    assert floor.advance(MINUTE - 1) == []
    assert BOUGHT in floor.advance(MINUTE)


def test_before_a_time_holds_until_then(floor: Any) -> None:
    floor.advance(MINUTE)
    assert conditioned(floor, time(MINUTE - 1, is_more=False)) == HELD


def test_volume_of_the_day_counts_every_trade(floor: Any) -> None:
    floor.exchange.day(IBM, close=10000, volume=500)
    wanted = Condition(kind=ConditionKind.VOLUME, con_id=IBM, amount=D(502))
    assert conditioned(floor, wanted) == HELD
    assert floor.trade(10000, floor.IBM) == []
    assert BOUGHT in floor.trade(10000, floor.IBM)


@pytest.mark.parametrize(("amount", "more", "at"), [("1.5", True, 10150), ("-1.5", False, 9850)])
def test_a_change_in_percent_counts_from_the_previous_close(
    floor: Any, amount: str, more: bool, at: int
) -> None:
    floor.exchange.day(IBM, close=10000)
    wanted = Condition(kind=ConditionKind.PERCENT_CHANGE, con_id=IBM, amount=D(amount), is_more=more)
    assert conditioned(floor, wanted) == HELD
    assert floor.trade(at - (1 if more else -1), floor.IBM) == []
    assert BOUGHT in floor.trade(at, floor.IBM)


def test_the_margin_cushion_falls_with_the_market(Floor_: Any) -> None:
    floor = Floor_(cash="10000")
    floor.place(9, "BUY", 60)
    wanted = Condition(kind=ConditionKind.MARGIN, amount=D(83), is_more=False)
    assert floor.place(10, "BUY", 1, "LMT", limit=1, conditions=(wanted,))[0] == "5 PreSubmitted #10 0/1"
    assert floor.quote(10001, 5, 10002, 5) == []
    assert "5 Submitted #10 0/1" in floor.trade(14200) + floor.quote(14200, 5, 14201, 5)


@pytest.mark.parametrize(
    ("symbol", "exchange", "goes"), [("IBM", "SMART", True), ("SPY", "SMART", False), ("IBM", "XYZ", False)]
)
def test_an_execution_in_the_account_lets_an_order_go(
    floor: Any, symbol: str, exchange: str, goes: bool
) -> None:
    wanted = Condition(kind=ConditionKind.EXECUTION, symbol=symbol, sec_type="STK", exchange=exchange)
    assert conditioned(floor, wanted) == HELD
    told = floor.place(2, "BUY", 5, con_id=IBM)
    assert (BOUGHT in told) == goes


def test_and_or_are_read_from_left_to_right(floor: Any) -> None:
    """(far or IBM) and time."""
    assert conditioned(floor, price("900", joins_and=False), price("101"), time(MINUTE)) == HELD
    assert floor.trade(10100, floor.IBM) == [], "the time has not come"
    assert BOUGHT in floor.advance(MINUTE)


def test_all_must_hold_at_one_moment(floor: Any) -> None:
    conditioned(floor, price("101"), price("101", con_id=floor.SPY))
    floor.trade(10100, floor.IBM)
    floor.trade(10000, floor.IBM)
    assert floor.trade(10100) == []
    assert BOUGHT in floor.trade(10100, floor.IBM)


def test_conditions_may_cancel_an_order_that_works_until_then(floor: Any) -> None:
    told = floor.place(
        1, "BUY", 10, "LMT", limit=99, conditions=(price("101"),), conditions_cancel_order=True
    )
    assert told[-1] == "3 Submitted #1 0/10"
    assert floor.trade(10100, floor.IBM) == ["3 Cancelled #1 0/10", "4 202 #1"]


def test_outside_regular_hours_nothing_is_met_unless_the_order_says_so(Floor_: Any) -> None:
    hours = Session(regular=((3_000, 4_000),), extended=((500, 3_000),))
    for ignores in (False, True):
        floor = Floor_(hours, start=600)
        floor.place(1, "BUY", 10, "LMT", limit=101, conditions=(price("101"),), outside_rth=True,
                    conditions_ignore_rth=ignores)  # fmt: skip
        assert (BOUGHT in floor.trade(10100, floor.IBM)) == ignores


def test_other_conditions_given_by_a_change_count(floor: Any) -> None:
    conditioned(floor, price("101"))
    conditioned(floor, price("102"))
    assert floor.trade(10100, floor.IBM) == []
    assert BOUGHT in floor.trade(10200, floor.IBM)


def test_a_conditioned_child_waits_for_its_parent_first(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99, transmit=False)
    floor.place(2, "SELL", 10, "MKT", parent_id=1, conditions=(price("101"),))
    assert floor.trade(10100, floor.IBM) == floor.trade(10000, floor.IBM) == []
    assert not any("SLD" in line for line in floor.quote(9899, 10, 9900, 10))
    assert "11 SLD #2 10@98.99" in floor.trade(10100, floor.IBM)


@pytest.mark.parametrize(
    ("code", "condition"),
    [
        (147, Condition(kind=ConditionKind.PRICE, con_id=1, price=D(1))),
        (147, Condition(kind=ConditionKind.PRICE, con_id=IBM)),
        (147, Condition(kind=ConditionKind.VOLUME, con_id=IBM)),
        (147, Condition(kind=ConditionKind.MARGIN)),
        (146, Condition(kind=ConditionKind.PRICE, con_id=IBM, price=D(1), trigger_method=6)),
    ],
)
def test_an_incomplete_condition_is_refused(floor: Any, code: int, condition: Condition) -> None:
    assert conditioned(floor, condition) == [f"4 {code} #1"]


def test_who_was_let_go_watches_no_more(floor: Any) -> None:
    both = (price("101"), price("101", con_id=floor.SPY))
    floor.place(1, "BUY", 10, "LMT", limit=90, conditions=both)
    floor.trade(10100)
    assert "5 Submitted #1 0/10" in floor.trade(10100, floor.IBM)
    assert all(not book.watchers for book in floor.exchange._core.books.values())


def test_its_own_fill_is_no_execution_that_an_order_waits_for(floor: Any) -> None:
    wanted = Condition(kind=ConditionKind.EXECUTION, symbol="SPY", sec_type="STK", exchange="SMART")
    floor.place(
        1, "BUY", 100, "LMT", limit="100.01", conditions=(wanted,), conditions_cancel_order=True
    )
    assert floor.open_ids() == [1] and floor.position() == 60
    assert "4 202 #1" in floor.place(2, "SELL", 5)
