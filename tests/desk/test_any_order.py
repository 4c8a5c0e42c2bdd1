"""Facts about one order, shuffled, doubled, late, under one permanent id or two: the truth comes out.

A scenario is an order's true life at the broker, and every message that TWS sends of it. The desk hears them
in any order, some of them twice; then it may ask, and is answered truly until it asks no more. Whatever the
order of arrival: no fill is lost or counted twice, the order stands as the broker has it, an end came by the
broker's word, and what came back to life came back with an alarm.
"""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tws.desk import Ask, CancelIntent
from tws.desk.commands import SubmitOrder, Written
from tws.desk.effects import Place
from tws.model.facts import Answer, AnswerKind, Link, LinkState
from tws.model.instrument import Instrument
from tws.model.order import OrderType, Side
from tws.model.records import Alarmed, Booked, Moved, OrderState
from tws.orders import ENDED

S = OrderState
PERMS = (7001, 7002)
RELAXED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
parts = st.lists(st.integers(1, 50), max_size=3).filter(lambda each: sum(each) <= 100)


def lone_order(bench):  # type: ignore[no-untyped-def]
    """A limit order of 100 without a bracket, sent."""
    from tests.desk.conftest import SPY

    bench.quote()
    bench.tell(
        SubmitOrder(
            instrument=Instrument(contract=SPY),
            side=Side.BUY,
            quantity=Decimal(100),
            order_type=OrderType.LIMIT,
            limit_price=Decimal("100.00"),
        )
    )
    (place,) = bench.take(Place)
    bench.tell(Written(order_id=place.order_id))
    return bench.order(place.intent_id)


def messages(bench, order, fills, end: str, perm: int):  # type: ignore[no-untyped-def]
    """Everything that TWS says of an order that filled so, and ended so ("" for one that works)."""
    said = [bench.row(order, "PreSubmitted", perm=perm), bench.status(order, "PreSubmitted", 0, 100, perm)]
    done = 0
    executions = []
    for quantity in fills:
        done += quantity
        execution = bench.execution(order, quantity, perm_id=perm)
        executions.append(execution)
        status = "Filled" if done == 100 else "Submitted"
        said += [
            execution,
            bench.row(order, status, perm=perm),
            bench.status(order, status, done, 100 - done, perm),
        ]
    if end:
        said += [bench.status(order, end, done, 100 - done, perm)] * 2
    elif done < 100:
        said += [
            bench.row(order, "Submitted", perm=perm),
            bench.status(order, "Submitted", done, 100 - done, perm),
        ]
    return said, executions, done


def settle(bench, truth) -> None:  # type: ignore[no-untyped-def]
    """Answer what is asked, truly, until nothing is asked and nothing is due."""
    for _ in range(60):
        for ask in bench.take(Ask):
            orders = truth.completed if ask.kind is AnswerKind.COMPLETED_ORDERS else truth.open
            rows = orders if ask.kind in (AnswerKind.OPEN_ORDERS, AnswerKind.COMPLETED_ORDERS) else ()
            fills = tuple(truth.executions) if ask.kind is AnswerKind.EXECUTIONS else ()
            if ask.kind is AnswerKind.POSITIONS:
                held = (bench.position(truth.held),)
                bench.tell(Answer(kind=ask.kind, session=bench.session, positions=held))
                continue
            for fact in (*rows, *fills):
                bench.tell(fact)
            bench.tell(Answer(kind=ask.kind, session=bench.session, orders=rows, executions=fills))
        bench.wait(1)


def truth_of(bench, order, fills, end, perm, executions):  # type: ignore[no-untyped-def]
    done = sum(fills)
    over = bool(end) or done == 100
    row = bench.row(order, "Submitted", perm=perm)
    gone = bench.row(order, "Filled" if done == 100 else "Cancelled", perm=perm, completed=True, filled=done)
    return SimpleNamespace(
        open=() if over else (row,), completed=(gone,) if over else (), executions=executions, held=done
    )


def check_words(bench, order) -> None:  # type: ignore[no-untyped-def]
    """Ends are the broker's, returns are loud, each fill is booked once."""
    moves = [r for r in bench.all_records if isinstance(r, Moved) and r.intent_id == order.intent_id]
    for move in moves:
        if move.state in ENDED and move.before not in ENDED:
            assert move.event in ("cancel", "fill", "reject"), move
        if move.before in ENDED and move.state not in ENDED:
            alarms = [r.subject for r in bench.all_records if isinstance(r, Alarmed)]
            loud = f"{order.intent_id} {move.event} after {move.before}", f"double {order.intent_id}"
            assert any(subject in loud for subject in alarms)
    booked = [r.execution.exec_id for r in bench.all_records if isinstance(r, Booked)]
    assert len(booked) == len(set(booked))


@RELAXED
@given(data=st.data(), fills=parts, end=st.sampled_from(["", "Cancelled"]))
def test_the_broker_s_truth_comes_out_in_any_order(new_bench, data, fills, end) -> None:
    bench = new_bench()
    bench.begin()
    order = lone_order(bench)
    said, executions, done = messages(bench, order, fills, end, PERMS[0])
    in_pairs = data.draw(st.booleans())
    told = [said[0], *data.draw(st.permutations(said[1:]))] if in_pairs else data.draw(st.permutations(said))
    again = data.draw(st.lists(st.sampled_from(said), max_size=5))
    for fact in (*told, *again):
        bench.now += 1000
        bench.tell(fact)
    truth = truth_of(bench, order, fills, end, PERMS[0], executions)
    settle(bench, truth)
    if not in_pairs:
        # TWS says openOrder first (C1). Where it did not, statuses went unheard: the next reading says so.
        bench.drop()
        bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=("DU1234567",)))
        settle(bench, truth)
    assert order.filled == done == bench.net()
    if done == 100:
        assert order.state is S.FILLED
    elif end:
        assert order.state is S.CANCELLED
    else:
        assert order.live and order.state is not S.UNKNOWN
    check_words(bench, order)
    bench.check()


@RELAXED
@given(data=st.data(), first=parts, second=parts)
def test_two_permanent_ids_of_one_intent_lose_no_fill_and_both_end(new_bench, data, first, second) -> None:
    """INCIDENTS.md 3: the intent lives as long as one of them does, and cancels are sent until none does."""
    bench = new_bench()
    bench.begin()
    order = lone_order(bench)
    one, fills_one, done_one = messages(bench, order, first, "", PERMS[0])
    two, fills_two, done_two = messages(bench, order, second, "", PERMS[1])
    for fact in data.draw(st.permutations(one + two)):
        bench.tell(fact)
    assert set(order.perms) == set(PERMS)
    assert order.filled == done_one + done_two == bench.net()
    assert any("permanent ids" in text for text in bench.alarms())
    if order.live:
        assert order.cancel_wanted and order.order_id in bench.cancels()
    for perm, done in zip(PERMS, (done_one, done_two), strict=True):
        bench.tell(bench.status(order, "Cancelled", done, max(0, 100 - done), perm))
    truth = SimpleNamespace(
        open=(),
        completed=(bench.row(order, "Cancelled", perm=PERMS[0], completed=True, filled=done_one),),
        executions=fills_one + fills_two,
        held=done_one + done_two,
    )
    settle(bench, truth)
    assert not order.live
    assert order.filled == done_one + done_two == bench.net()
    check_words(bench, order)
    bench.check()


@RELAXED
@given(data=st.data(), fills=parts, cut=st.integers(0, 12), ask_cancel=st.booleans())
def test_a_lost_link_in_the_middle_changes_no_truth(new_bench, data, fills, cut, ask_cancel) -> None:
    """What was said before the loss, and the list after it: the order ends as the broker has it."""
    bench = new_bench()
    bench.begin()
    order = lone_order(bench)
    said, executions, done = messages(bench, order, fills, "Cancelled", PERMS[0])
    for fact in said[:cut]:
        bench.tell(fact)
    if ask_cancel:
        bench.tell(CancelIntent(intent_id=order.intent_id, reason="test"))
    bench.drop()
    late = data.draw(st.lists(st.sampled_from(said), max_size=4))
    for fact in late:
        bench.tell(fact)
    bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=("DU1234567",)))
    settle(bench, truth_of(bench, order, fills, "Cancelled", PERMS[0], executions))
    assert order.filled == done == bench.net()
    assert order.state is (S.FILLED if done == 100 else S.CANCELLED)
    check_words(bench, order)
    bench.check()


def test_an_order_that_a_complete_list_does_not_name_is_asked_about(bench) -> None:
    """Its end was not heard, for whatever reason: the list is the broker's word that it is not open."""
    order = lone_order(bench)
    bench.pair(order, "Submitted")
    bench.wait(1)
    bench.tell(Link(state=LinkState.RESTORED_KEPT, session=bench.session))
    (ask,) = [ask for ask in bench.take(Ask) if ask.kind is AnswerKind.OPEN_ORDERS]
    assert order.state is S.WORKING
    bench.tell(Answer(kind=ask.kind, session=bench.session))
    assert order.state is S.UNKNOWN
    assert any("its end was not heard" in text for text in bench.alarms())
    gone = bench.row(order, "Cancelled", completed=True, filled=0)
    bench.tell(gone)
    assert order.state is S.CANCELLED
    bench.check()


def test_a_list_that_was_asked_for_before_the_last_word_proves_nothing(bench) -> None:
    order = lone_order(bench)
    bench.tell(Link(state=LinkState.RESTORED_KEPT, session=bench.session))
    bench.now += 1
    bench.pair(order, "Submitted")
    bench.tell(Answer(kind=AnswerKind.OPEN_ORDERS, session=bench.session))
    assert order.state is S.WORKING


def test_a_second_permanent_id_that_shows_after_the_fill_is_cancelled(bench) -> None:
    """INCIDENTS.md 3: the order is filled, and lives on under another id: it is not over."""
    order = lone_order(bench)
    bench.fill(order, 100)
    assert order.state is S.FILLED
    bench.tell(bench.row(order, "Submitted", perm=PERMS[1]))
    assert order.live and order.cancel_wanted and bench.cancels() == [order.order_id]
    assert len([text for text in bench.alarms() if "lives under 2 permanent ids" in text]) == 1
    bench.wait(62)
    assert len([text for text in bench.alarms() if "lives under 2 permanent ids" in text]) == 2
    bench.tell(bench.status(order, "Cancelled", 100, 0, PERMS[1]))
    assert not order.live
    bench.check()
