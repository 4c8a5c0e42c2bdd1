"""Brackets: parent, children, transmit (TWS-BEHAVIOUR.md C2 Bracket; INCIDENTS.md 8 and 14)."""

from __future__ import annotations

from typing import Any

import pytest

from tws.exchange import ChildrenWork

WAITING = ["5 PreSubmitted #{0} 0/100", "3 PreSubmitted #{0} 0/100"]


def pair(status: str, order_id: int, filled: int, total: int) -> list[str]:
    return [f"5 {status} #{order_id} {filled}/{total}", f"3 {status} #{order_id} {filled}/{total}"]


def test_untransmitted_orders_are_held_without_a_word(floor: Any) -> None:
    assert floor.place(1, "BUY", 10, transmit=False) == []
    assert floor.place(2, "SELL", 10, "LMT", limit=102, parent_id=1, transmit=False) == []
    assert floor.open_ids() == []
    assert floor.quote(10000, 10, 10001, 500) == [] and floor.position() == 0


def test_the_last_child_transmits_the_family_parent_first(floor: Any) -> None:
    told = floor.bracket(50)
    assert told[:6] == pair("PreSubmitted", 1, 0, 50) + pair("PreSubmitted", 2, 0, 50) + pair(
        "PreSubmitted", 3, 0, 50
    )
    assert told[6] == "11 BOT #1 50@100.01"


def test_children_wait_until_the_parent_is_filled(floor: Any) -> None:
    floor.bracket(100)
    assert floor.position() == 60
    assert floor.trade(9700) == [], "the stop is held while its parent is partly filled"
    assert floor.quote(10300, 500, 10400, 0) == [], "so is the target"
    assert [order.status for order in floor.exchange.open_orders()] == [
        "Submitted",
        "PreSubmitted",
        "PreSubmitted",
    ]
    floor.trade(10000)
    told = floor.quote(10000, 300, 10001, 60)
    assert told[-2:] == pair("Submitted", 2, 0, 100), "the target works once the parent is filled"


def test_a_childs_full_fill_cancels_its_sibling(floor: Any) -> None:
    floor.bracket(50)
    told = floor.quote(10200, 500, 10201, 60)
    assert told[0] == "11 SLD #2 50@102.00"
    assert told[-2:] == ["3 Cancelled #3 0/50", "4 202 #3"]
    assert floor.position() == 0 and floor.open_ids() == []


def test_a_childs_partial_fill_reduces_its_sibling(floor: Any) -> None:
    floor.bracket(50)
    assert floor.quote(10200, 20, 10201, 60)[-2:] == pair("PreSubmitted", 3, 0, 30)


def test_children_show_the_parents_perm_id_as_their_group(floor: Any) -> None:
    floor.bracket(50)
    parent = floor.exchange.completed_orders()[0].order
    assert {order.oca_group for order in floor.exchange.open_orders()} == {str(parent.perm_id)}
    assert {order.parent_perm_id for order in floor.exchange.open_orders()} == {parent.perm_id}


def test_a_cancelled_parent_takes_its_children_along(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99, transmit=False)
    floor.place(2, "SELL", 10, "LMT", limit=102, parent_id=1, transmit=False)
    floor.place(3, "SELL", 10, "STP", stop=98, parent_id=1)
    assert floor.cancel(1) == [
        "3 Cancelled #1 0/10", "4 202 #1",
        "3 Cancelled #2 0/10", "4 202 #2",
        "3 Cancelled #3 0/10", "4 202 #3",
    ]  # fmt: skip
    assert floor.open_ids() == []


def test_a_partly_filled_parent_cancelled_leaves_nothing_when_children_are_held(floor: Any) -> None:
    floor.bracket(100)
    floor.cancel(1)
    assert floor.open_ids() == [] and floor.position() == 60


def test_a_rejected_parent_takes_its_children_along(floor: Any) -> None:
    floor.exchange.refuse(floor.SPY, "no")
    told = floor.bracket(50)
    assert told[:3] == ["4 201 #1", *pair("Inactive", 1, 0, 50)]
    assert told[3:] == ["3 ApiCancelled #2 0/50", "4 202 #2", "3 ApiCancelled #3 0/50", "4 202 #3"]
    assert floor.open_ids() == []


@pytest.mark.parametrize("parent", [7, 99])
def test_a_child_without_a_parent_is_10006(floor: Any, parent: int) -> None:
    floor.place(7, "BUY", 10, "LMT", limit=99)
    floor.cancel(7)
    assert floor.place(8, "SELL", 10, "LMT", limit=102, parent_id=parent) == ["4 10006 #8"]


def test_another_clients_order_is_no_parent(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    assert floor.place(2, "SELL", 10, "LMT", limit=102, parent_id=1, client_id=2) == ["4 10006 #2"]


def test_a_child_of_a_filled_parent_works_at_once(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    assert floor.place(2, "SELL", 10, "LMT", limit=102, parent_id=1)[-1] == "3 Submitted #2 0/10"


def test_a_parent_transmitted_alone_leaves_its_child_behind(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99, transmit=False)
    floor.place(2, "SELL", 10, "LMT", limit=102, parent_id=1, transmit=False)
    assert floor.place(1, "BUY", 10, "LMT", limit=99)[-1] == "3 Submitted #1 0/10"
    assert floor.open_ids() == [1]
    assert floor.place(2, "SELL", 10, "LMT", limit=102, parent_id=1) == pair("PreSubmitted", 2, 0, 10)


def test_half_a_bracket_is_lost_at_restart_and_can_be_cancelled_before(floor: Any) -> None:
    floor.place(1, "BUY", 10, transmit=False)
    floor.place(2, "BUY", 10, transmit=False)
    assert floor.cancel(1) == ["3 ApiCancelled #1 0/10", "4 202 #1"]
    floor.exchange.restart(floor.now)
    assert floor.cancel(2) == ["4 10147 #2"]
    assert floor.place(2, "BUY", 10) == ["4 103 #2"], "its id stays used"


# -- the other habit: children work for the filled part -----------------------------------------


@pytest.fixture
def partial(Floor_: Any) -> Any:
    floor = Floor_(children=ChildrenWork.FOR_FILLED_PART)
    floor.bracket(100)  # 60 of the parent's 100 fill
    return floor


def test_children_work_for_the_filled_part(partial: Any) -> None:
    assert [order.status for order in partial.exchange.open_orders()] == [
        "Submitted",
        "Submitted",
        "PreSubmitted",
    ]
    told = partial.quote(10200, 500, 10300, 0)
    assert told[0] == "11 SLD #2 60@102.00", "the target never sells more than the parent bought"
    assert partial.position() == 0
    assert partial.quote(10200, 500, 10300, 0) == []


def test_a_stop_never_sells_more_than_the_parent_bought(partial: Any) -> None:
    partial.quote(9790, 500, 9800, 0)
    assert "11 SLD #3 60@97.90" in partial.trade(9790)
    assert partial.position() == 0
    assert partial.quote(9790, 500, 9800, 0) == []
    told = partial.quote(9790, 500, 9800, 500)
    assert told[0] == "11 BOT #1 40@98.00", "the parent lives on and fills"
    assert "11 SLD #3 40@97.90" in told, "and the triggered stop sells what it bought"
    assert partial.position() == 0 and partial.open_ids() == []


def test_a_stop_whose_part_is_spent_does_not_trigger(partial: Any) -> None:
    partial.quote(10200, 500, 10300, 0)  # the target sold all 60
    assert partial.trade(9700) == []
    partial.trade(10000)
    partial.quote(10000, 500, 10001, 500)  # the parent fills up
    assert partial.position() == 40, "the stop stands armed for the rest, untriggered"


def test_children_of_a_partly_filled_cancelled_parent_protect_the_part(partial: Any) -> None:
    assert partial.cancel(1) == ["3 Cancelled #1 60/100", "4 202 #1", *pair("Submitted", 2, 0, 60),
                                 *pair("PreSubmitted", 3, 0, 60)]  # fmt: skip
    partial.quote(9790, 500, 9800, 0)
    partial.trade(9790)
    assert partial.position() == 0 and partial.open_ids() == []


def test_what_outlives_its_parent_is_one_group_of_the_part(partial: Any) -> None:
    partial.cancel(1)
    assert partial.quote(10200, 30, 10300, 0)[-2:] == pair("PreSubmitted", 3, 0, 30)


def test_the_cancel_of_an_untransmitted_order_takes_no_while(Floor_: Any) -> None:
    floor = Floor_(cancel_latency_ns=1_000)
    floor.place(1, "BUY", 10, transmit=False)
    assert floor.cancel(1) == ["3 ApiCancelled #1 0/10", "4 202 #1"]


def test_why_children_are_held_is_a_switch(Floor_: Any) -> None:
    floor = Floor_(child_why_held="child")
    floor.bracket(100)
    assert [order.why_held for order in floor.exchange.open_orders()] == ["", "child", "child"]
