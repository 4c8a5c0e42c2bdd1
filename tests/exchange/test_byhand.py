"""Orders of a human at TWS: whose they are and how they are bound (TWS-BEHAVIOUR.md C4)."""

from __future__ import annotations

from typing import Any

from tws.exchange import CommissionCharged, Executed, OrderBound


def by_hand(floor: Any, side: str, quantity: int, kind: str = "MKT", **more: Any) -> list[Any]:
    floor.now += 1
    return list(floor.exchange.by_hand.place(floor.ticket(77, side, quantity, kind, **more), floor.now))


def test_an_order_placed_by_hand_is_client_0s_and_has_no_id(floor: Any) -> None:
    events = by_hand(floor, "BUY", 60)
    assert floor.told(events)[:3] == [
        "5 PreSubmitted #0 0/60",
        "3 PreSubmitted #0 0/60",
        "11 BOT #2147483647 60@100.01",
    ]
    assert {event.client_id for event in events if isinstance(event, Executed | CommissionCharged)} == {0}
    assert floor.position() == 60
    assert floor.place(77, "BUY", 1, "LMT", limit=90)[-1] == "3 Submitted #77 0/1", (
        "no client's id was used up"
    )


def test_two_of_them_live_side_by_side_and_nobody_cancels_them_by_id(floor: Any) -> None:
    for price in (98, 99):
        by_hand(floor, "BUY", 5, "LMT", limit=price)
    assert floor.open_ids() == [0, 0]
    assert floor.cancel(0, client_id=0) == ["4 10147 #0"]
    first, second = (order.perm_id for order in floor.exchange.open_orders())
    assert floor.told(floor.exchange.by_hand.cancel(first, floor.now)) == ["3 Cancelled #0 0/5", "4 202 #0"]
    assert [order.perm_id for order in floor.exchange.open_orders()] == [second]


def test_client_0_binds_them_to_negative_ids(floor: Any) -> None:
    by_hand(floor, "BUY", 5, "LMT", limit=98)
    perm_id = floor.exchange.open_orders()[0].perm_id
    assert floor.exchange.by_hand.bind(floor.now) == [OrderBound(perm_id=perm_id, client_id=0, order_id=-1)]
    assert floor.exchange.by_hand.bind(floor.now) == (), "once"
    changed = floor.place(-1, "BUY", 5, "LMT", limit=97, client_id=0)
    assert changed[0] == "5 Submitted #-1 0/5"
    assert floor.cancel(-1, client_id=1) == ["4 10147 #-1"], "its owner alone cancels"
    assert floor.cancel(-1, client_id=0) == ["3 Cancelled #-1 0/5", "4 202 #-1"]


def test_orders_to_come_are_bound_when_asked_for(floor: Any) -> None:
    floor.exchange.by_hand.bind_future(True)
    bound, *rest = by_hand(floor, "BUY", 60)
    assert isinstance(bound, OrderBound) and bound.order_id == -1
    assert floor.told(rest)[2] == "11 BOT #-1 60@100.01"


def test_a_human_changes_and_cancels_the_orders_of_clients_too(floor: Any) -> None:
    floor.place(1, "BUY", 5, "LMT", limit=98)
    perm_id = floor.exchange.open_orders()[0].perm_id
    ticket = floor.ticket(9, "BUY", 8, "LMT", limit=97, client_id=9)
    told = floor.told(floor.exchange.by_hand.change(perm_id, ticket, floor.now))
    assert told[0] == "5 Submitted #1 0/8"
    floor.place(2, "BUY", 5, "LMT", limit=98)
    assert floor.exchange.global_cancel(floor.now) and floor.open_ids() == []


def test_the_global_cancel_reaches_orders_placed_by_hand(floor: Any) -> None:
    by_hand(floor, "BUY", 5, "LMT", limit=98)
    assert floor.told(floor.exchange.global_cancel(floor.now)) == ["3 Cancelled #0 0/5", "4 202 #0"]


def test_what_tws_would_not_let_through_is_not_placed(floor: Any) -> None:
    assert by_hand(floor, "BUY", 5, "LMT", limit="98.001") == []
    assert floor.open_ids() == []
