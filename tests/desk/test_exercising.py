"""Options of ours exercised or let lapse: judged, recorded, asked about, booked by what the broker shows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.desk.test_story import text

from tws.desk import (
    CancelAll,
    CancelIntent,
    DeclareGone,
    ModifyOrder,
    NotWritten,
    Place,
    SubmitExercise,
    SubmitOrder,
    Withdrawn,
    Written,
)
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.exercise import Exercise, ExerciseAction
from tws.model.facts import BrokerOrder, BrokerOrderStatus, BrokerReply
from tws.model.instrument import Instrument
from tws.model.order import Role, Side
from tws.model.records import Booked, Exercised, OrderState
from tws.risk import Limits

SPY = Contract(con_id=756733, symbol="SPY")
CALL = Contract(con_id=7, symbol="SPY", sec_type="OPT", multiplier="100", strike=90.0, right="C",
                last_trade_date="20261218")  # fmt: skip
PUT = replace(CALL, con_id=8, right="P", strike=110.0)
ACCOUNT = "DU1234567"
EASY = {"duplicate_window_s": None, "max_messages_per_s": None, "max_order_quantity": 1000,
        "max_position": 2000, "max_order_notional": 100_000, "max_position_notional": 200_000,
        "max_symbol_notional": None, "max_net_notional": None, "max_gross_notional": None}  # fmt: skip


def hold(bench: Any, quantity: int = 3, contract: Contract = CALL) -> None:
    """So many options of ours, bought without a stop, and told as a position."""
    bench.quote(1.99, 2.01, contract)
    bench.quote()
    instrument = Instrument(contract=contract)
    bench.tell(SubmitOrder(instrument=instrument, side=Side.BUY, quantity=Decimal(quantity)))
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), quantity, "2")
    stated(bench, quantity, contract)


def stated(bench: Any, quantity: int, contract: Contract = CALL) -> None:
    bench.tell(position(quantity, contract))


def position(quantity: int, contract: Contract = CALL) -> Position:
    return Position(account=ACCOUNT, contract=contract, quantity=Decimal(quantity), average_cost=Decimal(200))


def wish(quantity: int = 2, contract: Contract = CALL, **more: Any) -> SubmitExercise:
    lapses = more.pop("lapses", False)
    exercise = Exercise(
        quantity=quantity, action=ExerciseAction.LAPSE if lapses else ExerciseAction.EXERCISE,
        override=more.pop("override", False), account=more.pop("account", ""),
    )  # fmt: skip
    fields = {"underlying": Instrument(contract=SPY)} | more
    return SubmitExercise(instrument=Instrument(contract=contract), wish=exercise, **fields)


def sent(bench: Any, quantity: int = 2, contract: Contract = CALL, **more: Any) -> Any:
    """An exercise whose bytes have left; the order of it."""
    bench.quote()
    bench.tell(wish(quantity, contract, **more))
    assert not bench.denials(), bench.denials()
    (place,) = bench.written()
    return bench.order(place.intent_id)


def said(bench: Any, order: Any, status: str, perm: int = 0) -> None:
    """As TWS shows an exercise: LMT at 0.0, a buy, no reference."""
    perm = perm or bench.perm(order)
    bench.tell(row(bench, order, status, perm))
    bench.tell(BrokerOrderStatus(order_id=order.order_id, perm_id=perm, client_id=1, status=status,
                                 filled=order.order.quantity if status == "Filled" else Decimal(0),
                                 remaining=Decimal(0)))  # fmt: skip


def row(bench: Any, order: Any, status: str, perm: int = 0) -> BrokerOrder:
    return BrokerOrder(order_id=order.order_id, perm_id=perm or bench.perm(order), client_id=1,
                       account=ACCOUNT, contract=order.contract, side="BUY",
                       quantity=order.order.quantity, order_type="LMT", limit_price=Decimal(0),
                       stop_price=None, tif="DAY", order_ref="", parent_id=0,
                       status=status)  # fmt: skip


@pytest.fixture
def bench(new_bench: Any) -> Any:
    made = new_bench(Limits(**EASY))
    made.begin()
    hold(made)
    return made


def denied(bench: Any, limit: str, *words: str) -> None:
    (denial,) = bench.denials()
    assert (denial.limit, denial.role in (Role.EXERCISE, Role.LAPSE)) == (limit, True), str(denial)
    for word in words:
        assert word in str(denial)
    assert not bench.take(Place), "no byte of it"
    bench.check()


# -- the way of one that is carried out


def test_an_exercise_becomes_shares_in_both_books(bench: Any) -> None:
    order = sent(bench)
    assert order.exercise.wish == Exercise(quantity=2, account=ACCOUNT)
    said(bench, order, "PreSubmitted")
    assert order.state is OrderState.ACKNOWLEDGED and not order.claimed
    stated(bench, 1)
    stated(bench, 200, SPY)
    assert bench.net(CALL) == 3, "not before TWS has called it carried out"
    said(bench, order, "Filled")
    assert (bench.net(CALL), bench.net(), order.filled, order.missing) == (1, 200, 2, 0)
    state = bench.desk.state
    assert not state.differs and not state.book.exercises
    holding = state.ours.holdings[state.ours.key(ACCOUNT, SPY.con_id)]
    assert holding.average_price == 90, "they cost the strike"
    assert state.ours.holdings[state.ours.key(ACCOUNT, CALL.con_id)].realized_pnl == -400
    assert any("no stop guards" in alarm for alarm in bench.alarms())
    bench.check()


@pytest.mark.parametrize("first", ["shares", "options"])
def test_the_words_in_another_order_and_twice(bench: Any, first: str) -> None:
    order = sent(bench)
    said(bench, order, "Filled")
    assert (order.state, order.missing, bench.net()) == (OrderState.FILLED, 2, 0)
    shown = [(200, SPY), (1, CALL)] if first == "shares" else [(1, CALL), (200, SPY)]
    stated(bench, *shown[0])
    assert bench.net() == 0 and bench.net(CALL) == 3, "half of it shows nothing"
    stated(bench, *shown[1])
    said(bench, order, "Filled")
    stated(bench, 200, SPY)
    assert (bench.net(CALL), bench.net()) == (1, 200)
    assert sum(isinstance(each, Exercised) for each in bench.all_records) == 1
    bench.check()


def test_a_put_sells_what_a_trade_holds(new_bench: Any) -> None:
    """Its protection shrinks with it."""
    bench = new_bench(Limits(**EASY))
    bench.begin()
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(bench.position(100))
    hold(bench, 1, PUT)
    order = sent(bench, 1, PUT)
    said(bench, order, "PreSubmitted")
    stated(bench, 0, PUT)
    bench.tell(bench.position(0))
    said(bench, order, "Filled")
    assert (bench.net(PUT), bench.net()) == (0, 0)
    assert bench.desk.state.held(bench.desk.state.groups[trade.entry.group_id]) == 0
    bench.wait(3)
    assert {trade.stop.order_id, trade.target.order_id} <= set(bench.cancels()), "nothing is left to guard"
    bench.check()


def test_what_a_call_brings_belongs_to_no_trade(bench: Any) -> None:
    """A trade in the shares keeps its own: its stop is not for what came beside it."""
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(bench.position(100))
    order = sent(bench)
    said(bench, order, "Filled")
    stated(bench, 1)
    stated(bench, 300, SPY)
    group = bench.desk.state.groups[trade.entry.group_id]
    assert (bench.net(), bench.desk.state.held(group)) == (300, 100)
    bench.wait(5)
    assert not bench.take(Place) and trade.stop.order.quantity == 100
    bench.check()


def test_a_lapse_takes_the_options_alone(bench: Any) -> None:
    order = sent(bench, 3, lapses=True, underlying=None)
    assert order.role is Role.LAPSE
    said(bench, order, "PreSubmitted")
    stated(bench, 0)
    said(bench, order, "Filled")
    assert (bench.net(CALL), bench.net()) == (0, 0)
    bench.check()


def test_two_at_once_are_told_by_what_they_make_together(bench: Any) -> None:
    first, second = sent(bench, 1), sent(bench, 2)
    for order in (first, second):
        said(bench, order, "PreSubmitted")
        said(bench, order, "Filled")
    stated(bench, 0)
    stated(bench, 300, SPY)
    assert (bench.net(CALL), bench.net(), first.filled, second.filled) == (0, 300, 1, 2)
    bench.check()


# -- what TWS refuses, and what a human takes back


def test_against_the_natural_action(bench: Any) -> None:
    order = sent(bench)
    words = "Error processing request.Exercise ignored because option is not in-the-money"
    bench.tell(BrokerReply(order_id=order.order_id, code=322, text=words))
    assert order.state is OrderState.REJECTED and any("in-the-money" in each for each in bench.alarms())
    assert sent(bench, 3), "and all are free again"
    bench.check()


def test_it_is_taken_back_and_is_no_order_to_be_changed(bench: Any) -> None:
    order = sent(bench)
    said(bench, order, "PreSubmitted")
    bench.tell(ModifyOrder(intent_id=order.intent_id, quantity=Decimal(1)))
    assert "not changed" in str(bench.denials()[-1])
    bench.tell(CancelIntent(intent_id=order.intent_id, reason="test"))
    assert bench.cancels() == [order.order_id]
    said(bench, order, "Cancelled")
    assert order.state is OrderState.CANCELLED
    bench.check()


def test_entries_cancelled_take_it_along_and_leave_a_lapse(bench: Any) -> None:
    order, lapse = sent(bench, 1), sent(bench, 1, lapses=True)
    for each in (order, lapse):
        said(bench, each, "PreSubmitted")
    bench.tell(CancelAll(reason="the end", entries_only=True))
    assert bench.cancels() == [order.order_id]


@pytest.mark.parametrize("how", ["withdrawn", "not written"])
def test_bytes_that_never_left(bench: Any, how: str) -> None:
    bench.quote()
    bench.tell(wish())
    (place,) = bench.take(Place)
    order = bench.order(place.intent_id)
    withdrawn = how == "withdrawn"
    bench.tell(Withdrawn(order_id=order.order_id) if withdrawn
               else NotWritten(order_id=order.order_id, reason="lease"))  # fmt: skip
    assert order.state is (OrderState.WITHDRAWN if withdrawn else OrderState.DENIED)
    assert bench.desk.state.totals.on(SPY).buys == 0
    bench.check()


# -- crashes, at each step


def begin_anew(bench: Any, **answers: Any) -> None:
    """The program dies and starts anew; TWS answers what it is asked."""
    bench.restart()
    bench.connect(next_id=1, **answers)


def test_a_crash_before_the_bytes_is_proven_absent(bench: Any) -> None:
    """On disk, and nothing left: nothing is sent again, and two rounds free the options."""
    bench.quote()
    bench.tell(wish())
    begin_anew(bench, positions=(position(3),))
    (order,) = [each for each in bench.desk.state.book.orders.values() if each.exercise]
    assert order.state is OrderState.UNKNOWN and not bench.take(Place)
    bench.quote()
    bench.tell(wish(1))
    denied(bench, "unknown_orders")
    for _ in range(3):
        bench.wait(11)
        bench.answer(positions=(position(3),))
    assert order.state is OrderState.ABSENT and bench.net(CALL) == 3
    bench.quote()
    bench.tell(wish(3))
    assert len(bench.take(Place)) == 1
    bench.check()


def test_a_crash_after_the_bytes_finds_it_waiting(bench: Any) -> None:
    order = sent(bench)
    begin_anew(bench, positions=(position(3),), orders=(row(bench, order, "PreSubmitted", 77),))
    again = bench.order(order.intent_id)
    assert again.state is OrderState.ACKNOWLEDGED and list(again.perms) == [77]
    assert not bench.desk.state.foreign, "it is ours"
    stated(bench, 1)
    stated(bench, 200, SPY)
    said(bench, again, "Filled", 77)
    assert (bench.net(CALL), bench.net()) == (1, 200)
    bench.check()


def test_a_crash_after_the_bytes_finds_it_carried_out(bench: Any) -> None:
    """No list names it any more; the positions do, once they have lasted."""
    order = sent(bench)
    there = (position(1), position(200, SPY))
    begin_anew(bench, positions=there)
    bench.wait(9)
    bench.answer(positions=there)
    assert bench.net(CALL) == 3
    bench.wait(3)
    bench.answer(positions=there)
    again = bench.order(order.intent_id)
    assert (again.state, bench.net(CALL), bench.net()) == (OrderState.FILLED, 1, 200)
    assert not bench.desk.state.differs and not bench.desk.state.shortfall
    bench.wait(60)
    bench.answer(positions=there)
    assert sum(isinstance(each, Exercised) for each in bench.all_records) == 1
    bench.check()


def test_a_late_position_revives_one_that_was_proven_absent(bench: Any) -> None:
    order = sent(bench)
    bench.drop()
    bench.connect(positions=(position(3),))
    for _ in range(3):
        bench.wait(11)
        bench.answer(positions=(position(3),))
    assert order.state is OrderState.ABSENT
    stated(bench, 1)
    stated(bench, 200, SPY)
    bench.wait(12)
    assert (order.state, bench.net(CALL), bench.net()) == (OrderState.FILLED, 1, 200)
    assert any("proven absent filled" in each for each in bench.alarms())
    bench.check()


def test_a_position_that_shows_something_else_proves_nothing(bench: Any) -> None:
    """The options went and no shares came: neither absent nor carried out, and entries wait."""
    order = sent(bench)
    bench.drop()
    bench.connect(positions=(position(1),))
    for _ in range(4):
        bench.wait(11)
        bench.answer(positions=(position(1),))
    assert order.state is OrderState.UNKNOWN and bench.net(CALL) == 3
    bench.quote()
    assert bench.enter(1).entry is None
    bench.tell(DeclareGone(intent_id=order.intent_id, operator="ann", reason="looked"))
    assert order.state is OrderState.ABSENT
    bench.check()


def test_a_claim_that_no_position_bears_out_alarms_until_a_human_ends_it(bench: Any) -> None:
    executions = tuple(each.execution for each in bench.all_records if isinstance(each, Booked))
    order = sent(bench)
    said(bench, order, "Filled")
    for _ in range(4):  # his answers reach back behind it and lack it, as of a fill that was void
        bench.wait(12)
        bench.answer(positions=(position(3),), executions=executions)
    assert order.missing == 2, "which is no proof for what no execution tells"
    assert any("his positions do not show just that" in each for each in bench.alarms())
    assert bench.enter(1).entry is not None, "the books agree, so nothing is blocked"
    bench.tell(DeclareGone(intent_id=order.intent_id, operator="ann", reason="looked"))
    assert not order.missing and bench.net(CALL) == 3
    bench.check()


def test_an_order_of_another_client_under_its_id_is_no_word_on_it(bench: Any) -> None:
    order = sent(bench)
    bench.tell(replace(row(bench, order, "Filled", 91), client_id=8))
    bench.tell(BrokerOrderStatus(order_id=order.order_id, perm_id=91, client_id=8, status="Filled",
                                 filled=Decimal(2), remaining=Decimal(0)))  # fmt: skip
    assert order.state is OrderState.SENT
    bench.tell(Written(order_id=order.order_id))
    bench.check()


# -- the story


def test_the_story_of_an_exercise(bench: Any) -> None:
    order = sent(bench, strategy="wheel", override=True)
    said(bench, order, "PreSubmitted")
    stated(bench, 1)
    stated(bench, 200, SPY)
    said(bench, order, "Filled")
    told = text(bench, order.intent_id)
    assert "We meant to exercise 2 SPY 20261218 C 90, to bring 200 SPY at 90.0, against its" in told
    assert "strategy wheel" in told and "Approved" not in told
    assert "It was booked as carried out: 2 SPY 20261218 C 90 went, and 200 SPY came at 90.0" in told
    assert told.endswith(f"{order.intent_id} ended filled, 2 of 2 filled at 0 on average.")
