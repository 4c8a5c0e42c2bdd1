"""Fills that the broker claims and no execution tells: asked for at once, then inferred, void, or alarmed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tws.desk import Ask, DeclareGone, Place
from tws.model.facts import AnswerKind, Link, LinkState
from tws.model.records import Annulled, Asked, Inferred, OrderState

ACCOUNT = "DU1234567"


def of(bench: Any, kind: type) -> list[Any]:
    return [record for record in bench.all_records if isinstance(record, kind)]


def away(bench: Any) -> None:
    bench.drop()
    bench.take(Ask)
    bench.wait(60)
    bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=(ACCOUNT,)))


def answers(bench: Any, seconds: int, **rows: Any) -> None:
    for _ in range(seconds):
        bench.answer(**rows)
        bench.wait(1)
    bench.answer(**rows)


def held(bench: Any) -> tuple[SimpleNamespace, Any]:
    """A trade that holds 100, and its entry's execution."""
    trade = bench.enter(100)
    bench.work(trade)
    done = bench.execution(trade.entry, 100)
    bench.tell(done, bench.position(100))
    return trade, done


def test_a_stop_whose_fill_was_annulled_unheard_is_placed_anew(bench: Any) -> None:
    trade, done = held(bench)
    away(bench)
    rows = {"executions": (done,), "positions": (bench.position(100),),
            "completed": (bench.row(trade.stop, "Filled", completed=True, filled=100),
                          bench.row(trade.target, "Cancelled", completed=True))}  # fmt: skip
    answers(bench, 9, **rows)
    assert trade.stop.missing == 100 and of(bench, Annulled) == [] and bench.take(Place) == []
    answers(bench, 8, **rows)
    (record,) = of(bench, Annulled)
    assert (record.intent_id, record.quantity) == (trade.stop.intent_id, 100)
    assert (trade.stop.missing, bench.net()) == (0, 100)
    assert [place.order.quantity for place in bench.take(Place)] == [100, 100], "the shares are guarded again"
    assert any("never filled" in text for text in bench.alarms())
    late = bench.execution(trade.stop, 100)
    bench.tell(late)
    assert (bench.net(), trade.stop.filled) == (0, 100), "what is told after all counts"
    bench.check()


def test_a_claim_behind_which_no_answer_reaches_stands_until_a_human_declares_it_gone(bench: Any) -> None:
    """Entry and exit may both have filled before what he remembers; the position says the same."""
    trade, _ = held(bench)
    away(bench)
    rows = {"positions": (bench.position(100),),
            "completed": (bench.row(trade.stop, "Filled", completed=True, filled=100),
                          bench.row(trade.target, "Cancelled", completed=True))}  # fmt: skip
    answers(bench, 30, **rows)
    assert of(bench, Annulled) == of(bench, Inferred) == [] and trade.stop.missing == 100
    assert any("nothing is inferred" in text for text in bench.alarms())
    bench.tell(DeclareGone(intent_id=trade.stop.intent_id, operator="ann", reason="the statement lacks it"))
    assert [record.quantity for record in of(bench, Annulled)] == [100]
    answers(bench, 3, **rows)
    assert [place.order.quantity for place in bench.take(Place)] == [100, 100]
    bench.check()


def test_a_position_that_was_not_read_anew_voids_no_claim(bench: Any) -> None:
    trade, done = held(bench)
    away(bench)
    rows = {"executions": (done,), "positions": (bench.position(100),),
            "completed": (bench.row(trade.stop, "Filled", completed=True, filled=100),)}  # fmt: skip
    bench.answer(**rows)
    for _ in range(30):
        bench.wait(1)
        asked = bench.take(Ask)
        bench.effects += [ask for ask in asked if ask.kind is not AnswerKind.POSITIONS]
        bench.answer(**rows)
    assert of(bench, Annulled) == []


def test_a_part_fill_that_is_claimed_of_a_living_order_is_asked_for_at_once(bench: Any) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    bench.take(Ask)
    bench.tell(bench.status(trade.entry, "Submitted", filled=40, remaining=60))
    bench.wait(3)
    assert {AnswerKind.EXECUTIONS, AnswerKind.POSITIONS} <= {ask.kind for ask in bench.take(Ask)}
    before = len(of(bench, Asked))
    orders = tuple(bench.row(order, "Submitted") for order in (trade.entry, trade.target, trade.stop))
    for _ in range(600):
        bench.answer(orders=orders)
        bench.wait(1)
    assert len(of(bench, Asked)) - before < 4 * (30 + 12), "a round each 2 s for a minute, then each minute"


def test_a_lost_order_of_which_the_answers_would_tell_explains_no_difference(bench: Any) -> None:
    """Found by seed 1959: shares were transferred away, and a lost close was taken as filled by so many."""
    trade, done = held(bench)
    later = bench.enter(50, limit=99.5)
    away(bench)
    rows = {"executions": (done,), "positions": (bench.position(106),),
            "orders": (bench.row(trade.stop, "PreSubmitted"),
                       bench.row(trade.target, "Submitted"))}  # fmt: skip
    answers(bench, 40, **rows)
    assert later.entry.state is OrderState.ABSENT
    assert not any("his cash alone" in text for text in bench.alarms())
    assert of(bench, Inferred) == [] and bench.net() == 100
    assert any("the broker states 106" in text for text in bench.alarms())
    bench.check()
