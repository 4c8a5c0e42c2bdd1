"""The table at work: each word of the broker, told as a real fact, to an order in each state."""

from __future__ import annotations

import pytest

from tws.desk import CancelIntent, NotWritten, TimerTick, Withdrawn
from tws.model.facts import BrokerReply, Link, LinkState
from tws.model.order import Side
from tws.model.records import OrderState
from tws.orders import OrderEvent, follow

S, E = OrderState, OrderEvent


def _unsure(bench, order) -> None:
    bench.tell(NotWritten(order_id=order.order_id, reason="?", any_byte_left=True))


def _absent(bench, order) -> None:
    from tws.desk import DeclareGone

    _unsure(bench, order)
    bench.tell(DeclareGone(intent_id=order.intent_id, operator="me", reason="test"))


REACH = {
    S.SENT: lambda bench, order: None,
    S.ACKNOWLEDGED: lambda bench, order: bench.pair(order, "PreSubmitted"),
    S.WORKING: lambda bench, order: bench.pair(order, "Submitted"),
    S.HELD: lambda bench, order: bench.pair(order, "Inactive"),
    S.PENDING_CANCEL: lambda bench, order: (
        bench.pair(order, "Submitted"),
        bench.tell(CancelIntent(intent_id=order.intent_id, reason="test")),
    ),
    S.FILLED: lambda bench, order: bench.fill(order, 100),
    S.CANCELLED: lambda bench, order: bench.pair(order, "Cancelled"),
    S.REJECTED: lambda bench, order: bench.reply(order, 201, "no"),
    S.UNKNOWN: _unsure,
    S.ABSENT: _absent,
}
SAY = {
    E.ACK: lambda bench, order: bench.pair(order, "PreSubmitted"),
    E.WORK: lambda bench, order: bench.pair(order, "Submitted"),
    E.HOLD: lambda bench, order: bench.pair(order, "Inactive"),
    E.CANCELLING: lambda bench, order: bench.pair(order, "PendingCancel"),
    E.CANCEL: lambda bench, order: bench.pair(order, "Cancelled"),
    E.REJECT: lambda bench, order: bench.reply(order, 201, "no"),
    E.PART: lambda bench, order: bench.tell(bench.execution(order, 10)),
    E.FILL: lambda bench, order: bench.tell(bench.execution(order, 100)),
    E.LOSE: lambda bench, order: bench.tell(Link(state=LinkState.DOWN, session=1)),
}


@pytest.mark.parametrize("event", SAY)
@pytest.mark.parametrize("state", REACH)
def test_a_fact_takes_its_arc(bench, state: OrderState, event: OrderEvent) -> None:
    order = _lone_entry(bench)
    REACH[state](bench, order)
    assert order.state is state
    SAY[event](bench, order)
    arc = follow(state, event)
    if event is E.LOSE and not (arc and state not in (S.FILLED, S.CANCELLED, S.REJECTED, S.ABSENT)):
        expected = state
    else:
        assert arc is not None
        expected = arc.to
    if event is E.FILL or (event is E.PART and state is S.FILLED):
        expected = S.FILLED  # 100 of 100, wherever it stood
    assert order.state is expected
    if arc is not None and arc.loud and event is not E.FILL:
        assert any(arc.why in text for text in bench.alarms())
    bench.check()


def test_every_pair_above_is_one_of_the_table() -> None:
    for state in REACH:
        for event in SAY:
            assert follow(state, event) is not None or event is E.LOSE


@pytest.mark.parametrize(("code", "end"), [(10147, S.UNKNOWN), (10148, S.UNKNOWN), (161, S.UNKNOWN)])
def test_a_refused_cancel(bench, code: int, end: OrderState) -> None:
    order = _lone_entry(bench)
    REACH[S.PENDING_CANCEL](bench, order)
    bench.tell(BrokerReply(order_id=order.order_id, code=code, text="?"))
    assert order.state is end


def test_a_cancel_without_an_answer_becomes_unknown_after_its_bound(bench) -> None:
    order = _lone_entry(bench)
    REACH[S.PENDING_CANCEL](bench, order)
    bench.wait(9)
    assert order.state is S.PENDING_CANCEL
    bench.wait(2)
    assert order.state is S.UNKNOWN


def test_an_order_withdrawn_before_its_bytes_left(bench) -> None:
    order = _lone_entry(bench, written=False)
    assert order.state is S.APPROVED
    bench.tell(CancelIntent(intent_id=order.intent_id, reason="test"))
    assert order.state is S.PENDING_CANCEL
    bench.tell(Withdrawn(order_id=order.order_id))
    assert order.state is S.WITHDRAWN
    bench.tell(TimerTick())
    bench.check()


def _lone_entry(bench, written: bool = True):
    from decimal import Decimal

    from tws.desk import Place, SubmitOrder
    from tws.model.contract import Contract
    from tws.model.instrument import Instrument

    bench.quote()
    instrument = Instrument(contract=Contract(con_id=756733, symbol="SPY"))
    bench.tell(SubmitOrder(instrument=instrument, side=Side.BUY, quantity=Decimal(100)))
    (place,) = bench.written() if written else bench.take(Place)
    return bench.order(place.intent_id)


def test_an_order_that_came_back_after_its_end_is_believed_by_the_brokers_list_alone(bench) -> None:
    order = _lone_entry(bench)
    bench.pair(order, "Cancelled")
    bench.pair(order, "Submitted")
    assert order.state is S.UNKNOWN
    bench.wait(1)
    bench.answer(orders=(bench.row(order, "Submitted"),))
    assert order.state is S.WORKING
    bench.check()
