"""Finished trades leave memory after a day and are found again by a late fact; the journal keeps all."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from tests.desk.conftest import SPY

from tws.clock import NS_PER_S
from tws.desk import Place, TimerTick
from tws.desk.commands import Flatten, SubmitOrder
from tws.model.facts import Answer, AnswerKind
from tws.model.instrument import Instrument
from tws.model.order import Side
from tws.model.records import OrderState, Recalled, Retired

DAY_NS = 24 * 3600 * NS_PER_S


def finished(bench, quantity: int = 100):
    trade = bench.enter(quantity, limit=100.0)
    bench.work(trade)
    bench.fill(trade.entry, quantity, "100.00")
    bench.fill(trade.target, quantity, "104.00")
    bench.pair(trade.stop, "Cancelled", remaining=0)
    return trade


def later(bench, days: float) -> None:
    bench.now += int(days * DAY_NS)
    bench.tell(TimerTick())


def test_a_finished_trade_stays_for_a_day_and_then_is_packed(bench) -> None:
    trade = finished(bench)
    later(bench, 0.9)
    assert trade.entry.group_id in bench.desk.state.groups
    later(bench, 0.2)
    state = bench.desk.state
    assert state.groups == {} and state.book.orders == {} == state.book.by_perm == state.book.by_order_id
    packed = state.orders_of(trade.entry.group_id)
    assert [order.filled for order in packed] == [100, 100, 0]
    assert len(state.shelf.bundles[trade.entry.group_id]) < 1000
    assert bench.net() == 0
    bench.check()


def test_what_lives_or_owes_us_a_fill_is_never_packed(bench) -> None:
    holds = bench.enter(100, limit=100.0)
    bench.work(holds)
    bench.fill(holds.entry, 100, "100.00")
    owes = finished(bench, 50)
    bench.tell(bench.status(owes.stop, "Cancelled", 20, 0))
    later(bench, 3)
    assert {holds.entry.group_id, owes.entry.group_id} <= set(bench.desk.state.groups)
    bench.check()


def test_a_late_fill_of_a_packed_order_is_booked_and_protected(bench) -> None:
    """INCIDENTS.md 3: a second permanent id may fill long after everybody thought it gone."""
    trade = finished(bench)
    execution = bench.execution(trade.entry, 30, perm_id=9999)
    later(bench, 2)
    assert bench.desk.state.groups == {}
    bench.quote()
    bench.tell(execution)
    assert [r for r in bench.all_records if isinstance(r, Recalled)]
    assert bench.net() == 30
    assert any("looked after again" in text for text in bench.alarms())
    bench.wait(4)
    new = bench.take(Place)
    assert {place.order.quantity for place in new if place.order.stop_price} == {30}
    bench.check()


def test_what_is_said_again_of_a_packed_order_unpacks_nothing(bench) -> None:
    trade = finished(bench)
    rows = tuple(
        bench.row(order, "Filled", completed=True, filled=100) for order in (trade.entry, trade.target)
    )
    said = bench.execution(trade.entry, 100, exec_id="0000e0d5.00000001.01.01")
    later(bench, 2)
    for fact in (*rows, said):
        bench.tell(fact)
    bench.tell(Answer(kind=AnswerKind.COMPLETED_ORDERS, session=bench.session, orders=rows))
    assert not [r for r in bench.all_records if isinstance(r, Recalled)]
    assert bench.net() == 0
    bench.check()


def test_a_packed_order_that_comes_back_is_loud_and_asked_about(bench) -> None:
    trade = finished(bench)
    row = msgspec.structs.replace(bench.row(trade.stop, "PreSubmitted"), quantity=Decimal(100))
    later(bench, 2)
    bench.tell(row)
    assert bench.order(trade.stop.intent_id).state is OrderState.UNKNOWN
    assert any("alive after Cancelled" in text for text in bench.alarms())
    assert trade.entry.group_id in bench.desk.state.open_groups
    bench.check()


def test_after_more_than_a_broker_s_memory_it_is_forgotten(bench) -> None:
    finished(bench)
    later(bench, 2)
    later(bench, 8)
    shelf = bench.desk.state.shelf
    assert not shelf.bundles and not shelf.intents and not shelf.perms and not shelf.ended
    assert [record.forgotten for record in bench.all_records if isinstance(record, Retired)] == [False, True]
    bench.check()


def test_the_orders_of_a_flatten_are_packed_too(bench) -> None:
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(Flatten(reason="test"))
    for order in (trade.target, trade.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.answer(positions=(bench.position(100),))
    (close,) = bench.written()
    bench.fill(bench.order(close.intent_id), 100)
    bench.answer()
    assert not list(bench.desk.state.book.living())
    later(bench, 1.5)
    assert bench.desk.state.book.orders == {}
    bench.check()


def test_memory_does_not_grow_with_the_days(bench) -> None:
    sizes = []
    for _ in range(25):
        bench.quote()
        finished(bench)
        later(bench, 1)
        state = bench.desk.state
        sizes.append((len(state.book.orders), len(state.groups), len(state.over), len(state.shelf.bundles)))
    assert sizes[-1] == sizes[12], "a steady week is all that is kept"
    assert sizes[-1][3] <= 9


def test_while_shares_of_its_contract_are_held_a_trade_stays_at_hand(bench) -> None:
    """A trade without protection is over when its entry is; a flatten asks it days later where to route."""
    bench.quote()
    bench.tell(SubmitOrder(instrument=Instrument(contract=SPY), side=Side.BUY, quantity=Decimal(10)))
    (place,) = bench.written()
    order = bench.order(place.intent_id)
    bench.fill(order, 10)
    assert not bench.desk.state.open_groups
    later(bench, 3)
    assert order.group_id in bench.desk.state.groups
    bench.check()


def test_a_packed_order_is_found_by_its_permanent_id_alone(bench) -> None:
    """An orderStatus carries no reference."""
    trade = finished(bench)
    said = bench.status(trade.stop, "PreSubmitted", 0, 100)
    later(bench, 2)
    bench.tell(said)
    assert bench.order(trade.stop.intent_id).state is OrderState.UNKNOWN
    bench.check()
