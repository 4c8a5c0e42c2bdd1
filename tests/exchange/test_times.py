"""Times in force, good-after, auctions, and orders that want so much at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.exchange.test_books import COIN, STOCK, Run

from tws.exchange import Session
from tws.model.order import Side

D = Decimal
MINUTE = 60_000_000_000
HOURS = Session(regular=((1_000, 2_000), (3_000, 4_000)), extended=((500, 1_000),))
ENDED = ["3 Cancelled #1 0/10", "4 202 #1"]


@pytest.fixture
def opened(Floor_: Any) -> Any:
    """A floor in its first regular session."""
    return Floor_(HOURS, start=1_000)


# -- fill or kill, all or none, minimum -----------------------------------------------------------


def test_fill_or_kill_takes_all_or_nothing(floor: Any) -> None:
    assert floor.place(1, "BUY", 61, "LMT", limit=101, tif="FOK")[-2:] == ["3 Cancelled #1 0/61", "4 202 #1"]
    assert "11 BOT #2 60@100.01" in floor.place(2, "BUY", 60, "LMT", limit=101, tif="FOK")
    assert floor.position() == 60


def test_all_or_none_waits_for_a_quote_that_is_large_enough(floor: Any) -> None:
    told = floor.place(1, "BUY", 100, "LMT", limit=101, all_or_none=True)
    assert told[-1] == "3 Submitted #1 0/100"
    assert floor.quote(10000, 10, 10001, 99) == []
    assert "11 BOT #1 100@100.01" in floor.quote(10000, 10, 10001, 100)


def test_all_or_none_stands_behind_everybody(floor: Any) -> None:
    floor.place(1, "BUY", 100, "LMT", limit=101, all_or_none=True)
    floor.place(2, "BUY", 60, "MKT")
    floor.place(3, "BUY", 50, "LMT", limit=101)
    told = floor.quote(10000, 10, 10001, 120)
    assert "11 BOT #3 50@100.01" in told and not any("#1" in line for line in told)


def test_a_minimum_binds_the_first_fill_alone(floor: Any) -> None:
    assert floor.place(1, "BUY", 100, "LMT", limit=101, min_qty=D(70))[-1] == "3 Submitted #1 0/100"
    assert "11 BOT #1 80@100.01" in floor.quote(10000, 10, 10001, 80)
    assert "11 BOT #1 5@100.01" in floor.quote(10000, 10, 10001, 5)


def test_immediate_or_cancel_with_a_minimum_ends_on_arrival(floor: Any) -> None:
    told = floor.place(1, "BUY", 100, "LMT", limit=101, min_qty=D(70), tif="IOC")
    assert told[-2:] == ["3 Cancelled #1 0/100", "4 202 #1"]


# -- good till, good after ------------------------------------------------------------------------


def test_good_till_date_ends_at_its_instant(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99, tif="GTD", good_till_ns=MINUTE)
    assert floor.exchange.next_wake() == MINUTE
    assert floor.advance(MINUTE - 1) == []
    assert floor.advance(MINUTE) == ENDED
    assert floor.exchange.completed_orders()[0].completed_status == "Expired"


def test_a_later_date_given_by_a_change_counts(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99, tif="GTD", good_till_ns=MINUTE)
    floor.place(1, "BUY", 10, "LMT", limit=99, tif="GTD", good_till_ns=2 * MINUTE)
    assert floor.advance(MINUTE) == []
    assert floor.advance(2 * MINUTE) == ENDED


def test_good_after_time_is_held_until_then(floor: Any) -> None:
    told = floor.place(1, "BUY", 10, good_after_ns=MINUTE)
    assert told == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
    assert floor.exchange.next_wake() == MINUTE
    assert "11 BOT #1 10@100.01" in floor.advance(MINUTE)


def test_an_earlier_start_given_by_a_change_counts(floor: Any) -> None:
    floor.place(1, "BUY", 10, good_after_ns=9 * MINUTE)
    floor.place(1, "BUY", 10, good_after_ns=MINUTE)
    assert "11 BOT #1 10@100.01" in floor.advance(MINUTE)


# -- auctions -------------------------------------------------------------------------------------


def test_on_close_fills_whole_at_the_last_price_of_the_session(opened: Any) -> None:
    told = opened.place(1, "BUY", 500, "MOC")
    assert told == ["5 PreSubmitted #1 0/500", "3 PreSubmitted #1 0/500"]
    opened.place(2, "BUY", 10, "LOC", limit="99.99")
    opened.quote(10000, 1, 10010, 1)
    opened.trade(10005)
    told = opened.advance(2_000)
    assert "11 BOT #1 500@100.05" in told
    assert told[-2:] == ["3 Cancelled #2 0/10", "4 202 #2"], "its limit was not reached"


def test_on_open_waits_for_the_first_quote_of_the_next_session(opened: Any) -> None:
    opened.place(1, "SELL", 500, "MKT", tif="OPG")
    opened.place(2, "SELL", 10, "LMT", limit="101.00", tif="OPG")
    opened.quote(10000, 1, 10010, 1)
    assert opened.advance(2_500) == opened.advance(3_000) == []
    told = opened.quote(10040, 5, 10060, 5)
    assert "11 SLD #1 500@100.40" in told, "the last trade, held within the new quote"
    assert told[-2:] == ["3 Cancelled #2 0/10", "4 202 #2"]


def test_a_market_that_never_closes_holds_an_auction_every_minute(floor: Any) -> None:
    floor.place(1, "BUY", 500, "MOC")
    floor.place(2, "BUY", 500, "MKT", tif="OPG")
    told = floor.advance(MINUTE)
    assert "11 BOT #1 500@100" in [line.removesuffix(".00") for line in told]
    assert "5 Filled #2 500/500" in told


def test_an_on_close_order_can_be_cancelled_before(opened: Any) -> None:
    opened.place(1, "BUY", 10, "MOC")
    assert opened.cancel(1) == ENDED
    assert opened.advance(2_000) == []


@pytest.mark.parametrize("tif", ["OVERNIGHT", "OVERNIGHT + DAY"])
def test_overnight_trades_in_extended_hours(Floor_: Any, tif: str) -> None:
    floor = Floor_(HOURS, start=600)
    assert "11 BOT #1 10@100.01" in floor.place(1, "BUY", 10, tif=tif)
    assert "4 399 #2" in floor.place(2, "BUY", 10)


def test_each_auction_is_for_its_own(Floor_: Any) -> None:
    floor = Floor_(HOURS, start=600)
    floor.place(1, "BUY", 10, "MOC")
    assert floor.advance(1_000) == floor.quote(10000, 50, 10001, 50) == [], "the open is not the close"
    floor.place(2, "BUY", 10, "MKT", tif="OPG")
    told = floor.advance(2_000)
    assert any("#1" in line for line in told) and not any("#2" in line for line in told)
    assert floor.quote(10000, 50, 10001, 50) == [], "a quote after the close opens nothing"
    floor.advance(3_000)
    assert "5 Filled #2 10/10" in floor.quote(10000, 50, 10001, 50)


def test_minutes_are_for_coins_at_a_limit() -> None:
    """Five of them; a change counts anew."""
    run = Run()
    wanted = {"order_type": "LMT", "limit_price": D(50), "tif": "Minutes"}
    assert [event.code for event in run.place(STOCK, Side.BUY, D(1), **wanted)] == [321]
    run.place(COIN, Side.BUY, D(1), **wanted)
    begun, run.order_id = run.now, run.order_id - 1
    run.now += MINUTE
    run.place(COIN, Side.BUY, D(2), **wanted)
    assert list(run.exchange.advance(begun + 5 * MINUTE)) == [], "it was changed after a minute"
    run.exchange.advance(begun + 6 * MINUTE + 10)
    assert [(row.order.status, row.completed_status) for row in run.exchange.completed_orders()] == [
        ("Cancelled", "Expired")
    ]
