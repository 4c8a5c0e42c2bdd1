"""The past: where it begins, its ticks, volumes and sessions, and more of its bars than one request gives."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from tests.connection.peers import Recorder, RecorderServer, config_of, unkept

from tws.clock import NS_PER_S, to_datetime, to_ns
from tws.connection import TWSConnection
from tws.connection.families.download import pieces
from tws.connection.families.history import BAR_SECONDS
from tws.errors import LinkLostError, NoContractError, NoDataError, RequestError
from tws.model.contract import stock
from tws.model.past import PastMidpoint, PastQuote, PastTrade
from tws.model.progress import Progress
from tws.simulator import SimulatedTWS
from tws.wire import codec
from tws.wire.messages import (
    CancelHeadTimestamp,
    CancelHistogramData,
    CurrentTime,
    CurrentTimeRequest,
    ErrorMessage,
    HeadTimestamp,
    HeadTimestampRequest,
    HistoricalData,
    HistoricalDataBar,
    HistoricalDataEnd,
    HistoricalDataRequest,
    HistoricalTickLast,
    HistoricalTicksLast,
    HistoricalTicksRequest,
)

SPY = stock("SPY")
HOUR = timedelta(hours=1)


def now_of(tws: SimulatedTWS) -> datetime:
    return to_datetime(tws.now_ns())


async def test_where_the_past_begins(tws: SimulatedTWS, client: TWSConnection) -> None:
    head = await client.request_head_timestamp(SPY)
    assert head.tzinfo is UTC and head < now_of(tws) - timedelta(days=365)
    with pytest.raises(NoContractError):
        await client.request_head_timestamp(stock("NOSUCH"))
    with pytest.raises(NoDataError, match="No head time stamp"):
        await client.request_head_timestamp(SPY, "YIELD_BID")


async def test_a_head_timestamp_that_has_come_is_cancelled(recorder: RecorderServer) -> None:
    """Until then TWS counts it among the fifty that may be open (TWS-BEHAVIOUR.md B)."""
    recorder.heard = lambda client, payload: client.say(
        HeadTimestamp(int(payload.split(b"\0")[1]), "1000000")
    )
    async with unkept(config_of(recorder.port)) as connection:
        assert (await connection.request_head_timestamp(SPY)).timestamp() == 1_000_000
        await recorder.caught_up(connection)
        assert [type(codec.decode_request(payload, 200)) for payload in recorder.payloads] == [
            HeadTimestampRequest,
            CancelHeadTimestamp,
        ]


async def test_ticks_of_the_past(tws: SimulatedTWS, client: TWSConnection) -> None:
    now = now_of(tws)
    trades = await client.request_historical_ticks(SPY, end=now, count=20, use_rth=False)
    assert len(trades) >= 20 and all(isinstance(tick, PastTrade) and tick.price > 0 for tick in trades)
    assert {tick.conditions for tick in trades if isinstance(tick, PastTrade)} <= {"", "I", "W"}
    assert [tick.time for tick in trades] == sorted(tick.time for tick in trades)
    assert trades[-1].time <= now
    quotes = await client.request_historical_ticks(SPY, "BID_ASK", start=now - HOUR, count=5, use_rth=False)
    assert len(quotes) >= 5 and quotes[0].time >= (now - HOUR).replace(microsecond=0)
    assert all(isinstance(tick, PastQuote) and tick.bid < tick.ask and tick.bid_size for tick in quotes)
    middle, *_ = await client.request_historical_ticks(
        SPY, "MIDPOINT", start=now - HOUR, count=1, use_rth=False
    )
    assert isinstance(middle, PastMidpoint) and middle.time == quotes[0].time
    with pytest.raises(ValueError, match="both"):
        client.request_historical_ticks(SPY, start=now, end=now)
    with pytest.raises(ValueError, match="1 to 1000"):
        client.request_historical_ticks(SPY, count=1001)
    with pytest.raises(ValueError, match="time zone"):
        client.request_historical_ticks(SPY, start=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_ticks_come_in_parts(recorder: RecorderServer) -> None:
    def heard(client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, 200)
        if isinstance(asked, HistoricalTicksRequest):
            assert (asked.start_date_time, asked.end_date_time) == ("20261123-14:30:00", "")
            ticks = [HistoricalTickLast(second, 3, 1.5, None, "NYSE", "") for second in (1, 2)]
            client.say(HistoricalTicksLast(asked.req_id, (ticks[0],), False))
            client.say(HistoricalTicksLast(asked.req_id, (ticks[1],), True))

    recorder.heard = heard
    async with unkept(config_of(recorder.port)) as connection:
        start = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
        first, second = await connection.request_historical_ticks(SPY, start=start)
        assert (first.time_ns, second.time_ns) == (NS_PER_S, 2 * NS_PER_S)
        assert isinstance(first, PastTrade) and first.past_limit and first.unreported and first.size is None


async def test_volume_by_price(client: TWSConnection) -> None:
    rows = await client.request_histogram(SPY, "2 days", use_rth=False)
    assert [row.price for row in rows] == sorted({row.price for row in rows})
    assert all(row.size > 0 for row in rows)
    with pytest.raises(RequestError) as caught:
        await client.request_histogram(SPY, "a while")
    assert caught.value.code == 321


async def test_the_sessions_that_were(tws: SimulatedTWS, client: TWSConnection) -> None:
    schedule = await client.request_schedule(SPY, days=5)
    assert len(schedule.days) == 5 and schedule.zone == "America/New_York"
    assert [day.date for day in schedule.days] == sorted({day.date for day in schedule.days})
    assert all(day.session.open_ns < day.session.close_ns for day in schedule.days)
    assert schedule.days[-1].session.open_ns <= tws.now_ns()
    with pytest.raises(ValueError, match="at least one"):
        client.request_schedule(SPY, days=0)


async def test_what_nobody_waits_for_is_cancelled(recorder: RecorderServer) -> None:
    async with unkept(config_of(recorder.port)) as connection:
        connection.request_head_timestamp(SPY).cancel()
        connection.request_histogram(SPY).cancel()
        await recorder.caught_up(connection)
        kinds = [type(codec.decode_request(payload, 200)) for payload in recorder.payloads]
        assert kinds[0] is HeadTimestampRequest
        assert kinds[2:] == [CancelHeadTimestamp, CancelHistogramData]


# -- downloads


@pytest.mark.parametrize("bar_size", BAR_SECONDS)
def test_pieces_cover_the_time_without_a_hole(bar_size: str) -> None:
    seconds = BAR_SECONDS[bar_size]
    begin, end = to_ns(datetime(2024, 1, 1, tzinfo=UTC)), to_ns(datetime(2024, 2, 3, 4, 5, tzinfo=UTC))
    found = pieces(begin, end, seconds)
    assert (found[0].begin_ns, found[-1].end_ns) == (begin, end)
    for piece, following in pairwise(found):
        assert piece.end_ns == following.begin_ns
    for piece in found:
        number, unit = piece.duration.split()
        length_s = int(number) * {"S": 1, "D": 86_400, "Y": 365 * 86_400}[unit]
        assert piece.until_ns - length_s * NS_PER_S <= piece.begin_ns
        assert piece.until_ns == piece.end_ns + seconds * NS_PER_S  # so that the last bar is whole
    assert pieces(end, begin, seconds) == []


async def test_a_download_is_what_single_requests_give(tws: SimulatedTWS, client: TWSConnection) -> None:
    """Three hours of five-second bars: an hour is the most that one request gives."""
    end = now_of(tws).replace(minute=0, second=0, microsecond=0)
    steps: list[Progress] = []
    download = client.download_bars(
        SPY, end - 3 * HOUR, end, "5 secs", use_rth=False, on_progress=steps.append
    )
    chunks = [chunk async for chunk in download]
    bars = [bar for chunk in chunks for bar in chunk]
    assert len(chunks) >= 3 and all(chunks)
    times = [bar.time_ns for bar in bars]
    assert times == sorted(set(times))
    assert to_ns(end - 3 * HOUR) <= times[0] and times[-1] < to_ns(end)
    asked = [
        await client.request_historical_bars(
            SPY, duration="3600 S", bar_size="5 secs", use_rth=False, end=moment
        )
        for moment in (end - 2 * HOUR, end - HOUR, end)
    ]
    assert bars == [bar for rows in asked for bar in rows]
    assert steps[-1].done == steps[-1].total == len(steps)
    assert (steps[-1].rows, download.rows, download.position) == (len(bars), len(bars), end)


async def test_a_bar_that_runs_is_not_downloaded(tws: SimulatedTWS, client: TWSConnection) -> None:
    download = client.download_bars(SPY, now_of(tws) - 3 * HOUR, bar_size="1 hour", use_rth=False)
    bars = [bar async for chunk in download for bar in chunk]
    assert bars and bars[-1].time + HOUR <= now_of(tws) < bars[-1].time + 2 * HOUR
    again = client.download_bars(SPY, download.position, bar_size="1 hour", use_rth=False)
    assert [bar async for chunk in again for bar in chunk] == []


async def test_days(tws: SimulatedTWS, client: TWSConnection) -> None:
    start = now_of(tws) - timedelta(days=800)
    bars = [bar async for chunk in client.download_bars(SPY, start, bar_size="1 day") for bar in chunk]
    assert len(bars) > 500
    assert [bar.date for bar in bars] == sorted({bar.date for bar in bars})


@pytest.mark.parametrize(
    "wishes",
    [
        {"bar_size": "7 mins"},
        {"start": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"end": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
async def test_downloads_that_cannot_be(client: TWSConnection, wishes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"bar_size|time zone|not before"):
        client.download_bars(SPY, **{"start": datetime(2026, 1, 1, tzinfo=UTC)} | wishes)  # type: ignore[arg-type]


class Archive:
    """A TWS that has one bar an hour, except where it says no."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.refuse: dict[int, tuple[int, str]] = {}
        self.asked = 0

    def heard(self, client: Recorder, payload: bytes) -> None:
        asked = codec.decode_request(payload, 200)
        if isinstance(asked, CurrentTimeRequest):
            client.say(CurrentTime(int(self.now.timestamp())))
        elif isinstance(asked, HistoricalDataRequest):
            self.asked += 1
            if self.asked in self.refuse:
                client.say(ErrorMessage(asked.req_id, 0, *self.refuse[self.asked]))
                return
            end = datetime.strptime(asked.end_date_time, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
            seconds = int(asked.duration.split()[0])
            first = int(end.timestamp()) - seconds
            bars = tuple(
                HistoricalDataBar(str(at), 1.0, 2.0, 0.5, 1.5, None, None, 1)
                for at in range(first - first % 60, int(end.timestamp()), 60)
            )
            client.say(HistoricalData(asked.req_id, bars))
            client.say(HistoricalDataEnd(asked.req_id, "", ""))


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
PACING = (162, "Historical Market Data Service error message:Historical data request pacing violation")
CLOSED = (162, "Historical Market Data Service error message:HMDS query returned no data: SPY@SMART Trades")


async def test_a_download_goes_on_where_an_error_stopped_it(recorder: RecorderServer) -> None:
    archive = Archive(NOON + timedelta(days=9))
    archive.refuse = {2: PACING}
    recorder.heard = archive.heard
    async with unkept(config_of(recorder.port)) as connection:
        download = connection.download_bars(SPY, NOON, NOON + timedelta(days=3))
        bars = []
        with pytest.raises(RequestError, match="pacing"):
            async for chunk in download:
                bars += chunk
        assert bars and download.position > NOON
        async for chunk in download:
            bars += chunk
        assert [bar.time_ns for bar in bars] == [
            to_ns(NOON) + minute * 60 * NS_PER_S for minute in range(3 * 24 * 60)
        ]


async def test_a_time_without_trading_is_no_error(recorder: RecorderServer) -> None:
    archive = Archive(NOON + timedelta(days=9))
    archive.refuse = {1: CLOSED, 2: CLOSED}
    recorder.heard = archive.heard
    async with unkept(config_of(recorder.port)) as connection:
        download = connection.download_bars(SPY, NOON, NOON + timedelta(days=3))
        chunks = [chunk async for chunk in download]
        archive.refuse[archive.asked + 1] = CLOSED
        with pytest.raises(NoDataError):
            await connection.request_historical_bars(SPY, end=NOON)
        assert len(chunks) == archive.asked - 3 and all(chunks)


async def test_a_lost_link_ends_the_loop_and_not_the_download(recorder: RecorderServer) -> None:
    archive = Archive(NOON + timedelta(days=9))
    recorder.heard = archive.heard
    connection = unkept(config_of(recorder.port))
    assert await connection.connect()
    download = connection.download_bars(SPY, NOON, NOON + timedelta(days=2))
    bars = await anext(download)
    archive.refuse = {archive.asked + 1: (2106, "nothing")}  # a notice: the question waits on
    waiting = anext(download)
    task = asyncio.ensure_future(waiting)
    await recorder.caught_up(connection)
    recorder.clients[0].transport.abort()
    with pytest.raises(LinkLostError):
        await task
    assert await connection.connect()
    async for chunk in download:
        bars += chunk
    assert len(bars) == len({bar.time_ns for bar in bars}) == 2 * 24 * 60
    connection.disconnect()
