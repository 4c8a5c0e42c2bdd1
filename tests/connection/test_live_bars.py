"""Bars that go on: finished and running ones told apart, and after an interruption none missing or twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from tests.connection.peers import RecorderServer, config_of, unkept, until

from tws.clock import NS_PER_S
from tws.connection import TWSConnection
from tws.connection.streaming.barstreams import BarStream, RealTimeBarStream
from tws.errors import NoContractError, NotSentError, RequestError
from tws.model.contract import stock
from tws.model.market import Bar
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire import codec
from tws.wire.messages import CancelHistoricalData, CancelRealTimeBars, HistoricalDataRequest

SPY = stock("SPY")
BEGIN_NS = 1_795_000_200 * NS_PER_S
"""A full minute."""


class Market:
    """A simulated TWS whose trades are ours, at a price that says when they happened."""

    def __init__(self, version: int) -> None:
        options = SimulatorOptions(
            paused=True,
            market=ManualMarket(UNIVERSE, BEGIN_NS),
            server_version=version,
            limits=Limits.off(),
        )
        self.tws = SimulatedTWS(options)
        self.seconds = 0

    async def trade_for(self, seconds: int) -> None:
        """One trade a second, of the price 100 + n / 100 in the n-th second."""
        for _ in range(seconds):
            self.tws.trade("SPY", 100 + self.seconds / 100, 1)
            self.seconds += 1
            await self.tws.set_clock(BEGIN_NS + self.seconds * NS_PER_S)


@pytest.fixture(params=[176, 200, 225])
async def market(request: pytest.FixtureRequest) -> AsyncIterator[Market]:
    made = Market(request.param)
    _, made.port = await made.tws.start()  # type: ignore[attr-defined]
    yield made
    await made.tws.stop()


@pytest.fixture
async def connection(market: Market, journal: Path) -> AsyncIterator[TWSConnection]:
    async with TWSConnection(config_of(market.port), journal=journal) as made:  # type: ignore[attr-defined]
        yield made


def check(bars: list[Bar], seconds: int) -> None:
    """Whole bars of the trades above, one after the other."""
    assert all(bar.is_final for bar in bars)
    for bar, later in pairwise(bars):
        assert later.time_ns - bar.time_ns == seconds * NS_PER_S
    for bar in bars:
        first = (bar.time_ns - BEGIN_NS) // NS_PER_S
        assert (bar.open, bar.low) == (100 + first / 100,) * 2


def renew(connection: TWSConnection) -> None:
    """As the connection does when TWS has lost its data (1101) or a lost socket is back."""
    connection._engine.answers.subscriptions.renew_all()


async def take_final(stream: BarStream | RealTimeBarStream, count: int) -> list[Bar]:
    found: list[Bar] = []
    while len(found) < count:
        bar = await anext(stream)
        if bar.is_final:
            found.append(bar)
    return found


async def test_history_then_the_running_bar_then_finished_ones(
    market: Market, connection: TWSConnection
) -> None:
    await market.trade_for(130)
    stream = connection.stream_bars(SPY, duration="600 S", use_rth=False)
    past = await take_final(stream, 2)
    check(past, 60)
    running = await anext(stream)
    assert running == stream.running and not running.is_final
    assert (running.time_ns, running.close) == (BEGIN_NS + 120 * NS_PER_S, 101.29)
    await market.trade_for(20)
    later = await anext(stream)
    while later.close == running.close:
        later = await anext(stream)
    assert (later.time_ns, later.is_final) == (running.time_ns, False) and later.close > running.close
    await market.trade_for(40)
    (finished,) = await take_final(stream, 1)
    assert finished.time_ns == running.time_ns
    check([*past, finished], 60)
    stream.close()
    await connection.request_current_time()
    count = stream.count
    await market.trade_for(10)
    await connection.request_current_time()
    assert stream.count == count


async def test_a_slow_reader_finds_the_newest_state_of_the_running_bar(
    market: Market, connection: TWSConnection
) -> None:
    await market.trade_for(70)
    async with connection.stream_bars(SPY, duration="600 S", use_rth=False) as stream:
        await until(lambda: stream.running)
        seen: list[Bar] = []
        stream.on_tick(seen.append)
        await market.trade_for(40)
        await connection.request_current_time()
        await until(lambda: len(seen) >= 6)
        first, running = await anext(stream), await anext(stream)
        assert (first.is_final, running) == (True, stream.running)


@pytest.mark.parametrize("outage_s", [0, 30, 300])
async def test_an_interrupted_stream_of_bars_misses_none(
    market: Market, connection: TWSConnection, outage_s: int
) -> None:
    """With a duration that does not reach back to where it was interrupted."""
    await market.trade_for(130)
    stream = connection.stream_bars(SPY, duration="60 S", use_rth=False)
    gaps = []
    stream.on_gap(gaps.append)
    await until(lambda: stream.running)
    await market.trade_for(60)
    found = (await take_final(stream, 2))[1:]  # the first began within its minute, where the duration did
    for session in market.tws.sessions:  # TWS forgets the request, and says nothing
        market.tws.core.desk.history.drop(session)
    await market.trade_for(outage_s)
    renew(connection)
    await connection.request_current_time()
    await market.trade_for(70)
    found += await take_final(stream, outage_s // 60 + 1)
    check(found, 60)
    assert len(gaps) == 2 and gaps[0].end_ns is None and gaps[1].end_ns is not None
    assert not stream.unfilled and stream.lost == 0
    stream.close()


async def test_real_time_bars(market: Market, connection: TWSConnection) -> None:
    async with connection.stream_realtime_bars(SPY, use_rth=False) as stream:
        await connection.request_current_time()
        await market.trade_for(20)
        bars = [await anext(stream) for _ in range(3)]
        check(bars, 5)
        assert (bars[-1].seconds, bars[-1].count, bars[-1].volume) == (5, 5, 5.0)
    with pytest.raises(NoContractError):
        await anext(connection.stream_realtime_bars(stock("NOSUCH")))


@pytest.mark.parametrize("outage_s", [0, 30, 3700])
async def test_an_interrupted_stream_of_real_time_bars_misses_none(
    market: Market, connection: TWSConnection, outage_s: int
) -> None:
    stream = connection.stream_realtime_bars(SPY, use_rth=False)
    await connection.request_current_time()
    await market.trade_for(20)
    found = [await anext(stream) for _ in range(3)]
    connection.official.cancelRealTimeBars(stream.request_id)
    await connection.request_current_time()
    await market.trade_for(outage_s)
    renew(connection)
    await connection.request_current_time()
    await market.trade_for(20)
    found += [await anext(stream) for _ in range(outage_s // 5 + 3)]
    check(found, 5)
    assert not stream.unfilled
    assert len(stream.gaps) == 1
    stream.close()


async def test_what_cannot_be_filled_is_said(market: Market, connection: TWSConnection) -> None:
    stream = connection.stream_realtime_bars(SPY, use_rth=False)
    await connection.request_current_time()
    await market.trade_for(10)
    await anext(stream)
    connection.official.cancelRealTimeBars(stream.request_id)
    await connection.request_current_time()
    await market.trade_for(60)
    market.tws.core.limiter.history = _refuse  # type: ignore[method-assign]
    renew(connection)
    await connection.request_current_time()
    await market.trade_for(10)
    await until(lambda: stream.unfilled)
    (hole,) = stream.unfilled
    assert "pacing" in hole.cause
    later = await anext(stream)
    while later.time_ns < (hole.end_ns or 0):
        later = await anext(stream)
    stream.close()


def _refuse(session: object, request: HistoricalDataRequest) -> bool:
    session.error(request.req_id, 162, "Historical Market Data Service error message: pacing violation")  # type: ignore[attr-defined]
    return False


async def test_refusals(connection: TWSConnection) -> None:
    with pytest.raises(ValueError, match="kept up to date"):
        connection.stream_bars(SPY, "1 secs")
    with pytest.raises(NoContractError):
        await anext(connection.stream_bars(stock("NOSUCH")))
    with pytest.raises(RequestError):
        await anext(connection.stream_bars(SPY, what="BID_ASK"))
    connection.disconnect()
    with pytest.raises(NotSentError):
        connection.stream_bars(SPY)


async def test_closing_cancels_at_tws(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        bars, live = connection.stream_bars(SPY), connection.stream_realtime_bars(SPY)
        numbers = bars.request_id, live.request_id
        bars.close()
        live.close()
        await recorder.caught_up(connection)
        ended = [codec.decode_request(payload, 200) for payload in recorder.payloads[2:]]
        assert ended == [CancelHistoricalData(numbers[0]), CancelRealTimeBars(numbers[1])]
        asked = codec.decode_request(recorder.payloads[0], 200)
        assert isinstance(asked, HistoricalDataRequest) and asked.keep_up_to_date and asked.format_date == 2


async def test_an_interruption_while_bars_are_filled_leaves_no_hole() -> None:
    """1100 and 1102 while the bars of an earlier gap are on their way: what waits has a hole of its own."""

    def bar(number: int) -> Bar:
        time_ns = BEGIN_NS + number * 5 * NS_PER_S
        return Bar(time_ns=time_ns, seconds=5, open=1, high=1, low=1, close=1, volume=1)

    asked: list[tuple[int, int, asyncio.Future[list[Bar]]]] = []

    def fill(begin_ns: int, end_ns: int) -> asyncio.Future[list[Bar]]:
        future: asyncio.Future[list[Bar]] = asyncio.get_running_loop().create_future()
        asked.append(((begin_ns - BEGIN_NS) // (5 * NS_PER_S), (end_ns - BEGIN_NS) // (5 * NS_PER_S), future))
        return future

    stream = RealTimeBarStream(SPY, lambda call, *args: call(*args), fill)
    for number in (0, 1):
        stream.live(bar(number), 0)
    for number in (4, 5, 9, 10, 13):
        if number in (4, 9, 13):
            stream.interrupt("TWS has lost IB", 0)
            stream.restored()
        stream.live(bar(number), 0)
    while len(asked) < 4 and not asked[-1][2].done():
        begin, end, future = asked[-1]
        future.set_result([bar(number) for number in range(begin, end)])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert [(begin, end) for begin, end, _ in asked] == [(2, 4), (6, 9), (11, 13)]
    given = [(await anext(stream)).time_ns for _ in range(14)]
    assert given == [bar(number).time_ns for number in range(14)]
    stream.live(bar(14), 0)
    assert (await anext(stream)).time_ns == bar(14).time_ns and not stream.unfilled
