"""The time in which filled shares have no stop that is proven live: measured by trade, bounded, alarmed."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tws.clock import NS_PER_S
from tws.desk import Flatten, Place
from tws.model.facts import Answer, AnswerKind, Link, LinkState
from tws.model.order import Role
from tws.model.records import OrderState, Reopened

S = NS_PER_S


def group_of(bench, trade):
    return bench.desk.state.groups[trade.entry.group_id]


def entered(bench, filled: int = 100):
    trade = bench.enter(100, limit=100.0)
    bench.work(trade)
    bench.fill(trade.entry, filled, "100.00")
    return trade


def test_a_bracket_whose_children_were_there_first_is_never_bare(bench) -> None:
    group = group_of(bench, entered(bench))
    bench.wait(60)
    assert (group.bare_since_ns, group.bare_ns, group.bare_times) == (None, 0, 0)
    bench.check()


def test_the_time_of_a_partial_fill_is_measured_and_ends_with_the_rest(bench) -> None:
    trade = entered(bench, 40)
    bench.wait(2)
    bench.fill(trade.entry, 60, "100.00")
    group = group_of(bench, trade)
    assert (group.bare_ns, group.bare_longest_ns, group.bare_times) == (2 * S, 2 * S, 1)
    assert group.bare_since_ns is None
    bench.check()


def test_two_times_add_up_and_the_longest_is_kept(bench) -> None:
    trade = entered(bench, 40)
    bench.wait(2.9)
    bench.fill(trade.entry, 60, "100.00")
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(2)
    for place in bench.written():
        bench.pair(bench.order(place.intent_id), "PreSubmitted")
    group = group_of(bench, trade)
    assert (group.bare_ns, group.bare_longest_ns, group.bare_times) == (4.9 * S, 2.9 * S, 2)
    assert not [text for text in bench.alarms() if "no full stop" in text]
    bench.check()


def test_a_new_stop_protects_once_the_broker_has_it_and_not_before(bench) -> None:
    trade = entered(bench)
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(2)
    stop, target = (bench.order(place.intent_id) for place in bench.written())
    group = group_of(bench, trade)
    bench.pair(target, "Submitted")
    assert group.bare_since_ns is not None, "its bytes left; that proves nothing"
    bench.pair(stop, "PendingSubmit")
    assert stop.state is OrderState.ACKNOWLEDGED and group.bare_since_ns is not None, (
        "TWS has it, not the broker"
    )
    bench.pair(stop, "PreSubmitted")
    assert group.bare_since_ns is None
    bench.check()


def test_a_stop_that_is_being_resized_is_proven_at_its_new_size_only_when_tws_states_it(bench) -> None:
    trade = entered(bench, 40)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    stop, target = (bench.order(place.intent_id) for place in bench.written())
    bench.pair(stop, "PreSubmitted")
    bench.pair(target, "Submitted")
    group = group_of(bench, trade)
    assert group.bare_since_ns is None
    bench.fill(target, 10, "104.00")
    bench.wait(3)
    assert stop.changing and group.bare_since_ns is not None
    bench.pair(stop, "PreSubmitted", filled=0, remaining=30)
    assert group.bare_since_ns is None
    bench.check()


def test_a_stop_that_tws_holds_inactive_is_no_stop_and_is_replaced(bench) -> None:
    trade = entered(bench)
    bench.pair(trade.stop, "Inactive")
    group = group_of(bench, trade)
    assert group.bare_since_ns is not None
    bench.wait(4)
    assert bench.cancels() == [], "it may come back"
    bench.wait(2)
    assert trade.stop.order_id in bench.cancels()
    assert any("no full stop" in text for text in bench.alarms())
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(3)
    assert {place.order.quantity for place in bench.take(Place)} == {100}


def test_a_stop_that_was_inactive_and_works_again_is_left_alone(bench) -> None:
    trade = entered(bench)
    bench.pair(trade.stop, "Inactive")
    bench.wait(3)
    bench.pair(trade.stop, "PreSubmitted")
    bench.wait(30)
    assert bench.cancels() == []
    assert group_of(bench, trade).bare_ns == 3 * S


def test_a_time_that_does_not_end_is_an_alarm_within_its_bound_and_again(bench) -> None:
    trade = entered(bench, 40)
    bench.wait(4)
    assert not [text for text in bench.alarms() if "no full stop" in text]
    bench.wait(2)
    (text,) = [text for text in bench.alarms() if "no full stop" in text]
    assert "40 shares" in text
    bench.wait(61)
    assert len([text for text in bench.alarms() if "no full stop" in text]) == 2
    assert trade.entry.cancel_wanted


def test_it_goes_on_being_measured_and_alarmed_while_the_link_is_gone(bench) -> None:
    trade = entered(bench, 40)
    bench.drop()
    bench.wait(6)
    assert [text for text in bench.alarms() if "no full stop" in text]
    assert group_of(bench, trade).bare_since_ns is not None
    bench.check()


def test_a_trade_that_was_over_is_protected_when_a_late_fill_comes(bench) -> None:
    """INCIDENTS.md 3: the cancel was confirmed for one permanent id, the other fills hours later."""
    trade = bench.enter(100, limit=100.0)
    bench.work(trade)
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    assert trade.entry.group_id not in bench.desk.state.open_groups
    bench.wait(3600)
    bench.tell(bench.execution(trade.entry, 100, perm_id=4711))
    assert [r for r in bench.all_records if isinstance(r, Reopened)]
    bench.wait(3)
    stops = [place.order for place in bench.written() if place.order.stop_price]
    assert [order.quantity for order in stops] == [100]
    assert any("was over" in text for text in bench.alarms())
    bench.check()


def test_a_late_fill_of_what_a_flatten_took_is_the_flatten_s(bench) -> None:
    trade = entered(bench, 40)
    bench.tell(Flatten(reason="test"))
    for order in (trade.entry, trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.answer(positions=(bench.position(40),))
    closes = bench.written()
    assert [bench.order(place.intent_id).role for place in closes] == [Role.CLOSE]
    bench.fill(bench.order(closes[0].intent_id), 40)
    bench.pair(trade.stop, "Cancelled", remaining=0)
    bench.wait(30)
    assert bench.take(Place) == [], "closed shares want no stop"
    assert not [r for r in bench.all_records if isinstance(r, Reopened)]
    bench.check()


def test_after_a_reconnect_shares_are_proven_covered_only_by_what_the_broker_lists(bench) -> None:
    trade = entered(bench)
    rows = tuple(bench.row(order, "PreSubmitted") for order in (trade.target, trade.stop))
    filled = bench.row(trade.entry, "Filled", completed=True, filled=100)
    bench.drop()
    bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=("DU1234567",)))
    assert group_of(bench, trade).bare_since_ns is not None, "nobody knows what became of the stop"
    bench.wait(2)
    for row in (*rows, filled):
        bench.tell(row)
    bench.tell(Answer(kind=AnswerKind.OPEN_ORDERS, session=bench.session, orders=rows))
    group = group_of(bench, trade)
    assert group.bare_since_ns is None and group.bare_ns == 2 * S
    assert bench.take(Place) == []


def test_a_second_trade_on_the_symbol_has_its_own_stop(bench) -> None:
    """A scale-in: each trade's shares are covered by its own exits (INCIDENTS.md 16)."""
    first, second = entered(bench), entered(bench, 40)
    bench.wait(2)
    assert group_of(bench, first).bare_since_ns is None
    assert group_of(bench, second).bare_since_ns is not None
    bench.fill(second.entry, 60, "100.00")
    assert group_of(bench, second).bare_since_ns is None
    stated = msgspec.structs.replace(bench.row(first.stop, "PreSubmitted"), quantity=Decimal(50))
    bench.tell(stated)
    assert group_of(bench, first).bare_since_ns is not None, "somebody halved its stop in TWS"
    assert group_of(bench, second).bare_since_ns is None
    bench.check()
