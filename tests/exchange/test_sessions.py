"""Hours: DAY orders expire at the close, orders outside the hours are held with 399 (TWS-BEHAVIOUR.md C2)."""

from __future__ import annotations

from typing import Any

import pytest

from tws.exchange import Listing, Session
from tws.model.contract import Contract
from tws.model.instrument import Instrument

HOUR = 3_600_000_000_000
OPEN, CLOSE, NEXT = 14 * HOUR, 21 * HOUR, 38 * HOUR
HOURS = Session(
    regular=((OPEN, CLOSE), (NEXT, NEXT + 7 * HOUR)), extended=((10 * HOUR, OPEN), (CLOSE, 25 * HOUR))
)


@pytest.fixture
def early(Floor_: Any) -> Any:
    return Floor_(HOURS, start=9 * HOUR)


@pytest.fixture
def midday(Floor_: Any) -> Any:
    return Floor_(HOURS, start=18 * HOUR)


def test_an_order_before_the_open_is_held_with_399_and_works_at_the_open(early: Any) -> None:
    events = early.raw(1, "BUY", 10)
    assert early.told(events) == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10", "4 399 #1"]
    assert events[-1].text == (
        "Order Message:\nBUY 10 SPY ARCA\n"
        "Warning: your order will not be placed at the exchange until 1970-01-01 14:00:00 UTC"
    )
    assert early.quote(9990, 10, 10000, 500) == []
    assert early.exchange.next_wake() == 10 * HOUR
    assert early.advance(OPEN - 1) == []
    assert early.advance(OPEN)[0] == "11 BOT #1 10@100.00"


def test_the_open_comes_with_the_first_quote_too(early: Any) -> None:
    early.place(1, "BUY", 10, "LMT", limit=99)
    early.now = OPEN
    assert early.quote(9990, 10, 9995, 500) == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"]


def test_a_day_order_expires_at_the_close_exactly(midday: Any) -> None:
    midday.place(1, "BUY", 10, "LMT", limit=99)
    assert midday.advance(CLOSE - 1) == []
    assert midday.advance(CLOSE) == ["3 Cancelled #1 0/10", "4 202 #1"]
    (done,) = midday.exchange.completed_orders()
    assert (done.completed_ns, done.completed_status) == (CLOSE, "Expired")


def test_a_day_order_expires_even_when_time_leaps(midday: Any) -> None:
    midday.place(1, "BUY", 10, "LMT", limit=99)
    assert midday.advance(NEXT + HOUR) == ["3 Cancelled #1 0/10", "4 202 #1"]
    assert midday.exchange.completed_orders()[0].completed_ns == CLOSE


def test_a_gtc_order_sleeps_over_the_close_and_works_again(midday: Any) -> None:
    midday.place(1, "BUY", 10, "LMT", limit=99, tif="GTC")
    assert midday.advance(CLOSE) == []
    assert midday.quote(9000, 10, 9001, 500) == [], "closed"
    assert midday.exchange.open_orders()[0].status == "PreSubmitted"
    midday.quote(9990, 10, 9991, 500)
    assert midday.advance(NEXT) == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"]
    assert midday.quote(9000, 10, 9001, 500)[0] == "11 BOT #1 10@90.01"


def test_a_gtc_stop_neither_triggers_nor_fills_while_closed(midday: Any) -> None:
    midday.place(1, "SELL", 10, "STP", stop=99, tif="GTC")
    midday.advance(CLOSE)
    assert midday.trade(9000) == []
    midday.trade(10000)
    assert midday.advance(NEXT) == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
    assert midday.trade(9900)[:2] == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"]


def test_outside_rth_trades_in_extended_hours_and_expires_after_them(midday: Any) -> None:
    midday.place(1, "BUY", 10, "LMT", limit=99, outside_rth=True)
    midday.place(2, "BUY", 10, "LMT", limit=98, outside_rth=True)
    assert midday.advance(CLOSE) == []
    assert midday.quote(9890, 10, 9900, 500)[0] == "11 BOT #1 10@99.00"
    assert midday.advance(25 * HOUR) == ["3 Cancelled #2 0/10", "4 202 #2"]


def test_a_market_order_ignores_outside_rth_and_says_so(midday: Any) -> None:
    midday.advance(CLOSE + 1)
    told = midday.place(1, "BUY", 10, outside_rth=True)
    assert told == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10", "4 2109 #1", "4 399 #1"]


def test_a_day_order_of_the_evening_is_for_the_next_session(midday: Any) -> None:
    midday.advance(CLOSE + 1)
    midday.place(1, "BUY", 10, "LMT", limit=99)
    assert midday.advance(30 * HOUR) == []
    assert midday.advance(NEXT)[0] == "5 Submitted #1 0/10"
    assert midday.advance(NEXT + 7 * HOUR)[0] == "3 Cancelled #1 0/10"


def test_the_close_takes_a_bracket_with_it(midday: Any) -> None:
    midday.bracket(100)
    midday.advance(CLOSE)
    assert midday.open_ids() == []


def test_always_has_no_close(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert floor.exchange.next_wake() is None
    assert floor.advance(10_000 * HOUR) == [] and floor.open_ids() == [1]


def test_a_cancel_works_while_closed(early: Any) -> None:
    early.place(1, "BUY", 10)
    assert early.cancel(1) == ["3 Cancelled #1 0/10", "4 202 #1"]
    assert early.advance(OPEN) == []


def test_399_is_said_once_however_often_a_held_order_is_changed(early: Any) -> None:
    early.place(1, "BUY", 10, "LMT", limit=99)
    assert early.place(1, "BUY", 20, "LMT", limit=98) == ["5 PreSubmitted #1 0/20", "3 PreSubmitted #1 0/20"]


def test_each_instrument_closes_at_its_own_hour_and_those_of_one_hour_as_listed(midday: Any) -> None:
    earlier = Session(regular=((OPEN, CLOSE - HOUR), (NEXT, NEXT + HOUR)), extended=())
    for con_id, session in ((3, earlier), (2, HOURS)):
        contract = Contract(con_id=con_id, symbol=f"S{con_id}")
        midday.exchange.add(Listing(instrument=Instrument(contract=contract), session=session))
    for order_id, con_id in ((1, 2), (2, midday.IBM), (3, midday.SPY), (4, 3)):
        midday.place(order_id, "BUY", 10, "LMT", limit=99, con_id=con_id)
    assert midday.exchange.next_wake() == CLOSE - HOUR
    assert midday.advance(CLOSE - HOUR) == ["3 Cancelled #4 0/10", "4 202 #4"]
    assert [line for line in midday.advance(CLOSE) if line[0] == "4"] == ["4 202 #3", "4 202 #2", "4 202 #1"]
    midday.place(5, "BUY", 10, "LMT", limit=99, con_id=3)
    assert midday.advance(NEXT) == ["5 Submitted #5 0/10", "3 Submitted #5 0/10"]
    assert midday.advance(NEXT + HOUR) == ["3 Cancelled #5 0/10", "4 202 #5"]
