"""A strategy on its thread: what it does wrong stays with it, and is named."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest
from tests.runtime.scene import until

from tws.clock import NS_PER_S, SystemClock
from tws.model.market import Bar, Quote
from tws.model.order import Role
from tws.model.signal import Signal, Wish
from tws.runtime.stage import Job, Stage, StageBounds
from tws.strategy.base import Fill, Strategy
from tws.strategy.playing import BarMade, Began, Ended, Filled, Player, Ticked

QUICK = StageBounds(warn_s=0.05, blocked_s=0.2, max_errors=3)


class Told(Strategy):
    """Notes what it is told; `do` is what it does then."""

    symbols = ("SPY",)

    def __init__(self, do: Callable[[], Any] = lambda: None) -> None:
        self.do, self.notes = do, list[str]()

    def on_start(self) -> None:
        self.notes.append("start")

    def on_bar(self, symbol: str, bar: Bar) -> Any:
        self.notes.append(f"bar {bar.time_ns // NS_PER_S}")
        self.do()
        return self.signal(symbol, Wish.BUY)

    def on_tick(self, symbol: str, quote: Quote) -> None:
        self.notes.append(f"tick {quote.bid}")

    def on_fill(self, fill: Fill) -> None:
        self.notes.append(f"fill {fill.fill_id}")

    def on_stop(self) -> None:
        self.notes.append("stop")


def bar(number: int) -> BarMade:
    made = Bar(time_ns=number * NS_PER_S, seconds=1, open=1, high=1, low=1, close=1)
    return BarMade((number + 1) * NS_PER_S, "SPY", made)


def tick(bid: float) -> Ticked:
    return Ticked(0, "SPY", Quote(symbol="SPY", bid=bid))


def fill(number: int) -> Filled:
    return Filled(0, Fill(symbol="SPY", quantity=Decimal(1), price=Decimal(1), time_ns=0, role=Role.ENTRY,
                          position=Decimal(number), fill_id=str(number)))


class Gate:
    """Blocks a thread until it is opened; opened at the end of each test in any case."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        self.open.wait(60)


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    made = Gate()
    yield made
    made.open.set()


def staged(strategy: Strategy, bounds: StageBounds = QUICK, **more: Any) -> Stage:
    stage = Stage(Player(strategy), bounds, SystemClock(), **more)
    stage.start()
    stage.tell(Began(0, {}))
    return stage


async def looked(stage: Stage, count: int) -> list[Signal]:
    found: list[Signal] = []

    def enough() -> bool:
        found.extend(stage.look())
        return len(found) >= count

    await until(enough, f"{count} signals")
    return found


@pytest.mark.parametrize("threaded", [True, False])
async def test_events_come_in_their_order_and_the_last_one_ends_it(threaded: bool) -> None:
    strategy = Told()
    stage = staged(strategy, blocked=None if threaded else lambda: 0.0)
    for number in range(3):
        stage.tell(bar(number))
        stage.tell(fill(number))
    signals = await looked(stage, 3)
    assert await stage.stop([Ended(9)], 5)
    assert strategy.notes == ["start", "bar 0", "fill 0", "bar 1", "fill 1", "bar 2", "fill 2", "stop"]
    assert [signal.time_ns for signal in signals] == [NS_PER_S, 2 * NS_PER_S, 3 * NS_PER_S]
    assert (stage.errors, stage.disabled) == (0, "")


async def test_waiting_ticks_merge_and_fills_do_not(gate: Gate) -> None:
    strategy = Told(gate)
    stage = staged(strategy, StageBounds())
    stage.tell(bar(0))
    await until(gate.reached.is_set, "the hook")
    for number in range(50):
        stage.tell(tick(float(number)))
        stage.tell(fill(number))
    gate.open.set()
    await until(lambda: not stage.waiting and len(strategy.notes) == 53, "all fills")
    assert strategy.notes[2] == "tick 49.0", "the newest, in the place of the oldest"
    assert strategy.notes[3:] == [f"fill {number}" for number in range(50)]
    assert stage.merged == 49
    await stage.stop([], 5)


async def test_one_that_raises_is_named_counted_and_disabled() -> None:
    def fail() -> None:
        raise ZeroDivisionError("nothing to divide by")

    strategy, calm = Told(fail), Told()
    stage, other = staged(strategy), staged(calm)
    for number in range(5):
        stage.tell(bar(number))
        other.tell(bar(number))
    assert len(await looked(other, 5)) == 5, "the other one goes on"
    await until(lambda: stage.disabled, "its end")
    assert stage.errors == 3
    assert strategy.notes == ["start", "bar 0", "bar 1", "bar 2"]
    assert "on_bar: ZeroDivisionError: nothing to divide by (test_stage.py, line " in stage.disabled
    assert stage.look() == []
    await stage.stop([Ended(0)], 5)
    assert "stop" not in strategy.notes
    await other.stop([], 5)


async def test_errors_far_apart_disable_nothing() -> None:
    class Slow(SystemClock):
        now = 0.0

        def monotonic(self) -> float:
            Slow.now += 100
            return Slow.now

    strategy = Told(lambda: 1 / 0)
    bounds = StageBounds(max_errors=3, error_window_s=150)
    stage = Stage(Player(strategy), bounds, Slow(), blocked=lambda: 0.0)
    for number in range(20):
        stage.tell(bar(number))
        stage.look()
    assert (stage.errors, stage.disabled) == (20, "")


async def test_one_that_exits_is_an_error_like_others() -> None:
    strategy = Told(lambda: sys.exit(3))
    stage = staged(strategy)
    stage.tell(bar(0))
    await until(lambda: stage.errors == 1, "the error")
    assert "SystemExit: 3" in stage.last_error
    assert await stage.stop([Ended(0)], 5)
    assert strategy.notes[-1] == "stop"


async def test_without_a_thread_it_is_busy_as_long_as_the_last_task_took() -> None:
    class Virtual(SystemClock):
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    clock, took = Virtual(), [0.0]
    strategy = Told(lambda: took.append(3.0))
    bounds = StageBounds(warn_s=1.0, blocked_s=10.0)
    stage = Stage(Player(strategy), bounds, clock, blocked=lambda: took.pop() if len(took) > 1 else 0.0)
    stage.tell(bar(0))
    stage.tell(bar(1))
    assert stage.look() == [], "it answers when it has ended"
    clock.now = 2.0
    assert (stage.look(), stage.busy_s, stage.slow) == ([], 2.0, 1)
    clock.now = 3.0
    stage.look()
    assert strategy.notes == ["bar 0", "bar 1"]
    clock.now = 6.0
    assert [signal.time_ns for signal in stage.look()] == [NS_PER_S, 2 * NS_PER_S]
    strategy.do = lambda: took.append(12.0)
    stage.tell(bar(2))
    stage.look()
    clock.now = 17.0
    assert stage.look() == [] and "it blocked for 11 s at on_bar" in stage.disabled
    assert not await stage.stop([], 0.0)
    assert strategy.notes[-1] == "bar 2"


async def test_one_that_blocks_is_left_behind(gate: Gate, capfd: pytest.CaptureFixture[str]) -> None:
    strategy, calm = Told(gate), Told()
    stage, other = staged(strategy), staged(calm)
    stage.tell(bar(0))
    await until(gate.reached.is_set, "the hook")
    other.tell(bar(0))
    assert len(await looked(other, 1)) == 1, "the other one goes on meanwhile"

    def ended() -> str:
        stage.look()
        return stage.disabled

    await until(ended, "its end")
    assert stage.slow == 1
    assert "at on_bar, in test_stage.py, line " in stage.disabled
    stage.tell(bar(1))
    assert stage.waiting == 1, "nothing but the end waits for it"
    gate.open.set()
    assert await stage.stop([Ended(0)], 5)
    assert stage.look() == [], "what it wished after so long is about another market"
    assert strategy.notes == ["start", "bar 0"]
    await other.stop([], 5)


async def test_an_end_waits_no_longer_than_it_was_told(gate: Gate) -> None:
    strategy = Told(gate)
    stage = staged(strategy, StageBounds())
    stage.tell(bar(0))
    await until(gate.reached.is_set, "the hook")
    assert not await stage.stop([Ended(0)], 0.05)
    assert "did not end" in stage.disabled


async def test_what_must_succeed_ends_it() -> None:
    stage = staged(Told())
    stage.tell(Job("save", lambda: 1 / 0))
    await until(lambda: stage.errors == 1, "the error")
    assert not stage.disabled
    stage.tell(Job("restore", lambda: 1 / 0, must=True))
    await until(lambda: stage.disabled, "the end")
    assert "restore: ZeroDivisionError" in stage.disabled
    await stage.stop([], 5)


async def test_no_thread_is_left() -> None:
    before = threading.active_count()
    for _ in range(3):
        assert await staged(Told()).stop([Ended(0)], 5)
    await asyncio.sleep(0)
    assert threading.active_count() <= before
