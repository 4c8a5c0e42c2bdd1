"""OCA types 1, 2 and 3 (TWS-BEHAVIOUR.md C2)."""

from __future__ import annotations

from typing import Any

import pytest


def group(floor: Any, oca_type: int, sizes: tuple[int, ...] = (100, 100)) -> None:
    """Sells at 101, 102, … of one group."""
    for at, size in enumerate(sizes):
        floor.place(at + 1, "SELL", size, "LMT", limit=101 + at, oca_group="G", oca_type=oca_type)


def sizes(floor: Any) -> dict[int, int]:
    return {order.order_id: int(order.remaining) for order in floor.exchange.open_orders()}


def test_type_1_cancels_the_others_at_the_first_partial_fill(floor: Any) -> None:
    group(floor, 1, (100, 100, 100))
    told = floor.quote(10100, 30, 10110, 50)
    assert told[-4:] == ["3 Cancelled #2 0/100", "4 202 #2", "3 Cancelled #3 0/100", "4 202 #3"]
    assert sizes(floor) == {1: 70}


@pytest.mark.parametrize("oca_type", [2, 3, 0])
def test_types_2_and_3_reduce_the_others_by_what_filled(floor: Any, oca_type: int) -> None:
    group(floor, oca_type)
    assert floor.quote(10100, 30, 10110, 50)[-2:] == ["5 Submitted #2 0/70", "3 Submitted #2 0/70"]
    assert sizes(floor) == {1: 70, 2: 70}
    assert floor.quote(10100, 70, 10110, 50)[-2:] == ["3 Cancelled #2 0/70", "4 202 #2"]


def test_reduction_is_in_proportion_and_does_not_drift(floor: Any) -> None:
    group(floor, 2, (100, 50))
    for filled in range(1, 100):
        floor.quote(10100, 1, 10110, 50)
        assert sizes(floor) == {1: 100 - filled, **({2: (100 - filled) // 2} if filled < 99 else {})}


def test_a_reduced_order_fills_no_more_than_it_was_reduced_to(floor: Any) -> None:
    group(floor, 3)
    floor.quote(10100, 30, 10110, 50)
    floor.quote(10200, 500, 10210, 50)  # both cross: the better priced one fills, the other goes
    assert floor.position() == -100


def test_a_sudden_quote_that_crosses_all_never_overfills(floor: Any) -> None:
    group(floor, 1, (100, 100))
    floor.quote(10300, 500, 10310, 50)
    assert floor.position() == -100


def test_a_new_order_may_join_the_group_of_a_brackets_children(floor: Any) -> None:
    floor.bracket(50)
    name = floor.exchange.open_orders()[0].oca_group
    told = floor.place(9, "SELL", 50, "MKT", oca_group=name)
    assert [line for line in told if "Cancelled" in line] == ["3 Cancelled #2 0/50", "3 Cancelled #3 0/50"]
    assert floor.position() == 0


def test_groups_of_two_accounts_are_apart(Floor_: Any) -> None:
    floor = Floor_(accounts=("DU1", "DU2"))
    floor.place(1, "SELL", 10, "LMT", limit=101, oca_group="G")
    floor.place(2, "SELL", 10, "LMT", limit=102, oca_group="G", account="DU2")
    floor.quote(10100, 10, 10110, 10)
    assert floor.open_ids() == [2]


def test_a_group_may_not_be_revised(floor: Any) -> None:
    group(floor, 1)
    assert floor.place(1, "SELL", 100, "LMT", limit=101, oca_group="other") == ["4 10326 #1"]
    assert floor.place(1, "SELL", 100, "LMT", limit=103)[0] == "5 Submitted #1 0/100", "left empty it is kept"
    assert floor.exchange.open_orders()[0].oca_group == "G"


def test_a_resized_order_reduces_the_others_by_its_new_size(floor: Any) -> None:
    group(floor, 3)
    floor.place(1, "SELL", 200, "LMT", limit=101)
    floor.quote(10100, 50, 10110, 50)  # a quarter of order 1
    assert sizes(floor) == {1: 150, 2: 75}


def test_a_full_fill_of_what_is_shown_cancels_the_others_fractions_included(floor: Any) -> None:
    group(floor, 3, (100, 50))
    floor.quote(10100, 1, 10110, 50)  # order 2 keeps 49.5, shows 49
    floor.place(1, "SELL", 100, "LMT", limit=105)
    told = floor.quote(10200, 49, 10210, 50)
    assert "3 Filled #2 49/49" in told and told[-1] == "4 202 #1"


def test_a_cancelled_groups_name_may_be_used_again(floor: Any) -> None:
    group(floor, 1)
    floor.cancel(1)
    floor.cancel(2)
    assert floor.open_ids() == [] and floor.exchange._core.groups == {}
    assert floor.place(8, "SELL", 10, "LMT", limit=101, oca_group="G")[-1] == "3 Submitted #8 0/10"


def test_a_partly_filled_order_resized_reduces_by_its_remaining_size(floor: Any) -> None:
    group(floor, 3)
    floor.quote(10100, 20, 10110, 50)
    floor.place(1, "SELL", 60, "LMT", limit=101)  # 40 remain
    floor.quote(10100, 10, 10110, 50)  # a quarter of them
    assert sizes(floor) == {1: 30, 2: 60}


def test_a_group_of_which_an_order_has_filled_takes_no_other(floor: Any) -> None:
    group(floor, 3)
    floor.quote(10100, 100, 10110, 50)
    told = floor.place(3, "SELL", 100, "LMT", limit=105, oca_group="G", oca_type=3)
    assert any("201" in line for line in told), told
    assert sizes(floor) == {}


def test_a_group_of_which_a_part_has_filled_still_takes_orders(floor: Any) -> None:
    group(floor, 3)
    floor.quote(10100, 30, 10110, 50)
    floor.place(3, "SELL", 70, "LMT", limit=105, oca_group="G", oca_type=3)
    assert sizes(floor) == {1: 70, 2: 70, 3: 70}
