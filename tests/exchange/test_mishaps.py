"""What goes wrong with single orders and executions, each told as INCIDENTS.md and C2 to C4 tell it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tws.exchange import FarPrice

D = Decimal


def play(floor: Any, name: str, *args: Any) -> list[str]:
    floor.now += 1
    events = getattr(floor.exchange.mishaps, name)(*args, floor.now)
    return floor.told(events or ())  # type: ignore[no-any-return]


# -- dialogs --------------------------------------------------------------------------------------


def test_a_dialog_that_came_first_holds_an_order_without_a_word(floor: Any) -> None:
    assert play(floor, "hold", 1, 1) == []
    assert floor.place(1, "BUY", 10) == []
    assert floor.open_ids() == [] and floor.quote(10000, 50, 10001, 50) == []
    assert "11 BOT #1 10@100.01" in play(floor, "release", 1, 1)


def test_a_dialog_stops_a_living_order_until_it_is_answered(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert play(floor, "hold", 1, 1) == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
    assert floor.quote(9899, 50, 9900, 50) == []
    assert "11 BOT #1 10@99.00" in play(floor, "release", 1, 1)


def test_a_held_parent_keeps_its_children_back(floor: Any) -> None:
    play(floor, "hold", 1, 1)
    assert floor.bracket() == []
    told = play(floor, "release", 1, 1)
    assert "11 BOT #1 60@100.01" in told and "5 PreSubmitted #2 0/100" in told


def test_a_held_order_can_be_cancelled(floor: Any) -> None:
    play(floor, "hold", 1, 1)
    floor.place(1, "BUY", 10)
    assert floor.cancel(1) == ["3 ApiCancelled #1 0/10", "4 202 #1"]
    assert play(floor, "release", 1, 1) == []


# -- lost, drifted --------------------------------------------------------------------------------


def test_a_lost_order_is_gone_without_a_word_and_half_a_bracket_stays(floor: Any) -> None:
    floor.bracket()
    assert play(floor, "lose", 1, 3) == []
    assert floor.open_ids() == [1, 2]
    assert floor.trade(9700) == [], "the stop that was lost does not protect"
    assert floor.cancel(3) == ["4 10147 #3"]
    floor.quote(10200, 300, 10201, 300)
    assert floor.position() == 0, "the target that is left still closes"


def test_a_drifted_change_leaves_two_living_orders(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    floor.exchange.mishaps.drift_modify(1, 1)
    floor.place(1, "BUY", 10, "LMT", limit=98)
    first, second = floor.exchange.open_orders()
    assert first.perm_id != second.perm_id and first.order_id == second.order_id == 1
    assert floor.cancel(1) == ["3 Cancelled #1 0/10", "4 202 #1"]
    assert [order.perm_id for order in floor.exchange.open_orders()] == [first.perm_id]
    assert "11 BOT #1 10@99.00" in floor.quote(9899, 50, 9900, 50), "the first fills later"
    assert floor.position() == 10


def test_only_the_next_change_drifts(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    floor.exchange.mishaps.drift_modify(1, 1)
    floor.place(1, "BUY", 10, "LMT", limit=98)
    floor.place(1, "BUY", 10, "LMT", limit=97)
    assert len(floor.exchange.open_orders()) == 2


# -- executions -----------------------------------------------------------------------------------


def test_a_fill_after_cancelled(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    floor.cancel(1)
    told = play(floor, "late_fill", 1, 1, 4)
    assert told == ["11 BOT #1 4@100.01", "5 Cancelled #1 4/10", "3 Cancelled #1 4/10", "59 1.00 None"]
    told = play(floor, "late_fill", 1, 1, 99)
    assert told[:2] == ["11 BOT #1 6@100.01", "5 Filled #1 10/10"]
    assert floor.position() == 10
    done = floor.exchange.completed_orders()
    assert [(row.order.status, row.completed_status) for row in done] == [("Filled", "Filled Size: 10")]
    fees = sum(report.commission.amount for report in floor.exchange.executions())
    assert fees == 1, "one order, one minimum"
    assert play(floor, "late_fill", 1, 1, 1) == []


def test_a_bust_gives_position_and_money_back(floor: Any) -> None:
    cash = floor.value("TotalCashValue")
    floor.place(1, "BUY", 10)
    (report,) = floor.exchange.executions()
    assert play(floor, "bust", report.executed.exec_id) == []
    assert floor.position() == 0 and floor.value("TotalCashValue") == cash
    assert floor.exchange.executions() == ()
    assert play(floor, "bust", report.executed.exec_id) == [] and floor.position() == 0


def _row(floor: Any) -> tuple[D, D, D]:
    row = floor.exchange.position("DU1", floor.SPY)
    return row.quantity, row.average_cost, row.realized_pnl


def test_after_a_bust_and_a_correction_the_books_are_as_if_it_had_been_right_at_once(
    floor: Any, Floor_: Any
) -> None:
    """Buy 10, buy 20, sell 15; then the first is corrected to 99 and the sale is busted."""
    for order_id, side, quantity in ((1, "BUY", 10), (2, "BUY", 20), (3, "SELL", 15)):
        floor.place(order_id, side, quantity)
    first, _, sale = (report.executed.exec_id for report in floor.exchange.executions())
    play(floor, "correct", first, D("99.00"))
    right = Floor_()
    right.quote(9899, 300, 9900, 60)
    right.place(1, "BUY", 10)
    right.quote(10000, 300, 10001, 60)
    right.place(2, "BUY", 20)
    right.place(3, "SELL", 15)
    assert _row(floor) == _row(right)
    assert floor.value("TotalCashValue") == right.value("TotalCashValue")
    play(floor, "bust", sale)
    again = Floor_()
    again.quote(9899, 300, 9900, 60)
    again.place(1, "BUY", 10)
    again.quote(10000, 300, 10001, 60)
    again.place(2, "BUY", 20)
    assert _row(floor) == _row(again)
    assert floor.value("TotalCashValue") == again.value("TotalCashValue")


def test_after_a_split_a_bust_is_booked_back_at_the_present_cost(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    floor.place(2, "BUY", 10)
    _, second = (report.executed.exec_id for report in floor.exchange.executions())
    floor.exchange.corporate.split(floor.SPY, D(2), floor.now)
    play(floor, "bust", second)
    assert floor.position() == 30, "the shares of the fill go, as it named them"


def test_a_correction_repeats_the_execution_with_a_higher_last_part(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    (report,) = floor.exchange.executions()
    before = D(floor.value("TotalCashValue"))
    told = play(floor, "correct", report.executed.exec_id, D("99.00"))
    assert told == ["11 BOT #1 10@99.00", "59 1.00 None"]
    (corrected,) = floor.exchange.executions()
    assert corrected.executed.exec_id == report.executed.exec_id[:-2] + "02"
    assert D(floor.value("TotalCashValue")) == before + D("10.10") and floor.position() == 10


@pytest.mark.parametrize("name", ["hold", "release", "lose"])
def test_of_an_unknown_order_nothing_is_said(floor: Any, name: str) -> None:
    assert play(floor, name, 1, 77) == []
    assert play(floor, "late_fill", 1, 77, 1) == play(floor, "bust", "0.0.01") == []


# -- locates, far prices, children's changes ------------------------------------------------------


def test_a_short_sale_waits_for_shares(floor: Any) -> None:
    floor.exchange.hold_short(floor.SPY, True, floor.now)
    told = floor.place(1, "SELL", 10)
    assert told == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10", "4 404 #1"]
    assert floor.exchange.open_orders()[0].why_held == "locate"
    assert floor.quote(10000, 50, 10001, 50) == []
    told = floor.told(floor.exchange.hold_short(floor.SPY, False, floor.now))
    assert "11 SLD #1 10@100.00" in told


def test_who_has_the_shares_needs_no_locate(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    floor.exchange.hold_short(floor.SPY, True, floor.now)
    assert "11 SLD #2 10@100.00" in floor.place(2, "SELL", 10)
    assert "4 404 #3" in floor.place(3, "SELL", 1)


def test_a_far_limit_is_capped_or_cancelled(Floor_: Any) -> None:
    floor = Floor_(far_price=FarPrice.CAPPED)
    floor.quote(10000, 300, 12000, 60)
    floor.place(1, "BUY", 10, "LMT", limit=150)
    (order,) = floor.exchange.open_orders()
    assert order.cap_price == D("110.00") and order.ticket.limit_price == 150
    assert floor.quote(10000, 300, 11001, 60) == []
    assert "11 BOT #1 10@110.00" in floor.quote(10000, 300, 11000, 60)
    floor = Floor_(far_price=FarPrice.CANCELLED)
    assert floor.place(1, "SELL", 10, "LMT", limit=80)[-2:] == ["3 Cancelled #1 0/10", "4 202 #1"]
    assert "11 SLD #2 10@100.00" in floor.place(2, "SELL", 10, "LMT", limit=95)


def test_a_change_that_names_the_parent_may_be_refused(Floor_: Any) -> None:
    for taken in (True, False):
        floor = Floor_(parent_in_change=taken)
        floor.bracket()
        told = floor.place(2, "SELL", 100, "LMT", limit=103, parent_id=1)
        assert (told == ["4 135 #2"]) == (not taken)
        assert 2 in floor.open_ids()
        assert floor.place(2, "SELL", 100, "LMT", limit=103)[0][0] == "5"
