"""The cache over a real socket: the bars are those that TWS gives, and only what is missing is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.connection.peers import config_of

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.connection import PacingOptions, TWSConnection
from tws.errors import LinkLostError, RequestError
from tws.marketdata import BarCache, Series
from tws.marketdata.past import SETTLED_S
from tws.model.contract import stock
from tws.model.market import Bar
from tws.model.past import Schedule
from tws.simulator import Limits, SimulatedTWS, SimulatorOptions
from tws.simulator.market import SyntheticMarket
from tws.simulator.universe import UNIVERSE

pytest.importorskip("pyarrow")

S = NS_PER_S
NOW = datetime(2026, 11, 20, 18, 0, 7, tzinfo=UTC)  # a Friday, 13:00 in New York


class Counting:
    """The connection, and what was asked of it. `fails_after`: chunks of a download until the link goes."""

    def __init__(self, connection: TWSConnection) -> None:
        self.connection = connection
        self.asked: list[tuple[datetime, datetime]] = []
        self.has_schedule = True
        self.fails_after = 10**6

    def request_current_time(self) -> Any:
        return self.connection.request_current_time()

    async def request_schedule(self, *args: Any, **kwargs: Any) -> Schedule:
        if not self.has_schedule:
            raise RequestError(321, "SCHEDULE is not supported")
        return await self.connection.request_schedule(*args, **kwargs)

    def download_bars(self, contract: Any, start: datetime, end: Any = None, *rest: Any, **names: Any) -> Any:
        self.asked.append((start, end))
        return Losing(self.connection.download_bars(contract, start, end, *rest, **names), self.fails_after)


class Losing:
    def __init__(self, download: Any, chunks: int) -> None:
        self.download, self.chunks = download, chunks

    @property
    def position(self) -> datetime:
        found: datetime = self.download.position
        return found

    async def __aiter__(self) -> AsyncIterator[list[Bar]]:
        async for chunk in self.download:
            if not self.chunks:
                raise LinkLostError("the link is lost")
            self.chunks -= 1
            yield chunk


@pytest.fixture
async def tws() -> AsyncIterator[SimulatedTWS]:
    spy = next(each for each in UNIVERSE if each.symbol == "SPY")
    market = SyntheticMarket([spy], seed=3, start_ns=to_ns(NOW), mode="exchange")
    options = SimulatorOptions(paused=True, market=market, hours="exchange", limits=Limits.off())
    server = SimulatedTWS(options)
    server.address = await server.start()  # type: ignore[attr-defined]
    yield server
    await server.stop()


@pytest.fixture
async def source(tws: SimulatedTWS, tmp_path: Path) -> AsyncIterator[Counting]:
    options = {"journal": tmp_path / "guard.sqlite3", "pacing": PacingOptions.off()}
    async with TWSConnection(config_of(tws.address[1]), **options) as made:  # type: ignore[attr-defined]
        yield Counting(made)


@pytest.fixture
async def series(source: Counting) -> Series:
    details = await source.connection.request_contract(stock("SPY"))
    return Series(contract=details.contract, bar_size="10 secs")


async def asked_for(source: Counting, series: Series, start: datetime, until: datetime) -> list[Bar]:
    """The bars that TWS gives, without any cache."""
    download = source.connection.download_bars(
        series.contract, start, until, series.bar_size, what=series.what, use_rth=series.use_rth
    )
    return [bar async for chunk in download for bar in chunk]


@pytest.fixture
def cache(source: Counting, tmp_path: Path) -> BarCache:
    return BarCache(tmp_path / "bars", source)


async def test_the_last_bars_are_those_that_tws_gives(
    cache: BarCache, source: Counting, series: Series
) -> None:
    past = await cache.last(series, 100)
    assert to_datetime(past.until_ns) == NOW - timedelta(seconds=7)
    wanted = await asked_for(source, series, NOW - timedelta(seconds=1100), NOW)
    assert past.bars == wanted[-100:] and len(past.bars) == 100
    assert past.bars[-1].time == NOW - timedelta(seconds=17)  # 12:59:50; the next one still runs


async def test_bars_of_the_day_before_fill_up_after_the_opening(
    cache: BarCache, source: Counting, series: Series
) -> None:
    """From Friday's opening back to Thursday, with nothing of the night."""
    opening = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    past = await cache.last(series, 50, to_ns(opening + timedelta(seconds=100)))
    assert len(past.bars) == 50
    assert past.bars[-10].time == opening
    assert past.bars[-11].time == datetime(2026, 11, 19, 20, 59, 50, tzinfo=UTC)


async def test_what_is_on_the_disk_is_not_asked_for_again(
    cache: BarCache, source: Counting, series: Series, tmp_path: Path
) -> None:
    first = await cache.last(series, 5000)
    assert len(first.bars) == 5000 and source.asked
    source.asked.clear()
    again = BarCache(tmp_path / "bars", source)  # another process, later
    second = await again.last(series, 5000)
    assert second == first
    ((start, end),) = source.asked  # what was not settled
    assert end - start == timedelta(seconds=SETTLED_S)
    assert again.fetched <= SETTLED_S // 10 and again.read >= 5000 - SETTLED_S // 10


async def test_as_time_goes_by_only_the_new_is_asked_for(
    cache: BarCache, source: Counting, series: Series, tws: SimulatedTWS
) -> None:
    first = await cache.last(series, 100)
    await tws.set_clock(to_ns(NOW) + 300 * S)
    source.asked.clear()
    second = await cache.last(series, 130)
    assert [bar.time_ns for bar in second.bars][:100] == [bar.time_ns for bar in first.bars]
    assert len(second.bars) == 130 and second.bars[:94] == first.bars[:94]
    ((start, end),) = source.asked
    assert end - start == timedelta(seconds=300 + SETTLED_S)


async def test_a_weekend_is_asked_for_once_and_then_known(
    cache: BarCache, source: Counting, series: Series
) -> None:
    saturday = datetime(2026, 11, 14, tzinfo=UTC)
    minutes = Series(contract=series.contract, bar_size="1 min")
    start, until = to_ns(saturday - timedelta(days=1)), to_ns(saturday + timedelta(days=3))
    first = await cache.between(minutes, start, until)
    assert len(first.bars) == 2 * 390
    assert first.bars == await asked_for(source, minutes, to_datetime(start), to_datetime(until))
    source.asked.clear()
    assert await cache.between(minutes, start, until) == first
    assert source.asked == []
    part = await cache.between(minutes, first.bars[10].time_ns, first.bars[20].time_ns)
    assert part.bars == first.bars[10:20] and source.asked == []


async def test_short_bars_are_asked_for_within_the_sessions_alone(
    cache: BarCache, source: Counting, series: Series
) -> None:
    day = datetime(2026, 11, 19, tzinfo=UTC)
    past = await cache.between(series, to_ns(day), to_ns(day + timedelta(days=1)))
    assert len(past.bars) == 6.5 * 360
    assert source.asked == [(day + timedelta(hours=14.5), day + timedelta(hours=21))]


async def test_without_a_schedule_the_whole_day_is_asked_for(
    cache: BarCache, source: Counting, series: Series
) -> None:
    source.has_schedule = False
    day = datetime(2026, 11, 19, tzinfo=UTC)
    past = await cache.between(series, to_ns(day), to_ns(day + timedelta(days=1)))
    assert len(past.bars) == 6.5 * 360
    assert source.asked == [(day, day + timedelta(days=1))]


async def test_what_came_before_the_link_was_lost_is_kept(
    cache: BarCache, source: Counting, series: Series
) -> None:
    day = datetime(2026, 11, 19, tzinfo=UTC)
    source.fails_after = 1
    with pytest.raises(LinkLostError):
        await cache.between(series, to_ns(day), to_ns(day + timedelta(days=1)))
    kept, source.fails_after = cache.fetched, 10**6
    assert 0 < kept < 6.5 * 360
    source.asked.clear()
    past = await cache.between(series, to_ns(day), to_ns(day + timedelta(days=1)))
    assert past.bars == await asked_for(source, series, day, day + timedelta(days=1))
    ((start, _),) = source.asked
    assert start > day + timedelta(hours=15)
    assert cache.fetched == 6.5 * 360


async def test_a_half_written_file_is_named_and_fetched_again(
    cache: BarCache, source: Counting, series: Series, tmp_path: Path
) -> None:
    first = await cache.last(series, 100)
    (path,) = (tmp_path / "bars").rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    assert await cache.last(series, 100) == first
    assert [named.path for named in cache.unusable] == [path]
    assert await cache.last(series, 100) == first and len(cache.unusable) == 1


async def test_a_disk_that_takes_nothing_costs_only_the_memory(
    source: Counting, series: Series, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    cache = BarCache(tmp_path / "file", source)
    assert len((await cache.last(series, 100)).bars) == 100


async def test_day_bars(cache: BarCache, source: Counting, series: Series) -> None:
    days = Series(contract=series.contract, bar_size="1 day")
    past = await cache.last(days, 250)
    assert len(past.bars) == 250
    assert past.bars[-1].date == "20261119"  # today's still runs
    assert [bar.date for bar in past.bars] == sorted({bar.date for bar in past.bars})
    source.asked.clear()
    assert await cache.last(days, 250) == past
    assert len(source.asked) == 1
