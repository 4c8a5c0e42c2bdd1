"""Fills beyond the broker's memory and fills that he took back: derived when proven, and only then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from tws.desk import Ask
from tws.desk.standing import DiscrepancyKind, discrepancies, holdings
from tws.model.contract import Contract
from tws.model.facts import AnswerKind, Link, LinkState
from tws.model.records import Busted, Inferred, OrderState

SPY = Contract(con_id=756733, symbol="SPY")
ACCOUNT = "DU1234567"


def inferred(bench: Any) -> list[Inferred]:
    return [record for record in bench.all_records if isinstance(record, Inferred)]


def kinds(bench: Any) -> list[DiscrepancyKind]:
    return [each.kind for each in discrepancies(bench.desk.state, bench.now, bench.desk.timing)]


def away(bench: Any) -> None:
    """A link lost in the evening and back after midnight: what the broker remembers begins anew."""
    bench.drop()
    bench.take(Ask)
    bench.wait(600)
    bench.tell(Link(state=LinkState.CONNECTED, session=bench.session, accounts=(ACCOUNT,)))


def rounds(bench: Any, count: int = 3, **rows: Any) -> None:
    """Answer whatever is asked, `count` times with 11 s between."""
    for _ in range(count):
        bench.answer(**rows)
        bench.wait(11)
    bench.answer(**rows)


def test_an_entry_that_filled_before_midnight_is_inferred_from_the_position(bench: Any) -> None:
    """Gateway: neither executions nor completed orders of yesterday; his position and the stop speak."""
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    away(bench)
    stop, target = bench.row(trade.stop, "PreSubmitted"), bench.row(trade.target, "Submitted")
    position = replace(bench.position(100), average_cost=Decimal("99.41"))
    rounds(bench, orders=(stop, target), positions=(position,))
    (record,) = inferred(bench)
    assert (record.intent_id, record.quantity, record.price) == (trade.entry.intent_id, 100, Decimal("99.41"))
    assert "average cost" in record.priced
    assert trade.entry.state is OrderState.FILLED and bench.net() == 100
    assert kinds(bench) == [DiscrepancyKind.INFERRED_FILL]
    assert holdings(bench.desk.state)[0].inferred
    assert any("without an execution" in text for text in bench.alarms())
    assert trade.stop.live and trade.stop.order.quantity == 100
    bench.check()


def test_the_true_execution_takes_the_place_of_the_inferred_one_share_by_share(bench: Any) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    evening = bench.now
    away(bench)
    rows = {"orders": (bench.row(trade.stop, "PreSubmitted"), bench.row(trade.target, "Submitted"))}
    position = replace(bench.position(100), average_cost=Decimal("99.41"))
    rounds(bench, positions=(position,), **rows)
    assert len(inferred(bench)) == 1
    bench.tell(bench.execution(trade.entry, 60, "99.40", time_ns=evening))
    assert (bench.net(), trade.entry.filled) == (100, 100)
    assert kinds(bench) == [DiscrepancyKind.INFERRED_FILL], "40 are still inferred"
    bench.tell(bench.execution(trade.entry, 40, "99.30", time_ns=evening))
    assert (bench.net(), trade.entry.filled) == (100, 100)
    assert kinds(bench) == []
    holding = bench.desk.state.ours.holding(ACCOUNT, SPY)
    assert holding.average_price == Decimal("99.36") and len(holding.moves) == 2
    assert not any("excess" in text for text in bench.alarms())
    bench.check()


def test_a_new_fill_of_the_same_order_is_not_taken_for_the_truth_of_an_inferred_one(bench: Any) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    bench.pair(trade.entry, "Submitted", filled=40, remaining=60)
    away(bench)
    rows = tuple(bench.row(each, "Submitted") for each in (trade.entry, trade.stop, trade.target))
    rounds(bench, orders=rows, positions=(bench.position(40),))
    assert [record.quantity for record in inferred(bench)] == [40]
    bench.tell(bench.execution(trade.entry, 60))
    assert (bench.net(), trade.entry.filled, trade.entry.state) == (100, 100, OrderState.FILLED)
    bench.check()


def test_a_claimed_fill_is_inferred_when_two_answers_lack_it_and_the_position_agrees(bench: Any) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    away(bench)
    done = bench.row(trade.entry, "Filled", completed=True, filled=100)
    rows = {"orders": (bench.row(trade.stop, "PreSubmitted"), bench.row(trade.target, "Submitted")),
            "completed": (done,), "positions": (bench.position(100),)}  # fmt: skip
    bench.answer(**rows)
    assert trade.entry.state is OrderState.FILLED and bench.net() == 0
    assert DiscrepancyKind.OWED_FILL in kinds(bench)
    for _ in range(3):
        bench.wait(3)
        bench.answer(**rows)
        assert inferred(bench) == [], "the second answer without it must be 10 s behind the first"
    rounds(bench, **rows)
    assert [record.quantity for record in inferred(bench)] == [100]
    assert DiscrepancyKind.OWED_FILL not in kinds(bench) and bench.net() == 100
    bench.check()


def test_a_claim_that_the_position_does_not_bear_out_is_not_inferred(bench: Any) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    away(bench)
    rows = {"orders": (bench.row(trade.stop, "PreSubmitted"), bench.row(trade.target, "Submitted")),
            "completed": (bench.row(trade.entry, "Filled", completed=True, filled=100),),
            "positions": (bench.position(70),)}  # fmt: skip
    rounds(bench, 5, **rows)
    assert inferred(bench) == []
    assert any("nothing is inferred" in text for text in bench.alarms())
    assert DiscrepancyKind.POSITION in kinds(bench)
    assert bench.enter().entry is None
    bench.check()


def test_a_stop_that_filled_before_midnight_is_inferred_at_its_price(bench: Any) -> None:
    """Neither stop nor target is known any more and the shares are gone: the worse of the two is taken."""
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(bench.position(100))
    away(bench)
    rounds(bench, 4)
    (record,) = inferred(bench)
    assert (record.intent_id, record.quantity, record.price, record.priced) == (
        trade.stop.intent_id, -100, Decimal(98), "its stop price")  # fmt: skip
    assert bench.net() == 0 and trade.target.state is OrderState.ABSENT
    assert bench.desk.state.differs == {}
    bench.check()


def test_two_trades_that_could_both_have_made_the_difference_prove_nothing(bench: Any) -> None:
    first, second = bench.enter(100, limit=99.5), bench.enter(100, limit=99.4)
    bench.work(first)
    bench.work(second)
    away(bench)
    exits = (first.stop, first.target, second.stop, second.target)
    rows = tuple(bench.row(each, "Submitted") for each in exits)
    rounds(bench, 4, orders=rows, positions=(bench.position(100),))
    assert inferred(bench) == []
    assert DiscrepancyKind.POSITION in kinds(bench), "a human must say which"
    bench.check()


def test_an_order_that_did_not_fill_is_absent_as_ever(bench: Any) -> None:
    trade = bench.enter(100, limit=99.5)
    bench.work(trade)
    away(bench)
    rounds(bench, 3)
    assert inferred(bench) == [] and trade.entry.state is OrderState.ABSENT
    assert any("his cash alone would show it" in text for text in bench.alarms())
    bench.check()


def test_a_fill_that_the_broker_took_back_is_taken_out_of_both_books(bench: Any) -> None:
    early = bench.enter(10)
    bench.work(early)
    kept = bench.execution(early.entry, 10)
    bench.tell(kept, bench.position(10))
    bench.wait(2)
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(bench.position(110))
    bench.wait(1)
    bench.tell(bench.position(10))
    rows = {"positions": (bench.position(10),), "executions": (kept,)}
    rounds(bench, 3, **rows)
    (record,) = [each for each in bench.all_records if isinstance(each, Busted)]
    assert (record.intent_id, record.quantity) == (trade.entry.intent_id, 100)
    assert (bench.net(), trade.entry.filled, trade.entry.missing) == (10, 0, 0)
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == 10
    assert bench.desk.state.differs == {}
    bench.check()


def test_a_fill_older_than_the_answer_reaches_back_is_no_bust(bench: Any) -> None:
    """After midnight yesterday's fills are missing in every answer, and a transfer moves the position."""
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.tell(bench.position(100))
    bench.wait(60)
    later = bench.enter(10)
    bench.work(later)
    today = bench.execution(later.entry, 10)
    bench.tell(today, bench.position(10))
    rounds(bench, 3, positions=(bench.position(10),), executions=(today,))
    assert not any(isinstance(each, Busted) for each in bench.all_records)
    assert DiscrepancyKind.POSITION in kinds(bench)


def test_everything_is_asked_for_anew_every_quarter_of_an_hour(bench: Any) -> None:
    bench.take(Ask)
    bench.wait(899)
    assert bench.take(Ask) == []
    bench.wait(2)
    assert {ask.kind for ask in bench.take(Ask)} == set(AnswerKind)


def test_a_difference_that_lasts_is_asked_about_and_not_in_a_circle(bench: Any) -> None:
    bench.tell(bench.position(30))
    asked = 0
    for _ in range(300):
        bench.wait(1)
        asked += len([ask for ask in bench.effects if isinstance(ask, Ask)])
        bench.answer(positions=(bench.position(30),))
    assert 8 <= asked <= 50
