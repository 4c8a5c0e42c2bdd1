"""The day's loss: one bad tick latches nothing, three readings do; what restart and midnight make of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tws.clock import NS_PER_S
from tws.desk import ReleaseLimit, TimerTick
from tws.model.market import MarketDataType, Quote
from tws.model.records import Alarmed, LimitLatched, LossAnchored, PeakRaised
from tws.model.session import trading_day
from tws.risk import Limits

OFF = {"duplicate_window_s": None, "max_daily_loss": None, "max_drawdown": None}


def holding(new_bench, **limits):  # type: ignore[no-untyped-def]
    """A hundred shares bought at 100, a dollar of fee, quotes at 100."""
    bench = new_bench(Limits(**{**OFF, **limits}))
    bench.begin()
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100, "100.00")
    bench.pair(trade.target, "Submitted")
    bench.pair(trade.stop, "PreSubmitted")
    read(bench, 100)
    return bench


def read(bench, *mids: float) -> None:  # type: ignore[no-untyped-def]
    """A quote around each price, and a second after it a tick."""
    for mid in mids:
        bench.now += NS_PER_S
        bench.quote(mid - 0.01, mid + 0.01)
        bench.tell(TimerTick())


def latched(bench) -> list[str]:  # type: ignore[no-untyped-def]
    return [record.limit for record in bench.all_records if isinstance(record, LimitLatched)]


@pytest.mark.parametrize(
    ("mids", "expected"),
    [
        ([95, 95], []),
        ([95, 95, 95], ["max_daily_loss"]),
        ([95, 95, 96, 95, 95], []),
        ([95, 95, 96, 95, 95, 95], ["max_daily_loss"]),
        ([50, 100, 50, 100, 50, 100], []),
        ([95.01, 95.01, 95.01, 95.01], []),
        ([95, 94.99, 95], ["max_daily_loss"]),
    ],
)
def test_three_readings_that_agree(new_bench, mids: list[float], expected: list[str]) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    read(bench, *mids)
    assert latched(bench) == expected
    assert bench.enter(1).entry is None if expected else bench.enter(1).entry is not None
    bench.check()


def test_at_the_bound_is_within_it(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=501)
    read(bench, 95, 95, 95)
    assert latched(bench) == [], "500 and a dollar of fee"


def test_readings_are_a_second_apart(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    for _ in range(20):
        bench.now += NS_PER_S // 20
        bench.quote(94.99, 95.01)
        bench.tell(TimerTick())
    assert latched(bench) == []
    read(bench, 95, 95)
    assert latched(bench) == ["max_daily_loss"]


@pytest.mark.parametrize(
    "change",
    [
        {"bid": None},
        {"ask": float("nan")},
        {"bid": 0.0},
        {"bid": 200.0},
        {"time_ns": 0},
        {"kind": MarketDataType.DELAYED},
        {"kind": MarketDataType.FROZEN},
    ],
)
def test_a_market_that_is_not_known_is_no_reading(new_bench, change: dict[str, object]) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    for _ in range(70):
        bench.now += NS_PER_S
        values = {"con_id": 756733, "symbol": "SPY", "time_ns": bench.now, "bid": 9.99, "ask": 10.01}
        bench.tell(Quote(**{**values, **change}), TimerTick())
    assert latched(bench) == []
    said = [each for each in bench.all_records if isinstance(each, Alarmed) and "losses" in each.subject]
    assert len(said) == 1, "told once that nobody watches"


def test_readings_do_not_bridge_a_gap(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    read(bench, 95, 95)
    bench.now += 120 * NS_PER_S
    read(bench, 95)
    assert latched(bench) == []
    read(bench, 95, 95)
    assert latched(bench) == ["max_daily_loss"]


def test_a_drawdown_is_measured_from_a_best_that_three_readings_saw(new_bench) -> None:
    bench = holding(new_bench, max_drawdown=500)
    read(bench, 150, 100, 100, 100)
    assert latched(bench) == [], "one tick upwards is no best"
    read(bench, 104, 104, 104)
    assert [each.profit for each in bench.all_records if isinstance(each, PeakRaised)] == [Decimal(399)]
    read(bench, 99, 99, 98.99, 98.99, 98.99)
    assert latched(bench) == ["max_drawdown"]
    bench.check()


def test_the_latch_cancels_working_entries_keeps_exits_and_survives(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    waiting = bench.enter(10, limit=99.5)
    bench.work(waiting)
    bench.cancels()
    read(bench, 95, 95, 95)
    assert bench.cancels() == [waiting.entry.order_id]
    bench.restart()
    bench.connect(next_id=20)
    assert bench.enter(1).entry is None
    assert bench.denials()[-1].limit in ("max_daily_loss", "unknown_orders")
    assert "max_daily_loss/" in bench.desk.state.latches


def test_a_release_begins_the_day_anew(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    read(bench, 95, 95, 95)
    bench.tell(ReleaseLimit(limit="max_daily_loss", operator="ann", reason="go on, smaller"))
    read(bench, 95, 95, 95)
    assert latched(bench) == ["max_daily_loss"], "the same loss does not latch again"
    assert bench.enter(1).entry is not None
    read(bench, 89.98, 89.98, 89.98)
    assert latched(bench) == ["max_daily_loss", "max_daily_loss"]
    bench.check()


def test_a_restart_goes_on_with_the_day(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    read(bench, 97)
    bench.restart()
    read(bench, 95, 95, 95)
    assert latched(bench) == ["max_daily_loss"]
    assert len([each for each in bench.all_records if isinstance(each, LossAnchored)]) == 1


def test_midnight_begins_a_new_day_and_the_gap_over_it_counts(new_bench) -> None:
    bench = holding(new_bench, max_daily_loss=500)
    read(bench, 96)
    today = trading_day(bench.now, "America/New_York")
    bench.now += 24 * 3600 * NS_PER_S
    read(bench, 92)
    day = bench.desk.state.loss
    assert day.day != today
    assert day.began == Decimal(-401), "what the last reading of the day before saw"
    read(bench, 91.02, 91.02, 91.02)
    assert latched(bench) == []
    read(bench, 91, 90.99, 90.98, 90.97)
    assert latched(bench) == ["max_daily_loss"]


def test_off_is_off(new_bench) -> None:
    bench = holding(new_bench)
    read(bench, 10, 10, 10, 10)
    assert latched(bench) == []
    assert not [each for each in bench.all_records if isinstance(each, LossAnchored)]
