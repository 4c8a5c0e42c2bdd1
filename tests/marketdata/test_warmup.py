"""Warming up over a real socket: whenever a strategy begins, its indicators are those of the whole day.

A market whose every trade is ours; quotes come over the connection into the board, the past over the same
connection through the cache. The reference is fed the bars of the trades themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.connection.peers import config_of, until

from tws.bars import MergedBars, Seam, TimeBars
from tws.clock import NS_PER_S
from tws.connection import PacingOptions, TWSConnection
from tws.errors import RequestTimeoutError
from tws.indicators import Studies
from tws.marketdata import BarCache, Feed, Series, WarmUp, warm_up, warmup
from tws.model.contract import stock
from tws.model.market import Bar, MarketDataType
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE

pytest.importorskip("pyarrow")

S = NS_PER_S
BEGIN_NS = 1_795_000_200 * S
"""A full minute."""
SPECS = ["ema(5)", "atr(5)", "donchian(7)", "rsi(4)", "zscore(6)"]


def price(second: int) -> float:
    return 100 + (second * 37 % 101) / 100


class Desk:
    """A board fed by the connection, its clock that of the market, and what it has taken."""

    def __init__(self, tws: SimulatedTWS, connection: TWSConnection, folder: Path) -> None:
        self.tws, self.connection = tws, connection
        self.cache = BarCache(folder, connection)
        self.second = 0
        self.reference, self.builder = Studies(SPECS), TimeBars(10)

    def now_ns(self) -> int:
        return self.tws.now_ns()

    async def trade_for(self, seconds: int, *, every: int = 1) -> None:
        """A trade at the begin of each of these seconds, or of some; the connection has heard of it then."""
        for _ in range(seconds):
            if self.second % every == 0:
                self.tws.trade("SPY", price(self.second), 1)
                self._refer(self.builder.trade(self.now_ns(), price(self.second), 1))
                await self.connection.request_current_time()  # what came before the answer was heard
            self.second += 1
            await self.tws.set_clock(BEGIN_NS + self.second * S)
        self._refer(self.builder.advance(self.now_ns()))

    def _refer(self, bar: Bar | None) -> None:
        if bar is not None:
            assert self.reference.update(bar)

    async def begin(self) -> None:
        """Follow the market from now on."""
        details = await self.connection.request_contract(stock("SPY"))
        self.series = Series(contract=details.contract, bar_size="10 secs", use_rth=False)
        self.feed, self.con_id = Feed(10), details.contract.con_id
        self.line = self.feed.add(self.con_id, "SPY", SPECS, self.now_ns())
        stream = self.connection.stream_quotes(details.contract)
        self.stop = stream.on_tick(lambda field, at, size: self.line.tick(field, at, size, self.now_ns()))
        self.stream = stream
        await until(lambda: stream.quote.last is not None)

    @property
    def studies(self) -> Studies:
        return self.feed.studies(self.con_id)

    @property
    def seam(self) -> Seam:
        return self.feed.seam(self.con_id)

    def take(self) -> None:
        """Completed bars through the seam into the indicators; the feed gives out each of them."""
        for done in self.feed.step(self.now_ns()):
            assert done.bar.time_ns <= self.studies.last_ns

    def warm(self, count: int | None = None) -> asyncio.Task[WarmUp]:
        return asyncio.create_task(self.feed.warm_up(self.cache, self.series, self.now_ns, count))

    def assert_equal(self) -> None:
        assert self.studies.last_ns == self.reference.last_ns
        for text in SPECS:
            for back, wanted in enumerate((self.reference.value(text), self.reference.previous(text))):
                found = self.feed.indicator(self.con_id, text, back)
                assert found == pytest.approx(wanted, rel=1e-12)
        bar = self.feed.bar(self.con_id)
        assert bar is not None and bar.time_ns == self.reference.last_ns


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warmup, "_LOOK_S", 0.001)
    monkeypatch.setattr(warmup, "_AGAIN_S", 0.001)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    market = ManualMarket(UNIVERSE, BEGIN_NS)
    tws = SimulatedTWS(SimulatorOptions(paused=True, market=market, limits=Limits.off()))
    _, port = await tws.start()
    options = {"journal": tmp_path / "guard.sqlite3", "pacing": PacingOptions.off()}
    async with TWSConnection(config_of(port), **options) as connection:
        yield Desk(tws, connection, tmp_path / "bars")
    await tws.stop()


@pytest.mark.parametrize("begin", [200, 203, 209])
@pytest.mark.parametrize("after", [0, 4, 25])
async def test_indicators_are_those_of_the_whole_day(desk: Desk, begin: int, after: int) -> None:
    """Begun within a span or at its edge; the past comes at once, or when live bars wait already."""
    await desk.trade_for(begin)
    await desk.begin()
    await desk.trade_for(after)
    desk.take()
    task = desk.warm(count=1000)
    while desk.now_ns() < desk.seam.first_ns or not task.done():
        await desk.trade_for(1)
        desk.take()
    report = await task
    assert report.ready and report.stood_in == 0
    desk.take()
    desk.assert_equal()
    await desk.trade_for(57)
    desk.take()
    desk.assert_equal()
    assert desk.studies.refused == {} and desk.seam.twice == desk.seam.dropped == 0
    desk.stop()


async def test_a_market_that_seldom_trades(desk: Desk) -> None:
    await desk.trade_for(400, every=17)
    await desk.begin()
    task = desk.warm(count=1000)
    while not task.done():
        await desk.trade_for(1, every=17)
        desk.take()
    await task
    await desk.trade_for(200, every=17)
    desk.take()
    desk.assert_equal()
    assert desk.studies.gaps > 0


async def test_until_the_past_comes_the_bars_heard_so_far_answer(desk: Desk) -> None:
    """Each bar is given out as it ends; what the indicators of these bars alone say gives way to the truth.
    """
    await desk.trade_for(150)
    await desk.begin()
    given = []
    for _ in range(60):
        await desk.trade_for(1)
        given += desk.feed.step(desk.now_ns())
    assert [done.bar.time_ns for done in given] == [BEGIN_NS + at * S for at in range(150, 210, 10)]
    cold = desk.feed.indicator(desk.con_id, "ema(5)")
    assert cold is not None and cold != pytest.approx(desk.reference.value("ema(5)"), rel=1e-9)
    task = desk.warm(count=1000)
    while not task.done():
        await desk.trade_for(1)
        given += desk.feed.step(desk.now_ns())
    assert (await task).waited >= 6
    desk.take()
    desk.assert_equal()
    at = [done.bar.time_ns for done in given]
    assert at == sorted(set(at)), "each bar once"


async def test_restored_indicators_get_what_they_missed(desk: Desk) -> None:
    await desk.trade_for(133)
    state = desk.reference.save()
    await desk.trade_for(145)
    await desk.begin()
    restored = Studies(SPECS)
    restored.restore(state)
    task = asyncio.create_task(warm_up(desk.cache, desk.series, restored, desk.seam, desk.now_ns))
    while not task.done():
        await desk.trade_for(1)
        desk.take()
    report = await task
    assert 13 <= report.past <= 16 and restored.taken == report.past + report.waited
    for text in SPECS:
        assert restored.value(text) == pytest.approx(desk.reference.value(text), rel=1e-12)


async def test_a_past_that_does_not_know_the_last_trade_is_asked_again_and_then_stood_in_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service of history is late by a bar for ever."""
    await desk.trade_for(203)
    await desk.begin()
    await desk.trade_for(20)
    desk.take()
    whole = desk.cache.last

    async def late(*args: object, **kwargs: object) -> object:
        past = await whole(*args, **kwargs)  # type: ignore[arg-type]
        return type(past)(bars=past.bars[:-1], until_ns=past.until_ns)

    monkeypatch.setattr(desk.cache, "last", late)
    report = await desk.warm(count=1000)
    assert (report.asked, report.stood_in) == (5, 1)
    desk.take()
    assert desk.studies.last_ns == desk.reference.last_ns and desk.studies.taken == desk.reference.taken


async def test_a_clock_of_tws_that_is_behind_is_told(desk: Desk) -> None:
    await desk.trade_for(203)
    await desk.begin()
    def ahead_ns() -> int:
        return desk.now_ns() + 60 * S

    with pytest.raises(RequestTimeoutError, match="behind"):
        await desk.feed.warm_up(desk.cache, desk.series, ahead_ns)
    assert desk.studies.taken == 0 and not desk.seam.joined  # it may be called again
    task = desk.warm(count=1000)
    while not task.done():
        await desk.trade_for(1)
        desk.take()
    assert (await task).ready


async def test_delayed_data_get_no_past(desk: Desk) -> None:
    """It would hold minutes that they have still to tell."""
    await desk.trade_for(203)
    await desk.begin()
    desk.line.heard(MarketDataType.DELAYED)
    task = desk.warm(count=1000)
    while not task.done():
        await desk.trade_for(1)
        desk.take()
    with pytest.raises(ValueError, match="delayed"):
        await task
    first = desk.studies.bar(desk.studies.taken - 1)
    assert first is not None and first.time_ns == BEGIN_NS + 200 * S, "its own bars alone"


async def test_real_time_bars_merge_into_those_of_the_trades(desk: Desk) -> None:
    """TWS's bars of five seconds over the socket, into ten: the bars of the trades themselves."""
    found: list[Bar] = []
    merged, direct = MergedBars(10), TimeBars(10)
    stream = desk.connection.stream_realtime_bars(stock("SPY"), use_rth=False)
    stream.on_tick(lambda bar: found.extend(merged.part(bar)))
    await desk.connection.request_current_time()
    wanted = []
    for second in range(95):
        if second % 40 < 25:  # then nothing trades for a while
            wanted.append(direct.trade(desk.now_ns(), price(desk.second), 1))
        await desk.trade_for(1, every=1 if second % 40 < 25 else 10**6)
    await until(lambda: stream.count >= 18)
    bars = [bar for bar in wanted if bar is not None]
    assert len(bars) >= 6
    fields = ("time_ns", "open", "high", "low", "close", "volume", "gap")
    rows = [[tuple(getattr(bar, name) for name in fields) for bar in some] for some in (found, bars)]
    assert rows[0][: len(bars)] == rows[1]
    assert all(bar.is_whole for bar in found[1:])


async def test_bars_of_another_length_are_refused(desk: Desk) -> None:
    await desk.trade_for(1)
    await desk.begin()
    with pytest.raises(ValueError, match="seam"):
        await warm_up(desk.cache, desk.series, desk.studies, Seam(60, 0), desk.now_ns)
