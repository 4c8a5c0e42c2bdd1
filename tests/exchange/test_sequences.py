"""The message sequences of TWS-BEHAVIOUR.md C2, told in the order in which TWS says them."""

from __future__ import annotations

from typing import Any

import pytest

from tws.exchange import Executed, OrderOpened, StatusChanged


def test_a_market_order_speaks_as_recorded(floor: Any) -> None:
    assert floor.place(1, "BUY", 50) == [
        "5 PreSubmitted #1 0/50", "3 PreSubmitted #1 0/50",
        "11 BOT #1 50@100.01",
        "5 Filled #1 50/50", "3 Filled #1 50/50",
        "5 Filled #1 50/50", "3 Filled #1 50/50",
        "59 1.00 None",
    ]  # fmt: skip


def test_the_deliberate_duplicate_is_a_switch(Floor_: Any) -> None:
    told = Floor_(duplicate_filled=False).place(1, "BUY", 50)
    assert told.count("3 Filled #1 50/50") == 1


def test_the_execution_comes_before_the_status_that_tells_of_it(floor: Any) -> None:
    events = floor.raw(1, "BUY", 50)
    at = [type(event) for event in events].index(Executed)
    assert all(event.order.filled == 0 for event in events[:at])
    assert isinstance(events[at + 1], OrderOpened) and isinstance(events[at + 2], StatusChanged)


def test_a_partial_fill_says_submitted_with_what_is_filled(floor: Any) -> None:
    assert floor.place(1, "BUY", 100) == [
        "5 PreSubmitted #1 0/100", "3 PreSubmitted #1 0/100",
        "11 BOT #1 60@100.01", "5 Submitted #1 60/100", "3 Submitted #1 60/100", "59 1.00 None",
    ]  # fmt: skip
    assert floor.quote(10000, 300, 10002, 500) == [
        "11 BOT #1 40@100.02",
        "5 Filled #1 100/100", "3 Filled #1 100/100", "5 Filled #1 100/100", "3 Filled #1 100/100",
        "59 0.00 None",
    ]  # fmt: skip
    (done,) = floor.exchange.completed_orders()
    assert str(done.order.average_price) == "100.01400000" and str(done.order.last_price) == "100.02"
    assert done.completed_status == "Filled Size: 100"


def test_a_resting_limit_steps_from_presubmitted_to_submitted(floor: Any) -> None:
    pairs = ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10", "5 Submitted #1 0/10", "3 Submitted #1 0/10"]
    assert floor.place(1, "BUY", 10, "LMT", limit=99) == pairs


def test_a_resting_limit_may_skip_presubmitted(Floor_: Any) -> None:
    told = Floor_(presubmitted_first=False).place(1, "BUY", 10, "LMT", limit=99)
    assert told == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"]


def test_a_stop_is_presubmitted_until_triggered(floor: Any) -> None:
    assert floor.place(1, "SELL", 10, "STP", stop=99) == ["5 PreSubmitted #1 0/10", "3 PreSubmitted #1 0/10"]
    assert floor.trade(9900)[:3] == ["5 Submitted #1 0/10", "3 Submitted #1 0/10", "11 SLD #1 10@100.00"]


def test_a_cancel_says_cancelled_and_then_202(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert floor.cancel(1) == ["3 Cancelled #1 0/10", "4 202 #1"]


def test_the_text_of_202_is_the_recorded_one(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert floor.exchange.cancel(1, 1, floor.now)[-1].text == "Order Canceled - reason:"


def test_a_cancel_may_take_its_while_and_fill_meanwhile(Floor_: Any) -> None:
    floor = Floor_(cancel_latency_ns=1_000)
    floor.place(1, "BUY", 100, "LMT", limit=99)
    assert floor.cancel(1) == ["3 PendingCancel #1 0/100"]
    due = floor.exchange.next_wake()
    assert floor.quote(9890, 10, 9900, 30) == [
        "11 BOT #1 30@99.00", "5 PendingCancel #1 30/100", "3 PendingCancel #1 30/100", "59 1.00 None",
    ]  # fmt: skip
    assert floor.advance(due - 1) == []
    assert floor.advance(due) == ["3 Cancelled #1 30/100", "4 202 #1"]
    assert floor.position() == 30


def test_a_pending_cancel_may_lose_to_a_full_fill(Floor_: Any) -> None:
    floor = Floor_(cancel_latency_ns=1_000)
    floor.place(1, "BUY", 20, "LMT", limit=99)
    floor.cancel(1)
    assert "3 Filled #1 20/20" in floor.quote(9890, 10, 9900, 30)
    assert floor.advance(floor.now + 5_000) == []


def test_a_reject_says_201_first_then_inactive(floor: Any) -> None:
    floor.exchange.refuse(floor.SPY, "the contract is halted")
    events = floor.raw(1, "BUY", 10)
    assert floor.told(events) == ["4 201 #1", "5 Inactive #1 0/10", "3 Inactive #1 0/10"]
    assert events[0].text == "Order rejected - reason:the contract is halted"
    assert floor.place(1, "BUY", 10) == ["4 103 #1"], "the id is consumed"
    floor.exchange.refuse(floor.SPY, None)
    assert "11 BOT #2 10@100.01" in floor.place(2, "BUY", 10)


def test_an_immediate_or_cancel_order_leaves_nothing_behind(floor: Any) -> None:
    assert floor.place(1, "BUY", 100, "LMT", limit="100.01", tif="IOC")[-5:] == [
        "5 Submitted #1 60/100", "3 Submitted #1 60/100", "59 1.00 None", "3 Cancelled #1 60/100", "4 202 #1",
    ]  # fmt: skip
    assert floor.open_ids() == []


def test_an_unstated_tif_becomes_day_and_the_order_lives(floor: Any) -> None:
    events = floor.raw(1, "BUY", 10, "LMT", limit=99, tif="")
    assert floor.told(events)[2] == "4 10349 #1"
    assert events[0].order.ticket.tif == "DAY"
    assert floor.open_ids() == [1]


@pytest.mark.parametrize("transmit", [True, False])
def test_a_what_if_answers_with_openorder_alone(floor: Any, transmit: bool) -> None:
    events = floor.raw(1, "BUY", 100, what_if=True, transmit=transmit)
    if not transmit:
        assert floor.told(events) == ["4 413 #1"]
        return
    assert floor.told(events) == ["5 what-if PreSubmitted #1"]
    margin = events[0].margin
    assert (str(margin.init_change), str(margin.maint_change)) == ("5000.50", "2500.25")
    assert (str(margin.commission), margin.equity_change) == ("1.00", -1)
    assert floor.open_ids() == [] and floor.exchange.executions() == ()


def test_exec_ids_have_tws_form_and_never_repeat(floor: Any) -> None:
    floor.place(1, "BUY", 100)
    floor.quote(10000, 300, 10001, 60)
    ids = [report.executed.exec_id for report in floor.exchange.executions()]
    assert ids == ["00000001.00000001.01.01", "00000001.00000002.01.01"]
