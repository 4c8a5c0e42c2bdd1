"""The flatten of an emergency stop: the order of its work, its answer, and markets that are shut.

Named scenario: INCIDENTS.md 18 (opposite legs stay at the close, and trigger).
"""

from __future__ import annotations

from tests.desk.killing import AAPL, SPY, by_hand, close, end_exits, hold, report, state_of

from tws.clock import NS_PER_S
from tws.desk import (
    Ask,
    Kill,
    Place,
    StateHours,
    SubmitBracket,
    TimerTick,
    Verdict,
)
from tws.model.contract import Contract
from tws.model.facts import AnswerKind
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import OrderType, bracket
from tws.model.records import FlattenPhase
from tws.model.session import Session
from tws.model.stop import KillState

# -- flatten


def test_incident_18_a_flatten_waits_for_every_leg_before_it_closes(bench) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="out", flatten=True))
    assert state_of(bench) is KillState.FLATTENING
    assert set(bench.cancels()) == {held.target.order_id, held.stop.order_id}
    bench.pair(held.stop, "Cancelled", remaining=0)
    bench.answer(positions=(bench.position(100),))
    assert bench.take(Place) == [], "the target is still live and could open the other way"
    bench.pair(held.target, "Cancelled", remaining=0)
    (closing,) = close(bench, bench.position(100))
    bench.fill(bench.order(closing.intent_id), 100, "99.00")
    assert report(bench).verdict is Verdict.NOT_FLAT, "not before the broker's lists agree"
    bench.answer()
    answer = report(bench)
    assert answer.flat and answer.state is KillState.LATCHED and answer.sentences() == ["FLAT (all, latched)"]
    bench.check()


def test_incident_18_a_leg_that_fills_instead_leaves_nothing_to_close(bench) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="out", flatten=True))
    bench.fill(held.stop, 100, "98.00")
    bench.pair(held.target, "Cancelled", remaining=0)
    bench.answer()
    assert bench.take(Place) == [] and bench.net() == 0
    assert report(bench).flat


def test_half_of_a_leg_fills_and_the_other_half_is_closed(bench) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="out", flatten=True))
    bench.fill(held.target, 40, "104.00")
    end_exits(bench, held)
    (closing,) = close(bench, bench.position(60))
    assert closing.order.quantity == 60
    bench.fill(bench.order(closing.intent_id), 60, "99.00")
    bench.answer()
    assert report(bench).flat


def test_a_stop_in_the_middle_of_a_bracket(bench) -> None:
    """Intended, approved, not a byte acknowledged: nothing may live after the stop."""
    bench.quote()
    bench.tell(
        SubmitBracket(
            bracket=bracket(SPY, "BUY", 100, stop=98, target=104), instrument=Instrument(contract=SPY)
        )
    )
    bench.tell(Kill(reason="out", flatten=True))
    assert len(bench.cancels()) == 3
    for place in bench.take(Place):
        bench.pair(bench.order(place.intent_id), "Cancelled", remaining=0)
    bench.answer()
    assert report(bench).flat
    bench.check()


def test_a_fill_after_the_latch_is_closed_too(bench) -> None:
    waits = bench.enter(50, limit=99.0)
    bench.work(waits)
    bench.tell(Kill(reason="out", flatten=True))
    for order in (waits.entry, waits.target, waits.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.answer()
    assert state_of(bench) is KillState.LATCHED
    bench.tell(bench.execution(waits.entry, 20))
    assert state_of(bench) is KillState.FLATTENING
    (closing,) = close(bench, bench.position(20))
    assert closing.order.quantity == 20


def test_fifty_symbols_share_the_re_reading(bench) -> None:
    contracts = [Contract(con_id=1000 + number, symbol=f"S{number}") for number in range(50)]
    trades = [hold(bench, 10, contract) for contract in contracts]
    bench.tell(Kill(reason="out", flatten=True))
    bench.take(Ask)
    end_exits(bench, *trades)
    asked = [ask.kind for ask in bench.effects if isinstance(ask, Ask)]
    assert asked == [AnswerKind.POSITIONS], "one question while its answer is waited for"
    positions = tuple(bench.position(10, contract) for contract in contracts)
    closing = close(bench, *positions) + close(bench, *positions)
    assert len(closing) == 50
    bench.check()


def test_manual_and_foreign_things_are_listed_and_left(bench) -> None:
    held = hold(bench)
    manual = by_hand()
    bench.tell(manual, bench.position(30, AAPL))
    bench.tell(Kill(reason="out", flatten=True))
    end_exits(bench, held)
    (closing,) = close(bench, bench.position(100), bench.position(30, AAPL))
    bench.fill(bench.order(closing.intent_id), 100, "99.00")
    bench.answer(positions=(bench.position(30, AAPL),), orders=(manual,))
    answer = report(bench)
    assert [each for each in answer.foreign_orders if "AAPL" in each]
    assert answer.foreign_holdings == ("30 AAPL",)
    assert bench.take(Place) == [] and bench.cancels()[2:] == []


# -- shut markets


def hours(bench, opens_in_s: float, lasts_s: float = 23_400, contract: Contract = SPY) -> StateHours:
    begin = bench.now + int(opens_in_s * NS_PER_S)
    return StateHours(
        con_id=contract.con_id,
        symbol=contract.symbol,
        liquid=(Session(begin, begin + int(lasts_s * NS_PER_S)),),
    )


def test_in_a_closed_market_the_stops_stay_and_the_close_is_armed(bench) -> None:
    held = hold(bench)
    bench.tell(hours(bench, opens_in_s=3600))
    bench.tell(Kill(reason="out", flatten=True))
    assert bench.cancels() == [] and held.stop.live
    assert bench.desk.state.flattens["SPY"].phase is FlattenPhase.ARMED
    answer = report(bench)
    assert answer.verdict is Verdict.HALTED_NOT_FLAT and answer.settled and answer.state is KillState.HALTED
    assert "closed until" in answer.remainders[0].reason
    assert any("HALTED, NOT FLAT" in text for text in bench.alarms())
    bench.wait(65)
    assert sum("HALTED, NOT FLAT" in text for text in bench.alarms()) == 2, "it keeps alarming"
    bench.now += 3600 * NS_PER_S
    bench.tell(TimerTick())
    assert set(bench.cancels()) == {held.target.order_id, held.stop.order_id}
    end_exits(bench, held)
    (closing,) = close(bench, bench.position(100))
    bench.fill(bench.order(closing.intent_id), 100, "99.00")
    bench.answer()
    assert report(bench).flat
    bench.check()


def test_entries_go_in_a_closed_market_too(bench) -> None:
    waits = bench.enter(50, limit=99.0)
    bench.work(waits)
    bench.tell(hours(bench, opens_in_s=3600))
    bench.tell(Kill(reason="out", flatten=True))
    assert waits.entry.order_id in bench.cancels()
    for order in (waits.entry, waits.target, waits.stop):
        bench.pair(order, "Cancelled", remaining=0)
    bench.answer()
    bench.wait(1)
    bench.answer()
    assert report(bench).flat, "nothing is held: nothing needs a market"


def test_a_halted_symbol_keeps_its_stop_and_the_others_are_closed(bench) -> None:
    spy, aapl = hold(bench), hold(bench, 50, AAPL)
    bench.tell(Quote(con_id=SPY.con_id, symbol="SPY", time_ns=bench.now, bid=99.0, ask=99.1, halted=1))
    bench.tell(Kill(reason="out", flatten=True))
    assert set(bench.cancels()) == {aapl.target.order_id, aapl.stop.order_id} and spy.stop.live
    end_exits(bench, aapl)
    both = (bench.position(100), bench.position(50, AAPL))
    (closing,) = close(bench, *both)
    bench.fill(bench.order(closing.intent_id), 50, "99.00")
    bench.answer(positions=(bench.position(100),))
    answer = report(bench)
    assert answer.verdict is Verdict.HALTED_NOT_FLAT
    assert [each.symbol for each in answer.remainders] == ["SPY"] and "halted" in answer.remainders[0].reason
    bench.quote()
    bench.wait(1)
    assert set(bench.cancels()) == {spy.target.order_id, spy.stop.order_id}, "it trades again"


def test_a_halt_while_the_exits_are_being_cancelled_protects_anew(bench) -> None:
    held = hold(bench)
    bench.tell(Kill(reason="out", flatten=True))
    bench.tell(Quote(con_id=SPY.con_id, symbol="SPY", time_ns=bench.now, bid=99.0, ask=99.1, halted=2))
    end_exits(bench, held)
    assert bench.desk.state.flattens["SPY"].phase is FlattenPhase.ARMED
    bench.wait(4)
    placed = {place.order.order_type for place in bench.take(Place)}
    assert OrderType.STOP in placed, "not a share without a stop in a halted market"
    bench.check()
