"""What is closed or given up is cancelled at TWS under the number under which it was asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.connection.peers import RecorderServer, config_of, unkept, until

from tws.connection import TWSConnection
from tws.errors import DecodeError
from tws.model.contract import Contract, stock
from tws.model.scanner import Scan
from tws.wire import codec
from tws.wire.messages import (
    CancelAccountUpdatesMulti,
    CancelCalculateImpliedVolatility,
    CancelCalculateOptionPrice,
    CancelContractData,
    CancelFundamentalsData,
    CancelHistoricalData,
    CancelHistoricalTicks,
    CancelMarketData,
    CancelMarketDepth,
    CancelNewsBulletins,
    CancelPositionsMulti,
    CancelScannerSubscription,
    CancelTickByTick,
    CancelWshEventData,
    CancelWshMetaData,
    UnsubscribeFromGroupEventsRequest,
    WshMetaData,
)

SPY = stock("SPY")
CALL = Contract(con_id=1, sec_type="OPT", exchange="SMART")
VERSION = 225  # from 215 on every request can be cancelled

STREAMS: list[tuple[Callable[[TWSConnection], Any], type]] = [
    (lambda connection: connection.stream_quotes(SPY), CancelMarketData),
    (lambda connection: connection.stream_ticks(SPY), CancelTickByTick),
    (lambda connection: connection.stream_depth(SPY), CancelMarketDepth),
    (lambda connection: connection.stream_bars(SPY), CancelHistoricalData),
    (lambda connection: connection.stream_display_group(1), UnsubscribeFromGroupEventsRequest),
    (lambda connection: connection.stream_scanner(Scan("MOST_ACTIVE")), CancelScannerSubscription),
]
REPLIES: list[tuple[Callable[[TWSConnection], Any], type]] = [
    (lambda connection: connection.request_quote(SPY), CancelMarketData),
    (lambda connection: connection.request_contract_details(SPY), CancelContractData),
    (lambda connection: connection.request_historical_bars(SPY), CancelHistoricalData),
    (lambda connection: connection.request_historical_ticks(SPY), CancelHistoricalTicks),
    (
        lambda connection: connection.request_implied_volatility(CALL, option_price=1.0, under_price=9.0),
        CancelCalculateImpliedVolatility,
    ),
    (
        lambda connection: connection.request_option_price(CALL, volatility=0.2, under_price=9.0),
        CancelCalculateOptionPrice,
    ),
    (lambda connection: connection.request_positions_of("DU1234567"), CancelPositionsMulti),
    (lambda connection: connection.request_account_values_of("DU1234567"), CancelAccountUpdatesMulti),
    (lambda connection: connection.request_scan(Scan("MOST_ACTIVE")), CancelScannerSubscription),
    (lambda connection: connection.request_fundamentals(SPY), CancelFundamentalsData),
    (lambda connection: connection.request_wsh_meta(), CancelWshMetaData),
]


async def seen(recorder: RecorderServer, count: int) -> list[Any]:
    """What was asked and cancelled, once so much has come."""
    await until(lambda: len(recorder.payloads) >= count)
    return [codec.decode_request(payload, VERSION) for payload in recorder.payloads]


@pytest.mark.parametrize(("ask", "cancel"), STREAMS, ids=[kind.__name__ for _, kind in STREAMS])
async def test_a_stream_that_is_closed(ask: Callable[[TWSConnection], Any], cancel: type) -> None:
    async with RecorderServer(VERSION) as recorder, unkept(config_of(recorder.port)) as connection:
        stream = ask(connection)
        (asked,) = await seen(recorder, 1)
        stream.close()
        _, ended = await seen(recorder, 2)
        assert type(ended) is cancel and ended.req_id == asked.req_id == stream.request_id


@pytest.mark.parametrize(("ask", "cancel"), REPLIES, ids=[kind.__name__ for _, kind in REPLIES])
async def test_a_request_that_nobody_waits_for(ask: Callable[[TWSConnection], Any], cancel: type) -> None:
    async with RecorderServer(VERSION) as recorder, unkept(config_of(recorder.port)) as connection:
        reply = ask(connection)
        (asked,) = await seen(recorder, 1)
        reply.cancel()
        _, ended = await seen(recorder, 2)
        assert type(ended) is cancel and ended.req_id == asked.req_id


async def test_events_that_nobody_waits_for() -> None:
    """The calendar itself was asked for before, and has answered."""
    async with RecorderServer(VERSION) as recorder, unkept(config_of(recorder.port)) as connection:
        reply = connection.request_wsh_events(CALL)
        (calendar,) = await seen(recorder, 1)
        recorder.clients[0].say(WshMetaData(calendar.req_id, '{"meta_data": {"event_types": []}}'))
        _, asked = await seen(recorder, 2)
        reply.cancel()
        *_, ended = await seen(recorder, 3)
        assert type(ended) is CancelWshEventData and ended.req_id == asked.req_id


async def test_the_calendar_is_asked_one_question_at_a_time() -> None:
    """TWS refuses a second one (10278, 10281)."""
    async with RecorderServer(VERSION) as recorder, unkept(config_of(recorder.port)) as connection:
        first, second = connection.request_wsh_meta(), connection.request_wsh_meta()
        (asked,) = await seen(recorder, 1)
        connection.request_current_time()
        assert [type(one).__name__ for one in await seen(recorder, 2)] == [
            "WshMetaDataRequest",
            "CurrentTimeRequest",
        ]
        recorder.clients[0].say(WshMetaData(asked.req_id, '{"meta_data": {"event_types": []}}'))
        assert (await first).types == ()
        *_, later = await seen(recorder, 3)
        recorder.clients[0].say(WshMetaData(later.req_id, "no json"))
        with pytest.raises(DecodeError):
            await second


async def test_bulletins_end_with_their_last_stream() -> None:
    async with RecorderServer(VERSION) as recorder, unkept(config_of(recorder.port)) as connection:
        first, second = connection.stream_news_bulletins(), connection.stream_news_bulletins()
        first.close()
        assert len(await seen(recorder, 2)) == 2
        second.close()
        *_, ended = await seen(recorder, 3)
        assert type(ended) is CancelNewsBulletins


async def test_positions_are_followed_until_the_official_client_says_otherwise() -> None:
    """Ours are facts as long as the session; who wants silence says it himself."""
    async with RecorderServer(VERSION) as recorder, unkept(config_of(recorder.port)) as connection:
        connection.request_positions().cancel()
        connection.official.cancelPositions()
        asked = await seen(recorder, 2)
        assert [type(one).__name__ for one in asked] == ["PositionsRequest", "CancelPositions"]
