"""Ids, changes and cancels: the refusals of TWS-BEHAVIOUR.md C3 and the identities of C4."""

from __future__ import annotations

from typing import Any

import pytest

from tws.exchange import AccountSetup, Exchange, ExecutionFilter


def resting(floor: Any, **more: Any) -> None:
    floor.place(1, "BUY", 100, "LMT", limit=99, order_ref="intent-1", **more)


# -- ids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order_id", [5, 4, 0, -1])
def test_an_id_not_above_the_highest_used_is_103(floor: Any, order_id: int) -> None:
    floor.place(5, "BUY", 10)
    expected = "4 104 #5" if order_id == 5 else f"4 103 #{order_id}"
    assert floor.place(order_id, "BUY", 10) == [expected]


def test_ids_are_counted_per_client_and_survive_sessions(floor: Any) -> None:
    floor.place(5, "BUY", 10)
    assert floor.exchange.next_order_id(1) == 6 and floor.exchange.next_order_id(2) == 1
    later = Exchange([], [AccountSetup(account="DU1")], next_order_ids=floor.exchange.order_ids())
    assert later.next_order_id(1) == 6


def test_an_id_seen_in_an_open_order_callback_counts_as_used(floor: Any) -> None:
    floor.exchange.note_seen(1, 40)
    floor.exchange.note_seen(1, 5)
    assert floor.exchange.next_order_id(1) == 41
    assert floor.place(40, "BUY", 10) == ["4 103 #40"]


def test_a_rolled_back_counter_lets_an_id_be_used_again(floor: Any) -> None:
    floor.place(7, "BUY", 10)
    floor.exchange.set_next_order_id(1, 7)
    assert "11 BOT #7 10@100.01" in floor.place(7, "BUY", 10)
    first, second = (report.executed for report in floor.exchange.executions())
    assert first.order_id == second.order_id and first.perm_id != second.perm_id


def test_perm_ids_are_unique_over_clients(floor: Any) -> None:
    floor.place(1, "BUY", 10, "LMT", limit=99)
    floor.place(1, "BUY", 10, "LMT", limit=99, client_id=2)
    perms = [order.perm_id for order in floor.exchange.open_orders()]
    assert len(set(perms)) == 2 and all(0 < perm < 2**31 for perm in perms)


# -- changes ------------------------------------------------------------------------------------


def test_a_change_keeps_identity_and_what_it_leaves_empty(floor: Any) -> None:
    resting(floor, oca_group="G", oca_type=1)
    before = floor.exchange.open_orders()[0]
    assert floor.place(1, "BUY", 50, "LMT", limit=98) == ["5 Submitted #1 0/50", "3 Submitted #1 0/50"]
    after = floor.exchange.open_orders()[0]
    assert after.perm_id == before.perm_id and after.oca_group == "G"
    assert (after.ticket.order_ref, after.ticket.oca_type, after.ticket.limit_price) == ("intent-1", 1, 98)


def test_a_changed_price_fills_at_once_when_it_crosses(floor: Any) -> None:
    resting(floor)
    told = floor.place(1, "BUY", 100, "LMT", limit="100.01")
    assert told[2] == "11 BOT #1 60@100.01"


def test_the_old_price_no_longer_works(floor: Any) -> None:
    resting(floor)
    floor.place(1, "BUY", 100, "LMT", limit=98)
    assert floor.quote(9880, 10, 9890, 500) == []


def test_a_changed_stop_steps_back_to_presubmitted(floor: Any) -> None:
    floor.place(1, "SELL", 10, "STP LMT", stop=99, limit=105)
    floor.trade(9900)
    assert floor.exchange.open_orders()[0].status == "Submitted"
    floor.trade(10000)
    told = floor.place(1, "SELL", 10, "STP LMT", stop=98, limit=105)
    assert told[-1] == "3 PreSubmitted #1 0/10"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (110, {"limit": "98.005"}),
        (105, {"side": "SELL"}),
        (105, {"con_id": 8314}),
        (105, {"parent_id": 3}),
        (105, {"quantity": 60}),
        (105, {"quantity": "-5"}),
        (10243, {"quantity": "61.5"}),
        (387, {"kind": "FUNARI"}),
        (321, {"tif": "NOW"}),
    ],
)
def test_a_refused_change_is_one_error_and_the_old_order_lives(
    floor: Any, code: int, change: dict[str, Any]
) -> None:
    floor.place(1, "BUY", 100, "LMT", limit="100.01")  # 60 fill
    before = floor.exchange.open_orders()
    fields = {"side": "BUY", "quantity": 100, "kind": "LMT", "limit": "100.01"} | change
    told = floor.place(1, fields.pop("side"), fields.pop("quantity"), fields.pop("kind"), **fields)
    assert told == [f"4 {code} #1"]
    assert floor.exchange.open_orders() == before
    assert "11 BOT #1 40@100.01" in floor.quote(10000, 10, 10001, 60)


def test_a_filled_order_cant_be_changed(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    assert floor.place(1, "BUY", 20) == ["4 104 #1"]


def test_an_order_being_cancelled_cant_be_changed(Floor_: Any) -> None:
    floor = Floor_(cancel_latency_ns=100)
    resting(floor)
    floor.cancel(1)
    assert floor.place(1, "BUY", 50, "LMT", limit=98) == ["4 2102 #1"]


def test_a_larger_order_beyond_the_margin_is_refused_and_the_old_one_lives(floor: Any) -> None:
    resting(floor)
    assert floor.place(1, "BUY", 10_000_000, "LMT", limit=99) == ["4 201 #1"]
    assert [int(order.total) for order in floor.exchange.open_orders()] == [100]


# -- new orders that never live -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "order"),
    [
        (110, ("BUY", 10, "LMT", {"limit": "99.001"})),
        (110, ("SELL", 10, "STP", {"stop": "99.001"})),
        (321, ("BUY", 10, "LMT", {})),
        (321, ("BUY", 10, "STP LMT", {"limit": "101"})),
        (434, ("BUY", 0, "MKT", {})),
        (10243, ("BUY", "0.5", "MKT", {})),
        (387, ("BUY", 10, "FUNARI", {})),
        (200, ("BUY", 10, "MKT", {"con_id": 1})),
        (321, ("BUY", 10, "MKT", {"account": "U9"})),
        (146, ("BUY", 10, "MKT", {"trigger_method": 9})),
    ],
)
def test_an_unfit_new_order_is_one_error_and_consumes_its_id(floor: Any, code: int, order: Any) -> None:
    side, quantity, kind, more = order
    assert floor.place(3, side, quantity, kind, **more) == [f"4 {code} #3"]
    assert floor.open_ids() == [] and floor.exchange.completed_orders() == ()
    assert floor.place(3, "BUY", 10) == ["4 103 #3"]


def test_the_only_account_is_taken_when_none_is_named(floor: Any) -> None:
    events = floor.raw(1, "BUY", 10, account="")
    assert events[0].order.ticket.account == "DU1"


def test_more_orders_than_the_broker_holds_are_rejected(Floor_: Any) -> None:
    floor = Floor_(max_working=2)
    for order_id in (1, 2):
        floor.place(order_id, "BUY", 1, "LMT", limit=99)
    assert floor.place(3, "BUY", 1, "LMT", limit=99)[0] == "4 201 #3"
    assert floor.place(4, "SELL", 1, "LMT", limit=101)[-1] == "3 Submitted #4 0/1", "per side"


# -- cancels ------------------------------------------------------------------------------------


def test_an_unknown_order_is_10147(floor: Any) -> None:
    event = floor.exchange.cancel(1, 9, floor.now)[0]
    assert (event.code, event.text) == (10147, "OrderId 9 that needs to be cancelled is not found.")


def test_another_clients_order_is_not_found_and_lives(floor: Any) -> None:
    resting(floor)
    assert floor.cancel(1, client_id=2) == ["4 10147 #1"]
    assert floor.open_ids() == [1]


def test_a_filled_order_is_10148(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    event = floor.exchange.cancel(1, 1, floor.now)[0]
    assert (event.code, event.text) == (
        10148, "OrderId 1 that needs to be cancelled cannot be cancelled, state: Filled."
    )  # fmt: skip


def test_a_cancelled_order_is_10148_and_a_rejected_one_161(floor: Any) -> None:
    """The state Cancelled is recorded of a Gateway, the other assumed."""
    resting(floor)
    floor.cancel(1)
    event = floor.exchange.cancel(1, 1, floor.now)[0]
    assert (event.code, event.text) == (
        10148, "OrderId 1 that needs to be cancelled cannot be cancelled, state: Cancelled."
    )  # fmt: skip
    floor.exchange.refuse(floor.SPY, "no")
    floor.place(2, "BUY", 1)
    event = floor.exchange.cancel(1, 2, floor.now)[0]
    perm = floor.exchange.completed_orders()[-1].order.perm_id
    assert (event.code, event.text) == (
        161, f"Cancel attempted when order is not in a cancellable state. Order permId ={perm}"
    )  # fmt: skip


def test_a_cancel_of_a_pending_cancel_is_161(Floor_: Any) -> None:
    floor = Floor_(cancel_latency_ns=100)
    resting(floor)
    floor.cancel(1)
    assert floor.cancel(1) == ["4 161 #1"]


def test_the_global_cancel_ends_every_clients_orders(floor: Any) -> None:
    resting(floor)
    floor.place(1, "SELL", 10, "STP", stop=90, client_id=2, con_id=floor.IBM)
    floor.place(2, "BUY", 10, transmit=False)
    told = floor.told(floor.exchange.global_cancel(floor.now))
    assert [line for line in told if line.startswith("3")] == [
        "3 Cancelled #1 0/100", "3 Cancelled #1 0/10", "3 ApiCancelled #2 0/10",
    ]  # fmt: skip
    assert floor.open_ids() == []


# -- questions ----------------------------------------------------------------------------------


def test_open_orders_are_per_client_or_all(floor: Any) -> None:
    resting(floor)
    floor.place(8, "BUY", 10, "LMT", limit=99, client_id=2)
    assert floor.open_ids(1) == [1] and floor.open_ids(2) == [8] and floor.open_ids() == [1, 8]


def test_executions_are_filtered(floor: Any) -> None:
    floor.place(1, "BUY", 10)
    middle = floor.now + 1
    floor.place(1, "SELL", 10, client_id=2, con_id=floor.IBM)

    def asked(**wanted: Any) -> list[int]:
        found = floor.exchange.executions(ExecutionFilter(**wanted))
        return [report.executed.con_id for report in found]

    assert asked() == [floor.SPY, floor.IBM]
    assert asked(client_id=2) == asked(symbol="IBM") == asked(side="SELL") == asked(side="SLD") == [floor.IBM]
    assert asked(since_ns=middle) == asked(con_id=floor.IBM) == [floor.IBM]
    assert asked(account="other") == []


def test_what_the_caller_carries_comes_back(floor: Any) -> None:
    events = floor.raw(1, "BUY", 10, carried=("whole", "order"))
    assert all(event.order.ticket.carried == ("whole", "order") for event in events[:2])


def test_a_what_if_never_changes_a_living_order(floor: Any) -> None:
    resting(floor)
    assert floor.place(1, "BUY", 7, "LMT", limit=98, what_if=True) == ["4 103 #1"]
    assert [int(order.total) for order in floor.exchange.open_orders()] == [100]


def test_a_changed_child_keeps_its_parent_even_when_it_names_none(floor: Any) -> None:
    floor.bracket(50)
    floor.place(3, "SELL", 50, "STP", stop=97)
    assert floor.exchange.open_orders()[-1].ticket.parent_id == 1
