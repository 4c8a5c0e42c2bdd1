"""Each filled share has a stop of the right size, or the desk is on its way to one, in bounded steps."""

from __future__ import annotations

from decimal import Decimal

from tests.desk.conftest import ACCOUNT

from tws.desk import Ask, Cancel, CancelIntent, NotWritten, Place, TimerTick
from tws.desk.protect import MAX_CLOSES, MAX_REPAIRS
from tws.model.facts import Link, LinkState
from tws.model.order import OrderType, Role, Side
from tws.model.records import Denied, OrderState, Released


def held(bench, quantity: int = 100, filled: int | None = None):
    """A bracket whose entry ended with its shares filled and its children at work."""
    trade = bench.enter(quantity, limit=100.0)
    bench.work(trade)
    bench.fill(trade.entry, quantity if filled is None else filled, "100.00")
    return trade


def own_pair(bench):
    """A trade of 40 whose stop and target are a pair of the desk's own."""
    trade = held(bench, 100, 40)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    stop, target = (bench.order(place.intent_id) for place in bench.written())
    bench.pair(stop, "PreSubmitted")
    bench.pair(target, "Submitted")
    return trade, stop, target


def test_a_partial_fill_that_stays_partial_ends_the_rest_of_the_entry(bench) -> None:
    trade = held(bench, 100, 40)
    bench.wait(2)
    assert bench.cancels() == []
    bench.wait(2)
    assert bench.cancels() == [trade.entry.order_id]
    bench.check()


def test_a_partial_fill_that_completes_leaves_the_bracket_alone(bench) -> None:
    trade = held(bench, 100, 40)
    bench.wait(2)
    bench.fill(trade.entry, 60, "100.00")
    bench.wait(60)
    assert bench.cancels() == []
    assert bench.take(Place) == []


def test_children_that_tws_cuts_to_the_filled_part_are_left_alone(bench) -> None:
    trade = held(bench, 100, 40)
    bench.pair(trade.entry, "Cancelled", remaining=0)
    for order in (trade.target, trade.stop):
        bench.pair(order, "PreSubmitted", filled=0, remaining=40)
    bench.wait(60)
    assert bench.cancels() == []
    assert bench.take(Place) == []
    assert bench.desk.state.groups[trade.entry.group_id].bare_since_ns is None


def test_children_that_stay_at_the_wrong_size_are_replaced(bench) -> None:
    trade = held(bench, 100, 40)
    bench.pair(trade.entry, "Cancelled", remaining=0)
    bench.wait(1)
    assert bench.cancels() == []
    bench.wait(2)
    assert sorted(bench.cancels()) == [trade.target.order_id, trade.stop.order_id]
    for order in (trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    assert [place.order.quantity for place in bench.take(Place)] == [40, 40]


def test_a_stop_that_ended_by_itself_is_placed_anew_after_a_moment(bench) -> None:
    trade = held(bench)
    bench.pair(trade.stop, "Cancelled", remaining=0)
    bench.wait(1)
    assert bench.take(Place) == []
    bench.wait(2)
    assert bench.cancels() == [trade.target.order_id], (
        "its twin goes first: the new pair has a group of its own"
    )
    bench.pair(trade.target, "Cancelled", remaining=0)
    stop, target = bench.written()
    assert stop.order.quantity == target.order.quantity == 100
    assert (stop.order.stop_price, target.order.limit_price) == (98, 104)
    bench.check()


def test_a_stop_that_ended_because_its_twin_filled_is_not_placed_anew(bench) -> None:
    trade = held(bench)
    bench.pair(trade.stop, "Cancelled", remaining=0)
    bench.wait(1)
    bench.fill(trade.target, 100, "104.00")
    bench.wait(30)
    assert bench.take(Place) == []
    assert [record for record in bench.all_records if isinstance(record, Released)]


def test_a_target_that_fills_in_part_leaves_the_stop_that_tws_reduces(bench) -> None:
    trade = held(bench)
    bench.fill(trade.target, 30, "104.00")
    bench.pair(trade.stop, "PreSubmitted", filled=0, remaining=70)
    bench.wait(30)
    assert bench.take(Place) == []
    assert bench.cancels() == []


def test_a_pair_of_our_own_follows_what_is_held(bench) -> None:
    _, stop, target = own_pair(bench)
    bench.fill(target, 10, "104.00")
    bench.wait(3)
    (change,) = bench.take(Place)
    assert change.modifies and change.order_id == stop.order_id and change.order.quantity == 30
    assert bench.desk.gate.redeem(change.permit, change.order_id, change.contract, change.order) is None
    assert stop.changing
    bench.pair(stop, "PreSubmitted", filled=0, remaining=30)
    assert not stop.changing
    bench.wait(30)
    assert bench.take(Place) == []
    bench.check()


def test_a_refused_change_leaves_the_order_alive_at_its_old_size(bench) -> None:
    _, stop, target = own_pair(bench)
    bench.fill(target, 10, "104.00")
    bench.wait(3)
    bench.written()
    bench.reply(stop, 2102, "Unable to modify this order as it is still being processed.")
    assert stop.live and stop.order.quantity == 40 and not stop.changing
    bench.check()


def test_exits_that_are_refused_again_and_again_end_in_a_close_and_then_in_an_alarm(bench) -> None:
    trade = held(bench, 100, 40)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    kinds = []
    for _ in range(40):
        for place in bench.written():
            order = bench.order(place.intent_id)
            kinds.append(order.role)
            bench.reply(order, 201, "Order rejected - reason:no")
        bench.wait(3)
    assert kinds.count(Role.STOP) == kinds.count(Role.TARGET) == MAX_REPAIRS // 2
    assert MAX_CLOSES < kinds.count(Role.CLOSE) <= MAX_CLOSES + 2  # then one with each repeated alarm
    assert any("NOT PROTECTED" in text for text in bench.alarms())
    bench.check()


def test_shares_that_can_not_be_protected_are_closed(bench) -> None:
    trade = held(bench, 100, 40)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    close = None
    while close is None:
        for place in bench.written():
            if place.order.order_type is OrderType.MARKET:
                close = place
            else:
                bench.reply(bench.order(place.intent_id), 201, "no")
        bench.wait(3)
    assert (close.order.side, close.order.quantity) == (Side.SELL, 40)
    bench.fill(bench.order(close.intent_id), 40, "97.00")
    assert bench.net() == 0
    bench.wait(30)
    assert bench.take(Place) == []


def test_an_exit_of_unknown_outcome_is_asked_about_and_never_doubled(bench) -> None:
    trade = held(bench)
    bench.tell(Link(state=LinkState.BROKER_LOST, session=1))
    bench.tell(Link(state=LinkState.RESTORED_KEPT, session=1))
    bench.answer(positions=(bench.position(100),))
    assert trade.stop.state is OrderState.UNKNOWN
    bench.wait(5)
    assert bench.take(Place) == [], "the stop may be alive: a second one could sell twice"
    assert any("unknown outcome" in text for text in bench.alarms())
    bench.pair(trade.stop, "PreSubmitted")
    bench.pair(trade.target, "Submitted")
    bench.wait(5)
    assert bench.take(Place) == []
    bench.check()


def test_an_entry_cancelled_unfilled_takes_its_children_with_it(bench) -> None:
    trade = bench.enter(limit=99.0)
    bench.work(trade)
    bench.tell(CancelIntent(intent_id=trade.entry.intent_id, reason="test"))
    bench.take(Cancel)
    bench.pair(trade.entry, "Cancelled", remaining=0)
    bench.wait(1)
    assert bench.cancels() == [], "TWS cancels them itself"
    bench.wait(2)
    assert sorted(bench.cancels()) == [trade.target.order_id, trade.stop.order_id]


def test_nothing_is_sent_while_the_link_is_down(bench) -> None:
    trade = held(bench)
    bench.pair(trade.stop, "Cancelled", remaining=0)
    bench.drop()
    bench.take(Cancel)
    bench.wait(60)
    assert bench.take(Place) == []
    assert bench.cancels() == []
    assert bench.take(Ask) == []


def test_filled_before_its_executions_waits_for_what_is_held(bench) -> None:
    trade = bench.enter(limit=100.0)
    bench.work(trade)
    bench.tell(bench.execution(trade.entry, 40, "100.00"))
    bench.tell(bench.status(trade.entry, "Filled", filled=100))
    bench.wait(5)
    assert bench.cancels() == []
    assert bench.take(Place) == []
    bench.tell(bench.execution(trade.entry, 60, "100.00"), TimerTick())
    assert bench.net() == Decimal(100)
    bench.wait(30)
    assert bench.cancels() == []


def test_a_fill_after_the_cancel_makes_the_pair_grow(bench) -> None:
    trade, stop, target = own_pair(bench)
    bench.tell(bench.execution(trade.entry, 10, "100.00"))
    assert trade.entry.state is OrderState.CANCELLED and any(
        "after the cancel" in text for text in bench.alarms()
    )
    bench.wait(3)
    changes = bench.written()
    assert [(change.order_id, change.order.quantity) for change in changes] == [
        (stop.order_id, 50),
        (target.order_id, 50),
    ]
    assert bench.desk.state.groups[trade.entry.group_id].bare_since_ns is not None
    bench.pair(stop, "PreSubmitted")
    bench.pair(target, "Submitted")
    assert bench.desk.state.groups[trade.entry.group_id].bare_since_ns is None
    bench.wait(30)
    assert bench.take(Place) == []
    bench.check()


def test_protection_that_the_gate_refuses_is_not_tried_for_ever(bench) -> None:
    trade = held(bench, 100, 40)
    bench.tell(Link(state=LinkState.CONNECTED, session=1, accounts=("DU7654321",)))
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(200)
    assert bench.take(Place) == []
    denied = [record for record in bench.all_records if isinstance(record, Denied)]
    assert 0 < len(denied) <= 2 * (MAX_REPAIRS + MAX_CLOSES)
    assert any("NOT PROTECTED" in text for text in bench.alarms())
    bench.check()


def test_a_pair_that_ended_just_before_the_link_is_not_replaced_while_it_is_down(bench) -> None:
    trade = held(bench)
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.drop()
    bench.wait(60)
    assert bench.take(Place) == []
    bench.connect(positions=(bench.position(100),))
    bench.wait(1)
    assert [place.order.quantity for place in bench.take(Place)] == [100, 100]


def test_both_exits_ended_by_themselves_waits_for_a_fill_under_way(bench) -> None:
    trade = held(bench)
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(1)
    assert bench.take(Place) == []
    bench.wait(1)
    assert len(bench.take(Place)) == 2


def test_an_exit_of_unknown_outcome_does_not_count_as_protection(bench) -> None:
    trade = held(bench)
    group = bench.desk.state.groups[trade.entry.group_id]
    assert group.bare_since_ns is None
    bench.reply(trade.stop, 504, "Not connected")
    bench.tell(NotWritten(order_id=trade.stop.order_id, reason="?", any_byte_left=True))
    assert trade.stop.state is OrderState.UNKNOWN
    assert group.bare_since_ns is not None
    bench.wait(30)
    assert bench.take(Place) == []


def test_a_close_under_way_is_left_to_work(bench) -> None:
    trade = held(bench, 100, 40)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    close = None
    while close is None:
        for place in bench.written():
            order = bench.order(place.intent_id)
            if order.role is Role.CLOSE:
                close = order
            else:
                bench.reply(order, 201, "no")
        bench.wait(3)
    bench.pair(close, "Submitted")
    bench.wait(60)
    assert bench.cancels() == []
    assert bench.take(Place) == []


def test_what_the_gate_refused_is_tried_again_after_a_moment_and_not_at_once(bench) -> None:
    """TWS names other accounts than ours for a while, as after a wrong login: our gate lets nothing out."""
    trade = held(bench)
    bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=("DU9999999",)))
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(2)
    first = len(bench.denials())
    assert first > 0 and {denial.limit for denial in bench.denials()} == {"account"}
    for _ in range(20):
        bench.tell(TimerTick())
    assert len(bench.denials()) == first, "the same gate, the same moment, the same answer"
    bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=(ACCOUNT,)))
    bench.wait(2)
    assert [place.order.quantity for place in bench.take(Place) if place.order.stop_price] == [100]
    bench.check()
