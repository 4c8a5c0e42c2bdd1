"""INCIDENTS.md, at the level of the desk: what went wrong elsewhere, and what happens here instead."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pytest

from tws.desk import Ask, Cancel, CancelIntent, Flatten, NotWritten, Place, SubmitOrder, Withdrawn
from tws.model.execution import Commission
from tws.model.facts import AnswerKind, BrokerReply, Link, LinkState, NextOrderId
from tws.model.instrument import Instrument
from tws.model.order import OrderType, Role, Side
from tws.model.records import FlattenMoved, FlattenPhase, Intended, OrderState
from tws.wire.codes_amend import amended

SPY_ID = 756733


def test_01_a_rolled_back_next_id_is_never_issued_again(bench) -> None:
    bench.enter()
    bench.drop()
    bench.connect(next_id=1)
    assert bench.desk.state.next_order_id == 4
    assert bench.tell(NextOrderId(order_id=2)) == []
    assert bench.desk.state.next_order_id == 4
    bench.check()


def test_01_the_next_id_lies_above_what_our_client_id_was_seen_with(bench) -> None:
    trade = bench.enter()
    seen = bench.row(trade.entry, "Submitted", perm=77, order_id=50)
    bench.tell(seen)
    assert bench.desk.state.next_order_id == 51


@pytest.mark.parametrize("order_id", [2147483647, -12, 0])
def test_01_ids_of_manual_and_bound_orders_do_not_count(bench, order_id: int) -> None:
    trade = bench.enter()
    bench.tell(bench.execution(trade.entry, 1, order_id=order_id, order_ref="", perm_id=5))
    assert bench.desk.state.next_order_id == 4


def test_01_ids_survive_a_restart_and_intent_ids_are_unique(bench) -> None:
    bench.enter()
    bench.restart()
    bench.connect(next_id=1)
    assert bench.desk.state.next_order_id == 4
    again = _unblocked_enter(bench)
    assert again.entry.order_id == 4
    ids = [record.intent_id for record in bench.all_records if isinstance(record, Intended)]
    assert len(ids) == len(set(ids)) == 6


def test_02_a_fill_is_never_credited_by_order_id_alone(bench) -> None:
    trade = bench.enter()
    stranger = bench.execution(trade.entry, 100, order_ref="", perm_id=999_999)
    bench.tell(stranger)
    assert trade.entry.filled == 0
    assert bench.net() == 0
    assert bench.desk.state.account_book.quantity("DU1234567", SPY_ID) == 100
    bench.check()


def test_02_a_status_of_an_old_order_under_our_id_is_asked_about(bench) -> None:
    trade = bench.enter()
    bench.tell(bench.status(trade.entry, "Cancelled", perm=424242))
    assert trade.entry.state is OrderState.SENT
    assert [ask.kind for ask in bench.take(Ask)] == [AnswerKind.OPEN_ORDERS]


def test_02_the_same_execution_twice_counts_once(bench) -> None:
    trade = bench.enter()
    fill = bench.execution(trade.entry, 40)
    bench.tell(fill, fill)
    assert bench.net() == 40
    assert bench.tell(fill) == []


def test_02_a_correction_replaces_what_it_corrects(bench) -> None:
    trade = bench.enter()
    bench.tell(bench.execution(trade.entry, 40, "100.00", exec_id="0000e0d5.aa.01.01"))
    bench.tell(bench.execution(trade.entry, 30, "101.00", exec_id="0000e0d5.aa.01.02"))
    assert bench.net() == trade.entry.filled == 30
    assert bench.desk.state.ours.exposed()[0].average_price == Decimal("101")
    bench.check()


def test_03_one_intent_under_two_permanent_ids_is_cancelled_until_both_are_gone(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.take(Cancel)
    first = bench.perm(trade.stop)
    bench.tell(bench.row(trade.stop, "PreSubmitted", perm=5555))
    assert any("2 permanent ids" in text for text in bench.alarms())
    assert trade.stop.order_id in bench.cancels()
    bench.tell(bench.status(trade.stop, "Cancelled", perm=first))
    assert trade.stop.live, "one of the two still lives"
    bench.wait(25)
    assert bench.cancels(), "the second one is cancelled too"
    bench.tell(bench.execution(trade.stop, 100, "98.00", perm_id=5555))
    assert bench.net() == 0
    assert trade.stop.state is OrderState.FILLED
    bench.check()


def test_04_fills_after_1100_count_and_are_asked_for_on_resume(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.tell(Link(state=LinkState.BROKER_LOST, session=1, cause="1100"))
    assert trade.entry.state is OrderState.UNKNOWN
    bench.tell(bench.execution(trade.entry, 60))
    assert bench.net() == 60
    bench.take(Ask)
    bench.tell(Link(state=LinkState.RESTORED_KEPT, session=1, cause="1102"))
    assert {ask.kind for ask in bench.take(Ask)} == set(AnswerKind)
    bench.check()


def test_05_a_prior_sessions_working_order_is_adopted_with_its_intent(bench) -> None:
    trade = bench.enter(limit=99.0)
    bench.work(trade)
    rows = tuple(bench.row(order, "Submitted") for order in (trade.entry, trade.target, trade.stop))
    bench.restart()
    assert bench.order("t-1").state is OrderState.UNKNOWN
    bench.connect(orders=rows)
    entry = bench.order("t-1")
    assert entry.state is OrderState.WORKING
    bench.tell(CancelIntent(intent_id="t-1", reason="test"))
    assert bench.cancels() == [1]
    bench.check()


def test_06_a_restart_places_nothing_again(bench) -> None:
    bench.enter(signal="s1")
    bench.restart()
    bench.connect()
    bench.wait(5)
    assert bench.take(Place) == []
    bench.wait(60)
    assert bench.take(Place) == []
    bench.quote()
    assert bench.enter(signal="s1").entry is None
    assert bench.denials()[-1].limit == "duplicate"


def test_07_a_partial_fill_repeated_by_an_answer_counts_once(bench) -> None:
    trade = bench.enter(3, "SELL")
    bench.work(trade)
    fill = bench.execution(trade.entry, 1, "99.99")
    bench.tell(fill)
    bench.drop()
    bench.connect(
        executions=(fill,),
        positions=(bench.position(-1),),
        orders=tuple(bench.row(order, "Submitted") for order in (trade.entry, trade.target, trade.stop)),
    )
    assert bench.net() == -1
    assert bench.desk.state.differs == {}
    bench.check()


def test_08_a_partly_filled_entry_ended_gets_a_stop_of_its_size(bench) -> None:
    trade = bench.enter(limit=100.0)
    bench.work(trade)
    bench.fill(trade.entry, 40, "100.00")
    bench.tell(CancelIntent(intent_id=trade.entry.intent_id, reason="test"))
    bench.pair(trade.entry, "Cancelled")
    assert bench.take(Place) == [], "the children are still alive: a second stop would sell twice"
    bench.pair(trade.target, "Cancelled", remaining=0)
    assert bench.take(Place) == []
    bench.pair(trade.stop, "Cancelled", remaining=0)
    stop, target = bench.written()
    assert (stop.order.quantity, stop.order.order_type, stop.order.stop_price) == (
        40,
        OrderType.STOP,
        Decimal(98),
    )
    assert (target.order.quantity, target.order.order_type) == (40, OrderType.LIMIT)
    assert stop.order.oca_group == target.order.oca_group != ""
    assert stop.order.parent_id == 0 and stop.order.transmit
    bench.pair(bench.order(stop.intent_id), "PreSubmitted")
    bench.pair(bench.order(target.intent_id), "Submitted")
    bench.fill(bench.order(stop.intent_id), 40, "98.00")
    bench.pair(bench.order(target.intent_id), "Cancelled", remaining=0)
    assert bench.net() == 0
    bench.wait(60)
    assert bench.take(Place) == []
    bench.check()


def test_08_a_stop_that_triggers_during_a_partial_fill_ends_the_entry(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 40)
    bench.fill(trade.stop, 40, "98.00")
    bench.pair(trade.stop, "Cancelled", remaining=0)
    assert trade.entry.cancel_wanted
    assert bench.net() == 0
    bench.pair(trade.entry, "Cancelled", remaining=0)
    bench.pair(trade.target, "Cancelled", remaining=0)
    bench.wait(30)
    assert bench.net() == 0
    assert bench.take(Place) == []


def test_08_exits_that_took_too_much_are_given_back(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 40)
    bench.fill(trade.stop, 100, "98.00")
    bench.pair(trade.entry, "Cancelled", remaining=0)
    bench.pair(trade.target, "Cancelled", remaining=0)
    assert bench.net() == -60
    (back,) = bench.written()
    assert (back.order.side, back.order.quantity, back.order.order_type) == (Side.BUY, 60, OrderType.MARKET)
    bench.fill(bench.order(back.intent_id), 60)
    assert bench.net() == 0
    bench.check()


def test_09_an_order_without_any_word_is_asked_about_and_a_dialog_named(bench) -> None:
    trade = bench.enter()
    bench.wait(6)
    assert trade.entry.state is OrderState.UNKNOWN
    assert AnswerKind.OPEN_ORDERS in [ask.kind for ask in bench.take(Ask)]
    assert any("dialog" in text for text in bench.alarms())


@pytest.mark.parametrize("code", [10349, 399, 2109, 404, 202])
def test_10_a_notice_never_ends_an_order(bench, code: int) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.reply(trade.entry, code, "a notice")
    asked = bench.take(Ask)
    assert bool(asked) is (code == 202), "202 without its Cancelled is a question, the others are none"
    assert trade.entry.state is OrderState.WORKING
    bench.fill(trade.entry, 100)
    assert bench.net() == 100
    bench.check()


@pytest.mark.parametrize("code", [201, 200, 460, 110, 103, 10006, 321])
def test_11_a_refusal_of_a_new_order_ends_it_at_once(bench, code: int) -> None:
    trade = bench.enter()
    bench.reply(trade.entry, code, "refused")
    assert trade.entry.state is OrderState.REJECTED
    bench.pair(trade.entry, "Inactive")
    assert trade.entry.state is OrderState.REJECTED
    bench.check()


@pytest.mark.parametrize("code", [200, 460, 110, 103, 321, 77777, 504])
def test_11_a_code_about_a_working_order_is_a_question(bench, code: int) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.take(Ask)
    bench.reply(trade.entry, code, "?")
    assert trade.entry.live
    assert AnswerKind.OPEN_ORDERS in [ask.kind for ask in bench.take(Ask)]


@pytest.mark.parametrize("code", [10147, 10148, 161, 135, 136])
def test_11_a_refused_cancel_is_asked_about_and_ends_in_bounded_time(bench, code: int) -> None:
    trade = bench.enter(limit=99.0)
    bench.work(trade)
    bench.tell(CancelIntent(intent_id="t-1", reason="test"))
    bench.reply(trade.entry, code, "not found")
    assert trade.entry.state is OrderState.UNKNOWN
    for _ in range(30):
        bench.answer()
        bench.wait(1)
    assert trade.entry.state is OrderState.ABSENT
    bench.check()


def test_13_the_execution_before_any_status(bench) -> None:
    trade = bench.enter()
    bench.tell(bench.execution(trade.entry, 100))
    assert trade.entry.state is OrderState.FILLED
    bench.pair(trade.entry, "PreSubmitted", filled=0)
    bench.pair(trade.entry, "Filled")
    bench.pair(trade.entry, "Filled")
    assert trade.entry.state is OrderState.FILLED
    assert bench.net() == 100
    bench.check()


def test_13_the_fee_before_its_execution(bench) -> None:
    trade = bench.enter()
    fill = bench.execution(trade.entry, 100)
    fee = Commission(exec_id=fill.exec_id, amount=Decimal("1.00"), currency="USD")
    bench.tell(fee, fill, fee)
    holding = bench.desk.state.ours.exposed()[0]
    assert holding.fees == 1


def test_13_filled_without_its_executions_is_asked_for_and_counts_as_open(bench) -> None:
    trade = bench.enter()
    bench.pair(trade.entry, "Filled", filled=100)
    assert trade.entry.state is OrderState.FILLED
    assert bench.net() == 0
    assert trade.entry.open_quantity == 100
    bench.take(Ask)
    bench.wait(3)
    assert AnswerKind.EXECUTIONS in [ask.kind for ask in bench.take(Ask)]
    bench.tell(bench.execution(trade.entry, 100))
    assert bench.net() == 100
    assert trade.entry.open_quantity == 0
    bench.check()


def test_14_half_a_bracket_is_cancelled(bench) -> None:
    bench.quote()
    trade = bench.enter()
    bench.pair(trade.entry, "PreSubmitted")
    bench.reply(trade.stop, 201, "Order rejected - reason:…")
    assert bench.cancels() == [trade.entry.order_id]
    bench.pair(trade.entry, "Cancelled")
    bench.wait(3)
    assert trade.target.order_id in bench.cancels()
    bench.check()


def test_14_a_child_that_never_left_takes_its_parent_with_it(new_bench) -> None:
    bench = new_bench()
    bench.begin()
    bench.quote()
    from tws.desk import SubmitBracket
    from tws.model.contract import Contract
    from tws.model.order import bracket

    spy = Contract(con_id=SPY_ID, symbol="SPY")
    bench.tell(
        SubmitBracket(
            bracket=bracket(spy, "BUY", 100, stop=98, target=104), instrument=Instrument(contract=spy)
        )
    )
    bench.tell(NotWritten(order_id=3, reason="the link went before any byte left"))
    assert bench.order("t-3").state is OrderState.DENIED
    assert bench.cancels() == [1]
    bench.tell(Withdrawn(order_id=1))
    assert bench.order("t-1").state is OrderState.WITHDRAWN
    assert bench.cancels() == [2]
    bench.tell(Withdrawn(order_id=2))
    assert bench.order("t-2").state is OrderState.WITHDRAWN
    bench.check()


def test_14_an_order_that_tws_may_hold_untransmitted_is_not_proven_absent(bench) -> None:
    trade = bench.enter()
    for order in (trade.entry, trade.target, trade.stop):
        order.written = order is not trade.stop
    trade.stop.written = False
    bench.tell(BrokerReply(order_id=trade.stop.order_id, code=512, text="send failed"))
    bench.drop()
    bench.connect()
    for _ in range(40):
        bench.answer()
        bench.wait(1)
    assert trade.entry.state is OrderState.UNKNOWN
    assert trade.stop.state is OrderState.ABSENT
    assert any("untransmitted" in text for text in bench.alarms())


def test_16_an_old_stops_fill_belongs_to_the_old_trade(bench) -> None:
    old = bench.enter()
    bench.work(old)
    bench.fill(old.entry, 100)
    bench.fill(old.target, 100, "104.00")
    bench.quote()
    new = bench.enter(50, "SELL")
    bench.work(new)
    bench.fill(new.entry, 50, "99.99")
    bench.fill(old.stop, 10, "98.00")
    group = bench.desk.state.groups[new.entry.group_id]
    assert bench.desk.state.held(group) == 50
    assert bench.desk.state.held(bench.desk.state.groups[old.entry.group_id]) == -10
    assert bench.net() == -60
    bench.check()


def test_18_flatten_waits_for_each_confirmation_and_rereads_before_it_closes(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(Flatten(symbol="SPY", reason="close", key="eod"))
    assert sorted(bench.cancels()) == [2, 3]
    bench.pair(trade.target, "Cancelled", remaining=0)
    assert bench.take(Place) == []
    bench.fill(trade.stop, 30, "98.00")
    bench.pair(trade.stop, "Cancelled", remaining=0)
    assert [ask.kind for ask in bench.effects if isinstance(ask, Ask)] == [AnswerKind.POSITIONS]
    assert bench.take(Place) == []
    bench.answer(positions=(bench.position(70),))
    (close,) = bench.written()
    assert (close.order.side, close.order.quantity, close.order.order_type) == (
        Side.SELL,
        70,
        OrderType.MARKET,
    )
    bench.fill(bench.order(close.intent_id), 70, "97.00")
    assert bench.net() == 0
    bench.answer()
    assert bench.desk.state.flattens == {}
    phases = [record.phase for record in bench.all_records if isinstance(record, FlattenMoved)]
    assert phases == [
        FlattenPhase.CANCELLING,
        FlattenPhase.REREADING,
        FlattenPhase.CLOSING,
        FlattenPhase.REREADING,
        FlattenPhase.FLAT,
    ]
    bench.tell(Flatten(symbol="SPY", reason="close", key="eod"))
    assert [record.phase for record in bench.all_records if isinstance(record, FlattenMoved)] == phases
    bench.check()


def test_18_a_stop_that_fills_while_we_wait_leaves_nothing_to_close(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(Flatten(symbol="SPY", reason="close"))
    bench.fill(trade.stop, 100, "98.00")
    bench.pair(trade.target, "Cancelled", remaining=0)
    bench.answer(positions=())
    assert bench.take(Place) == []
    assert bench.desk.state.flattens == {}


@dataclass(frozen=True)
class _Exit:
    quantity: int
    allowed: bool


@pytest.mark.parametrize("case", [_Exit(99, True), _Exit(100, True), _Exit(101, False)])
def test_19_an_exit_never_flips_a_position(bench, case: _Exit) -> None:
    _hold_unprotected(bench)
    bench.tell(
        SubmitOrder(instrument=_spy(), side=Side.SELL, quantity=Decimal(case.quantity), role=Role.CLOSE)
    )
    assert bool(bench.take(Place)) is case.allowed
    if not case.allowed:
        assert bench.denials()[-1].limit == "reduce_only"


def test_19_other_working_exits_count(bench) -> None:
    _hold_unprotected(bench)
    sell = SubmitOrder(instrument=_spy(), side=Side.SELL, quantity=Decimal(60), role=Role.CLOSE)
    bench.tell(sell)
    assert bench.take(Place)
    bench.tell(sell)
    assert bench.denials()[-1].limit == "reduce_only"


def test_19_an_exit_passes_where_an_entry_is_blocked(bench) -> None:
    _hold_unprotected(bench)
    bench.wait(60)  # the quote is stale by now
    bench.tell(SubmitOrder(instrument=_spy(), side=Side.BUY, quantity=Decimal(1)))
    assert bench.denials()[-1].limit == "stale_quote_s"
    bench.tell(SubmitOrder(instrument=_spy(), side=Side.SELL, quantity=Decimal(100), role=Role.CLOSE))
    assert bench.take(Place)


def _spy() -> Instrument:
    from tws.model.contract import Contract

    return Instrument(contract=Contract(con_id=SPY_ID, symbol="SPY"))


def _hold_unprotected(bench) -> None:  # type: ignore[no-untyped-def]
    bench.quote()
    bench.tell(SubmitOrder(instrument=_spy(), side=Side.BUY, quantity=Decimal(100)))
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), 100)
    assert bench.net() == 100


def _unblocked_enter(bench):  # type: ignore[no-untyped-def]
    """Wait until the unknown orders of the last run are proven absent, then enter."""
    for _ in range(40):
        bench.answer()
        bench.wait(1)
    return bench.enter()


@pytest.mark.parametrize("amends", [False, True])
def test_10_a_code_that_a_configuration_calls_a_notice_is_one(bench, amends: bool) -> None:
    if amends:
        bench.desk.catalogue = amended({4711: {"order": "notice"}})
    trade = bench.enter()
    bench.take(Ask)
    bench.reply(trade.entry, 4711, "a code of a newer TWS")
    assert trade.entry.state is OrderState.SENT
    assert bool(bench.take(Ask)) is not amends, "what nobody knows is asked about"
