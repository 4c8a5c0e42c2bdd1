"""What a run knows of its markets: followed once, with their past, equal to what was traded, and told of.

Real runs over a socket. The market is moved second by second; what was traded is gathered here by itself, and
the oracle is TA-Lib over these bars.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.runtime.flight import Flight
from tests.runtime.scene import BOUND_S, Scene, until

from tws.bars import spans_missed
from tws.clock import NS_PER_S, Clock
from tws.errors import LinkLostError, NotSentError
from tws.model.market import Bar
from tws.runtime import warming
from tws.runtime.status import status_of
from tws.simulator import SimulatedTWS, SimulatorOptions
from tws.simulator.limits import Limits as SimLimits
from tws.simulator.market import ManualMarket
from tws.simulator.universe import Universe
from tws.wire.messages import HistoricalDataRequest, MarketDataRequest, RealTimeBarsRequest

BEGIN_NS = 1_795_000_200 * NS_PER_S
SYMBOLS = ("SPY", "QQQ", "IBM", "AAPL", "MSFT", "TSLA", "NVDA", "AMD")
STRATEGY = """
from tws import Strategy

class Noting(Strategy):
    symbols = ("QQQ",)
    studies = ("ema(5)", "macd(3, 6, 4).signal")

    def __init__(self):
        self.before, self.noted = None, []

    def on_start(self):
        self.before = self.bars("QQQ", 500)

    def on_bar(self, symbol, bar):
        asked = ("ema(5)", "macd(3, 6, 4).signal", "rsi(4)")
        self.noted.append((bar, *(self.indicator(symbol, each) for each in asked)))
"""
MORE = """
[[strategies]]
kind = "python"
file = "my.py"
class = "Noting"
"""
RULES = """
[[rules]]
name = "weak"
when = "event == bar and rsi(5) of QQQ < 0 and atr(3) < 0"
then = 'alert "never"'
"""


class Hands:
    """Market time goes by leaps, the machine's does not."""

    def __init__(self, sim: SimulatedTWS) -> None:
        self._sim = sim

    def now_ns(self) -> int:
        return self._sim.now_ns()

    def monotonic(self) -> float:
        return time.monotonic()


class Market(Scene):
    """A simulated TWS that keeps its limits, whose market time goes as the test says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        universe = Universe()
        market = ManualMarket([universe.add(symbol) for symbol in SYMBOLS], BEGIN_NS)
        self.sim = SimulatedTWS(SimulatorOptions(paused=True, market=market, limits=SimLimits()))
        self.prints: dict[str, list[tuple[int, float, int]]] = {symbol: [] for symbol in SYMBOLS}
        self.asked: list[Any] = []
        self._rng = random.Random(7)
        self._price = dict.fromkeys(SYMBOLS, 100.0)
        self._handle = self.sim.core.handle
        self.sim.core.handle = self._hear  # type: ignore[method-assign]

    def clock(self) -> Clock:
        return Hands(self.sim)

    def _hear(self, session: Any, request: Any) -> None:
        self.asked.append(request)
        self._handle(session, request)

    async def trade_for(self, seconds: int, flight: Flight | None = None, *, but: str = "") -> None:
        """A print of each symbol each second; a run has heard of it before the next."""
        for _ in range(seconds):
            for symbol in SYMBOLS:
                if symbol == but:
                    continue
                self._price[symbol] = round(self._price[symbol] + self._rng.choice((-0.03, 0.01, 0.02)), 2)
                size = self._rng.randint(1, 9) * 100
                self.sim.trade(symbol, self._price[symbol], size)
                self.prints[symbol].append((self.sim.now_ns(), self._price[symbol], size))
            if flight is not None:
                with contextlib.suppress(NotSentError, LinkLostError):  # of a test that cuts the link
                    await flight.trader.connection.request_current_time()
            await self.sim.set_clock(self.sim.now_ns() + NS_PER_S)

    def bars(self, symbol: str) -> list[Bar]:
        """The finished bars of what was traded."""
        spans: dict[int, list[tuple[int, float, int]]] = {}
        for at_ns, price, size in self.prints[symbol]:
            if at_ns - at_ns % (10 * NS_PER_S) + 10 * NS_PER_S <= self.sim.now_ns():
                spans.setdefault(at_ns - at_ns % (10 * NS_PER_S), []).append((at_ns, price, size))
        return [
            Bar(time_ns=begin, seconds=10, open=rows[0][1], high=max(row[1] for row in rows),
                low=min(row[1] for row in rows), close=rows[-1][1], volume=sum(row[2] for row in rows))
            for begin, rows in spans.items()
        ]  # fmt: skip

    def histories(self) -> list[HistoricalDataRequest]:
        return [each for each in self.asked if isinstance(each, HistoricalDataRequest)]


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[Market]:
    made = Market(tmp_path)
    await made.open()
    yield made
    await made.close()


async def flying(market: Market, folder: Path, **more: str) -> Flight:
    """A run whose strategies have begun and whose symbols have their past, or will have none."""
    folder.mkdir(exist_ok=True)
    (folder / "my.py").write_text(STRATEGY, encoding="utf-8")
    flight = Flight(market, folder, **more)
    text = flight.path.read_text(encoding="utf-8").replace("[risk]", "request_timeout = 2\n[risk]", 1)
    flight.path.write_text(text, encoding="utf-8")
    await flight.up()
    warming = flight.pilot.markets.warming
    while not all(warming.settled(symbol) for symbol in SYMBOLS):
        await market.trade_for(1, flight)
        await asyncio.sleep(0.01)
    await until(lambda: all(each.health().state == "running" for each in flight.pilot.programs.values()),
                "the strategies have begun")  # fmt: skip
    return flight


def talib_over(bars: list[Bar], name: str, *numbers: int) -> list[float]:
    """One of TA-Lib's functions over bars; of several outputs the last but one."""
    talib = pytest.importorskip("talib")
    numpy = pytest.importorskip("numpy")
    of = {each: numpy.array([getattr(bar, each) for bar in bars]) for each in ("high", "low", "close")}
    columns = tuple(of.values()) if name == "ATR" else (of["close"],)
    answer = getattr(talib, name)(*columns, *numbers)
    return list(answer[1] if isinstance(answer, tuple) else answer)


async def test_indicators_of_a_run_are_those_of_what_was_traded(market: Market, tmp_path: Path) -> None:
    """Of a strategy, of rules and of the pilot itself: the past and the live bars in one row."""
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run", more=MORE + RULES)
    await market.trade_for(61, flight)
    await market.trade_for(35, flight, but="QQQ")
    await market.trade_for(60, flight)
    strategy: Any = flight.pilot.programs["noting"].player.strategy
    bars, markets = market.bars("QQQ"), flight.pilot.markets
    await until(lambda: strategy.noted and strategy.noted[-1][0].time_ns == bars[-1].time_ns, "the last bar")

    seen = [each[0] for each in strategy.noted]
    whole = [*strategy.before, *seen]
    fields = ("time_ns", "open", "high", "low", "close", "volume")
    rows = [[tuple(getattr(bar, name) for name in fields) for bar in some] for some in (whole, bars)]
    assert rows[0] == rows[1] and len(strategy.before) >= 40 and len(seen) >= 10
    gaps = [spans_missed(before, after) for before, after in pairwise(bars)][-len(seen) :]
    assert [bar.gap for bar in seen] == gaps and sum(gaps) in (2, 3), "spans in which nothing was traded"
    assert all(bar.is_whole and bar.time_ns % (10 * NS_PER_S) == 0 for bar in seen)

    wanted = [talib_over(bars, "EMA", 5), talib_over(bars, "MACD", 3, 6, 4), talib_over(bars, "RSI", 4)]
    for back, (_, *values) in enumerate(reversed(strategy.noted), 1):
        assert values == pytest.approx([each[-back] for each in wanted], rel=1e-9)
    for symbol in SYMBOLS[:2]:
        own = market.bars(symbol)
        assert markets.atr(symbol) == pytest.approx(talib_over(own, "ATR", 14)[-1], rel=1e-9)
    for back in (0, 1):
        found = markets.study("QQQ", "rsi(5)", back), markets.study("SPY", "atr(3)", back)  # what rules ask
        own = market.bars("SPY")
        theirs = talib_over(bars, "RSI", 5)[-1 - back], talib_over(own, "ATR", 3)[-1 - back]
        assert found == pytest.approx(theirs, rel=1e-9)

    lines = [each for each in market.asked if isinstance(each, MarketDataRequest)]
    assert sorted(each.contract.symbol for each in lines) == ["QQQ", "SPY"], "each is followed once"
    told = status_of(flight.run)["market"]
    (line,) = [each for each in told if each.startswith("QQQ live, ")]
    assert "s old" in line and f"{sum(gaps)} spans without one" in line
    report = await flight.end()
    assert report.good


async def test_eight_symbols_begin_with_their_past_within_the_limits_of_tws(
    market: Market, tmp_path: Path
) -> None:
    """And the next start asks for what is missing alone."""
    section = f'file = "signals.jsonl"\nsymbols = {json.dumps(SYMBOLS)}'
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run", source=section)
    await told_as_traded(market, flight)
    first = [each for each in market.histories() if each.what_to_show == "TRADES"]
    assert not any("without a past" in line for line in flight.pilot.markets.lines(market.sim.now_ns()))
    assert (await flight.end()).good

    await market.trade_for(200)
    market.asked.clear()
    flight = await flying(market, tmp_path / "run", source=section)
    second = [each for each in market.histories() if each.what_to_show == "TRADES"]
    line = next(each for each in flight.pilot.markets.lines(0) if each.startswith("past of 8"))
    assert "read 0 of files" not in line and len(second) == len(SYMBOLS) <= len(first)
    await told_as_traded(market, flight)
    assert (await flight.end()).good


async def told_as_traded(market: Market, flight: Flight) -> None:
    """Each ATR is that of what was traded, once the last bar is here."""
    for symbol in SYMBOLS:
        wanted = pytest.approx(talib_over(market.bars(symbol), "ATR", 14)[-1], rel=1e-9)
        await until(lambda: flight.pilot.markets.atr(symbol) == wanted, f"{symbol}'s ATR")  # noqa: B023


async def test_an_indicator_that_comes_later_gets_the_past_too(market: Market, tmp_path: Path) -> None:
    """As rules that are exchanged while a run trades ask for it."""
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run")
    markets = flight.pilot.markets
    await market.trade_for(40, flight)
    await markets.follow("SPY", 10, ("ema(7)",))
    assert markets.study("SPY", "ema(7)", 0) is None and not markets.warming.settled("SPY")
    while not markets.warming.settled("SPY"):
        await market.trade_for(1, flight)
        await asyncio.sleep(0.01)
    for _ in range(2):
        bars = market.bars("SPY")
        await until(lambda: markets.bar("SPY", 0).time_ns == bars[-1].time_ns, "the last bar")  # type: ignore[union-attr]  # noqa: B023
        assert markets.study("SPY", "ema(7)", 0) == pytest.approx(talib_over(bars, "EMA", 7)[-1], rel=1e-9)
        assert markets.atr("SPY") == pytest.approx(talib_over(bars, "ATR", 14)[-1], rel=1e-9)
        await market.trade_for(21, flight)
    assert (await flight.end()).good


async def test_bars_from_real_time_bars(market: Market, tmp_path: Path) -> None:
    """TWS's bars of five seconds, merged: those of the trades, and no tick counts twice."""
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run", section='bars_from = "real-time"')
    await market.trade_for(61, flight)
    await market.trade_for(35, flight, but="SPY")
    await market.trade_for(40, flight)
    bars, markets = market.bars("SPY"), flight.pilot.markets
    await until(lambda: (last := markets.bar("SPY", 0)) and last.time_ns == bars[-1].time_ns, "the last bar")
    last = markets.bar("SPY", 0)
    assert last is not None and last.is_whole and (last.high, last.low, last.volume) == (
        bars[-1].high, bars[-1].low, bars[-1].volume
    )  # fmt: skip
    assert markets.atr("SPY") == pytest.approx(talib_over(bars, "ATR", 14)[-1], rel=1e-9)
    assert any(isinstance(each, RealTimeBarsRequest) for each in market.asked)
    assert "from real-time bars" in markets.lines(0)[0]
    assert (await flight.end()).good


async def test_without_parquet_a_run_begins_without_a_past_and_says_so(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run", more=MORE)
    assert flight.pilot.markets.atr("SPY") is None
    await market.trade_for(170, flight)
    await until(lambda: flight.pilot.markets.atr("SPY") is not None, "an ATR of its own bars")
    assert market.histories() == []
    report = await flight.end()
    (line,) = [each for each in report.markets if "without a past" in each]
    assert "SPY QQQ" in line and "parquet" in line


@pytest.mark.parametrize(
    ("more", "loud"),
    [("", False), (RULES, True), (RULES.replace("rsi(5) of QQQ < 0 and ", ""), True)],
    ids=["percents", "a rule on another symbol", "a rule on its own"],
)
async def test_a_missing_past_is_loud_where_somebody_waits_for_it(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    more: str, loud: bool,
) -> None:  # fmt: skip
    """Stops and targets in percents wait for no indicator; a rule may."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    flight = await flying(market, tmp_path / "run", more=more)
    report = await flight.end()
    assert any("without a past" in line for line in report.markets)
    assert ("indicators begin without a past" in caplog.text) is loud


async def test_a_history_that_does_not_answer_costs_the_past_alone(market: Market, tmp_path: Path) -> None:
    market.sim.faults.play("swallow", request="HistoricalDataRequest", count=10**6)
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run", more=MORE)
    strategy: Any = flight.pilot.programs["noting"].player.strategy
    await market.trade_for(30, flight)
    await until(lambda: strategy.noted, "a bar")
    report = await flight.end()
    assert any("without a past: SPY QQQ" in each and "no answer" in each for each in report.markets)


@pytest.mark.slow
async def test_a_link_that_goes_meanwhile_is_waited_for(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warming, "LINK_AGAIN_S", 0.2)
    await market.trade_for(403)
    first = market._handle

    def cutting(session: Any, request: Any) -> None:
        if isinstance(request, HistoricalDataRequest) and len(market.histories()) == 2:
            market.sim.faults.cut()
        else:
            first(session, request)

    market._handle = cutting
    flight = await flying(market, tmp_path / "run")
    await market.trade_for(30, flight)
    assert any(line.startswith("past of 1 symbols") for line in flight.pilot.markets.lines(0))
    await until(lambda: flight.pilot.markets.bar("SPY", 0), "a bar")
    assert flight.pilot.markets.atr("SPY") is not None
    assert (await flight.end()).good


async def test_what_others_of_the_login_have_used_up_is_said(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TWS refuses for their sake what our own count would allow."""
    monkeypatch.setattr(warming, "TRIES", 1)
    limiter = market.sim.core.limiter
    limiter.limits = replace(limiter.limits, per_ten_minutes=2)
    await market.trade_for(403)
    flight = await flying(market, tmp_path / "run", more=MORE)
    report = await flight.end()
    (line,) = [each for each in report.markets if "without a past" in each]
    assert "pacing violation" in line and report.good


async def test_what_a_killed_run_has_just_asked_is_asked_again_as_soon_as_tws_allows(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a minute later."""
    monkeypatch.setattr(warming, "SAME_AGAIN_S", 0.2)
    limiter, handle = market.sim.core.limiter, market._handle
    limiter.limits = replace(limiter.limits, burst=None)

    def bars() -> list[HistoricalDataRequest]:
        return [each for each in market.histories() if each.what_to_show == "TRADES"]

    def once(session: Any, request: Any) -> None:
        first = [request] == bars()
        if first:  # TWS counts it as asked by the run before
            assert limiter.history(session, request)
        handle(session, request)
        if first:
            limiter.limits = replace(limiter.limits, identical_s=None)

    market._handle = once
    await market.trade_for(403)
    # Unpaced: what is asked a second time in 15 s would wait in our own queue.
    flight = await Flight(market, tmp_path, more="[connection.pacing]\npaced = false\n").up()
    async with asyncio.timeout(BOUND_S):
        while not flight.pilot.markets.warming.settled("SPY"):
            await market.trade_for(1)
            await asyncio.sleep(0.02)
    assert len(bars()) >= 2, "refused as the same, and asked again"
    assert any(line.startswith("past of 1 symbols") for line in flight.pilot.markets.lines(0))
    assert (await flight.end()).good
