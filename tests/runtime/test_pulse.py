"""A run whose clock never looks: sources, strategies, ticks, bars and fills wake it. And signals that come
before the first quote.
"""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.flight import Flight
from tests.runtime.scene import Scene, until

from tws.model.signal import Signal, Wish
from tws.runtime import run, sweeping, waiting
from tws.strategy import Refusal

Fly = Callable[..., Any]
BOTH = 'file = "signals.jsonl"\nsymbols = ["SPY", "IWM"]'


@pytest.fixture
async def fly(scene: Scene, tmp_path: Path) -> AsyncIterator[Fly]:
    """Makes runs on the scene, and ends what a test left flying."""
    flights: list[Flight] = []

    async def make(section: str = "", more: str = "", source: str = "") -> Flight:
        flight = Flight(scene, tmp_path, section, more, source)
        flights.append(flight)
        return await flight.up()

    yield make
    for flight in flights:
        if hasattr(flight, "going"):
            await flight.close()


@pytest.fixture
def timeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time alone makes nobody look within the test."""
    monkeypatch.setattr(run, "LOOK_S", 3600.0)


def thrown(flight: Flight, name: str, wish: Wish = Wish.BUY, symbol: str = "SPY") -> Callable[[], object]:
    """A source of somebody's, whose thread has a signal."""
    (source,) = flight.pilot.sources._sources
    signal = Signal(signal_id=name, symbol=symbol, wish=wish, time_ns=flight.scene.sim.now_ns())
    return lambda: source._outbox.put(signal)


async def test_a_signal_from_a_thread_trades_at_once(timeless: None, fly: Fly) -> None:
    flight = await fly()
    threading.Thread(target=thrown(flight, "from afar")).start()
    assert await flight.outcome("from afar") == ("traded", "")
    await flight.held(10)
    assert (await flight.end()).good


async def test_lines_of_a_file_trade_at_once_and_all_of_them(timeless: None, fly: Fly) -> None:
    flight = await fly()
    for wish in ("NEUTRAL", "SELL", "BUY"):
        flight.say(wish)
    assert await flight.outcome("s3") == ("traded", "")
    assert await flight.outcome("s2") == ("refused", "no entry")
    assert (await flight.end()).good


async def test_what_is_dated_ahead_waits_for_the_clock(fly: Fly) -> None:
    """The floor: nobody rings when the time of a signal comes."""
    flight = await fly()
    (source,) = flight.pilot.sources._sources
    soon = flight.scene.sim.now_ns() + 400_000_000
    signal = Signal(signal_id="later", symbol="SPY", wish=Wish.BUY, time_ns=soon)
    source._feed._waiting.append((soon, 1, signal))
    assert await flight.outcome("later") == ("traded", "")
    assert (await flight.end()).good


async def test_a_fill_wakes_the_rules(timeless: None, fly: Fly) -> None:
    rules = """
[[rules]]
name = "enter"
when = "signal.wish == BUY and position.side == flat"
then = "enter signal"
[[rules]]
name = "heard-of-it"
when = "event == fill and fill.role == entry"
then = 'alert "filled"'
"""
    flight = await fly(more=rules)
    thrown(flight, "one")()
    await until(lambda: flight.pilot.rules.alerts, "the rule hears of the fill")
    assert (await flight.end()).good


TICKER = """
from tws import Strategy
from tws.model.signal import Wish

class Ticker(Strategy):
    symbols = ("QQQ",)

    def on_tick(self, symbol, quote):
        if quote.bid and quote.bid > 51:
            yield self.signal(symbol, Wish.BUY, signal_id="up")
"""


async def test_a_tick_wakes_a_strategy_and_its_wish_the_desk(
    scene: Scene, timeless: None, tmp_path: Path, fly: Fly
) -> None:
    (tmp_path / "ticker.py").write_text(TICKER, encoding="utf-8")
    section = """
[[strategies]]
kind = "python"
file = "ticker.py"
class = "Ticker"
shares = 5
stop_fraction = 0.03
target_fraction = 0.03
close_margin_s = 0
warm_up = false
"""
    flight = await fly(more=section)
    (host,) = flight.pilot.programs.values()
    await until(lambda: flight.trader.bell.ring() or host._begun, "the strategy has begun")
    scene.sim.quote("QQQ", bid=52.0, ask=52.02)
    assert await flight.outcome("up") == ("traded", "")
    await until(lambda: scene.broker_position("QQQ") == 5 == flight.trader.position("QQQ"), "it is held")
    assert (await flight.end()).good


async def test_a_tick_that_completes_a_bar_wakes_the_rules(scene: Scene, timeless: None, fly: Fly) -> None:
    rules = """
[[rules]]
name = "each-bar"
when = "event == bar"
then = 'alert "a bar"'
"""
    flight = await fly("bar_seconds = 1", rules)

    def ticked() -> bool:
        scene.sim.trade("SPY", 100.0)
        return bool(flight.pilot.rules.alerts)

    await until(ticked, "a bar was completed by a trade of the second after it")
    assert (await flight.end()).good


async def test_the_end_is_heard_at_once(timeless: None, fly: Fly) -> None:
    flight = await fly()
    assert (await flight.end()).good


# -- before the first quote


async def test_a_signal_before_the_first_quote_waits_for_it(scene: Scene, timeless: None, fly: Fly) -> None:
    """It holds nobody up, its fate says that it waits, and the second side of the quote sets it going."""
    flight = await fly(source=BOTH)
    thrown(flight, "early", symbol="IWM")()
    assert await flight.outcome("early") == ("waiting", "no quote")
    thrown(flight, "late")()
    assert await flight.outcome("late") == ("traded", "")
    await flight.held(10)
    await until(lambda: flight.guarded() == 10 and flight.trader.idle, "nothing else wakes anybody")
    scene.sim.quote("IWM", bid=49.99, ask=50.01)
    await until(lambda: scene.broker_position("IWM") == 10, "the quote has come")
    fate = next(each for each in flight.pilot.book.fates() if each.signal_id == "early")
    assert (fate.outcome, fate.reason, fate.text) == ("traded", "", "")
    report = await flight.end()
    assert report.good and (report.traded, report.fates["waiting"]) == (2, 0)


async def test_a_quote_that_never_comes_is_told_by_name(
    scene: Scene, fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "QUOTE_S", 0.3)
    flight = await fly(source=BOTH)
    thrown(flight, "early", symbol="IWM")()
    await until(lambda: flight.pilot.book.reasons["no quote"] == 1, "it is given up")
    (fate,) = flight.pilot.book.fates()
    assert fate.outcome == "refused" and fate.text == "no quote with bid and ask has come within 0.3 s"
    scene.sim.quote("IWM", bid=49.99, ask=50.01)
    await until(lambda: flight.pilot.markets.quote("IWM") is not None, "too late")
    report = await flight.end()
    assert report.good and report.traded == 0 and scene.broker_position("IWM") == 0


async def test_of_two_that_wait_the_later_word_stands(scene: Scene, timeless: None, fly: Fly) -> None:
    flight = await fly(source=BOTH)
    thrown(flight, "up", symbol="IWM")()
    assert await flight.outcome("up") == ("waiting", "no quote")
    thrown(flight, "down", Wish.SHORT, symbol="IWM")()
    assert await flight.outcome("down") == ("waiting", "no quote")
    assert await flight.outcome("up") == ("refused", "no quote")
    scene.sim.quote("IWM", bid=49.99, ask=50.01)
    await until(lambda: scene.broker_position("IWM") == -10, "short")
    thrown(flight, "out", Wish.SELL, symbol="IWM")()
    assert await flight.outcome("out") == ("refused", "no entry")
    assert (await flight.end()).good


async def test_a_sell_ends_a_wish_that_waits(scene: Scene, timeless: None, fly: Fly) -> None:
    flight = await fly(source=BOTH)
    thrown(flight, "up", symbol="IWM")()
    thrown(flight, "out", Wish.SELL, symbol="IWM")()
    assert await flight.outcome("out") == ("refused", "no entry")
    scene.sim.quote("IWM", bid=49.99, ask=50.01)
    await until(lambda: waiting.priced(flight.pilot.markets.quote("IWM")), "a quote")
    report = await flight.end()
    assert report.good and report.traded == 0


async def test_the_end_gives_up_what_waits(scene: Scene, timeless: None, fly: Fly) -> None:
    flight = await fly(source=BOTH)
    thrown(flight, "early", symbol="IWM")()
    assert await flight.outcome("early") == ("waiting", "no quote")
    report = await flight.end()
    assert report.good and report.fates["refused"] == 1 and report.refused == {"no quote": 1}


def test_it_never_waits_past_the_age_that_the_gate_allows() -> None:
    second = 1_000_000_000
    signal = Signal(signal_id="a", symbol="IWM", wish=Wish.BUY, time_ns=0)
    held = waiting.Waiting()
    said = held.put(signal, 58 * second, 60.0)
    assert isinstance(said, Refusal) and "2 s at most" in said.text
    assert not held.overdue(59 * second) and "IWM" in held
    ((late, why),) = held.overdue(60 * second)
    assert late is signal and "within 2 s" in why.text and not held


async def test_the_collector_leaves_what_the_start_has_made(fly: Fly) -> None:
    """Its full rounds over all of that kept orders waiting; after the run it looks at all again."""
    assert gc.get_freeze_count() == 0
    before = gc.get_threshold()
    flight = await fly()
    await until(gc.get_freeze_count, "what the start has made is at rest")
    await flight.end()
    assert gc.get_freeze_count() == 0 and gc.get_threshold() == before


class Ring:
    """Garbage that only a round of the collector finds."""

    def __init__(self) -> None:
        self.itself = self


async def test_garbage_is_looked_for_between_two_looks(fly: Fly) -> None:
    """And not where most of it is made, on the way from a signal to its order."""
    ways: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        frame, names = sys._getframe(), set[str]()
        while frame.f_back is not None:
            frame = frame.f_back
            names.add(frame.f_code.co_qualname)
        ways.append("swept" if "Sweeper.sweep" in names else "by itself")

    flight = await fly()
    await until(gc.get_freeze_count, "what the start has made is at rest")
    gc.callbacks.append(note)
    try:
        rings = [Ring() for _ in range(sweeping.YOUNG)]
        gone = weakref.ref(rings[0])
        rings.clear()
        await until(lambda: gone() is None, "a look has swept")
        thrown(flight, "up")()
        await flight.held(10)
    finally:
        gc.callbacks.remove(note)
    assert set(ways) == {"swept"}
    assert (await flight.end()).good


async def test_the_first_orders_are_made_ready_for(
    scene: Scene, fly: Fly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bracket and its close take none of the official client's long way when they come to leave."""
    flight = await fly(source=BOTH)
    encoder = flight.trader.connection.outbound._encoder
    long_way: list[object] = []

    def noting(*order: Any) -> bytes:
        long_way.append(order)
        return bytes(encoder.careful_order(*order))

    monkeypatch.setattr(encoder._patterns, "_encode", noting)
    thrown(flight, "up")()
    await flight.held(10)
    thrown(flight, "out", Wish.SELL)()
    await flight.held(0)
    scene.sim.quote("IWM", bid=49.99, ask=50.01)
    thrown(flight, "down", Wish.SHORT, symbol="IWM")()
    await until(lambda: scene.broker_position("IWM") == -10, "short")
    assert not long_way
    assert (await flight.end()).good
